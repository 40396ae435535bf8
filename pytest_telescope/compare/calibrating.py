"""The noise floor from runs of one thing: A/A comparisons, or many single runs of one fingerprint."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_telescope.compare.sides import FIRST_ARM
from pytest_telescope.compare.sides import UNFIT
from pytest_telescope.compare.sides import is_of_arm
from pytest_telescope.statistics import variation
from pytest_telescope.statistics.noise import Noise
from pytest_telescope.statistics.variation import Variation

if TYPE_CHECKING:
    from pytest_telescope.report.record import Record

Pair = tuple[str, int | None]
"""Run, repeat."""


def calibrated(records: Iterable[Record]) -> tuple[list[Noise], list[str]]:
    """Return the noise of every number of which there is enough, and what was left out, a line a reason.

    Only runs of one fingerprint tell of noise: of several, the one with the most values counts.
    """
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        groups.setdefault((record.cell, record.metric), []).append(record)
    found: list[Noise] = []
    left: dict[str, list[str]] = {}
    for (_, metric), every in groups.items():
        kept, told = _of_one_fingerprint(every)
        if (varies := _variation(kept)) is not None:
            found.append(_noise(kept, varies))
        else:
            told.append(f"{_counted(len(kept))} to go by, expected 2 or more pairs or runs")
        for text in told:
            left.setdefault(f"{every[0].cell}: {text}", []).append(metric)
    return found, [f"{text} ({', '.join(metrics)})" for text, metrics in left.items()]


def _counted(count: int) -> str:
    return f"{count} value{'s'[: count != 1]}"


def _noise(records: Sequence[Record], varies: Variation) -> Noise:
    first = records[0]
    return Noise(
        cell=first.cell,
        metric=first.metric,
        unit=first.unit,
        fingerprint=first.fingerprint,
        sessions=tuple(sorted({one.run for one in records})),
        variation=varies,
    )


def _of_one_fingerprint(records: Sequence[Record]) -> tuple[list[Record], list[str]]:
    fit = [one for one in records if one.value is not None and one.verdict not in UNFIT]
    groups: dict[tuple[str | None, str], list[Record]] = {}
    for one in fit:
        groups.setdefault((one.fingerprint, one.unit), []).append(one)
    kept = max(groups.values(), key=len, default=[])
    told = (
        [f"{len(records) - len(fit)} of {len(records)} values are missing or unfit"] if len(fit) < len(records) else []
    )
    if len(kept) < len(fit):
        told.append(f"{_counted(len(fit) - len(kept))} of other fingerprints left out")
    return kept, told


def _variation(records: Sequence[Record]) -> Variation | None:
    """Return how values vary: by pairs where all came in pairs or nearly so, else run by run."""
    pairs = _pairs(records)
    whole = [sides for sides in pairs.values() if len(sides) == 2]
    if len(whole) >= 2:
        return variation.of_pairs([a for a, _ in whole], [b for _, b in whole])
    return variation.of_runs([one.value for one in records if one.value is not None])


def _pairs(records: Sequence[Record]) -> Mapping[Pair, tuple[float, ...]]:
    """Return the values of each pair, A first."""
    found: dict[Pair, tuple[float, ...]] = {}
    for one in sorted(records, key=lambda record: not is_of_arm(record, FIRST_ARM)):
        if one.arm is not None and one.value is not None:
            pair = (one.run, one.repeat)
            found[pair] = (*found.get(pair, ()), one.value)
    return found
