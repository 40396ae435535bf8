"""Which values of two sides may be compared, and why the others may not: nothing is dropped without a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_telescope.compare.model import Sample
from pytest_telescope.compare.model import Series
from pytest_telescope.compare.model import Side

LONGEST_REASON = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """Values of both sides; where they are paired `a[i]` goes with `b[i]`.

    Attributes:
        refused: why there is nothing to compare, else None.
        notes: what was left out, a sentence each.
    """

    a: tuple[float, ...] = ()
    b: tuple[float, ...] = ()
    refused: str | None = None
    notes: tuple[str, ...] = ()


def usable(series: Series) -> Usable:
    """Return what of a series can be compared."""
    if series.refused is not None:
        return Usable(refused=series.refused)
    return _pairs(series) if series.paired else _runs(series)


def _runs(series: Series) -> Usable:
    sides: tuple[tuple[Side, tuple[Sample, ...]], ...] = (("A", series.a), ("B", series.b))
    notes = [note for side, samples in sides for note in _left_out(side, samples)]
    a, b = (tuple(one for one in samples if one.value is not None) for _, samples in sides)
    return _of(a, b, notes)


def _left_out(side: Side, samples: Sequence[Sample]) -> list[str]:
    reasons = Counter(_short(one.reason) for one in samples if one.reason is not None)
    return [f"{count} of {len(samples)} in {side} left out: {reason}" for reason, count in reasons.items()]


def _pairs(series: Series) -> Usable:
    """Pair the samples; a pair of which one half is missing, unfit or had its cluster otherwise is left out."""
    left = {one.pair: one for one in series.a}
    right = {one.pair: one for one in series.b}
    reasons: Counter[str] = Counter()
    kept: list[tuple[Sample, Sample]] = []
    every = list(dict.fromkeys([*left, *right]))
    for pair in every:
        a, b = left.get(pair), right.get(pair)
        if a is None or b is None:
            reasons[f"missing in {'A' if a is None else 'B'}"] += 1
        elif reason := _unfit(a, b):
            reasons[reason] += 1
        else:
            kept.append((a, b))
    notes = [f"{count} of {len(every)} pairs left out: {reason}" for reason, count in reasons.items()]
    return _of(tuple(a for a, _ in kept), tuple(b for _, b in kept), notes)


def _unfit(a: Sample, b: Sample) -> str | None:
    for side, one in (("A", a), ("B", b)):
        if one.reason is not None:
            return f"{_short(one.reason)} in {side}"
    if a.reused != b.reused:
        return "one had the cluster fresh, the other after others"
    return None


def _of(a: tuple[Sample, ...], b: tuple[Sample, ...], notes: list[str]) -> Usable:
    for side, samples in (("A", a), ("B", b)):
        if not samples:
            return Usable(refused="; ".join(notes) or f"no value in {side}")
        if len(found := dict.fromkeys(str(one.fingerprint) for one in samples)) > 1:
            told = f"the runs of {side} are no repeats of one thing: fingerprints {', '.join(found)}"
            return Usable(refused="; ".join([told, *notes]))
    return Usable(a=_values(a), b=_values(b), notes=tuple(notes))


def _values(samples: Sequence[Sample]) -> tuple[float, ...]:
    return tuple(one.value for one in samples if one.value is not None)


def _short(text: str | None) -> str:
    line = (text or "").partition("\n")[0]
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 3].rstrip() + "..."
