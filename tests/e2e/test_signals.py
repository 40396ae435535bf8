"""However a run dies, nothing is left after it or after `telescope reap`, and JUnit says what happened."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope.toolchain import tool
from tests.e2e.conftest import SMALL
from tests.e2e.conftest import Harness
from tests.e2e.conftest import at
from tests.e2e.conftest import send
from tests.e2e.conftest import traces
from tests.e2e.machine import Machine

pytestmark = pytest.mark.e2e

CELL = "local-small"
STAGES = {
    "provision": "provision  started",
    "load": "holding",
    "slo": "load       done",
    "destroy": "destroy    started",
}
SLOW_TO_JUDGE = """\
#!{python}
import os, sys, time
if not any("/leases/" in argument for argument in sys.argv):
    time.sleep(5)
os.execv("{prometheus}", ["prometheus", *sys.argv[1:]])
"""


@pytest.fixture(autouse=True)
def nothing_is_left(harness: Harness) -> Iterator[None]:
    """Compare the machine with before, whatever became of the run."""
    before = Machine.seen(harness.root)
    yield
    assert before.left() == []


def time_to_hit(harness: Harness, stage: str) -> dict[str, str]:
    """Return the environment in which a stage lasts long enough to be hit: judging takes a moment only."""
    if stage != "slo":
        return {}
    program = harness.root / "prometheus"
    program.write_text(SLOW_TO_JUDGE.format(python=sys.executable, prometheus=tool("prometheus")))
    program.chmod(0o755)
    return {"TELESCOPE_TOOL_PROMETHEUS": str(program)}


def serving(run_folder: Path) -> list[Path]:
    return list(run_folder.rglob(".serving-*"))


def cases(numbers: list[signal.Signals], quick: set[tuple[str, str]]) -> list[object]:
    """Return every signal in every stage; those not in `quick` are long."""
    return [
        pytest.param(n, stage, marks=[] if (n.name, stage) in quick else [pytest.mark.long], id=f"{n.name}-{stage}")
        for n in numbers
        for stage in STAGES
    ]


@pytest.mark.parametrize(
    ("number", "stage"),
    cases(
        [signal.SIGINT, signal.SIGTERM],
        {("SIGINT", "provision"), ("SIGTERM", "load"), ("SIGTERM", "slo"), ("SIGINT", "destroy")},
    ),
)
def test_an_interrupted_run_leaves_nothing_and_says_where(harness: Harness, number: signal.Signals, stage: str) -> None:
    harness.scenario("small", SMALL.format(name="small", hold="5s"))

    environment = time_to_hit(harness, stage)

    run = harness.run("-m", "local", "--scenario=small", when=at(STAGES[stage], send(number)), environment=environment)

    assert run.code == 2, run.output
    assert traces(run.state) == []
    names = {case.name: case.red for case in run.cases}
    hit = f"test_slo[{CELL}--pods-complete]" if stage == "slo" else f"test_{stage}[{CELL}]"
    assert (names[hit] or "").startswith("ERROR interrupted")
    assert (names[f"leak[{CELL}]"] or "").startswith("ERROR leak")
    assert "" not in names
    assert serving(run.folder.path) == []


@pytest.mark.parametrize(("number", "stage"), cases([signal.SIGKILL], {("SIGKILL", "provision"), ("SIGKILL", "slo")}))
def test_a_killed_run_is_finished_by_reap(harness: Harness, number: signal.Signals, stage: str) -> None:
    harness.scenario("small", SMALL.format(name="small", hold="5s"))

    environment = time_to_hit(harness, stage)

    run = harness.run("-m", "local", "--scenario=small", when=at(STAGES[stage], send(number)), environment=environment)
    reaped = harness.telescope("reap")

    assert run.code == -signal.SIGKILL
    assert reaped.returncode == 0, reaped.stdout
    assert traces(run.state) == []


def test_a_second_signal_during_the_last_destroy_is_explained_and_ignored(harness: Harness) -> None:
    harness.scenario("small", SMALL.format(name="small", hold="5s"))

    run = harness.run("-m", "local", "--scenario=small", when=at("holding", _twice))

    assert run.code == 2, run.output
    assert traces(run.state) == []
    assert "still destroying clusters" in run.output


def _twice(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    threading.Timer(0.5, process.send_signal, [signal.SIGINT]).start()


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_workers_that_are_cut_short_leave_nothing(harness: Harness, number: signal.Signals) -> None:
    harness.scenario("alpha", SMALL.format(name="alpha", hold="10s"))
    harness.scenario("beta", SMALL.format(name="beta", hold="10s"))

    run = harness.run("-m", "local", "--scenario=alpha,beta", "-n", "2", when=at("holding", send(number), 2.0))

    assert run.code not in {0, 1}, run.output
    assert (run.folder.publish / "junit.xml").exists()
    assert traces(run.state) == []
    names = {case.name: case.red or "" for case in run.cases}
    assert names["test_load[local-alpha]"].startswith("ERROR interrupted")
    assert names["leak[local-alpha]"].startswith("ERROR leak")
    assert names["leak[local-beta]"].startswith("ERROR leak")
