"""A series -> what happened to it: each stretch of one fingerprint on its own, never across a break."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_telescope.statistics import steps
from pytest_telescope.trend.model import Break
from pytest_telescope.trend.model import Change
from pytest_telescope.trend.model import Kind
from pytest_telescope.trend.model import Level
from pytest_telescope.trend.model import Series

PRACTICAL = 0.02
"""Share of the old level below which a change is of no use to anybody, however sure it is."""

Told = Callable[[str, str, str, str], Sequence[str]]
"""What differs between two runs of a cell: (cell, metric, run before, run behind) -> texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found in a series, before other series are considered.

    Attributes:
        breaks: where comparison ends.
        changes: sure ones, of all stretches, in time order.
        levels: of all stretches.
        tail: a change in the last one or two runs of the last stretch.
        tested: values in the last stretch.
        is_still: all of them are the same.
        p: of the clearest step there; None where it has too few.
        detectable: see `Trend`.
    """

    breaks: tuple[Break, ...]
    changes: tuple[Change, ...]
    levels: tuple[Level, ...]
    tail: Change | None
    tested: int
    is_still: bool
    p: float | None
    detectable: float | None


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Sound values of one fingerprint: their places among the points, and whether their logarithm is looked at."""

    places: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def is_positive(self) -> bool:
        return bool(self.values) and min(self.values) > 0


def look(series: Series, *, least: float = PRACTICAL, differs: Told | None = None) -> Looked:
    """Return what a series shows.

    Args:
        series: in time order.
        least: share of the old level that a change must have, e.g. the noise floor of an A/A comparison.
        differs: says what changed between two runs.
    """
    breaks = tuple(_breaks(series, differs))
    edges = [0, *(one.index for one in breaks), len(series.points)]
    looked = [_look(series, _stretch(series, start, end), least) for start, end in pairwise(edges)]
    last = looked[-1]
    return Looked(
        breaks=breaks,
        changes=tuple(change for one in looked for change in one.changes),
        levels=tuple(level for one in looked for level in one.levels),
        tail=last.tail,
        tested=last.tested,
        is_still=last.is_still,
        p=last.p,
        detectable=last.detectable,
    )


def _breaks(series: Series, differs: Told | None) -> Iterator[Break]:
    for index, (before, behind) in enumerate(pairwise(series.points), start=1):
        if before.fingerprint != behind.fingerprint:
            what = differs(series.cell, series.metric, before.run, behind.run) if differs else ()
            yield Break(index=index, run=behind.run, what=tuple(what))


def _stretch(series: Series, start: int, end: int) -> _Stretch:
    kept = [(place, value) for place in range(start, end) if (value := series.points[place].value) is not None]
    return _Stretch(tuple(place for place, _ in kept), tuple(value for _, value in kept))


def _look(series: Series, stretch: _Stretch, least: float) -> Looked:
    if len(stretch.values) < steps.FEWEST:
        levels = _levels(stretch, [0, len(stretch.values)]) if stretch.values else ()
        return _looked(stretch, levels)
    is_log = stretch.is_positive
    found = steps.find([math.log(value) for value in stretch.values] if is_log else stretch.values)
    worth = [one for one in _changes(series, stretch, found.steps) if _is_worth(one, least)]
    at = {place: number for number, place in enumerate(stretch.places)}
    levels = _levels(stretch, [0, *(at[one.index] for one in worth), len(stretch.values)])
    tail = [one for one in _changes(series, stretch, [found.tail] if found.tail else []) if _is_worth(one, least)]
    shift = math.expm1(found.detectable) if is_log else found.detectable
    return _looked(
        stretch,
        levels,
        changes=_with_standing(worth, least),
        tail=tail[0] if tail else None,
        p=min([found.p, *(one.p for one in found.steps)]),
        detectable=max(shift, least) if is_log else shift,
    )


def _looked(
    stretch: _Stretch,
    levels: Sequence[Level],
    *,
    changes: Sequence[Change] = (),
    tail: Change | None = None,
    p: float | None = None,
    detectable: float | None = None,
) -> Looked:
    return Looked(
        breaks=(),
        changes=tuple(changes),
        levels=tuple(levels),
        tail=tail,
        tested=len(stretch.values),
        is_still=len(set(stretch.values)) == 1,
        p=p,
        detectable=detectable,
    )


def _levels(stretch: _Stretch, bounds: Sequence[int]) -> tuple[Level, ...]:
    return tuple(
        Level(start=stretch.places[start], end=stretch.places[end - 1] + 1, value=_middle(stretch, start, end))
        for start, end in pairwise(bounds)
    )


def _middle(stretch: _Stretch, start: int, end: int) -> float:
    """Return the level of some values, which one outlier does not move."""
    return statistics.median(stretch.values[start:end])


def _changes(series: Series, stretch: _Stretch, found: Sequence[steps.Step]) -> Iterator[Change]:
    for step in found:
        before, after = _middle(stretch, step.before, step.at), _middle(stretch, step.at, step.until)
        change = math.expm1 if stretch.is_positive else _same
        yield Change(
            index=stretch.places[step.at],
            run=series.points[stretch.places[step.at]].run,
            kind=_kind(step.shift, series),
            shift=change(step.shift),
            low=change(step.low),
            high=change(step.high),
            is_share=stretch.is_positive,
            before=before,
            after=after,
            p=step.p,
        )


def _same(value: float) -> float:
    return value


def _kind(shift: float, series: Series) -> Kind:
    if series.better is None:
        return "change"
    return "regression" if (shift > 0) == (series.better == "lower") else "improvement"


def _is_worth(change: Change, least: float) -> bool:
    if change.is_share:
        return abs(math.log1p(change.shift)) >= math.log1p(least)
    return abs(change.shift) >= least * abs(change.before)


def _with_standing(changes: Sequence[Change], least: float) -> list[Change]:
    """Return the changes, those no longer standing that later ones made good to within the practical effect."""
    from dataclasses import replace

    now = changes[-1].after if changes else 0.0
    return [replace(one, is_standing=_stands(one, now, least)) for one in changes]


def _stands(change: Change, now: float, least: float) -> bool:
    moved = (now - change.before) * math.copysign(1.0, change.shift)
    return moved > 0 and moved >= least * abs(change.before)
