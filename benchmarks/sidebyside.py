"""Two ways of doing the same, timed in turn, so that a noisy machine is noisy for both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """What both sides took, pair by pair, in `unit`."""

    name: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    target: float
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """Median of the pairs' ratios."""
        return statistics.median(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    def __str__(self) -> str:
        ratios = [a / b for a, b in zip(self.ours, self.theirs, strict=True)]
        met = "met" if self.ratio <= self.target else "MISSED"
        return (
            f"{self.name}: {self.ratio:.2f} (at most {self.target:.2f}: {met}), median of {len(ratios)} pairs, "
            f"{min(ratios):.2f} to {max(ratios):.2f}; "
            f"{statistics.median(self.ours):.2f} {self.unit} against {statistics.median(self.theirs):.2f} {self.unit}"
        )


def side_by_side(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], *, pairs: int, target: float
) -> Pairs:
    """Time `ours` and `theirs` in turn, the first pair as a warm-up that does not count where there are several."""
    found = []
    for number in range(pairs + (pairs > 2)):
        first, second = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        times = {first: _seconds(first), second: _seconds(second)}
        found.append((times[ours], times[theirs]))
    kept = found[len(found) - pairs :]
    return Pairs(name=name, ours=tuple(a for a, _ in kept), theirs=tuple(b for _, b in kept), target=target)


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started
