"""The benchmark pipeline for real on a local cluster, from set-up to publish: every script runs as an agent runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope import paths
from tests.e2e.conftest import SMALL
from tests.e2e.machine import Machine
from tests.pipelines import checkouts
from tests.pipelines.agent import hear_signals
from tests.pipelines.runner import ROOT
from tests.pipelines.runner import TOKEN
from tests.pipelines.runner import Build
from tests.pipelines.runner import JobRun
from tests.pipelines.tasks import Server
from tests.pipelines.templates import Expander

pytestmark = pytest.mark.e2e
OPTIONAL = {"Tools"}  # not every machine can build those that this scenario does not need
STAGES = ["test_provision[local-pod-startup]", "test_load[local-pod-startup]", "test_destroy[local-pod-startup]"]


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(folder=tmp_path / "artifacts", cache=paths.cache())


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    before = Machine.seen(tmp_path)
    yield
    assert before.left() == []


def run(folder: Path, server: Server, hold: str = "0s", **agent: Any) -> list[JobRun]:
    """Run benchmark.yml as it is started by hand, with a scenario of the form's name that takes seconds."""
    own = folder / "scenarios" / "pod-startup"
    own.mkdir(parents=True)
    (own / "scenario.yaml").write_text(SMALL.format(name="pod-startup", hold=hold))
    hear_signals()
    extra = {"TELESCOPE_SCENARIOS": str(own.parent), "TELESCOPE_STATE_DIR": str(folder / "state")}
    build = Build(
        folder=folder / "agents",
        server=server,
        sources=checkouts.real(folder / "sources"),
        agent={"extra": extra, **agent},
    )
    return build.run(Expander(root=ROOT).pipeline(ROOT / "pipelines" / "benchmark.yml"))


@pytest.mark.long
def test_a_benchmark_on_a_local_cluster_from_set_up_to_publish(tmp_path: Path, server: Server) -> None:
    benchmark, report = run(tmp_path, server)

    assert not {name for name, result in benchmark.results.items() if result != "Succeeded"} - OPTIONAL, benchmark.text
    assert benchmark.undefined | report.undefined == frozenset()
    assert TOKEN not in benchmark.text + report.text
    _in_the_tests_tab(server)
    _in_artifacts(server)
    assert report.results["Report"] == "Succeeded", report.text
    assert (server.folder / "report-1" / "index.html").stat().st_size > 0
    assert (server.folder / "report-1" / "trend.html").stat().st_size > 0
    assert {"history.jsonl", "results.jsonl"} <= {path.name for path in (server.folder / "history-1").iterdir()}


@pytest.mark.extra
def test_a_cancelled_benchmark_destroys_its_cluster_and_is_in_the_tests_tab(tmp_path: Path, server: Server) -> None:
    benchmark, report = run(tmp_path, server, hold="60s", cancel_at=lambda line: "load       started" in line)

    assert benchmark.result == "Canceled", benchmark.text
    assert not benchmark.step("pod-startup on local").killed
    messages = {result.name: result.message for result in server.runs[0].results}
    assert messages["test_load[local-pod-startup]"].startswith("ERROR")
    assert server.artifacts() == ["run-benchmark-1-1"]
    assert report.result == "Skipped"
    assert benchmark.step("Destroy what is left").text == "nothing to reap"


def _in_the_tests_tab(server: Server) -> None:
    (found,) = server.runs
    names = [result.name for result in found.results]
    assert found.title == "telescope pod-startup local 20260101.1 1"
    assert [name for name in names if not name.startswith("test_slo")] == STAGES
    assert {result.outcome for result in found.results} == {"Passed", "NotExecuted"}
    assert found.platform == "local"


def _in_artifacts(server: Server) -> None:
    (folder,) = (server.folder / "run-benchmark-1-1").glob("*/publish")
    assert {"junit.xml", "results.jsonl", "verdict.json", "allure-results", "cells"} <= {
        path.name for path in folder.iterdir()
    }
    assert not list(server.folder.rglob("private"))
