"""The shipped scenarios, end to end on this machine, with every number checked against another."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from pytest_telescope.cluster.local import host
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.recording import load
from pytest_telescope.metrics.serving import serve
from tests.e2e.conftest import Harness
from tests.e2e.conftest import Run
from tests.e2e.conftest import Shipped
from tests.e2e.conftest import traces

pytestmark = pytest.mark.e2e

NO_NODE = host.why_no_real_node()
needs_node = pytest.mark.skipif(NO_NODE is not None and os.environ.get("CI") != "true", reason=str(NO_NODE))
CRI = "local-cri--p20--resource-consumer"
STARTUP = "local-pod-startup--p1000"


@pytest.fixture(scope="module")
def cri(shipped: Shipped) -> Run:
    """One run of `cri` on the real node."""
    return shipped("cri")


@pytest.fixture(scope="module")
def startup(shipped: Shipped) -> Run:
    """One run of `pod-startup` on simulated nodes."""
    return shipped("pod-startup")


@pytest.fixture(scope="module")
def recorded(cri: Run) -> Iterator[Prometheus]:
    """The recording of `cri`, served."""
    with serve(load(cri.folder.cell(CRI).path / "recording")) as prometheus:
        yield prometheus


def test_pod_startup_is_green(startup: Run) -> None:
    found = startup.judgements(STARTUP)

    assert startup.code == 0, startup.output
    assert found["running"]["count"] == 1000
    assert found["scheduling-sli"]["count"] == 1000
    assert traces(startup.state) == []


@needs_node
def test_cri_is_green_and_leaves_nothing(cri: Run) -> None:
    assert cri.code == 0, cri.output
    assert traces(cri.state) == []


@needs_node
def test_kubelet_counts_the_pods_that_were_created_and_accounted_for(cri: Run) -> None:
    account = json.loads((cri.folder.cell(CRI).path / "load" / "load.json").read_text())["pods"]
    found = cri.judgements(CRI)

    assert account["created"] == account["running"] == 100
    assert found["sandbox-create"]["count"] == account["created"]
    assert found["container-start"]["count"] == account["created"]
    assert found["running"]["count"] == account["created"]
    # upstream loses a pod now and then, see docs/decisions.md; it must never count one too many
    assert account["created"] - 2 <= found["pod-start-sli"]["count"] <= account["created"]


@needs_node
def test_asked_cpu_is_what_cadvisor_saw(cri: Run) -> None:
    judgement = cri.judgements(CRI)["consumed-as-asked"]

    assert judgement["verdict"] == "PASS"
    assert judgement["value"] <= 0.10


@needs_node
def test_the_recording_holds_every_component(cri: Run, recorded: Prometheus) -> None:
    window = load(cri.folder.cell(CRI).path / "recording").window

    answer = recorded.query(f"min by (job) (avg_over_time(up[{int(window.seconds)}s]))", window.end)

    jobs = {series.labels["job"]: series.value for series in answer.series}
    assert jobs == dict.fromkeys(
        [
            "cadvisor",
            "containerd",
            "etcd",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "node",
            "telescope",
        ],
        1.0,
    )


def test_junit_has_the_shape_that_azure_devops_reads(startup: Run) -> None:
    text = (startup.folder.publish / "junit.xml").read_text()
    cases = startup.cases

    assert '<testsuite name="telescope"' in text
    assert [case.name for case in cases][:2] == [f"test_provision[{STARTUP}]", f"test_load[{STARTUP}]"]
    assert cases[-1].name == f"test_destroy[{STARTUP}]"
    assert not any(case.error for case in cases)
    assert {"verdict", "value", "bound", "unit", "count"} <= set(
        startup.case(f"test_slo[{STARTUP}--running]").properties
    )


def test_records_and_verdict_are_written(startup: Run) -> None:
    lines = [json.loads(line) for line in (startup.folder.publish / "results.jsonl").read_text().splitlines()]
    verdict = json.loads((startup.folder.publish / "verdict.json").read_text())

    assert verdict["verdict"] == "PASS"
    assert {line["cell"] for line in lines} == {STARTUP}
    assert {line["functional"] for line in lines} == {True}
    assert any(line["slo"] == "running" and line["n"] == 1000 for line in lines)
    assert list((startup.folder.publish / "allure-results").glob("*-result.json"))


def test_a_replay_of_a_shipped_run_gives_identical_numbers(startup: Run, shared: Harness) -> None:
    again = shared.run(f"--replay={startup.folder.path}")

    file = startup.folder.path / "replays" / "1" / "cells" / STARTUP / "judgements.jsonl"
    second = {one["slo"]: one for one in map(json.loads, file.read_text().splitlines())}
    first = startup.judgements(STARTUP)
    assert again.code == 0, again.output
    for slo, judgement in first.items():
        assert {key: second[slo][key] for key in ("value", "count", "verdict", "margin")} == {
            key: judgement[key] for key in ("value", "count", "verdict", "margin")
        }
