"""The reaper finishes many leases at once, whole lines at a time, and none for the fault of another."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from pytest_telescope import paths
from pytest_telescope.cluster import ledger
from pytest_telescope.cluster import reaper
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.model import Leftover
from pytest_telescope.cluster.model import Provider
from pytest_telescope.errors import CloudError
from pytest_telescope.errors import DestroyError
from pytest_telescope.scenario.model import ClusterSpec
from tests.clouds.doubles import Silent


class Cloudy(Silent):
    """Destroys leases of cells that say what is to happen: fine, refused, broken, left, silent, blind."""

    def __init__(self, together: int = 1) -> None:
        super().__init__(name="cloudy")
        self._meeting = threading.Barrier(together)
        self.destroyed: list[str] = []

    def destroy(self, lease: Lease) -> None:
        self._meeting.wait(20)
        self.destroyed.append(lease.id)
        if lease.cell == "refused":
            raise DestroyError("the cloud refuses")
        if lease.cell == "broken":
            raise KeyError("a bug")

    def leftovers(self, lease: Lease) -> list[Leftover]:
        if lease.cell == "blind":
            raise CloudError("no login")
        return [Leftover(kind="disk", name="d1", detail="0.01 USD/h")] if lease.cell == "left" else []


def only(double: Cloudy) -> Callable[[str], Provider]:
    """Return a source of nothing but `double`; for mypy a callable of the class itself cannot be set."""
    return lambda _name: cast("Provider", double)


@pytest.fixture(autouse=True)
def own_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELESCOPE_STATE_DIR", str(tmp_path / "state"))


def opened(*cells: str) -> list[Lease]:
    return [ledger.open_lease("cloudy", cell, "run-1", ClusterSpec()) for cell in cells]


def test_several_leases_are_destroyed_at_the_same_time() -> None:
    double = Cloudy(together=8)  # every destroy waits until eight are under way
    opened(*["fine"] * 16)

    failed = reaper.reap(all=True, report=lambda _text: None, source=only(double))

    assert failed == 0
    assert ledger.entries() == []


def test_a_failure_of_one_lease_keeps_no_other_from_its_end() -> None:
    double = Cloudy()
    leases = opened("refused", "broken", "left", "blind", "fine", "fine")
    lines: list[str] = []

    failed = reaper.reap(all=True, report=lines.append, source=only(double))

    assert failed == 4
    assert {lease.cell for lease in ledger.leases()} == {"refused", "broken", "left", "blind"}
    told = "\n".join(lines)
    assert len(lines) == len(leases)
    for words in ("the cloud refuses", "KeyError: 'a bug'", "still there: disk d1 (0.01 USD/h)", "no login"):
        assert words in told


def test_lines_stay_whole() -> None:
    double = Cloudy()
    opened(*["fine"] * 40)
    written: list[str] = []

    reaper.reap(all=True, report=lambda text: written.extend([*text, "\n"]), source=only(double))

    lines = "".join(written).splitlines()
    assert len(lines) == 40
    assert all(re.fullmatch(r"lease [0-9a-f]{8} \(fine, run run-1\): destroyed, nothing is left", one) for one in lines)


def test_a_dry_run_destroys_nothing_and_says_what_the_provider_lists() -> None:
    double = Cloudy()
    leases = opened("left", "fine", "blind")
    lines: list[str] = []

    failed = reaper.reap(all=True, dry_run=True, report=lines.append, source=only(double))

    assert failed == 0
    assert double.destroyed == []
    assert ledger.leases() == leases
    told = "\n".join(sorted(lines))
    for words in ("still there: disk d1", "lists nothing of it", "cannot be asked what is there: no login"):
        assert words in told


INTERRUPTED = """\
import os, signal, sys, threading, time
from pytest_telescope.cluster import ledger, reaper
from pytest_telescope.scenario.model import ClusterSpec
from tests.cluster.test_reaper import Cloudy

begun, go = threading.Semaphore(0), threading.Event()

class Slow(Cloudy):
    def destroy(self, lease):
        begun.release()
        go.wait(20)

for _ in range(6):
    ledger.open_lease("cloudy", "fine", "run-1", ClusterSpec())

def interrupt():
    begun.acquire(), begun.acquire()
    os.kill(os.getpid(), signal.SIGINT)

def report(text):
    print(text, flush=True)
    if "interrupted" in text and "--twice" in sys.argv:
        os.kill(os.getpid(), signal.SIGINT)
    elif "interrupted" in text:
        go.set()

threading.Thread(target=interrupt, daemon=True).start()
try:
    reaper.reap(all=True, report=report, at_once=2, source=lambda _name: Slow())
except KeyboardInterrupt:
    print("left", len(ledger.leases()), flush=True)
"""


@pytest.mark.parametrize(("arguments", "left"), [((), 4), (("--twice",), 6)])
def test_an_interrupt_begins_no_further_lease_and_a_second_one_waits_for_none(
    arguments: tuple[str, ...], left: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=paths.checkout(),
        timeout=60,
        preexec_fn=_default_signals,  # a background shell hands SIGINT down as ignored
    )

    assert done.returncode == 0, done.stderr
    assert f"left {left}" in done.stdout


def _default_signals() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_the_lock_of_a_lease_that_is_struck_out_does_not_stay() -> None:
    ledger.folder().mkdir(parents=True, exist_ok=True)
    stale = ledger.folder() / "0badf00d.lock"
    stale.touch()

    reaper.reap(report=lambda _text: None)

    assert not stale.exists()
