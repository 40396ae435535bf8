"""Ends what the main thread does at a given time, as Ctrl-C would: for a run that has spent its budget."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from types import FrameType

LEAST = 0.001
"""Seconds: a timer of 0 would never ring."""


class OutOfBudgetError(KeyboardInterrupt):
    """The time is up. A KeyboardInterrupt, so that whatever is under way ends as it does on Ctrl-C."""


@contextlib.contextmanager
def ringing_at(end: float | None, why: str, clock: Callable[[], float] = time.time) -> Iterator[None]:
    """Raise `OutOfBudgetError(why)` in the main thread at `end` (unix seconds), unless the block ended before.

    Outside the main thread, and where there is no interval timer, the block is only refused once the time is up.
    """
    if end is None:
        yield
        return
    if clock() >= end:
        raise OutOfBudgetError(why)
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise OutOfBudgetError(why)

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(LEAST, end - clock()))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
