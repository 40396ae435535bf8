"""A run ends at the time its budget gives, and not otherwise."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from pytest_telescope.alarm import OutOfBudgetError
from pytest_telescope.alarm import ringing_at


def test_it_ends_what_waits() -> None:
    waiting = threading.Event()

    with pytest.raises(OutOfBudgetError, match="spent"), ringing_at(time.time() + 0.05, "spent"):
        waiting.wait(30)


def test_it_is_silent_where_the_block_ends_before() -> None:
    before = signal.getsignal(signal.SIGALRM)

    with ringing_at(time.time() + 3600, "spent"):
        pass

    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_nothing_is_begun_after_the_time() -> None:
    begun = False

    with pytest.raises(OutOfBudgetError), ringing_at(time.time() - 1, "spent"):
        begun = True

    assert not begun


def test_without_a_time_it_does_nothing() -> None:
    with ringing_at(None, "spent"):
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
