"""Each number of two sides is better, worse, equivalent, or it cannot be told; false discoveries are held down."""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

from pytest_telescope.compare.model import Finding
from pytest_telescope.compare.model import Outcome
from pytest_telescope.compare.model import Sample
from pytest_telescope.compare.model import Series
from pytest_telescope.compare.usable import Usable
from pytest_telescope.compare.usable import usable
from pytest_telescope.statistics import paired
from pytest_telescope.statistics.false_discovery import benjamini_hochberg
from pytest_telescope.statistics.noise import Noise
from pytest_telescope.statistics.paired import Effect

LEVEL = 0.05
"""Of every test; and the share of false ones that the report's differences, and its equivalences, hold at most."""
SAME_VALUES = 3
"""Values a side from which on it counts that they do not vary at all."""
Floor = Mapping[tuple[str, str], Noise]


@dataclass(frozen=True, slots=True)
class _Looked:
    """A series with its effect, before the report as a whole is known; `effect` is None where none can be known."""

    series: Series
    kept: Usable
    effect: Effect | None
    notes: tuple[str, ...]

    @property
    def is_tested(self) -> bool:
        """Whether chance has a part in it: values that never vary are no test among others."""
        return self.effect is not None and self.effect.error > 0


def judge(series: Sequence[Series], *, margin: float, floor: Floor | None = None) -> list[Finding]:
    """Return what was found, in the order of `series`.

    Args:
        series: all numbers of one report.
        margin: share within which two numbers count as equivalent, above 0.
        floor: noise by (cell, metric), for numbers of which there is only one run a side.
    """
    looked = [_look(one, floor or {}) for one in series]
    p = [(one.effect.p, _p_equivalent(one, one.effect, margin)) for one in looked if one.is_tested and one.effect]
    q = iter(zip(*(benjamini_hochberg(each) for each in zip(*p, strict=True)), strict=True))
    return [_of(one, margin, next(q) if one.is_tested else None) for one in looked]


def _of(looked: _Looked, margin: float, q: tuple[float, ...] | None) -> Finding:
    if looked.effect is None:
        return _finding(looked, None)
    adjusted = q or (looked.effect.p, _p_equivalent(looked, looked.effect, margin))
    return _told(looked, looked.effect, margin, *adjusted)


def _look(series: Series, floor: Floor) -> _Looked:
    kept = usable(series)
    if kept.refused is not None:
        return _Looked(series, kept, None, ())
    effect = (paired.of_pairs if series.paired else paired.of_runs)(kept.a, kept.b)
    if effect is not None and effect.error == 0 and min(len(kept.a), len(kept.b)) < SAME_VALUES:
        effect = None
    if effect is None:
        return _by_floor(series, kept, floor.get((series.cell, series.metric)))
    return _Looked(series, kept, effect, tuple(_doubts(series, kept)))


def _by_floor(series: Series, kept: Usable, noise: Noise | None) -> _Looked:
    """Return a series whose own values show no spread, with the spread that a calibration found."""
    told = (
        "there is one run a side: how much runs vary is not known; repeat it, or calibrate with --aa"
        if len(kept.a) + len(kept.b) == 2
        else "too few values to tell how much they vary; repeat it, or calibrate with --aa"
    )
    if noise is None or noise.unit != series.unit:
        return _Looked(series, kept, None, (told,))
    varies = noise.variation
    pairs = series.paired and varies.pair_spread is not None
    spread = varies.pair_spread if pairs else varies.spread * (math.sqrt(2) if series.paired else 1)
    df = varies.pair_df if pairs else varies.df
    assert spread is not None
    assert df is not None
    effect = paired.of_known(kept.a, kept.b, spread=spread, df=df, paired=series.paired, scale=varies.scale)
    if effect is None or effect.error == 0:
        return _Looked(series, kept, None, (told, "the noise floor has no spread for it"))
    return _Looked(series, kept, effect, tuple(_of_floor(series, noise)))


def _of_floor(series: Series, noise: Noise) -> list[str]:
    sessions = len(noise.sessions)
    told = [f"interval from the noise floor: {noise.variation.runs} runs of {sessions} session{'s'[: sessions > 1]}"]
    if sessions == 1 and not series.paired:
        told.append("that floor does not know how days differ, so the interval may be too narrow")
    if noise.fingerprint not in {one.fingerprint for one in (*series.a, *series.b)}:
        told.append(f"that floor was measured with another fingerprint, {noise.fingerprint}")
    return told


def _doubts(series: Series, kept: Usable) -> list[str]:
    if series.paired:
        return []
    told = []
    if min(len(kept.a), len(kept.b)) == 1:
        one, other = ("A", "B") if len(kept.a) == 1 else ("B", "A")
        told.append(f"{one} has one run and is taken to vary as {other} does")
    if any(len({one.run for one in side if one.value is not None}) < _count(side) for side in (series.a, series.b)):
        told.append("several values of a side are of one session: how the sessions differ is part of the effect")
    return told


def _count(side: Sequence[Sample]) -> int:
    return sum(one.value is not None for one in side)


def _margin(effect: Effect, kept: Usable, margin: float) -> float:
    """Return the margin on the effect's scale; a share of A's mean where differences are compared."""
    return math.log1p(margin) if effect.scale == "log" else margin * abs(math.fsum(kept.a) / len(kept.a))


def _p_equivalent(looked: _Looked, effect: Effect, margin: float) -> float:
    if effect.error == 0 and effect.estimate == 0:
        return 0.0
    edge = _margin(effect, looked.kept, margin)
    return paired.p_equivalent(effect, edge) if edge > 0 else 1.0


def _told(looked: _Looked, effect: Effect, margin: float, q: float, q_equivalent: float) -> Finding:
    outcome, notes = _outcome(looked.series, effect, q, q_equivalent), list(looked.notes)
    if outcome == "cannot tell" and effect.p <= LEVEL:
        notes.append(f"on its own it would count as a change (p {effect.p:.2g}), among all of this report it does not")
    if outcome == "equivalent" and q <= LEVEL:
        notes.append("a difference is sure, and within the margin")
    more = _more(effect, _margin(effect, looked.kept, margin), looked) if outcome == "cannot tell" else None
    return replace(_finding(looked, outcome, tuple(notes)), effect=effect, q=q, q_equivalent=q_equivalent, more=more)


def _outcome(series: Series, effect: Effect, q: float, q_equivalent: float) -> Outcome:
    if q_equivalent <= LEVEL:
        return "equivalent"
    if q > LEVEL:
        return "cannot tell"
    if series.better is None:
        return "changed"
    return "better" if (effect.estimate < 0) == (series.better == "lower") else "worse"


def _more(effect: Effect, margin: float, looked: _Looked) -> int | None:
    """Return about how many more pairs, or runs a side, would tell; None where no number of them is known to.

    First what it takes to find a change of the margin, and to show equivalence where there is none; with as many as
    that already, the effect is near the margin, and what counts is how far it is from either answer.
    """
    needed = paired.pairs_needed if effect.paired else paired.runs_needed
    have = min(len(looked.kept.a), len(looked.kept.b))
    if margin <= 0:
        return max(1, needed(effect.spread, effect.estimate) - have) if effect.estimate else None
    enough = max(needed(effect.spread, margin), paired.needed_for_equivalence(effect, margin))
    if enough <= have:
        away = margin - abs(effect.estimate)
        ways = [needed(effect.spread, effect.estimate)] if effect.estimate else []
        ways += [paired.needed_for_equivalence(effect, away)] if away > 0 else []
        enough = min(ways)
    return max(1, enough - have) if enough < paired.MOST else paired.MOST


def _finding(looked: _Looked, outcome: Outcome | None, notes: tuple[str, ...] | None = None) -> Finding:
    kept = looked.kept
    refused = kept.refused is not None
    first = (kept.refused,) if kept.refused is not None else kept.notes
    return Finding(
        series=looked.series,
        outcome=outcome or ("not comparable" if refused else "cannot tell"),
        a=_middle(kept.a, kept.b) if not refused else _only(looked.series.a),
        b=_middle(kept.b, kept.a) if not refused else _only(looked.series.b),
        counts=(len(kept.a), len(kept.b)) if not refused else (_count(looked.series.a), _count(looked.series.b)),
        notes=(*first, *(looked.notes if notes is None else notes), *_bounds(looked.series)),
    )


def _bounds(series: Series) -> list[str]:
    """Return how often the bound was missed, where that is not alike on both sides."""
    missed = [[not one.kept for one in side if one.kept is not None] for side in (series.a, series.b)]
    if not all(missed) or (set(missed[0]) == set(missed[1]) and len(set(missed[0])) == 1):
        return []
    told = [f"{sum(one)} of {len(one)} in {side}" for side, one in zip("AB", missed, strict=True)]
    return [f"the bound is missed by {' and '.join(told)}"]


def _middle(values: Sequence[float], others: Sequence[float]) -> float:
    if paired.scale_of(values, others) == "log":
        return math.exp(math.fsum(map(math.log, values)) / len(values))
    return math.fsum(values) / len(values)


def _only(samples: Sequence[Sample]) -> float | None:
    """Return the middle of what one side has, to be shown where nothing is compared."""
    values = [one.value for one in samples if one.value is not None]
    return _middle(values, values) if values else None
