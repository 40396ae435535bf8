"""Runs on a real node that are cut short: nothing of the node stays on the machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope.cluster.local import host
from tests.e2e.conftest import Harness
from tests.e2e.conftest import at
from tests.e2e.conftest import send
from tests.e2e.conftest import traces
from tests.e2e.machine import Machine

pytestmark = pytest.mark.e2e

CELL = "local-real"
SCENARIO = """\
name: real
description: A few pods of the tests on a real node.
component: kubelet
cluster:
  pools:
    user: {count: 1, max_pods: 20, labels: {tests: "true"}}
load:
  default: resource-consumer
  resource-consumer:
    pods: 4
    rate: 4/s
    hold: 20s
    consume: {cpu: 0.02, memory: 16Mi}
    selector: {tests: "true"}
    timeout: 60s
slos:
  - {use: pod-startup/running, p: 50, max: 60s, min_count: 4}
on:
  local: {cluster: {pools: {user: {node: containerd}}}}
"""
PROVISION, LOAD = "provision  started", "holding 4 pods"


@pytest.fixture(autouse=True)
def possible_here() -> None:
    """Skip where the machine cannot have a real node; in CI that is a failure."""
    reason = host.why_no_real_node()
    if reason and os.environ.get("CI") != "true":
        pytest.skip(reason)


@pytest.fixture
def real(harness: Harness) -> Harness:
    harness.scenario("real", SCENARIO)
    return harness


@pytest.fixture
def before(tmp_path: Path) -> Iterator[Machine]:
    seen = Machine.seen(tmp_path)
    yield seen
    assert seen.left() == []


def cases(quick: set[tuple[str, str]]) -> list[object]:
    return [
        pytest.param(n, stage, marks=[] if (n.name, stage) in quick else [pytest.mark.long], id=f"{n.name}-{stage}")
        for n in (signal.SIGINT, signal.SIGTERM)
        for stage in ("provision", "load", "destroy")
    ]


def line_of(stage: str) -> str:
    return {"provision": PROVISION, "load": LOAD, "destroy": "destroy    started"}[stage]


@pytest.mark.parametrize(("number", "stage"), cases({("SIGTERM", "load")}))
def test_an_interrupted_run_takes_the_node_away(
    real: Harness, before: Machine, number: signal.Signals, stage: str
) -> None:
    # the node is being made from the second second on; its end takes more than one
    delay = 3.0 if stage == "provision" else 0.3

    run = real.run("-m", "local", "--scenario=real", when=at(line_of(stage), send(number), delay))

    red = {case.name: case.red or "" for case in run.cases}
    assert run.code == 2, run.output
    assert red[f"test_{stage}[{CELL}]"].startswith("ERROR interrupted")
    assert red[f"leak[{CELL}]"].startswith("ERROR leak")
    assert traces(run.state) == []
    assert before.left() == []


@pytest.mark.parametrize("stage", [pytest.param("provision", marks=pytest.mark.long), "load"])
def test_reap_takes_the_node_of_a_killed_run_away(real: Harness, before: Machine, stage: str) -> None:
    run = real.run(
        "-m",
        "local",
        "--scenario=real",
        when=at(line_of(stage), send(signal.SIGKILL), 3.0 if stage == "provision" else 0.3),
    )
    reaped = real.telescope("reap")

    assert run.code == -signal.SIGKILL
    assert reaped.returncode == 0, reaped.stdout
    assert "nothing is left" in reaped.stdout
    assert traces(run.state) == []
    assert before.left() == []
