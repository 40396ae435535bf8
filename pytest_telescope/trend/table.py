"""A trend on the terminal: one block a cell, one line a metric."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from pytest_telescope.report.sparkline import sparkline
from pytest_telescope.slo.text import humanly
from pytest_telescope.trend.model import STATES
from pytest_telescope.trend.model import Break
from pytest_telescope.trend.model import Trend

STYLE = {"regression": "red bold", "suspected": "yellow", "improvement": "green", "change": "cyan"}
DULL = ("steady", "too few", "no value")
"""States that are only counted unless all series are asked for."""
LINE = 40
"""Characters of the line of values."""
LAST_BREAKS, REASONS, WORDS = 3, 4, 80
"""Breaks that are told of a series, reasons of each, and characters of a reason."""
BREAK = "|"
"""Stands between values that must not be compared."""


def table(trends: Sequence[Trend], *, width: int, colour: bool, every: bool) -> str:
    """Return the trends as text.

    Args:
        trends: in any order; shown by cell, the most urgent first.
        width: of the terminal, columns.
        colour: with ANSI colours.
        every: also those where nothing happened.
    """
    from rich.console import Console

    out = io.StringIO()
    system: Any = "standard" if colour else None
    console = Console(
        file=out, width=width, force_terminal=colour, no_color=not colour, highlight=False, color_system=system
    )
    shown = [one for one in trends if every or _is_news(one)]
    for cell, group in groupby(sorted(shown, key=_order), key=lambda one: one.series.cell):
        _cell(console, cell, list(group))
    console.print(("\n" if shown else "") + summary(trends), soft_wrap=True)
    return out.getvalue().rstrip()


def _is_news(trend: Trend) -> bool:
    """Return whether a series is shown unasked: something happened, or a break keeps it from being told."""
    return trend.state not in DULL or (trend.state == "too few" and bool(trend.breaks))


def summary(trends: Sequence[Trend]) -> str:
    """Return how many series there are of each state."""
    counts = Counter(one.state for one in trends)
    told = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    return f"{len(trends)} series: {told}" if trends else "no series"


def _order(trend: Trend) -> tuple[str, int, str]:
    return trend.series.cell, STATES.index(trend.state), trend.series.metric


def _cell(console: Any, cell: str, trends: Sequence[Trend]) -> None:
    note = "  (functional: no performance figure of a cloud)" if trends[0].series.functional else ""
    console.print(f"\n{cell}{note}", style="bold", soft_wrap=True)
    for trend in trends:
        _metric(console, trend)


def _metric(console: Any, trend: Trend) -> None:
    from rich.text import Text

    newest = next((one.value for one in reversed(trend.series.points) if one.value is not None), None)
    now = humanly(newest, trend.series.unit) if newest is not None else "-"
    head = Text("  ")
    head.append(trend.series.metric, style="bold")
    head.append(f"  {line_of(trend)}  {now}  ")
    head.append(trend.said, style=STYLE.get(trend.state, ""))
    console.print(head, soft_wrap=True)
    for text in details(trend):
        console.print(Text(f"      {text}", style="dim"), soft_wrap=True)


def line_of(trend: Trend, width: int = LINE) -> str:
    """Return the newest values as a line of characters, `BREAK` where comparison ends."""
    values = [one.value for one in trend.series.points]
    start = max(0, len(values) - width)
    line = sparkline(values[start:], width=width)
    cuts = [one.index - start for one in trend.breaks if one.index > start]
    return BREAK.join(line[left:right] for left, right in zip([0, *cuts], [*cuts, len(line)], strict=True))


def details(trend: Trend) -> list[str]:
    """Return what else is known: breaks with what changed there, gaps."""
    told = [f"break at {one.run}: {_what(one)}" for one in trend.breaks[-LAST_BREAKS:]]
    if len(trend.breaks) > len(told):
        told.insert(0, f"{len(trend.breaks) - len(told)} breaks before")
    if trend.gaps:
        reasons = Counter(one.gap for one in trend.series.points if one.gap)
        why = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
        told.append(f"{trend.gaps} of {len(trend.series.points)} runs without a sound value: {why}")
    return told


def _what(one: Break) -> str:
    """Return what changed at a break, the first few and in short."""
    told = [text if len(text) <= WORDS else f"{text[: WORDS - 3]}..." for text in one.what[:REASONS]]
    more = len(one.what) - len(told)
    return ", ".join([*told, f"{more} more"] if more else told) or "the fingerprint changed"
