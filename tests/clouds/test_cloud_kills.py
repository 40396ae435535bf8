"""The kill matrix: however a run on a cloud dies, and wherever, `reap` empties the cloud and the host.

Every case prints what the cloud held when the harness was gone, and what it holds after `reap`.
"""

from __future__ import annotations

import itertools
import signal
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.clouds.world import World
from tests.clouds.world import world
from tests.e2e.conftest import at
from tests.e2e.conftest import send
from tests.e2e.conftest import traces
from tests.e2e.machine import Machine

pytestmark = pytest.mark.e2e

STEPS = {
    "planning": ("provision  terraform plan", 0.0),
    "creating": ("provision  terraform apply", 0.6),
    "installing": ("provision  installing Prometheus", 0.2),
    "loading": ("holding", 0.1),
    "destroying": ("destroy    started", 0.6),
    "sweeping": ("destroy    looking", 0.0),
}
"""Step -> (line of the terminal that begins it, seconds after it)."""
AZURE_DEVOPS = ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 0.0))
"""What the agent sends when a job is cancelled or timed out, and how long it waits after each."""
SPEED = 60.0
"""A cluster takes a second to be made: long enough to be hit in the middle."""


def agent_cancels(process: subprocess.Popen[str]) -> None:
    for number, patience in AZURE_DEVOPS:
        if process.poll() is not None:
            return
        process.send_signal(number)
        end = time.monotonic() + patience
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)


def kill_with_workers(process: subprocess.Popen[str]) -> None:
    """SIGKILL the run and every worker of it at once, as a lost machine or the kernel's OOM killer would."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        if "terraform" not in member.name():
            member.send_signal(signal.SIGKILL)


WAYS: dict[str, Callable[[subprocess.Popen[str]], None]] = {
    "SIGINT": send(signal.SIGINT),
    "SIGTERM": send(signal.SIGTERM),
    "SIGKILL": kill_with_workers,
    "agent": agent_cancels,
}
QUICK = {
    ("aks", "creating", "SIGKILL", False),
    ("eks", "destroying", "SIGKILL", False),
    ("gke", "creating", "agent", False),
    ("aks", "loading", "SIGTERM", True),
}
"""One case for each way that differs most; all others are long."""
TALLY: dict[str, list[str]] = {}


def cases() -> Iterator[object]:
    alone = itertools.product(("aks", "eks", "gke"), STEPS, WAYS, (False,))
    workers = itertools.product(("aks",), STEPS, WAYS, (True,))
    for case in (*alone, *workers):
        provider, step, way, xdist = case
        marks = [] if case in QUICK else [pytest.mark.long]
        yield pytest.param(*case, marks=marks, id=f"{provider}-{step}-{way}" + ("-n2" if xdist else ""))


@pytest.fixture(scope="module", autouse=True)
def tally() -> Iterator[None]:
    yield
    leaks = {case: left for case, left in TALLY.items() if left}
    print(f"\nkill matrix: {len(TALLY)} cases, {len(leaks)} leaks {leaks or ''}")


@pytest.mark.parametrize(("provider", "step", "way", "xdist"), cases())
def test_however_a_run_dies_reap_empties_the_cloud(
    provider: str, step: str, way: str, xdist: bool, backing: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    machine = Machine.seen(tmp_path)
    with world(provider, backing, tmp_path, speed=SPEED) as pretended:
        died_with = die(pretended, step, way, xdist=xdist)
        held = pretended.held()
        reaped = pretended.harness.telescope("reap", "--all")
        left = [*pretended.held(), *traces(pretended.harness.state)]
        print(f"{request.node.name}: code {died_with}; held {held or 'nothing'}; after reap {left or 'nothing'}")

    TALLY[request.node.name] = left
    assert reaped.returncode == 0, reaped.stdout
    assert left == []
    assert machine.left() == []


def die(pretended: World, step: str, way: str, *, xdist: bool) -> int:
    """Run until the step, then the way; return the exit code."""
    name = pretended.small(hold="3s")
    line, delay = STEPS[step]
    workers = ("-n", "2") if xdist else ()
    run = pretended.harness.run(
        "-m", pretended.provider, f"--scenario={name}", *workers, when=at(line, WAYS[way], delay=delay)
    )
    assert line in run.output, run.output
    return run.code


def test_the_matrix_has_at_least_sixty_cases() -> None:
    assert len(list(cases())) >= 60
