"""The scenarios that ship, green on this machine: their numbers agree with one another, and so do their files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from pytest_telescope.cluster.local import host
from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.store import load_result_from
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.recording import load
from pytest_telescope.metrics.serving import serve
from pytest_telescope.report.folder import CellFolder
from pytest_telescope.scenario.names import NAME
from tests.e2e.conftest import Harness
from tests.e2e.conftest import Run
from tests.e2e.conftest import traces

pytestmark = pytest.mark.e2e

STARTUP, CRI = "local-pod-startup--p1000", "local-cri--p20"
CREATED = 1000
MISSED_BY_KUBELET = 0.05
"""Pods whose start kubelet's SLI may miss: it counts on the watch event after the one that its own update of the
status races with, and a pod that changes no more has none (pkg/kubelet/util/pod_startup_latency_tracker.go)."""


@pytest.fixture(scope="module")
def startup(shared: Harness) -> Run:
    """One run of `pod-startup`, on 100 simulated nodes."""
    return shared.run("-m", "local", "--scenario=pod-startup")


@pytest.fixture(scope="module")
def cri(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run of `cri`, on a real node."""
    reason = host.why_no_real_node()
    if reason and os.environ.get("CI") != "true":
        pytest.skip(reason)
    return Harness(root=tmp_path_factory.mktemp("cri")).run("-m", "local", "--scenario=cri")


def loaded(run: Run, cell: str) -> LoadResult:
    return load_result_from(run.folder.cell(cell).path / "load")


def asked(run: Run, cell: str, questions: Mapping[str, str]) -> dict[str, float]:
    """Ask the recording, at the end of its window; `$w` is the window, `$s` its start."""
    recording = load(run.folder.cell(cell).path / "recording")
    window = recording.window

    def ask(prometheus: Prometheus, text: str) -> float:
        filled = text.replace("$w", f"{1000 * (window.end - window.start):.0f}ms").replace("$s", f"{window.start:.3f}")
        return sum(one.value for one in prometheus.query(filled, time=window.end).series)

    with serve(recording) as prometheus:
        return {name: ask(prometheus, text) for name, text in questions.items()}


def test_pod_startup_is_green_with_every_pod_accounted_for(startup: Run) -> None:
    result = loaded(startup, STARTUP)

    assert startup.code == 0, startup.output
    assert result.pods.created == result.pods.running == CREATED
    assert result.pods.failed == result.pods.never_ran == 0
    assert startup.judgements(STARTUP)["running"]["count"] == CREATED
    assert startup.judgements(STARTUP)["scheduling-sli"]["count"] == CREATED
    assert traces(startup.state) == []


def test_the_scheduler_and_the_api_server_count_the_pods_that_were_created(startup: Run) -> None:
    created = 'apiserver_request_total{verb="POST", resource="pods", subresource="", code="201"}'
    bound = 'scheduler_schedule_attempts_total{result="scheduled"}'
    grown = "last_over_time({0}[$w]) - ({0} @ $s or last_over_time({0}[$w]) * 0)"

    found = asked(startup, STARTUP, {"created": grown.format(created), "bound": grown.format(bound)})

    assert found == {"created": CREATED, "bound": CREATED}


def test_junit_has_one_suite_of_plain_names_without_errors(startup: Run) -> None:
    file = startup.folder.publish / "junit.xml"

    suites = list(ElementTree.parse(file).iter("testsuite"))

    assert [(suite.get("name"), suite.get("errors"), suite.get("failures")) for suite in suites] == [
        ("telescope", "0", "0")
    ]
    cases = list(suites[0].iter("testcase"))
    names = [case.get("name", "") for case in cases]
    assert {case.get("classname") for case in cases} == {"scenarios.test_scenarios"}
    assert names[:2] == [f"test_provision[{STARTUP}]", f"test_load[{STARTUP}]"]
    assert names[-1] == f"test_destroy[{STARTUP}]"
    assert [name for name in names[2:-1] if not name.startswith(f"test_slo[{STARTUP}--")] == []
    parts = [part for name in names for part in name.partition("[")[2].rstrip("]").split("--")]
    assert [part for part in parts if not is_name(part)] == []
    assert len(set(names)) == len(names)


def is_name(text: str) -> bool:
    return re.fullmatch(NAME, text) is not None


def test_junit_carries_the_numbers_of_every_slo_and_times_in_the_stage_they_belong_to(startup: Run) -> None:
    judgements = startup.judgements(STARTUP)

    for slo, judgement in judgements.items():
        properties = startup.case(f"test_slo[{STARTUP}--{slo}]").properties
        assert properties["verdict"] == "PASS"
        assert float(properties["value"]) == judgement["value"]
        assert properties["unit"] == judgement["unit"]
        assert properties["bound"]
    assert set(judgements) >= {"pods-complete", "running", "scheduled", "scheduling-sli", "mutating"}


def test_records_and_verdict_say_the_same_as_junit(startup: Run) -> None:
    publish = startup.folder.publish
    records = [json.loads(line) for line in (publish / "results.jsonl").read_text().splitlines()]
    verdict = json.loads((publish / "verdict.json").read_text())

    judged = {record["slo"]: record["value"] for record in records if record["slo"]}

    assert verdict["verdict"] == "PASS"
    assert (verdict["cause"], verdict["red"], verdict["reasons"]) == (None, {}, [])
    assert judged == {slo: judgement["value"] for slo, judgement in startup.judgements(STARTUP).items()}
    assert {record["metric"] for record in records if not record["slo"]} == {
        f"{stage}_duration_seconds" for stage in ("provision", "load", "destroy")
    }
    assert all(record["functional"] and record["run"] == startup.folder.run_id for record in records)


def test_what_is_private_is_closed_and_what_is_published_has_no_key(startup: Run) -> None:
    private = startup.folder.path / "private"
    words = (b"PRIVATE KEY-----", b"client-key-data")

    files = [file for file in startup.folder.publish.rglob("*") if file.is_file()]

    assert private.stat().st_mode & 0o777 == 0o700
    assert [file for file in files if any(word in file.read_bytes() for word in words)] == []


@pytest.mark.long
def test_cri_is_green_and_leaves_nothing(cri: Run) -> None:
    assert cri.code == 0, cri.output
    assert traces(cri.state) == []


@pytest.mark.long
def test_kubelet_counts_the_pods_that_were_created_and_accounted_for(cri: Run) -> None:
    pods, judgements = loaded(cri, CRI).pods, cri.judgements(CRI)

    assert pods.created == pods.running == judgements["running"]["count"]
    assert judgements["sandbox-create"]["count"] == pods.created
    assert judgements["container-start"]["count"] == pods.created
    assert (1 - MISSED_BY_KUBELET) * pods.created <= judgements["pod-start-sli"]["count"] <= pods.created


@pytest.mark.long
def test_cadvisor_sees_the_cpu_that_was_asked_for(cri: Run) -> None:
    result = loaded(cri, CRI)
    first, last = load(cri.folder.cell(CRI).path / "recording").window.steps["hold-5"]
    # cAdvisor reads a container every 10 to 15 s, and consume-cpu first catches up with its average
    seconds = round((last - first) / 2)
    used = f'sum(rate(container_cpu_usage_seconds_total{{container="consumer"}}[{seconds}s] @ {last:.3f}))'

    found = asked(cri, CRI, {"used": used, "asked": "max(last_over_time(telescope_load_asked_cpu_cores[$w]))"})

    assert found["asked"] == pytest.approx(result.asked_cpu)
    assert found["used"] == pytest.approx(result.asked_cpu, rel=0.10)
    assert cri.judgements(CRI)["consumed-as-asked"]["verdict"] == "PASS"


def numbers(folder: CellFolder) -> dict[str, tuple[Any, ...]]:
    return {one["slo"]: (one["value"], one["count"], one["verdict"]) for one in folder.records("judgements.jsonl")}


def replayed(again: Callable[..., Run], run: Run, cell: str) -> None:
    """Assert that a replay says the same and writes nothing beside its own folder."""
    publish = {file: file.stat().st_mtime_ns for file in run.folder.publish.rglob("*") if file.is_file()}

    replay = again(f"--replay={run.folder.path}")

    own = run.folder.path / "replays" / "1"
    assert replay.code == 0, replay.output
    assert numbers(CellFolder(own / "cells" / cell)) == numbers(run.folder.cell(cell))
    assert {file.name for file in own.iterdir()} >= {"junit.xml", "results.jsonl", "verdict.json"}
    assert publish == {file: file.stat().st_mtime_ns for file in run.folder.publish.rglob("*") if file.is_file()}


def test_pod_startup_replayed_gives_the_same_numbers(shared: Harness, startup: Run) -> None:
    replayed(shared.run, startup, STARTUP)


@pytest.mark.long
def test_cri_replayed_gives_the_same_numbers_where_no_node_is(
    cri: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # nothing but the judge's Prometheus is needed

    replayed(Harness(root=tmp_path).run, cri, CRI)
