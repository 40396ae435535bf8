"""Records become two sides: the arms of a session, two lists of runs, or two providers of them."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_telescope.compare.model import Sample
from pytest_telescope.compare.model import Series

if TYPE_CHECKING:
    from pytest_telescope.report.record import Record

Key = tuple[str, str]
"""Name of the cell, metric."""
KEPT = {"PASS": True, "FAIL": False}
UNFIT = {"INVALID", "ERROR", "SKIP"}
"""Verdicts whose value, if there is one, is not to be relied on."""
FIRST_ARM, SECOND_ARM = "a", "b"


def is_of_arm(record: Record, arm: str) -> bool:
    """Tell whether a record is of arm `a` or `b` of an interleaved comparison."""
    return record.arm is not None and record.arm.partition("-")[0] == arm


def of_arms(records: Iterable[Record]) -> list[Series]:
    """Return the arms of interleaved comparisons, paired by run and repeat; other records are left out."""
    kept = [record for record in records if record.arm is not None]
    sides = [[one for one in kept if is_of_arm(one, arm)] for arm in (FIRST_ARM, SECOND_ARM)]
    return _series(sides[0], sides[1], lambda one: one.cell, lambda one, _: (one.run, one.repeat or 0))


def of_runs(
    a: Sequence[Record], b: Sequence[Record], *, paired: bool = False, across: tuple[str, str] | None = None
) -> list[Series]:
    """Return two lists of runs, cell by cell.

    Args:
        a: the records of A, in the order of its runs.
        b: those of B.
        paired: the first run of `a` goes with the first one of `b`, and so on.
        across: the providers of `a` and of `b`, where cells of two providers are compared.
    """
    places = {run: place for side in (a, b) for place, run in enumerate(dict.fromkeys(one.run for one in side))}
    pair: Callable[[Record, int], tuple[str, int]] | None = None
    if paired:
        pair = lambda one, number: ("", places[one.run] * 1000 + number)  # noqa: E731 - one short use
    return _series(a, b, lambda one: name(one, across), pair)


def name(record: Record, across: tuple[str, str] | None) -> str:
    """Return what the same cell is called on both sides."""
    arm = f" [{record.arm}]" if record.arm is not None else ""
    cell = record.cell
    if across is not None:
        cell = f"{'|'.join(across)}-{cell.removeprefix(f'{record.provider}-')}"
    return cell + arm


def _series(
    a: Iterable[Record],
    b: Iterable[Record],
    name_of: Callable[[Record], str],
    pair: Callable[[Record, int], tuple[str, int]] | None,
) -> list[Series]:
    left, right = _grouped(a, name_of), _grouped(b, name_of)
    return [_one(key, left.get(key, []), right.get(key, []), pair) for key in dict.fromkeys([*left, *right])]


def _grouped(records: Iterable[Record], name_of: Callable[[Record], str]) -> Mapping[Key, list[Record]]:
    found: dict[Key, list[Record]] = {}
    for record in records:
        found.setdefault((name_of(record), record.metric), []).append(record)
    return found


def _one(key: Key, a: list[Record], b: list[Record], pair: Callable[[Record, int], tuple[str, int]] | None) -> Series:
    every = [*a, *b]
    return Series(
        cell=key[0],
        metric=key[1],
        unit=every[0].unit,
        better=every[0].better,
        a=_samples(a, pair),
        b=_samples(b, pair),
        paired=pair is not None,
        functional=every[0].functional,
        refused=_refusal(a, b),
    )


def _refusal(a: list[Record], b: list[Record]) -> str | None:
    """Return why the two sides are not one kind of number, or None."""
    if not a or not b:
        return f"only in {'A' if a else 'B'}"
    for name, words in (
        ("unit", "the unit differs"),
        ("better", "which way is good differs"),
        ("functional", "one is functional (local), the other a cloud's"),
    ):
        found = [dict.fromkeys(str(getattr(one, name)) for one in side) for side in (a, b)]
        if found[0] != found[1] or len(found[0]) > 1:
            return f"{words}: {', '.join(found[0])} in A, {', '.join(found[1])} in B"
    return None


def _samples(records: Iterable[Record], pair: Callable[[Record, int], tuple[str, int]] | None) -> tuple[Sample, ...]:
    seen: dict[str, int] = {}
    found = []
    for record in records:
        number = seen[record.run] = seen.get(record.run, -1) + 1
        found.append(_sample(record, pair(record, number) if pair is not None else None))
    return tuple(found)


def _sample(record: Record, pair: tuple[str, int] | None) -> Sample:
    reason = None
    if record.verdict in UNFIT:
        reason = f"{record.verdict}: {record.message}" if record.message else str(record.verdict)
    elif record.value is None:
        reason = "no value"
    return Sample(
        run=record.run,
        value=record.value if reason is None else None,
        reason=reason,
        pair=pair,
        fingerprint=record.fingerprint,
        reused=record.reused,
        kept=KEPT.get(record.verdict or ""),
    )
