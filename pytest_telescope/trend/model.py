"""What a trend is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher"]
Kind = Literal["regression", "improvement", "change"]
"""A change of level: worse, better, or of a number of which nobody said which way is good."""
State = Literal["regression", "suspected", "change", "improvement", "steady", "too few", "no value"]
STATES: tuple[State, ...] = ("regression", "suspected", "change", "improvement", "too few", "no value", "steady")
"""What a series can be, the most urgent first."""


@dataclass(frozen=True, slots=True)
class Point:
    """One run's number; `value` is None where nothing sound was measured, which `gap` explains."""

    run: str
    time: float
    value: float | None
    low: float | None
    high: float | None
    fingerprint: str | None
    gap: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One metric of one cell over runs, in time order."""

    cell: str
    metric: str
    unit: str
    better: Better | None
    functional: bool
    bound: float | None
    """The bound of the newest run that had a single one, in `unit`."""
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Where the fingerprint changed: what is before and behind is never compared.

    Attributes:
        index: of the first point behind it.
        run: of that point.
        what: what differs, as far as both runs say.
    """

    index: int
    run: str
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of level within one fingerprint.

    Attributes:
        index: of the first point of the new level, among all points.
        run: of that point.
        kind: which way it went.
        shift: how much, as a share of the old level, or in the series' unit where `is_share` is False.
        low: lower end of the 95 % interval of `shift`.
        high: upper end of it.
        is_share: whether `shift` is a share.
        before: the old level, in the series' unit.
        after: the new level.
        p: chance of a change as clear in a series of this length that has none.
        is_standing: a regression that has not been made good since.
        doubt: why it is only suspected, None for a change that is sure.
        acknowledged: the reason given in the file of acknowledgements.
    """

    index: int
    run: str
    kind: Kind
    shift: float
    low: float
    high: float
    is_share: bool
    before: float
    after: float
    p: float
    is_standing: bool = True
    doubt: str | None = None
    acknowledged: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A stretch of one level, `start` to `end` among all points, at `value` in the series' unit."""

    start: int
    end: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A series and what was found in it.

    Attributes:
        series: the series.
        state: in one word.
        said: the verdict in one line.
        breaks: where comparison ends.
        changes: in time order; those of older fingerprints too.
        levels: in time order.
        tested: values behind the last break.
        gaps: points without a sound value.
        p: of the clearest change behind the last break, sure or not; None where nothing was looked for.
        detectable: the least change that would be found within five more runs in 80 of 100 cases, as a share, or in the
            series' unit where the series is not positive; None where nothing was looked for.
    """

    series: Series
    state: State
    said: str
    breaks: tuple[Break, ...]
    changes: tuple[Change, ...]
    levels: tuple[Level, ...]
    tested: int
    gaps: int
    p: float | None
    detectable: float | None
