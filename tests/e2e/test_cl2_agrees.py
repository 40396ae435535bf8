"""ClusterLoader2's own figures and the harness' agree, live and replayed; one small run serves all tests."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.e2e.conftest import Harness
from tests.e2e.conftest import Run
from tests.e2e.conftest import traces

pytestmark = pytest.mark.e2e

CELL = "local-paced"
PODS = 200
NUMBER = 'telescope_cl2_sample{metric="pod_startup", stat="Perc50"}'
CREATES = 'increase(apiserver_request_total{resource="pods", verb="POST", code="201"}[${w}])'
SCENARIO = f"""\
name: paced
component: scheduler
cluster: {{pools: {{user: {{count: 5}}}}}}
load: {{clusterloader2: {{config: config.yaml, overrides: {{CL2_PODS: {PODS}}}, timeout: 3m}}}}
slos:
  - {{id: started, use: pod-startup/running, p: 50, max: 30s, min_count: 20}}
  - {{id: created, query: 'sum({CREATES})', unit: count, min: 100, during: create-pods}}
  - {{id: not-created, query: 'sum(last_over_time(up[${{w}}]))', unit: count, min: 1, during: create-podz}}
  - {{id: by-its-own-number, query: 'max({NUMBER})', unit: s, max: 30s}}
"""


@pytest.fixture(scope="module")
def paced(shared: Harness) -> Run:
    folder = shared.scenario("paced", SCENARIO)
    for file in (Path(__file__).parent / "data" / "paced").iterdir():
        shutil.copy(file, folder)
    return shared.run("-m", "local", "--scenario=paced")


def load(run: Run) -> Path:
    return run.folder.cell(CELL).path / "load"


def pods(run: Run) -> list[dict[str, float]]:
    return [json.loads(line) for line in (load(run) / "pods.jsonl").read_text().splitlines()]


def upstream(run: Run, metric: str) -> dict[str, float]:
    file = next((load(run) / "main" / "reports").glob("PodStartupLatency_*.json"))
    items = json.loads(file.read_text())["dataItems"]
    found: dict[str, float] = next(item["data"] for item in items if item["labels"]["Metric"] == metric)
    return found


def percentile(values: Iterable[float], p: int) -> float:
    """Return the nearest-rank percentile, as CL2 takes it."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * p / 100) - 1]


def test_start_up_times_agree_within_50_ms(paced: Run) -> None:
    ours = [pod["running"] - pod["created"] for pod in pods(paced)]

    theirs = upstream(paced, "pod_startup")["Perc50"] / 1000

    assert len(ours) == PODS, paced.output
    assert percentile(ours, 50) == pytest.approx(theirs, abs=0.05)


def test_the_stamp_of_the_api_server_is_the_whole_second_of_our_t0(paced: Run) -> None:
    early = [pod["created"] - pod["stamped"] for pod in pods(paced)]

    assert all(one >= -0.05 for one in early)
    assert percentile(early, 50) < 1.5


def test_every_step_is_a_window_and_an_element(paced: Run) -> None:
    steps = json.loads((load(paced) / "load.json").read_text())["steps"]
    case = paced.case(f"test_slo[{CELL}--engine-thresholds]")

    assert list(steps) == ["start-measurements", "create-pods", "wait", "gather-measurements"]
    assert case.red is None
    assert "6 steps and measurements passed" in paced.output


def test_an_slo_is_judged_over_one_step(paced: Run) -> None:
    red = {case.name: case.red for case in paced.cases if case.red}

    assert paced.case(f"test_slo[{CELL}--created]").red is None
    assert paced.case(f"test_slo[{CELL}--by-its-own-number]").red is None
    assert list(red) == [f"test_slo[{CELL}--not-created]"]
    assert "did you mean create-pods?" in (red[f"test_slo[{CELL}--not-created]"] or "")


def test_a_replay_judges_its_thresholds_again(shared: Harness, paced: Run) -> None:
    again = shared.run(f"--replay={paced.folder.path}").output

    assert "PASS engine-thresholds: 6 steps and measurements passed" in again
    assert "INVALID not-created" in again
    assert traces(paced.state) == []
