"""Red stays red, each with its own message, in JUnit as a failure that begins with the verdict."""

from __future__ import annotations

import shutil
import signal
import subprocess

import pytest

from tests.e2e import stages
from tests.e2e.conftest import SMALL
from tests.e2e.conftest import Harness
from tests.e2e.conftest import Run
from tests.e2e.conftest import at
from tests.e2e.conftest import component
from tests.e2e.conftest import traces

pytestmark = pytest.mark.e2e

CELL = "local-small"
REDS = """\
  - {id: impossible, use: pod-startup/running, p: 50, max: 10ms, min_count: 20}
  - {id: too-few, use: pod-startup/running, p: 99, max: 60s}
  - {id: misspelt, histogram: telescope_pod_strat_seconds, p: 50, max: 1s}
  - {id: empty, query: 'max(last_over_time(up{job="no-such-job"}[${w}]))', unit: count, max: 1}
  - {id: not-a-number, query: 'sum(last_over_time(up[${w}])) * 0 / 0', unit: count, max: 1}
"""


@pytest.fixture(scope="module")
def red_run(shared: Harness) -> Run:
    """One run in which each SLO is red in a way of its own, beside a green one."""
    text = SMALL.format(name="small", hold="0s").replace("  pools:", "  stages: stages.yaml\n  pools:")
    folder = shared.scenario("small", text + REDS)
    (folder / "stages.yaml").write_text(stages.uniform(0.2, 0.3))  # no pod is as fast as `impossible` asks
    return shared.run("-m", "local", "--scenario=small")


@pytest.mark.parametrize(
    ("slo", "begins", "says"),
    [
        ("impossible", "FAIL impossible p50", "> 10 ms"),
        ("too-few", "INVALID", "too few samples: 20 of at least 300"),
        ("misspelt", "INVALID", "telescope_pod_start_seconds"),
        ("empty", "INVALID", "no data"),
        ("not-a-number", "INVALID", "NaN"),
    ],
)
def test_a_red_slo_says_its_own_reason(red_run: Run, slo: str, begins: str, says: str) -> None:
    case = red_run.case(f"test_slo[{CELL}--{slo}]")

    assert (case.red or "").startswith(begins)
    assert says in (case.red or "")
    assert not case.error
    assert case.properties["verdict"] == begins.split(maxsplit=1)[0]
    assert f"[[ATTACHMENT|cells/{CELL}/judgements.jsonl]]" in case.out


def test_a_red_slo_turns_the_run_red_but_not_the_green_ones(red_run: Run) -> None:
    green = [case.name for case in red_run.cases if case.red is None and case.skipped is None]

    assert red_run.code == 1
    assert f"test_slo[{CELL}--running]" in green
    assert f"test_destroy[{CELL}]" in green
    assert traces(red_run.state) == []


def test_pods_that_never_run_are_slower_than_every_bound(harness: Harness) -> None:
    text = SMALL.format(name="small", hold="0s").replace("  pools:", "  stages: never.yaml\n  pools:")
    folder = harness.scenario("small", text)
    (folder / "never.yaml").write_text(stages.DELETE)

    run = harness.run("-m", "local", "--scenario=small")

    assert run.code == 1
    assert "FAIL pods-complete: 20 of 20 pods did not run" in (run.case(f"test_slo[{CELL}--pods-complete]").red or "")
    assert (run.case(f"test_slo[{CELL}--running]").red or "").startswith("FAIL running p50")
    assert (run.case(f"test_load[{CELL}]").red or "").startswith("FAIL the load is incomplete")
    assert traces(run.state) == []


def test_a_stopped_scrape_is_invalid_and_names_the_target(harness: Harness) -> None:
    slos = "  - {use: scheduler/scheduling-sli, p: 50, min_count: 20}\n"
    harness.scenario("small", SMALL.format(name="small", hold="3s") + slos)

    def freeze(_: subprocess.Popen[str]) -> None:
        component(harness.state, "kube-scheduler").send_signal(signal.SIGSTOP)

    run = harness.run("-m", "local", "--scenario=small", when=at("holding", freeze))

    red = run.case(f"test_slo[{CELL}--scheduling-sli]").red or ""
    assert run.code == 1
    assert red.startswith("INVALID")
    assert "kube-scheduler" in red
    assert traces(run.state) == []


def test_without_prometheus_nothing_is_green(harness: Harness) -> None:
    harness.scenario("small", SMALL.format(name="small", hold="3s"))

    def kill(_: subprocess.Popen[str]) -> None:
        component(harness.state, "prometheus").kill()

    run = harness.run("-m", "local", "--scenario=small", when=at("holding", kill))

    judged = [case for case in run.cases if case.name.startswith("test_slo")]
    assert run.code == 1
    assert (run.case(f"test_load[{CELL}]").red or "").startswith("ERROR")
    assert all(case.red or case.skipped for case in judged)
    assert "judged nothing" in run.output
    assert traces(run.state) == []


@pytest.mark.parametrize("step", ["kube-apiserver", "targets-up"])
def test_a_cluster_that_does_not_come_up_is_red_once_and_gone(harness: Harness, step: str) -> None:
    harness.scenario("small", SMALL.format(name="small", hold="0s"))

    run = harness.run("-m", "local", "--scenario=small", environment={"TELESCOPE_FAIL_AT": step})

    red = [case.name for case in run.cases if case.red]
    assert run.code == 1
    assert red == [f"test_provision[{CELL}]"]
    assert step in (run.case(f"test_provision[{CELL}]").red or "")
    assert "not provisioned" in (run.case(f"test_load[{CELL}]").skipped or "")
    assert traces(run.state) == []


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) takes the capability away")
def test_a_session_that_judged_nothing_is_red(harness: Harness) -> None:
    text = SMALL.format(name="small", hold="0s")
    local = '  pools:\n    user: {count: 1, node: containerd, labels: {tests: "true"}}'
    overlay = "on:\n  local:\n    cluster:\n" + "\n".join("    " + line for line in local.splitlines()) + "\n"
    harness.scenario("small", text + overlay)

    run = harness.run("-m", "local", "--scenario=small", prefix=("setpriv", "--bounding-set=-sys_admin"))

    assert run.code == 1, run.output
    assert "judged nothing" in run.output
    assert all(case.skipped for case in run.cases)
