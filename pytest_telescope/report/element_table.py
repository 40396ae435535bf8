"""The worst elements of an SLO as an aligned little table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Sequence

from pytest_telescope.report.sparkline import SAYS
from pytest_telescope.report.sparkline import sparkline
from pytest_telescope.slo.bounds import SIGNS
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Trace
from pytest_telescope.slo.text import clock
from pytest_telescope.slo.text import humanly
from pytest_telescope.slo.text import short

MOST = 5
LONGEST_LABEL = 40


def table(judgement: Judgement) -> Iterator[str]:
    """Yield a headed row an element, worst first, and how to read their lines; nothing where a row says nothing."""
    shown = judgement.elements[:MOST]
    traces = judgement.traces[: len(shown)]
    if not shown or (len(judgement.elements) == 1 and not shown[0].labels and not any(one.points for one in traces)):
        return
    names = list(dict.fromkeys(name for one in shown for name in one.labels))
    lines = [sparkline([value for _, value in one.points], judgement.bound) for one in traces]
    lines += [""] * (len(shown) - len(lines))
    rows = [_row(judgement, one, names, line) for one, line in zip(shown, lines, strict=True)]
    heads = [*names, "value", "bound", "n", "verdict", "over the window" if any(lines) else "", ""]
    yield from aligned([heads, *rows], right=range(len(names), len(names) + 3))
    if (more := len(judgement.elements) - len(shown)) > 0:
        yield f"and {more} more"
    if any(lines):
        yield _legend(traces)


def _row(judgement: Judgement, element: Element, names: Sequence[str], line: str) -> list[str]:
    is_open = element.bucket is not None and math.isinf(element.bucket[1])
    value = "-" if element.value is None else f"{'> ' if is_open else ''}{humanly(element.value, judgement.unit)}"
    count = "-" if element.count is None else short(element.count)
    labels = [_short(element.labels.get(name, "")) for name in names]
    return [*labels, value, _bound(judgement), count, str(element.verdict), line, element.message]


def _bound(judgement: Judgement) -> str:
    if judgement.bound is None:
        return "-"
    return (
        f"{SIGNS[judgement.bound.operator]} {'..'.join(humanly(one, judgement.unit) for one in judgement.bound.values)}"
    )


def _short(value: str) -> str:
    if len(value) <= LONGEST_LABEL:
        return value or "(none)"
    half = (LONGEST_LABEL - 1) // 2
    return f"{value[:half]}…{value[-half:]}"


def _legend(traces: Sequence[Trace]) -> str:
    drawn = next(one for one in traces if one.points)
    how = drawn.name.partition(", ")[0]
    return f"{how}, {clock(drawn.points[0][0])} to {clock(drawn.points[-1][0])}; {SAYS}"


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> Iterator[str]:
    """Yield rows of equal length with their columns aligned, two spaces apart; empty columns are left out."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            f"{cell:>{width}}" if column in right else f"{cell:<{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            if width
        ]
        yield "  ".join(cells).rstrip()
