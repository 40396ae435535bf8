"""What a comparison is made of, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import Literal

from pytest_telescope.statistics.paired import Effect

Outcome = Literal["better", "worse", "changed", "equivalent", "cannot tell", "not comparable"]
OUTCOMES: tuple[Outcome, ...] = ("worse", "better", "changed", "cannot tell", "equivalent", "not comparable")
"""In the order in which a reader wants to see them; `changed`: neither way is good."""
Side = Literal["A", "B"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run's number.

    Attributes:
        value: in the metric's unit; None where there is none that may be compared.
        reason: why, where there is none.
        pair: what it is paired by; None where it is not.
    """

    run: str
    value: float | None
    reason: str | None = None
    pair: tuple[str, int] | None = None
    fingerprint: str | None = None
    reused: bool | None = None
    kept: bool | None = None
    """Whether the SLO's bound was kept; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One number of both sides.

    Attributes:
        lost: B lacks a number that A has.
        paired: samples go together by `Sample.pair`.
        refused: why the two sides cannot be compared at all, else None.
    """

    cell: str
    metric: str
    unit: str
    better: Literal["lower", "higher"] | None
    a: tuple[Sample, ...]
    b: tuple[Sample, ...]
    paired: bool = False
    functional: bool | None = None
    refused: str | None = None

    @property
    def lost(self) -> bool:
        """Whether A has a number and B none."""
        return _has(self.a) and not _has(self.b)


def _has(samples: tuple[Sample, ...]) -> bool:
    return any(sample.value is not None for sample in samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found out about one series.

    Attributes:
        a, b: the middle of each side, in the unit: geometric mean on the log scale, else mean; None without a value.
        counts: values of A and of B that were used; pairs count on both sides.
        effect: None where no interval can be known.
        q: p of no effect, adjusted for all numbers of the report.
        q_equivalent: p of an effect of the margin or more, adjusted likewise.
        more: about how many more pairs (or runs a side) would tell; None where that is not the question.
        notes: what a reader must know of it, a sentence each.
    """

    series: Series
    outcome: Outcome
    a: float | None
    b: float | None
    counts: tuple[int, int]
    effect: Effect | None = None
    q: float | None = None
    q_equivalent: float | None = None
    more: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of both sides.

    Attributes:
        a, b: what each side is, e.g. `arm a-20-s`, or the runs.
        differs: what is not the same on both sides, a line each; None where that cannot be known.
    """

    id: str
    functional: bool | None
    differs: tuple[str, ...] | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole comparison.

    Attributes:
        margin: share within which two numbers count as equivalent, e.g. 0.05.
        notes: of the whole.
    """

    a: str
    b: str
    margin: float
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def findings(self) -> list[Finding]:
        """All that was found, cell by cell."""
        return [finding for cell in self.cells for finding in cell.findings]

    @property
    def is_red(self) -> bool:
        """Whether something is worse, or lost, or nothing at all could be compared."""
        findings = self.findings
        return not any(one.outcome != "not comparable" for one in findings) or any(
            one.outcome == "worse" or one.series.lost for one in findings
        )
