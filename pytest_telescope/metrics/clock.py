"""How far Prometheus' clock is from the controller's."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

ROUNDS = 5


class HasTime(Protocol):
    """What is asked: anything that knows its own time."""

    def now(self) -> float:
        """Return its time in unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffset:
    """Prometheus' clock minus the controller's: `seconds` within plus or minus `uncertainty`, in seconds too."""

    seconds: float
    uncertainty: float


def clock_offset(prom: HasTime, *, rounds: int = ROUNDS, clock: Callable[[], float] = time.time) -> ClockOffset:
    """Ask Prometheus' time `rounds` times and keep the round with the shortest way there and back.

    The answer was made somewhere between the two local times, so half their distance is the uncertainty; the
    millisecond that Prometheus' `time()` is rounded to comes on top.

    Raises:
        MetricsError: Prometheus could not be asked.
    """
    return min((_round(prom, clock) for _ in range(rounds)), key=lambda found: found.uncertainty)


def _round(prom: HasTime, clock: Callable[[], float]) -> ClockOffset:
    before = clock()
    theirs = prom.now()
    after = clock()
    return ClockOffset(seconds=theirs - (before + after) / 2, uncertainty=abs(after - before) / 2 + 0.001)
