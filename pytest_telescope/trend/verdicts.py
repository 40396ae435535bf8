"""All series of a report -> their verdicts, which know of each other: of many series some look bad by chance."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace

from pytest_telescope.slo.text import humanly
from pytest_telescope.statistics.steps import FEWEST
from pytest_telescope.statistics.steps import FURTHER
from pytest_telescope.trend.acknowledged import Acknowledgement
from pytest_telescope.trend.acknowledged import reason
from pytest_telescope.trend.judging import PRACTICAL
from pytest_telescope.trend.judging import Looked
from pytest_telescope.trend.judging import Told
from pytest_telescope.trend.judging import look
from pytest_telescope.trend.model import Change
from pytest_telescope.trend.model import Series
from pytest_telescope.trend.model import State
from pytest_telescope.trend.model import Trend

FALSE_DISCOVERIES = 0.05
"""Share of the changes of a report that may be chance (Benjamini and Hochberg 1995)."""
YOUNG = "only the last one or two runs have it: run it again"

SMALL, LEAST_SAID = 0.1, 1e-4
"""Share below which a change is said with a digit more, and the least chance that is said as a number."""

Floors = Mapping[tuple[str, str], float]
"""Cell, metric -> relative standard deviation of a single run, from an A/A comparison."""


def trends(
    every: Sequence[Series],
    *,
    floors: Floors | None = None,
    acknowledged: Sequence[Acknowledgement] = (),
    differs: Told | None = None,
) -> list[Trend]:
    """Return each series' verdict, in the order given.

    Args:
        every: all series of the report.
        floors: the noise of a single run, which a change must exceed.
        acknowledged: changes that are known and not red.
        differs: says what changed between two runs.
    """
    known = floors or {}
    looked = [look(one, least=max(PRACTICAL, known.get((one.cell, one.metric), 0.0)), differs=differs) for one in every]
    adjusted = _adjusted(every, looked)
    return [
        _trend(series, one, chance, acknowledged) for series, one, chance in zip(every, looked, adjusted, strict=True)
    ]


def _adjusted(every: Sequence[Series], looked: Sequence[Looked]) -> list[float | None]:
    """Return each series' chance adjusted for how many there are; None where none was looked for.

    What has a good way and what has none are counted apart: facts of the load must not hide a regression among them.
    A series that never moved cannot raise a false alarm, so it is not counted either.
    """
    from pytest_telescope.statistics.false_discovery import benjamini_hochberg

    found: list[float | None] = [None] * len(every)
    for has_way in (True, False):
        chances = {
            place: one.p
            for place, (series, one) in enumerate(zip(every, looked, strict=True))
            if one.p is not None and not one.is_still and (series.better is not None) == has_way
        }
        for place, chance in zip(chances, benjamini_hochberg(list(chances.values())), strict=True):
            found[place] = chance
    return found


def _trend(series: Series, looked: Looked, adjusted: float | None, known: Sequence[Acknowledgement]) -> Trend:
    start = looked.breaks[-1].index if looked.breaks else 0
    doubt = _chance_of_many(adjusted)
    changes = [replace(one, doubt=doubt) if one.index >= start else one for one in looked.changes]
    changes += [replace(looked.tail, doubt=YOUNG)] if looked.tail else []
    changes = [replace(one, acknowledged=reason(known, series, one)) for one in changes]
    state, change = _state(series, looked, [one for one in changes if one.index >= start])
    return Trend(
        series=series,
        state=state,
        said=_said(series, looked, state, change),
        breaks=looked.breaks,
        changes=tuple(changes),
        levels=looked.levels,
        tested=looked.tested,
        gaps=sum(one.value is None for one in series.points),
        p=looked.p,
        detectable=looked.detectable,
    )


def _chance_of_many(adjusted: float | None) -> str | None:
    if adjusted is None or adjusted <= FALSE_DISCOVERIES:
        return None
    return f"with so many series {adjusted:.0%} of changes as clear as this are chance: run it again"


def _state(series: Series, looked: Looked, changes: Sequence[Change]) -> tuple[State, Change | None]:
    """Return the state and the change that is the reason: the newest of the most urgent kind that still stands."""
    if all(one.value is None for one in series.points):
        return "no value", None
    if looked.p is None:
        return "too few", None
    alive = [one for one in changes if one.is_standing and not one.acknowledged]
    sure = [one for one in alive if one.doubt is None]
    for state, among in (
        ("regression", [one for one in sure if one.kind == "regression"]),
        ("suspected", [one for one in alive if one.doubt is not None]),
        ("change", [one for one in sure if one.kind == "change"]),
        ("improvement", [one for one in sure if one.kind == "improvement"]),
    ):
        if among:
            return state, among[-1]  # type: ignore[return-value]  # a literal of the table above is a State
    return "steady", next((one for one in reversed(changes) if one.acknowledged), None)


def _said(series: Series, looked: Looked, state: State, change: Change | None) -> str:
    if state == "no value":
        return f"no sound value in {len(series.points)} runs"
    if state == "too few":
        since = f" since the break at {looked.breaks[-1].run}" if looked.breaks else ""
        return f"too few to tell: {looked.tested} of {FEWEST} values{since}"
    if change is None or change.acknowledged:
        known = f"; known since {change.run}: {change.acknowledged}" if change else ""
        return f"steady over {looked.tested} runs{_reach(series, looked)}{known}"
    kind = f"suspected {change.kind}" if state == "suspected" else change.kind
    return f"{kind} since {change.run}: {effect(change, series.unit)}, p {chance_text(change.p)}{_doubt(change)}"


def _doubt(change: Change) -> str:
    return f"; {change.doubt}" if change.doubt else ""


def _reach(series: Series, looked: Looked) -> str:
    """Return what could have been found: a steady series says nothing of changes smaller than that."""
    last = [one.value for one in series.points if one.value is not None][-looked.tested :]
    if looked.is_still:
        return f", always {humanly(last[-1], series.unit)}"
    if looked.detectable is None:
        return ""
    least = f"{looked.detectable:.0%}" if min(last) > 0 else humanly(looked.detectable, series.unit)
    return f"; a change of {least} would be found within {FURTHER} more (80 %)"


def effect(change: Change, unit: str) -> str:
    """Return how large a change is, with its 95 % interval: `2.4 s -> 2.9 s, +21 % (+15 to +27 %)`."""
    levels = f"{humanly(change.before, unit)} -> {humanly(change.after, unit)}"
    if not change.is_share:
        return f"{levels} (by {humanly(change.low, unit)} to {humanly(change.high, unit)})"
    digits = 1 if abs(change.shift) < SMALL else 0
    return f"{levels}, {100 * change.shift:+.{digits}f} % ({100 * change.low:+.0f} to {100 * change.high:+.0f} %)"


def chance_text(p: float) -> str:
    """Return a chance as it is said: `0.004`, `< 0.0001`."""
    return f"< {LEAST_SAID:.4f}" if p < LEAST_SAID else f"{p:.2g}"
