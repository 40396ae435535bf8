"""However a run dies, nothing is left after it or after `telescope reap`, and JUnit says what happened."""

from __future__ import annotations

import signal
import subprocess
import threading

import pytest

from tests.e2e.conftest import SMALL
from tests.e2e.conftest import Harness
from tests.e2e.conftest import at
from tests.e2e.conftest import send
from tests.e2e.conftest import traces

pytestmark = pytest.mark.e2e

CELL = "local-small"
STAGES = {
    "provision": "provision  started",
    "load": "holding",
    "destroy": "destroy    started",
}


def cases(numbers: list[signal.Signals], quick: set[tuple[str, str]]) -> list[object]:
    """Return every signal in every stage; those not in `quick` are long."""
    return [
        pytest.param(n, stage, marks=[] if (n.name, stage) in quick else [pytest.mark.long], id=f"{n.name}-{stage}")
        for n in numbers
        for stage in STAGES
    ]


@pytest.mark.parametrize(
    ("number", "stage"),
    cases([signal.SIGINT, signal.SIGTERM], {("SIGINT", "provision"), ("SIGTERM", "load"), ("SIGINT", "destroy")}),
)
def test_an_interrupted_run_leaves_nothing_and_says_where(harness: Harness, number: signal.Signals, stage: str) -> None:
    harness.scenario("small", SMALL.format(name="small", hold="5s"))

    run = harness.run("-m", "local", "--scenario=small", when=at(STAGES[stage], send(number)))

    assert run.code == 2, run.output
    assert traces(run.state) == []
    names = {case.name: case.red for case in run.cases}
    assert (names[f"test_{stage}[{CELL}]"] or "").startswith("ERROR interrupted")
    assert (names[f"leak[{CELL}]"] or "").startswith("ERROR leak")
    assert "" not in names


@pytest.mark.parametrize(("number", "stage"), cases([signal.SIGKILL], {("SIGKILL", "provision"), ("SIGKILL", "load")}))
def test_a_killed_run_is_finished_by_reap(harness: Harness, number: signal.Signals, stage: str) -> None:
    harness.scenario("small", SMALL.format(name="small", hold="5s"))

    run = harness.run("-m", "local", "--scenario=small", when=at(STAGES[stage], send(number)))
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
