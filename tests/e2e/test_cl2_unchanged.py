"""CL2's own configs, not a byte of them changed, behind a scenario.yaml of three lines."""

from __future__ import annotations

import filecmp

import pytest

from pytest_telescope.scenario.names import Scalar
from tests.e2e.conftest import Harness
from tests.e2e.conftest import traces
from tests.e2e.shipped import scenario_of
from tests.load.clusterloader2.test_cl2_methods import upstream

pytestmark = pytest.mark.e2e

DENSITY = "testing/density/config.yaml"


def test_pod_startup_latency_is_green(harness: Harness) -> None:
    config = "testing/pod-startup-latency/config.yaml"
    overrides: dict[str, Scalar] = {"POD_COUNT": 10, "POD_THROUGHPUT": 2, "POD_STARTUP_LATENCY_THRESHOLD": "30s"}
    folder = scenario_of(harness, "pod-startup-latency", config, overrides)

    run = harness.run("-m", "local", "--scenario=pod-startup-latency")

    found = run.judgements("local-pod-startup-latency")
    assert run.code == 0, run.output
    assert len((folder / "scenario.yaml").read_text().splitlines()) == 3
    assert filecmp.cmp(folder / config, upstream() / config, shallow=False)
    assert found["engine-thresholds"]["verdict"] == found["pods-complete"]["verdict"] == "PASS"
    assert found["pods-complete"]["count"] == 10
    assert traces(run.state) == []


@pytest.mark.parametrize(("threshold", "verdict"), [(5, "PASS"), pytest.param(5000, "FAIL", marks=pytest.mark.long)])
def test_scheduler_throughput_is_as_green_as_its_threshold_allows(
    harness: Harness, threshold: int, verdict: str
) -> None:
    overrides = {
        "CL2_SCHEDULER_THROUGHPUT_PODS": 200,
        "CL2_UNIFORM_QPS": 40,
        "CL2_SCHEDULER_THROUGHPUT_THRESHOLD": threshold,
    }
    scenario_of(harness, "scheduler-throughput", "testing/scheduler-throughput/config.yaml", overrides)

    run = harness.run("-m", "local", "--scenario=scheduler-throughput")

    found = run.judgements("local-scheduler-throughput")
    assert found["engine-thresholds"]["verdict"] == verdict, run.output
    assert found["pods-complete"]["count"] == 200
    assert run.code == (verdict == "FAIL")
    assert traces(run.state) == []


def test_density_is_refused_on_simulated_nodes_before_anything_is_built(harness: Harness) -> None:
    scenario_of(harness, "density", DENSITY, {})

    run = harness.run("-m", "local", "--scenario=density")

    assert run.code == 4
    assert "InClusterNetworkLatency measures what really running containers do" in run.output
    assert "provision" not in run.output
    assert traces(run.state) == []
