"""The kill matrix: however a run on a cloud dies, and wherever, `reap` empties the cloud and the host.

Every case prints what the cloud held when the harness was gone, and what it holds after `reap`. The cases of one test
run side by side, each on a cloud of its own; one real cluster stands behind all of them.
"""

from __future__ import annotations

import itertools
import signal
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.clouds.world import SMALL
from tests.clouds.world import World
from tests.clouds.world import world
from tests.e2e.conftest import Run
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
WITHOUT_LOAD = {"destroying", "sweeping"}
"""Steps before which the load may break at once: what is destroyed is the same."""
WITH_WORKERS = ("creating", "loading", "destroying")
AZURE_DEVOPS = ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 0.0))
"""What the agent sends when a job is cancelled or timed out, and how long it waits after each."""
SPEED = 60.0
"""A cluster takes a second to be made: long enough to be hit in the middle."""
LEAST_CASES = 60
NOT_IN_CI = ("eks-sweeping", "gke-sweeping", "gke-loading")
"""Groups for which CI has no time: aks and the other steps of the same provider stand for them."""


def agent_cancels(process: subprocess.Popen[str]) -> None:
    for number, patience in AZURE_DEVOPS:
        if process.poll() is not None:
            return
        process.send_signal(number)
        end = time.monotonic() + patience
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)


def kill_with_workers(process: subprocess.Popen[str]) -> None:
    """SIGKILL the run and every worker of it at once, as the kernel's OOM killer would; Terraform goes on."""
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


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to die at one step."""

    provider: str
    step: str
    way: str
    workers: bool = False

    @property
    def scenario(self) -> str:
        """A name of its own: the load's namespaces are named after the cell, and one cluster stands behind all."""
        return f"{self.step}-{self.way.lower()}" + ("-n2" if self.workers else "")

    def __str__(self) -> str:
        return f"{self.provider}-{self.scenario}"


QUICK = (
    Case(provider="aks", step="creating", way="SIGKILL"),
    Case(provider="eks", step="destroying", way="SIGKILL"),
    Case(provider="gke", step="installing", way="agent"),
    Case(provider="aks", step="loading", way="SIGTERM", workers=True),
)
"""One case for each way that differs most; all others are long."""
TALLY: dict[str, list[str]] = {}


def groups() -> list[tuple[Case, ...]]:
    """Return all cases, those of one provider and step together."""
    alone = [
        tuple(Case(provider=provider, step=step, way=way) for way in WAYS)
        for provider, step in itertools.product(("aks", "eks", "gke"), STEPS)
    ]
    workers = [tuple(Case(provider="aks", step=step, way=way, workers=True) for way in WAYS) for step in WITH_WORKERS]
    return [QUICK, *(tuple(case for case in group if case not in QUICK) for group in (*alone, *workers))]


def params() -> list[object]:
    first, *others = groups()
    names = [f"{g[0].provider}-{g[0].step}" + ("-n2" if g[0].workers else "") for g in others]
    marks = {name: pytest.mark.extra if name in NOT_IN_CI else pytest.mark.long for name in names}
    rest = [pytest.param(group, marks=marks[name], id=name) for group, name in zip(others, names, strict=True)]
    return [pytest.param(first, id="quick"), *rest]


@pytest.fixture(scope="module", autouse=True)
def tally() -> Iterator[None]:
    yield
    leaks = {case: left for case, left in TALLY.items() if left}
    print(f"\nkill matrix: {len(TALLY)} cases, {len(leaks)} leaks {leaks or ''}")


@pytest.mark.parametrize("group", params())
def test_however_a_run_dies_reap_empties_the_cloud(group: Sequence[Case], backing: Path, tmp_path: Path) -> None:
    machine = Machine.seen(tmp_path)

    with ThreadPoolExecutor(len(group)) as pool:
        wrong = list(pool.map(lambda case: die_and_reap(case, backing, tmp_path / str(case)), group))

    assert [each for each in wrong if each] == []
    assert machine.left() == []


def die_and_reap(case: Case, backing: Path, root: Path) -> str:
    """Run to the death, reap, look; return what is wrong, "" for nothing."""
    root.mkdir()
    with world(case.provider, backing, root, speed=SPEED) as pretended:
        died = die(pretended, case)
        held = pretended.held()
        reaped = pretended.harness.telescope("reap", "--all")
        left = [*pretended.held(), *traces(pretended.harness.state)]
    TALLY[str(case)] = left
    print(f"{case}: code {died.code}; held {held or 'nothing'}; after reap {left or 'nothing'}")
    if left or reaped.returncode:
        return f"{case}: left {left}, reap said {reaped.stdout}"
    return "" if case.way == "SIGKILL" else told(case, died)


def die(pretended: World, case: Case) -> Run:
    """Run until the step, then the way."""
    text = SMALL.replace("telescope/pool: user", "telescope/pool: none") if case.step in WITHOUT_LOAD else SMALL
    name = pretended.small(hold="3s", text=text, name=case.scenario)
    line, delay = STEPS[case.step]
    workers = ("-n", "2") if case.workers else ()
    return pretended.harness.run(
        "-m", case.provider, f"--scenario={name}", *workers, when=at(line, WAYS[case.way], delay=delay)
    )


def told(case: Case, died: Run) -> str:
    """Return "" if the step was reached and JUnit says that a signal came."""
    if STEPS[case.step][0] not in died.output:
        return f"{case}: never reached its step: {died.output}"
    if not (died.folder.publish / "junit.xml").exists():
        return f"{case}: no junit.xml: {died.output}"
    if not any("interrupted" in (one.red or "") for one in died.cases):
        return f"{case}: JUnit does not say that it was interrupted: {died.output}"
    return ""


def test_the_matrix_has_at_least_sixty_cases() -> None:
    cases = [case for group in groups() for case in group]

    assert len(set(cases)) == len(cases) >= LEAST_CASES
