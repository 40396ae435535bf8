"""A window cut into slices, and what was counted or answered in each."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_telescope.slo import sliced_queries
from pytest_telescope.slo.buckets import Buckets
from pytest_telescope.slo.buckets import Key
from pytest_telescope.slo.buckets import key_of
from pytest_telescope.slo.coverage import Coverage
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.guards import ENOUGH_SCRAPES
from pytest_telescope.slo.guards import InvalidError
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.text import lasting

Row = tuple[Mapping[str, str], list[tuple[int, float]]]
"""Labels of one series, and its values by the end of their slice in unix milliseconds."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The slices of one SLO's window; `ends` are where they end, unix milliseconds."""

    slices: Slices
    desk: Desk
    ends: tuple[int, ...]

    @property
    def length(self) -> str:
        """A slice's length for people."""
        return lasting(self.slices.length)

    def counted(self, selected: str, by: tuple[str, ...]) -> list[Row]:
        """Return what `selected` counted in each slice."""
        return self.asked(sliced_queries.delta(selected, by, self.slices))

    def asked(self, promql: str) -> list[Row]:
        """Evaluate at the end of each slice: one range query, and the window's end where it is off the steps."""
        step = sliced_queries.millis(self.slices.step)
        first, last = self.ends[0], self.ends[-1]
        on_grid = last if (last - first) % step == 0 else self.ends[-2]
        answer = self.desk.ask_range(promql, first / 1000, on_grid / 1000, step / 1000)
        end_at = {end / 1000: end for end in self.ends}
        found: list[Row] = [
            (one.labels, [(end_at[when], value) for when, value in one.values]) for one in answer.series
        ]
        if on_grid < last:
            found.extend((one.labels, [(last, one.value)]) for one in self.desk.ask(promql).series)
        return found


def by_slice(rows: Iterable[Row], by: Sequence[str]) -> dict[Key, dict[int, float]]:
    """Return the values of each label set by slice.

    Raises:
        InvalidError: a label set is there twice in a slice.
    """
    found: dict[Key, dict[int, float]] = {}
    for labels, values in rows:
        key = key_of(labels, by)
        mine = found.setdefault(key, {})
        for end, value in values:
            if end in mine:
                raise InvalidError(f"the query's answer has {key} twice")
            mine[end] = value
    return found


def histograms_by_slice(rows: Iterable[Row], by: Sequence[str]) -> dict[Key, dict[int, Buckets]]:
    """Return the histogram of each label set by slice."""
    found: dict[Key, dict[int, dict[float, float]]] = {}
    for labels, values in rows:
        edge = float(labels.get("le", "nan"))
        mine = found.setdefault(key_of(labels, by), {})
        for end, value in values:
            counts = mine.get(end)
            if counts is None:
                mine[end] = {edge: value}
            else:
                counts[edge] = counts.get(edge, 0.0) + value
    return {key: {end: Buckets(counts) for end, counts in mine.items()} for key, mine in found.items()}


def cut(slices: Slices, desk: Desk, covered: Iterable[Coverage | None]) -> Cut:
    """Cut the desk's window; slices that are too short for the scrapes, or for a gap in them, are problems.

    Raises:
        InvalidError: the window is shorter than one slice.
    """
    found = Cut(slices, desk, sliced_queries.ends(slices, desk.span))
    if not found.ends:
        raise InvalidError(f"the window of {lasting(round(desk.span.seconds, 1))} holds no slice of {found.length}")
    if slices.length < ENOUGH_SCRAPES * desk.span.interval:
        desk.problem(f"slices of {found.length} are shorter than {ENOUGH_SCRAPES} scrapes of {desk.span.interval:g} s")
    for one in covered:
        if one is not None and one.gap > sliced_queries.MOST_GAP * slices.length:
            gap = f"{one.gap_of} was not scraped for {one.gap:.1f} s"
            desk.problem(f"{gap}, more than half a slice of {found.length}")
    return found
