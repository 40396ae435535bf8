"""How many lines a stage may say: at once what is new, now and then what only counts on, never without end. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"\d+(?:[.:]\d+)*")
SOONEST, LATEST = 2.0, 30.0
"""Seconds between two lines of a counter: when it begins, and when it has gone on for long."""


def what(text: str) -> str:
    """Return a line without its numbers: two lines that differ in them alone say the same thing further on."""
    return _NUMBER.sub("#", text)


def gap(elapsed: float) -> float:
    """Return the seconds that a counter is silent between two lines, after it has gone on for `elapsed` seconds."""
    return min(max(elapsed / 10, SOONEST), LATEST)


@dataclass(slots=True)
class Allowance:
    """At most `burst` lines at once, and one more every `every` seconds."""

    burst: float
    every: float
    _left: float | None = None
    _at: float = 0.0

    def take(self, now: float) -> bool:
        """Return whether one more line may be said at `now`, and count it."""
        left = self.burst if self._left is None else self._left + max(now - self._at, 0.0) / self.every
        self._left, self._at = min(left, self.burst), now
        if self._left < 1:
            return False
        self._left -= 1
        return True
