"""How long a stage still takes: from what was done so far, or from what it took in earlier runs. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_telescope.cluster.progress import Progress

LAST = 5
"""Earlier runs that an expectation rests on."""
SOON = 2.0
"""Seconds of a counter before its rate says anything."""


@dataclass(slots=True)
class Counter:
    """One counter from when it was first seen; `first` is what was done by then."""

    began: float
    first: float
    latest: Progress

    @classmethod
    def seen(cls, progress: Progress, now: float) -> Counter:
        """Begin with what is first told of it."""
        return cls(began=now, first=progress.done, latest=progress)

    def continues(self, progress: Progress) -> bool:
        """Return whether `progress` is of the same counter: of another one, or of one begun anew, no rate holds."""
        latest = self.latest
        same = (latest.unit, latest.total, latest.even) == (progress.unit, progress.total, progress.even)
        return same and progress.done >= latest.done

    def left(self, now: float) -> float | None:
        """Return the seconds that are left, None where they cannot be told.

        done so far / time so far is the rate; time itself needs no rate.
        """
        progress = self.latest
        missing = max(progress.total - progress.done, 0.0)
        if not missing:
            return 0.0
        if progress.unit == "s":
            return max(progress.total - max(progress.done, self.first + now - self.began), 0.0)
        made, took = progress.done - self.first, now - self.began
        if not progress.even or made <= 0 or took < SOON:
            return None
        return missing * took / made


def expected(durations: Sequence[float]) -> float | None:
    """Return how long a stage takes: the median of the last five of `durations` (seconds, oldest first), or None."""
    return statistics.median(durations[-LAST:]) if durations else None


def span(seconds: float) -> str:
    """Return a length of time in at most two units: `8 s`, `2 min 05 s`, `1 h 12 min`."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def roughly(seconds: float) -> str:
    """Return an estimate, no finer than it is: to 1 s, 5 s from 20 s on, 1 min from 5 min on."""
    step = 1 if seconds < 20 else 5 if seconds < 300 else 60
    near = max(round(seconds / step), 1) * step
    return f"{near // 60} min" if 300 <= near < 3600 else span(near)


def how_far(counter: Counter | None, *, began: float, usual: float | None, now: float) -> str:
    """Return what is known of the end of a stage: `67 %, about 8 s left`, `20 s of about 60 s`, or only `20 s`.

    Args:
        counter: what the stage counts.
        began: when the stage began.
        usual: seconds that it took in earlier runs.
        now: on the same clock.
    """
    words = []
    if counter is not None and counter.latest.total > 0 and counter.latest.unit != "s":
        words.append(f"{100 * counter.latest.done / counter.latest.total:.0f} %")
    left = counter.left(now) if counter is not None else None
    if counter is not None and left is not None:
        exact = counter.latest.unit == "s"
        words.append(f"{span(left)} left" if exact else f"about {roughly(left)} left" if left else "")
    else:
        words.append(_against(now - began, usual))
    return ", ".join(word for word in words if word)


def _against(elapsed: float, usual: float | None) -> str:
    """Return how a stage without a rate stands to what it took before; empty in its first second."""
    if elapsed < 1:
        return ""
    if usual is None:
        return f"for {span(elapsed)}"
    if elapsed <= 1.2 * usual + 1:
        return f"for {span(elapsed)} of usually {roughly(usual)}"
    return f"for {span(elapsed)}, longer than the usual {roughly(usual)}"
