"""What a person reads of a comparison."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from pytest_telescope.compare.model import OUTCOMES
from pytest_telescope.compare.model import Cell
from pytest_telescope.compare.model import Finding
from pytest_telescope.compare.model import Report
from pytest_telescope.slo.text import humanly
from pytest_telescope.slo.text import short
from pytest_telescope.statistics.noise import Noise
from pytest_telescope.statistics.paired import MOST
from pytest_telescope.statistics.paired import Effect

STYLE = {
    "worse": "bold red",
    "better": "green",
    "changed": "yellow",
    "equivalent": "green",
    "cannot tell": "",
    "not comparable": "magenta",
}
WIDTH = 120
MOST_VARIATION = 10.0
"""Share of the mean beyond which nobody needs to know how much a number varies exactly."""
SHOWN = 4
"""Differences that a cell's head names."""


def table(report: Report, *, width: int = WIDTH, colour: bool = False) -> str:
    """Return the comparison as text: a block a cell, a line a number, what must be known of it below."""
    out = io.StringIO()
    console = _console(out, width, colour)
    _line(console, f"A: {report.a}")
    _line(console, f"B: {report.b}")
    for cell in report.cells:
        _cell(console, cell, report.margin)
    for line in closing(report):
        _line(console, line)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _console(out: io.StringIO, width: int, colour: bool) -> Any:
    from rich.console import Console

    return Console(
        file=out,
        width=width,
        force_terminal=colour,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        color_system="standard" if colour else None,
    )


def _line(console: Any, text: str, style: str = "") -> None:
    console.print(text, style=style, soft_wrap=True)


def _cell(console: Any, cell: Cell, margin: float) -> None:
    note = "  (functional: no performance figure of a cloud)" if cell.functional else ""
    _line(console, f"\n{cell.id}{note}", "bold")
    _line(console, differs(cell.differs))
    same = [one for one in cell.findings if is_same(one)]
    rows = sorted((one for one in cell.findings if one not in same), key=lambda one: OUTCOMES.index(one.outcome))
    numbers = _Numbers()
    if rows:
        console.print(_table(rows, margin, numbers))
    if same:
        told = ", ".join(
            f"{one.series.metric} {_value(one.a, one.series.unit)}{numbers.marks(one.notes)}" for one in same
        )
        _line(console, f"  the same in every run: {told}", "dim")
    for number, text in numbers.items():
        _line(console, f"  {number} {text}", "dim")


class _Numbers:
    """Notes below a table, each said once."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}

    def marks(self, notes: Iterable[str]) -> str:
        """Return the numbers of notes in brackets."""
        found = [self._of.setdefault(note, len(self._of) + 1) for note in notes]
        return f" ({', '.join(map(str, found))})" if found else ""

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield number and note."""
        return ((f"({number})", note) for note, number in self._of.items())


def _table(findings: Iterable[Finding], margin: float, numbers: _Numbers) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    for heading in ("metric", "A", "B", "change", "95 % interval", "n", "outcome"):
        words = heading in {"metric", "outcome"}
        table.add_column(heading, justify="left" if words else "right", no_wrap=not words, overflow="fold")
    for one in findings:
        told = outcome(one, margin) + numbers.marks(one.notes)
        unit = one.series.unit
        table.add_row(
            one.series.metric,
            _value(one.a, unit),
            _value(one.b, unit),
            change(one),
            interval(one.effect, unit),
            count(one),
            Text(told, STYLE[one.outcome]),
        )
    return table


def is_same(finding: Finding) -> bool:
    """Tell whether every value of both sides that was used is one and the same."""
    effect = finding.effect
    return effect is not None and effect.error == 0 and effect.estimate == 0


def differs(found: tuple[str, ...] | None) -> str:
    """Return what is not the same on both sides, and whether an effect can have one cause."""
    if found is None:
        return "what differs is not known: cell.json of one side is not there"
    if not found:
        return "nothing that counts differs: both sides are runs of one thing"
    if len(found) == 1:
        return f"differs: {found[0]}"
    rest = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"{len(found)} things differ, so an effect has no one cause: {'; '.join(found[:SHOWN])}{rest}"


def outcome(finding: Finding, margin: float) -> str:
    """Return the outcome in words."""
    if finding.outcome == "equivalent":
        return f"equivalent within {percent(margin)}"
    if finding.outcome == "cannot tell" and finding.more is not None:
        kind = "pair" if finding.series.paired else "run"
        number = f"more than {MOST}" if finding.more >= MOST else f"about {finding.more} more"
        side = " a side" if kind == "run" else ""
        return f"cannot tell: needs {number} {kind}{'s'[: finding.more != 1]}{side}"
    return finding.outcome


def percent(share: float) -> str:
    """Return a share as `5 %`."""
    return f"{short(share * 100)} %"


def change(finding: Finding) -> str:
    """Return the change from A to B, `+4.2 %` or `+3 ms`; a dash where nothing is compared."""
    effect, unit = finding.effect, finding.series.unit
    if effect is not None:
        return _shift(effect, effect.estimate, unit)
    if finding.outcome == "not comparable" or finding.a is None or finding.b is None:
        return "-"
    if min(finding.a, finding.b) > 0:
        return f"{_signed((finding.b / finding.a - 1) * 100)} %"
    return _signed_value(finding.b - finding.a, unit)


def interval(effect: Effect | None, unit: str) -> str:
    """Return the 95 % interval of the change."""
    if effect is None:
        return "unknown"
    if effect.low == effect.high:
        return "no spread"
    return f"{_shift(effect, effect.low, unit)} to {_shift(effect, effect.high, unit)}"


def _shift(effect: Effect, value: float, unit: str) -> str:
    if effect.scale == "linear":
        return _signed_value(value, unit)
    ratio = effect.shown(min(value, 700.0))
    return f"{_signed((ratio - 1) * 100)} %" if ratio < 10 else f"x {short(ratio)}"


def _signed(value: float) -> str:
    return f"{value:+.1f}" if abs(value) < 99.95 else f"{value:+.0f}"


def _signed_value(value: float, unit: str) -> str:
    return f"{'+' if value > 0 else '-' if value < 0 else ''}{humanly(abs(value), unit)}"


def count(finding: Finding) -> str:
    """Return `4 pairs`, or `3, 5` runs."""
    a, b = finding.counts
    if finding.series.paired and a == b:
        return f"{a} pair{'s'[: a != 1]}"
    return f"{a}" if a == b else f"{a}, {b}"


def _value(value: float | None, unit: str) -> str:
    return "-" if value is None else humanly(value, unit)


def closing(report: Report) -> Iterator[str]:
    """Yield the last lines: how many of what, and what the outcomes mean."""
    counts = Counter(one.outcome for one in report.findings)
    yield ", ".join(f"{counts[name]} {name}" for name in OUTCOMES if counts[name]) or "nothing to compare"
    tested = sum(one.effect is not None and one.effect.error > 0 for one in report.findings)
    if tested:
        yield (
            f"numbers tested: {tested}; of those called better, worse or changed, and of those called equivalent, "
            "at most 5 % are expected to be so by chance (Benjamini-Hochberg)"
        )
    if any(one.more for one in report.findings):
        yield (
            f"how many more: until a change of {percent(report.margin)} would be found, and its absence shown, with a "
            "chance of 80 %, as far as the spread is known by now"
        )
    yield from report.notes


def noise_lines(found: Iterable[Noise]) -> Iterator[str]:
    """Yield what a calibration found, a line a number."""
    for one in found:
        varies = one.variation
        if varies.cv is None or varies.cv_low is None or varies.cv_high is None:
            words = f"standard deviation {humanly(varies.spread, one.unit)}"
        else:
            words = f"CV {_cv(varies.cv)} ({_cv(varies.cv_low)} to {_cv(varies.cv_high)})"
        if varies.correlation is not None:
            assert varies.correlation_low is not None
            assert varies.correlation_high is not None
            ends = f"{varies.correlation_low:.2f} to {varies.correlation_high:.2f}"
            words += f", correlation within pairs {varies.correlation:.2f} ({ends})"
        sessions = len(one.sessions)
        yield f"{one.cell} {one.metric}: {words}, {varies.runs} runs of {sessions} session{'s'[: sessions != 1]}"


def _cv(share: float) -> str:
    return percent(share) if share < MOST_VARIATION else f"more than {percent(MOST_VARIATION)}"
