"""A whole comparison: sides, what differs between them, and what was found."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_telescope.compare import sides
from pytest_telescope.compare.differing import Documents
from pytest_telescope.compare.differing import differing
from pytest_telescope.compare.judging import Floor
from pytest_telescope.compare.judging import judge
from pytest_telescope.compare.model import Cell
from pytest_telescope.compare.model import Finding
from pytest_telescope.compare.model import Report

if TYPE_CHECKING:
    from pytest_telescope.report.record import Record

MARGIN = 0.05


def of_arms(
    records: Iterable[Record], documents: Documents, *, margin: float = MARGIN, floor: Floor | None = None
) -> Report:
    """Compare the arms of interleaved comparisons."""
    kept = [record for record in records if record.arm is not None]
    a, b = ([one for one in kept if sides.is_of_arm(one, arm)] for arm in (sides.FIRST_ARM, sides.SECOND_ARM))
    findings = judge(sides.of_arms(kept), margin=margin, floor=floor)
    cells = _cells(findings, (a, b), lambda one: one.cell, documents)
    return Report(a=_arms(a), b=_arms(b), margin=margin, cells=cells)


def of_runs(
    a: Sequence[Record],
    b: Sequence[Record],
    documents: Documents,
    *,
    paired: bool = False,
    across: tuple[str, str] | None = None,
    margin: float = MARGIN,
    floor: Floor | None = None,
) -> Report:
    """Compare two lists of runs; see `sides.of_runs`."""
    if across is not None:
        a, b = ([one for one in side if one.provider == name] for side, name in zip((a, b), across, strict=True))
    findings = judge(sides.of_runs(a, b, paired=paired, across=across), margin=margin, floor=floor)
    cells = _cells(findings, (a, b), lambda one: sides.name(one, across), documents)
    told = across or ("", "")
    return Report(a=_runs(a, told[0]), b=_runs(b, told[1]), margin=margin, cells=cells)


def _cells(
    findings: Iterable[Finding],
    records: tuple[Sequence[Record], Sequence[Record]],
    name: Callable[[Record], str],
    documents: Documents,
) -> tuple[Cell, ...]:
    """Return the findings cell by cell, with what differs between the `records` of A and B."""
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(finding.series.cell, []).append(finding)
    return tuple(_cell(cell, found, records, name, documents) for cell, found in grouped.items())


def _cell(
    cell: str,
    findings: Sequence[Finding],
    records: tuple[Sequence[Record], Sequence[Record]],
    name: Callable[[Record], str],
    documents: Documents,
) -> Cell:
    a, b = ([one for one in side if name(one) == cell] for side in records)
    return Cell(
        id=cell,
        functional=findings[0].series.functional,
        differs=differing(a, b, documents),
        findings=tuple(findings),
    )


def _arms(records: Iterable[Record]) -> str:
    return "arm " + ", ".join(dict.fromkeys(str(one.arm) for one in records))


def _runs(records: Iterable[Record], provider: str) -> str:
    runs = ", ".join(dict.fromkeys(one.run for one in records)) or "no run"
    return f"{provider} in {runs}" if provider else runs
