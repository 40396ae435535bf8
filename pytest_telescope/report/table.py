"""The table that closes a run: one block a cell, one line an SLO, what needs a look first."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_telescope.report.folder import CellFolder
from pytest_telescope.report.sparkline import sparkline
from pytest_telescope.slo.bounds import SIGNS
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.text import humanly

WIDE = 110
"""Columns from which on the table shows how each SLO went."""
HEADINGS = ("SLO", "value", "bound", "margin", "samples", "verdict", "over the window")
RIGHT = {"value", "bound", "margin", "samples"}
DISPENSABLE = ("samples", "margin", "bound")
"""Left out in this order where the terminal is too narrow for all."""
GAP = "  "
LEAST = 14
"""Columns that the name of an SLO gets at least; a longer one goes on below."""
WORST_FIRST = ("ERROR", "FAIL", "INVALID", "PASS", "SKIP")
CODES = {"PASS": "32", "FAIL": "31;1", "INVALID": "35;1", "ERROR": "33;1", "SKIP": "2"}
"""Verdict -> ANSI; the word itself says the same."""
BOLD, DIM = "1", "2"


@dataclass(frozen=True, slots=True)
class Row:
    """One SLO as the table shows it; `details` are lines below it."""

    cells: tuple[str, ...]
    verdict: str
    level: str
    margin: float | None
    details: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[int, float]:
        """Worst verdict first, within it the smallest margin, those without one last."""
        order = WORST_FIRST.index(self.verdict) if self.verdict in WORST_FIRST else 0
        return order, self.margin if self.margin is not None else float("inf")


@dataclass(frozen=True, slots=True)
class Closing:
    """The tables as text, and (verdict, level) of every SLO in them."""

    text: str
    judged: tuple[tuple[str, str], ...]


def closing_table(
    cells: Iterable[tuple[str, CellFolder]], *, width: int, colour: bool, detailed: bool = False
) -> Closing:
    """Return a table a cell, with ANSI colours if asked; `detailed`: also guards and queries of every SLO."""
    lines, judged = list[str](), list[tuple[str, str]]()
    for cell, folder in cells:
        rows = sorted(rows_of(folder, detailed=detailed), key=lambda one: one.rank)
        judged += [(one.verdict, one.level) for one in rows]
        lines += [_painted(line, colour) for line in _cell(cell, folder, rows, width)]
    return Closing("\n".join(lines), tuple(judged))


Line = tuple[str, str]
"""(text, ANSI code or verdict word that is coloured alone)."""


def _painted(line: Line, colour: bool) -> str:
    text, code = line
    if not (colour and code):
        return text
    if code in CODES:
        return re.sub(rf"(?<=  ){code}\b", f"\x1b[{CODES[code]}m{code}\x1b[0m", text, count=1)
    return f"\x1b[{code}m{text}\x1b[0m"


def _cell(cell_id: str, folder: CellFolder, rows: Sequence[Row], width: int) -> Iterator[Line]:
    about = folder.read("cell.json") or {}
    yield "", ""
    yield from ((text, BOLD) for text in wrapped(_title(cell_id, about), width))
    if not rows:
        yield f"{cell_id}: nothing was judged", CODES["FAIL"]
    else:
        yield counted(row.verdict for row in rows), ""
        yield from laid_out(rows, width)
    if took := durations(folder):
        yield from ((text, DIM) for text in wrapped("  ".join(took), width))


def _title(cell_id: str, about: Mapping[str, Any]) -> str:
    return f"{cell_id}{'  (functional: no performance figure of a cloud)' if about.get('functional') else ''}"


def rows_of(folder: CellFolder, *, detailed: bool = False) -> Iterator[Row]:
    """Yield one row for every judgement of a cell, in the order of the SLOs; one judgement is in memory at a time."""
    for one in folder.records("judgements.jsonl"):
        shown = (*row(one), line_of(one))
        level = one.get("level", "gate")
        yield Row(shown, one["verdict"], level, one["margin"], tuple(details(one)) if detailed else ())


def row(judgement: Mapping[str, Any]) -> tuple[str, str, str, str, str, str]:
    """Return one line of the table; what was not measured is a dash."""
    bound = judgement.get("bound") or {}
    value, margin, count = judgement["value"], judgement["margin"], judgement["count"]
    level = judgement.get("level", "gate")
    told = f" ({level})" if judgement["verdict"] == "FAIL" and level != "gate" else ""
    return (
        judgement["slo"],
        humanly(value, judgement["unit"]) if value is not None else "-",
        f"{SIGNS.get(bound.get('operator', ''), '')} {bound.get('text', '-')}".strip(),
        percent(margin) if margin is not None else "-",
        f"{count:.0f}" if count is not None else "-",
        f"{judgement['verdict']}{told}",
    )


def percent(margin: float) -> str:
    """Return a margin as `-26%`; of one that is far away only that it is."""
    if abs(margin) >= 100:
        return "<-9999%" if margin < 0 else ">+9999%"
    return f"{margin:+.0%}"


def line_of(judgement: Mapping[str, Any]) -> str:
    """Return how the worst element went over the window, empty where no line was asked for."""
    traces = judgement.get("traces") or ()
    points = traces[0]["points"] if traces else ()
    bound = judgement.get("bound")
    edge = Bound(**{**bound, "values": tuple(bound["values"])}) if bound else None
    return sparkline([value for _, value in points], edge) if points else ""


def details(judgement: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a judgement rests on: its line, every guard's finding, every query, each whole for pasting."""
    yield judgement["message"]
    yield from (f"{name}: {finding}" for name, finding in judgement.get("guards", {}).items())
    yield from judgement.get("queries", ())


def laid_out(rows: Sequence[Row], width: int) -> Iterator[Line]:
    """Yield the lines of a table that is at most `width` wide, as far as `LEAST` and the numbers allow."""
    shown = columns(rows, width)
    sizes = {name: max(len(name), *(len(one.cells[HEADINGS.index(name)]) for one in rows)) for name in shown}
    sizes["SLO"] = max(min(sizes["SLO"], width - _others(sizes)), LEAST)
    yield _joined(shown, shown, sizes), BOLD
    yield "─" * min(sum(sizes.values()) + len(GAP) * (len(sizes) - 1), width), DIM
    for one in rows:
        first, *more = folded(one.cells[0], sizes["SLO"])
        yield _joined(shown, [first, *(one.cells[HEADINGS.index(name)] for name in shown[1:])], sizes), one.verdict
        yield from ((rest, "") for rest in more)
        yield from ((f"    {detail}", DIM) for detail in one.details)


def _others(sizes: Mapping[str, int]) -> int:
    return sum(len(GAP) + size for name, size in sizes.items() if name != "SLO")


def columns(rows: Sequence[Row], width: int) -> list[str]:
    """Return the headings that there is room and something for."""
    has_lines = width >= WIDE and any(one.cells[-1] for one in rows)
    shown = [name for name in HEADINGS if name != HEADINGS[-1] or has_lines]
    for name in DISPENSABLE:
        sizes = {each: max(len(each), *(len(one.cells[HEADINGS.index(each)]) for one in rows)) for each in shown}
        if _others(sizes) + LEAST <= width:
            break
        shown.remove(name)
    return shown


def _joined(names: Sequence[str], texts: Sequence[str], sizes: Mapping[str, int]) -> str:
    padded = (
        text.rjust(sizes[name]) if name in RIGHT else text.ljust(sizes[name])
        for name, text in zip(names, texts, strict=True)
    )
    return GAP.join(padded).rstrip()


def folded(name: str, width: int) -> list[str]:
    """Return a name in lines of at most `width`, those after the first set in."""
    return textwrap.wrap(name, width, subsequent_indent=GAP) or [""]


def wrapped(text: str, width: int) -> list[str]:
    """Return a text in lines of at most `width`, broken at blanks and hyphens where that can be."""
    return textwrap.wrap(text, width, replace_whitespace=False)


def counted(verdicts: Iterable[str]) -> str:
    """Return `2 FAIL, 1 INVALID, 11 PASS`."""
    found = Counter(verdicts)
    return ", ".join(f"{found[name]} {name}" for name in WORST_FIRST if found[name])


def durations(folder: CellFolder) -> list[str]:
    """Return how long each stage took."""
    return [f"{r['stage']} {r['ended'] - r['started']:.1f} s" for r in folder.records("status.jsonl")]
