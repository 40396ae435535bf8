"""However a benchmark job ends, it is published and cleaned; the steps are the real ones, the benchmark pretends."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines import checkouts
from tests.pipelines.runner import ROOT
from tests.pipelines.runner import TOKEN
from tests.pipelines.runner import Build
from tests.pipelines.runner import JobRun
from tests.pipelines.tasks import Server
from tests.pipelines.templates import Expander

BENCHMARK, COLLECT, TAB, ARTIFACT, CLEAN = (
    "pod-startup on local",
    "Collect results",
    "Tests tab",
    "Run as artifact",
    "Destroy what is left",
)
AFTER = (COLLECT, TAB, ARTIFACT, CLEAN)


class World:
    """A pretended checkout, a server, and what a test does with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = Server(folder=folder / "artifacts")
        self.state = folder / "state"
        self.state.mkdir()
        self.sources = checkouts.pretended(folder / "sources")

    @property
    def lease(self) -> Path:
        return self.state / "lease"

    def run(
        self,
        behaviour: str,
        file: str = "benchmark.yml",
        variables: dict[str, str] | None = None,
        parameters: dict[str, Any] | None = None,
        **agent: Any,
    ) -> list[JobRun]:
        pipeline = Expander(root=ROOT).pipeline(ROOT / "pipelines" / file, parameters)
        extra = {"PRETENDED": behaviour, "PRETENDED_STATE": str(self.state)}
        build = Build(
            folder=self.folder / "agents",
            server=self.server,
            sources=self.sources,
            variables=variables or {},
            agent={"extra": extra, **agent},
        )
        return build.run(pipeline)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def at(text: str) -> Callable[[str], bool]:
    return lambda line: text in line


def outcomes(world: World) -> list[str]:
    return [result.outcome for run in world.server.runs for result in run.results]


def test_a_green_run_is_in_the_tests_tab_in_artifacts_and_in_the_report(world: World) -> None:
    benchmark, report = world.run("green")

    assert (benchmark.result, report.result) == ("Succeeded", "SucceededWithIssues"), benchmark.text + report.text
    assert [run.title for run in world.server.runs] == ["telescope pod-startup local 20260101.1 1"]
    assert world.server.artifacts() == ["history-1", "report-1", "run-benchmark-1-1"]
    assert report.step("History of former builds").result == "Failed"  # the first build has none
    assert world.server.tags == {"telescope-history"}


def test_a_red_run_is_published_cleaned_and_reported(world: World) -> None:
    benchmark, report = world.run("red")

    assert benchmark.results[BENCHMARK] == "Failed"
    assert [benchmark.results[name] for name in AFTER] == ["Succeeded"] * 4
    assert benchmark.result == "Failed"
    assert outcomes(world) == ["Failed"]
    assert report.results["Report"] == "Succeeded"


def test_a_broken_gate_is_red_and_its_report_and_history_are_there(world: World) -> None:
    runs = world.run(
        "red",
        "nightly.yml",
        parameters={"providers": ["local"], "scenarios": [{"name": "pod-startup", "minutes": "30", "shards": "1"}]},
    )

    report = runs[-1]
    assert report.results["Report"] == "Failed"
    assert report.result == "Failed"
    assert world.server.artifacts() == ["history-1", "report-1", "run-local_pod_startup-1-1"]
    assert world.server.tags == {"telescope-history"}


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_cancelled_run_destroys_publishes_and_cleans(world: World, first: signal.Signals) -> None:
    benchmark, report = world.run("slow", cancel_at=at("load started"), first=first)

    assert (benchmark.result, report.result) == ("Canceled", "Skipped")
    assert benchmark.results[BENCHMARK] == "Canceled"
    assert "destroyed" in benchmark.step(BENCHMARK).text
    assert [benchmark.results[name] for name in AFTER] == ["Succeeded"] * 4
    assert world.server.runs[0].results[0].message.startswith("ERROR interrupted")
    assert "nothing to reap" in benchmark.step(CLEAN).text


def test_a_run_that_is_killed_leaves_its_lease_to_the_cleaning(world: World) -> None:
    benchmark = world.run("stuck", cancel_at=at("load started"), variables={"PROCESS_SIGINT_TIMEOUT": "500"})[0]

    assert benchmark.step(BENCHMARK).killed
    assert [benchmark.results[name] for name in AFTER] == ["Succeeded"] * 4
    assert outcomes(world) == ["Failed"]
    assert "nothing is left" in benchmark.step(CLEAN).text
    assert not world.lease.exists()


def test_a_run_over_its_time_is_red_destroyed_and_reported(world: World) -> None:
    benchmark, report = world.run("slow", parameters={"minutes": "1"}, minute=3)

    assert benchmark.results[BENCHMARK] == "Failed"
    assert benchmark.result == "Failed"
    assert "destroyed" in benchmark.step(BENCHMARK).text
    assert [benchmark.results[name] for name in AFTER] == ["Succeeded"] * 4
    assert report.results["Report"] == "Succeeded"


def test_what_is_refused_before_it_begins_publishes_nothing_and_still_cleans(world: World) -> None:
    benchmark, report = world.run("refused")

    assert benchmark.results["Plan"] == "Failed"
    assert [benchmark.results[name] for name in (BENCHMARK, *AFTER)] == ["Skipped"] * 4 + ["Succeeded"]
    assert report.results["Runs of this build"] == "Failed"
    assert world.server.tags == set()


def test_nothing_private_is_published(world: World) -> None:
    world.run("green")

    published = [str(path.relative_to(world.server.folder)) for path in world.server.folder.rglob("*")]
    assert "run-benchmark-1-1/20260101-000000-0001/publish/junit.xml" in published
    assert not [name for name in published if "private" in name or "kubeconfig" in name]


def test_the_history_of_the_newest_build_of_main_is_carried_on(world: World) -> None:
    world.run("green")
    former, server = world.server.folder, Server(folder=world.folder / "second", former={})
    server.former = {"telescope-history": former}
    world.server = server

    report = world.run("green")[-1]

    history = server.folder / "history-1"
    assert report.result == "Succeeded"
    assert (history / "history.jsonl").read_text() == "a run\n" * 2
    assert len((history / "results.jsonl").read_text().splitlines()) == 1  # the same run, once


def test_a_branch_reads_the_history_and_leaves_none(world: World) -> None:
    world.run("green", variables={"Build.SourceBranch": "refs/heads/topic"})

    assert world.server.tags == set()


def test_a_schedule_on_a_branch_starts_nothing(world: World) -> None:
    where = {"Build.Reason": "Schedule", "Build.SourceBranch": "refs/heads/topic"}

    benchmark = world.run("green", variables=where)[0]

    assert benchmark.result == "Skipped"


def test_shards_publish_artifacts_of_their_own_and_one_report(world: World) -> None:
    runs = world.run("green", parameters={"shards": "3"})

    assert [run.position for run in runs] == [1, 2, 3, 1]
    assert world.server.artifacts() == [
        "history-1",
        "report-1",
        *(f"run-benchmark-{position}-1" for position in (1, 2, 3)),
    ]
    assert runs[-1].step("Report").text.count("/publish ") == 3


def test_a_second_attempt_publishes_beside_the_first(world: World) -> None:
    world.run("green")

    world.run("green", variables={"System.JobAttempt": "2"})

    assert "run-benchmark-1-2" in world.server.artifacts()


def test_every_macro_is_defined_and_the_token_of_the_job_is_shown_nowhere(world: World) -> None:
    for run in world.run("green"):
        assert run.undefined == frozenset()
        assert TOKEN not in run.text


def test_records_of_many_runs_are_carried_without_the_oldest() -> None:
    from steps.results.carry_records import carried

    lines = [json.dumps({"run": f"2026010{day}", "value": day}) for day in (3, 1, 2)]

    assert carried([*lines, lines[0]], kept=2) == [lines[2], lines[0]]
    assert carried([]) == []
