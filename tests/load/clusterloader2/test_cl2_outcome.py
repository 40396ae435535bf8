"""What a run of CL2 becomes for the rest of the house."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from typing import cast

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.errors import LoadError
from pytest_telescope.load.clusterloader2.generated import Generated
from pytest_telescope.load.clusterloader2.model import Case
from pytest_telescope.load.clusterloader2.model import Entry
from pytest_telescope.load.clusterloader2.model import Sample
from pytest_telescope.load.clusterloader2.model import Summary
from pytest_telescope.load.clusterloader2.outcome import CHECK
from pytest_telescope.load.clusterloader2.outcome import SAMPLE
from pytest_telescope.load.clusterloader2.outcome import load_result
from pytest_telescope.load.clusterloader2.pods import Pods
from pytest_telescope.load.clusterloader2.process import Ended
from pytest_telescope.load.clusterloader2.results import EntryResult
from pytest_telescope.load.clusterloader2.results import read_reports
from pytest_telescope.load.clusterloader2.running import Runner
from pytest_telescope.load.model import Gauge
from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.telemetry import openmetrics

settings.register_profile("ci", deadline=None)
settings.load_profile("ci")  # no time limit an example: these machines are busy

REPORTS = Path(__file__).parent / "data" / "reports"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SERIES = re.compile(rf"[a-z0-9_]+(?:\{{{LABEL}(?:,{LABEL})*\}})? \S+ \S+")
OK = Ended(code=0, timed_out=False, seconds=12.0, cpu=1.25, memory=1 << 20, tail=())


def pod_of(uid: str, phase: str, node: str | None = "n") -> dict[str, Any]:
    metadata = {"uid": uid, "name": uid, "namespace": "telescope-x-1", "creationTimestamp": "2026-11-25T18:30:09Z"}
    return {"metadata": metadata, "spec": {"nodeName": node} if node else {}, "status": {"phase": phase}}


def runner(*pods: dict[str, Any]) -> Runner:
    seen = Pods(["telescope-x"])
    for when, item in enumerate(pods, start=100):
        seen.observe("ADDED", item, float(when))
    watcher = SimpleNamespace(restarts=1, relists=2, gaps=[1, 2, 3], error="")
    return cast(Runner, SimpleNamespace(pods=seen, watcher=watcher, cpu=0.5))


def entry(name: str = "main", **more: Any) -> EntryResult:
    steps = more.get("steps", {"create": (10.0, 20.0), "gather": (20.0, 30.0)})
    compiled = Generated(name="load", steps=tuple(steps), calls=(), objects=(), rates=())
    cases = [Case(step="", number=0, measurement="", seconds=20)]
    cases += [Case(step=step, number=number, measurement="", seconds=10) for number, step in enumerate(steps, 1)]
    facts = {"throttled_requests": 0, "throttled_longest": 0.0, "clients": 5}
    given: dict[str, Any] = {"ended": OK, "lines": (), "steps": steps, "cases": tuple(cases), "pods": 2, "facts": facts}
    return EntryResult(entry=Entry(name=name, config=Path("c")), generated=compiled, **(given | more))


def of(folder: Path, *results: EntryResult, seen: Runner | None = None, judged_elsewhere: bool = True) -> LoadResult:
    return load_result(results, seen or runner(), judged_elsewhere=judged_elsewhere, folder=folder)


def gauge(result: LoadResult, name: str) -> list[dict[str, str]]:
    (found,) = [one for one in result.gauges if one.name == name]
    return [dict(labels) for labels, _ in found.series]


def sample(**more: Any) -> Sample:
    given: dict[str, Any] = {
        "summary": "PodStartupLatency_x",
        "metric": "pod_startup",
        "stat": "Perc99",
        "value": 1.5,
        "unit": "s",
    }
    return Sample(**(given | more))


def with_samples(*samples: Sample, name: str = "PodStartupLatency_x") -> EntryResult:
    return entry(summaries=(Summary(name=name, config="load", file=Path("x"), samples=samples),))


def test_a_green_run_is_complete(tmp_path: Path) -> None:
    result = of(tmp_path, entry(), seen=runner(pod_of("a", "Running"), pod_of("b", "Succeeded")))

    assert result.outcome == "complete"
    assert (result.started, result.ended) == (10.0, 30.0)
    assert result.steps == {"create": (10.0, 20.0), "gather": (20.0, 30.0)}
    assert (result.pods.created, result.pods.running) == (2, 2)
    assert result.namespaces == ("telescope-x-1",)
    assert result.message == "clusterloader2 ran 2 steps in 12 s; 2 of 2 pods ran"


def test_facts_tell_what_both_sides_cost_and_saw(tmp_path: Path) -> None:
    one = entry("a", facts={"throttled_requests": 2, "throttled_longest": 0.5, "clients": 5})
    two = entry(
        "b",
        ended=replace(OK, memory=1 << 21),
        facts={"throttled_requests": 3, "throttled_longest": 1.5, "clients": 9},
    )

    result = of(tmp_path, one, two)

    assert result.facts == {
        "cl2_cpu_seconds": 2.5,
        "cl2_memory_bytes": 1 << 21,
        "cl2_seconds": 24.0,
        "cl2_clients": 9,
        "cl2_throttled_requests": 5,
        "cl2_throttled_longest_seconds": 1.5,
        "harness_cpu_seconds": 0.5,
        "watch_restarts": 1,
        "watch_relists": 2,
        "watch_gaps": 3,
        "watch_error": "",
    }
    assert "CL2's own clients held 5 requests back" in result.message


def test_steps_of_several_entries_have_their_entry(tmp_path: Path) -> None:
    result = of(tmp_path, entry("a"), entry("b", steps={"create": (40.0, 50.0)}))

    assert result.steps == {"a-create": (10.0, 20.0), "a-gather": (20.0, 30.0), "b-create": (40.0, 50.0)}
    assert (result.started, result.ended) == (10.0, 50.0)


def test_an_error_makes_it_incomplete_and_a_missed_threshold_does_not(tmp_path: Path) -> None:
    def failing(**words: tuple[str, ...]) -> EntryResult:
        case = Case(step="create", number=1, measurement="m", seconds=1, failure="x", **words)
        return entry(cases=(Case(step="", number=0, measurement="", seconds=1), case, *(entry().cases or ())[2:]))

    broken = of(tmp_path, failing(errors=("it broke", "twice")))
    missed = of(tmp_path, failing(violations=("too slow",)))

    assert (broken.outcome, missed.outcome) == ("incomplete", "complete")
    assert broken.message == "clusterloader2: step 'create': it broke (and 1 more)"
    assert missed.message.startswith("clusterloader2 ran 2 steps")


def test_a_run_without_a_step_has_no_window(tmp_path: Path) -> None:
    broken = entry(
        steps={}, cases=None, no_junit="no report", ended=replace(OK, code=1, tail=("Test compilation failed",))
    )

    with pytest.raises(LoadError, match="began no step: exit code 1: Test compilation failed"):
        of(tmp_path, broken)

    (told,) = json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))
    assert [one["kind"] for one in told["findings"]] == ["error", "error"]


def test_every_step_and_every_finding_is_a_check(tmp_path: Path) -> None:
    cases = (
        Case(step="", number=0, measurement="", seconds=9, failure="x", violations=("too slow",)),
        Case(step="create", number=1, measurement="", seconds=2),
        Case(step="gather", number=2, measurement="m", seconds=3, failure="x", violations=("too slow",)),
        Case(step="gather", number=2, measurement="n", seconds=3),
    )

    result = of(tmp_path, entry(cases=cases))

    assert gauge(result, CHECK) == [
        {"entry": "main", "step": "create", "measurement": "", "verdict": "pass", "text": "step 1, 2.000 s"},
        {"entry": "main", "step": "gather", "measurement": "n", "verdict": "pass", "text": "step 2, 3.000 s"},
        {"entry": "main", "step": "gather", "measurement": "m", "verdict": "violation", "text": "too slow"},
    ]


def test_every_number_is_a_series_with_its_labels(tmp_path: Path) -> None:
    labels = {"verb": "GET", "metric": "other", "job": "x", "2nd": "y", "a-b": "z", "instance": "i"}

    (series,) = gauge(of(tmp_path, with_samples(sample(labels=labels))), SAMPLE)

    assert series == {
        "entry": "main",
        "summary": "PodStartupLatency_x",
        "metric": "pod_startup",
        "stat": "Perc99",
        "unit": "s",
        "verb": "GET",
        "cl2_metric": "other",
        "cl2_job": "x",
        "cl2_instance": "i",
        "cl2_2nd": "y",
        "a_b": "z",
    }


def test_the_same_number_twice_is_one_series(tmp_path: Path) -> None:
    result = of(tmp_path, with_samples(sample(), sample(value=2.0), sample(stat="Perc50")))

    assert len(gauge(result, SAMPLE)) == 2


def test_raw_dumps_of_metrics_stay_in_their_files(tmp_path: Path) -> None:
    result = of(tmp_path, with_samples(sample(), name="MetricsForE2E"))

    assert gauge(result, SAMPLE) == []
    assert json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))[0]["samples"] == []


def test_what_was_found_is_kept_beside_it(tmp_path: Path) -> None:
    of(
        tmp_path,
        with_samples(sample(labels={"verb": "GET"})),
        entry("second", ended=replace(OK, code=3, timed_out=True)),
    )

    first, second = json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))

    assert (first["entry"], first["exit_code"], first["timed_out"], first["findings"]) == ("main", 0, False, [])
    assert [case["number"] for case in first["cases"]] == [0, 1, 2]
    assert first["samples"][0]["labels"] == {"verb": "GET"}
    assert (second["entry"], second["exit_code"], second["timed_out"]) == ("second", 3, True)
    assert [one["kind"] for one in second["findings"]] == ["error"]


@pytest.mark.parametrize("name", ["complete", "violated", "broken", "prometheus"])
def test_real_runs_become_text_that_prometheus_reads(name: str, tmp_path: Path) -> None:
    found, cases, no_junit = read_reports(REPORTS / name, _config(name))

    result = of(tmp_path, entry(summaries=found, cases=cases, no_junit=no_junit))

    assert not no_junit
    assert len(gauge(result, SAMPLE)) > 5
    _check_series(result)


def _config(name: str) -> str:
    (path,) = (REPORTS / name).glob("generatedConfig_*.yaml")
    return path.stem.removeprefix("generatedConfig_")


def _check_series(result: LoadResult) -> None:
    text = openmetrics(result, start=result.started, end=result.ended, step=5, offset=0)
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]

    assert not [line for line in lines if not SERIES.fullmatch(line)]
    heads = [line.rsplit(" ", 2)[0] for line in lines if line.startswith("telescope_cl2")]
    labels = [re.findall(LABEL, head) for head in heads]
    seen = {frozenset(one for one in each if not one.endswith('=""')) for each in labels}  # no value is no label
    assert len(seen) == len(heads) == sum(len(one.series) for one in result.gauges)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["a-b", "a_b", ""]
)


@given(st.lists(st.builds(sample, metric=TEXTS, labels=st.dictionaries(TEXTS, TEXTS, max_size=3)), max_size=5))
def test_any_labels_become_text_that_prometheus_reads(
    tmp_path_factory: pytest.TempPathFactory, samples: list[Sample]
) -> None:
    _check_series(of(tmp_path_factory.mktemp("outcome"), with_samples(*samples)))


def test_reports_that_are_not_there_say_why(tmp_path: Path) -> None:
    found, cases, no_junit = read_reports(tmp_path, "load")

    assert (found, cases) == ((), None)
    assert "junit.xml" in no_junit


def test_gauges_are_named(tmp_path: Path) -> None:
    names: list[Gauge] = list(of(tmp_path, entry()).gauges)

    assert [one.name for one in names] == [CHECK, SAMPLE]


def test_a_report_folder_that_was_never_made_says_why(tmp_path: Path) -> None:
    found, cases, no_junit = read_reports(tmp_path / "none", "load")

    assert (found, cases) == ((), None)
    assert "cannot be listed" in no_junit
