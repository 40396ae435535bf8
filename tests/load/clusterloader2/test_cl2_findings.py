"""Every reason why a green of CL2 is none, and none where there is no reason."""

from __future__ import annotations

import calendar
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.load.clusterloader2 import generated
from pytest_telescope.load.clusterloader2 import log
from pytest_telescope.load.clusterloader2.findings import LONGEST
from pytest_telescope.load.clusterloader2.findings import findings
from pytest_telescope.load.clusterloader2.generated import Call
from pytest_telescope.load.clusterloader2.generated import Generated
from pytest_telescope.load.clusterloader2.log import Line
from pytest_telescope.load.clusterloader2.methods import methods
from pytest_telescope.load.clusterloader2.model import Case
from pytest_telescope.load.clusterloader2.model import Entry
from pytest_telescope.load.clusterloader2.model import Finding
from pytest_telescope.load.clusterloader2.model import Sample
from pytest_telescope.load.clusterloader2.model import Summary
from pytest_telescope.load.clusterloader2.process import Ended
from pytest_telescope.load.clusterloader2.results import EntryResult
from pytest_telescope.load.clusterloader2.results import read_reports

settings.register_profile("ci", deadline=None)
settings.load_profile("ci")  # no time limit an example: these machines are busy

DATA = Path(__file__).parent / "data"
NOW = float(calendar.timegm((2026, 11, 25, 20, 0, 0)))
OK = Ended(code=0, timed_out=False, seconds=12.0, cpu=1.0, memory=1, tail=("Test Finished",))
PASSED = Case(step="", number=0, measurement="", seconds=1)
POD_STARTUP = ("PodStartupLatency", "StatelessPodStartupLatency", "StatefulPodStartupLatency")


def call(method: str, step: int = 1, identifier: str = "", **params: object) -> Call:
    return Call(step=step, step_name=f"s{step}", method=method, identifier=identifier or method, params=params)


def started_and_gathered(method: str, identifier: str = "", /, **params: object) -> tuple[Call, ...]:
    """The two calls of a measurement, both with the same params."""
    return tuple(call(method, 1, identifier, action=action, **params) for action in ("start", "gather"))


def summary(name: str, value: float = 1.5, metric: str = "m", stat: str = "Perc99", **more: Any) -> Summary:
    sample = Sample(summary=name, metric=metric, stat=stat, value=value, unit="s")
    return Summary(name=name, config="load", file=Path("x.json"), samples=more.pop("samples", (sample,)), **more)


def startup(identifier: str = "PodStartupLatency", value: float = 1.5) -> tuple[Summary, ...]:
    return tuple(summary(f"{name}_{identifier}", value) for name in POD_STARTUP)


def result(*calls: Call, **more: Any) -> EntryResult:
    """A green run of one step; what is said is changed."""
    steps = more.pop("steps", ("s1",))
    compiled = Generated(name="load", steps=steps, calls=calls, objects=(), rates=())
    cases = (
        PASSED,
        *(Case(step=name, number=number, measurement="", seconds=1) for number, name in enumerate(steps, 1)),
    )
    green: dict[str, Any] = {"ended": OK, "lines": (), "summaries": (), "cases": cases, "pods": 3}
    return EntryResult(entry=Entry(name="main", config=Path("c")), generated=compiled, steps={}, **(green | more))


def found(outcome: EntryResult, *, judged_elsewhere: bool = True) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in findings(outcome, judged_elsewhere=judged_elsewhere)]


def failed(number: int, *, violation: str = "", error: str = "", measurement: str = "") -> Case:
    return Case(
        step=f"s{number}" if number else "",
        number=number,
        measurement=measurement,
        seconds=1,
        failure=violation or error,
        violations=(violation,) if violation else (),
        errors=(error,) if error else (),
    )


def line(text: str, level: str = "W") -> Line:
    parsed = log.parse_line(f"{level}1125 18:30:09.000000 1 a.go:1] {text}", now=NOW)
    assert parsed is not None
    return parsed


def of_data(name: str, number: int = 0) -> EntryResult:
    """A real run: its reports, and what its log says."""
    folder = DATA / "reports" / name
    compiled = generated.read(sorted(folder.glob("generatedConfig_*.yaml"))[number])
    text = (
        (DATA / "logs" / f"{name}.log").read_text(encoding="utf-8")
        if name in {"complete", "broken", "violated"}
        else ""
    )
    lines = tuple(one for one in log.parse(text.splitlines(), now=NOW) if one.event or one.level == "F")
    reports, cases, no_junit = read_reports(folder, compiled.name)
    code = int(any(case.failure is not None for case in cases or ()))
    return replace(
        result(pods=40),
        generated=compiled,
        summaries=reports,
        cases=cases,
        no_junit=no_junit,
        lines=lines,
        ended=replace(OK, code=code),
    )


def test_a_real_green_run_has_no_finding() -> None:
    assert findings(of_data("complete"), judged_elsewhere=False) == ()


def test_a_real_green_run_has_a_finding_only_for_what_compares_nothing() -> None:
    (told,) = findings(of_data("prometheus"), judged_elsewhere=False)

    assert (told.kind, told.measurement) == ("vacuous", "Throughput")
    assert "there is no threshold" in told.text


def test_a_real_run_with_missed_thresholds_has_each_once() -> None:
    told = findings(of_data("violated"), judged_elsewhere=False)

    assert [(one.kind, one.step, one.measurement) for one in told] == [
        ("violation", "gather", "PodStartupLatency"),
        ("violation", "gather", "SchedulingThroughput"),
        ("violation", "gather", "APIAvailability"),
        ("violation", "gather", "NodeHealth"),
        ("violation", "gather bundle", "TestMetrics"),
    ]


def test_a_real_broken_run_tells_what_broke_and_what_measured_nothing() -> None:
    told = findings(of_data("broken"), judged_elsewhere=False)

    assert {(one.step, one.measurement) for one in told if one.kind == "error"} == {
        ("create nothing", ""),
        ("wait", "WaitForRunning"),
        ("wait", "Fails"),
        ("wait", ""),
        ("give up", "Fatal"),
        ("never reached", ""),
    }
    assert {one.measurement for one in told if one.kind == "vacuous"} >= {"Generic", "PodStartupLatency"}
    assert not [one for one in told if one.kind == "violation"]


def test_a_real_run_that_judges_nothing_is_an_empty_green_unless_others_judge() -> None:
    run = of_data("suite")

    assert [one.kind for one in findings(run, judged_elsewhere=False)] == ["vacuous"]
    assert findings(run, judged_elsewhere=True) == ()


def test_a_green_run_has_no_finding() -> None:
    assert found(result(*started_and_gathered("PodStartupLatency"), summaries=startup()), judged_elsewhere=False) == []


def test_the_time_out_is_told_with_the_step_it_cut() -> None:
    run = result(cases=None, no_junit="no report", stopped_in="create-pods", ended=replace(OK, code=-9, timed_out=True))

    told = findings(run, judged_elsewhere=True)

    assert [(one.kind, one.text) for one in told] == [
        ("error", "ended by the time-out after 12 s in step create-pods"),
    ]
    assert told[0].step == "create-pods"


def test_a_signal_is_told() -> None:
    run = result(cases=None, no_junit="no report", ended=replace(OK, code=-11))

    assert found(run) == [("error", "ended by SIGSEGV")]


@pytest.mark.parametrize("code", [0, 1, 255])
def test_an_end_without_a_report_is_told_with_the_last_words(code: int) -> None:
    run = result(cases=None, no_junit="no report", ended=replace(OK, code=code))
    fatal = replace(run, lines=(line("a", "F"), line("Test compilation  failed", "F"), line("later")))
    silent = replace(run, ended=replace(run.ended, tail=()))

    assert found(run)[0] == ("error", f"exit code {code}: Test Finished")
    assert found(fatal)[0] == ("error", f"exit code {code}: Test compilation failed")
    assert found(silent)[0] == ("error", f"exit code {code}: it said nothing")


def test_a_bad_end_though_no_step_failed_is_told() -> None:
    assert found(result(ended=replace(OK, code=1))) == [("error", "exit code 1, though no step failed: Test Finished")]


def test_what_failed_is_told_once_though_the_whole_test_repeats_it() -> None:
    steps = [failed(1, violation="too slow", measurement="a"), failed(1, error="broke", measurement="b")]
    whole = replace(failed(0, violation="too slow"), errors=("broke", "outside of steps"))

    told = findings(result(cases=(whole, *steps), ended=replace(OK, code=1)), judged_elsewhere=True)

    assert told == (
        Finding(kind="error", text="broke", step="s1", measurement="b"),
        Finding(kind="error", text="outside of steps"),
        Finding(kind="violation", text="too slow", step="s1", measurement="a"),
    )


def test_the_same_words_in_two_steps_are_two_findings() -> None:
    cases = (failed(0, violation="slow"), failed(1, violation="slow"), failed(2, violation="slow"))

    told = findings(result(cases=cases, steps=("s1", "s2")), judged_elsewhere=True)

    assert [one.step for one in told] == ["s1", "s2"]


def test_no_samples_compare_nothing_though_cl2_calls_it_a_violation() -> None:
    text = "API calls: [Perc99: query returned no samples for API calls]"

    assert found(result(cases=(PASSED, failed(1, violation=text)))) == [("vacuous", text)]


def test_a_step_that_did_not_run_is_told() -> None:
    run = result(steps=("s1", "s2", "s3"))
    assert run.cases

    told = findings(replace(run, cases=run.cases[:2]), judged_elsewhere=True)

    assert [(one.kind, one.step, one.text) for one in told] == [
        ("error", "s2", "the step did not run"),
        ("error", "s3", "the step did not run"),
    ]


def test_a_measurement_that_was_skipped_is_told_and_not_missed_again() -> None:
    calls = started_and_gathered("APIResponsivenessPrometheus", "mine", enableViolations=True)
    lines = (line("mine: Prometheus is disabled, skipping the measurement!"),) * 2

    assert found(result(*calls, lines=lines)) == [
        ("vacuous", "skipped: mine: Prometheus is disabled, skipping the measurement!")
    ]


def test_a_probe_is_skipped_by_the_name_of_its_method() -> None:
    calls = started_and_gathered("DnsLookupLatency", "mine", threshold="5s")
    lines = (line("DnsLookupLatency: Probes cannot work in kind, skipping the measurement!"),)

    (told,) = findings(result(*calls, lines=lines), judged_elsewhere=True)

    assert (told.kind, told.measurement) == ("vacuous", "mine")


def test_only_the_one_that_was_skipped_is_told() -> None:
    first = started_and_gathered("APIResponsivenessPrometheus", enableViolations=True)
    second = started_and_gathered("APIResponsivenessPrometheus", "simple", enableViolations=True, summaryName="simple")
    lines = (line("APIResponsivenessPrometheus: disabled, skipping the measuerment!"),)
    others = (summary("simple"),)

    told = findings(result(*first, *second, lines=lines, summaries=others), judged_elsewhere=True)

    assert {one.measurement for one in told if "skipped" in one.text} == {"APIResponsivenessPrometheus"}


def test_a_stranger_that_was_skipped_is_nobodys() -> None:
    assert found(result(lines=(line("other: Prometheus is disabled, skipping the measurement!"),))) == []


QUERY = {"metricName": "calls", "metricVersion": "v1", "unit": "s"}


def test_thresholds_that_are_not_enforced_are_told() -> None:
    queries = [{"name": "Perc99", "query": "up", "threshold": 5}]
    summaries = (summary("GenericPrometheusQuery calls"),)

    for enforced in (None, False, True):
        params = QUERY | {"queries": queries} | ({} if enforced is None else {"enableViolations": enforced})
        told = found(result(*started_and_gathered("GenericPrometheusQuery", "q", **params), summaries=summaries))

        if enforced:
            assert told == []
        else:
            ((kind, text),) = told
            assert kind == "vacuous"
            assert "Perc99 threshold 5) are not enforced: give it enableViolations: true" in text


def test_a_query_that_gave_no_number_is_told() -> None:
    queries = [{"name": name, "query": "up", "threshold": 5} for name in ("Perc99", "Perc50")]
    params = QUERY | {"queries": queries, "enableViolations": True}

    told = found(
        result(
            *started_and_gathered("GenericPrometheusQuery", "q", **params),
            summaries=(summary("GenericPrometheusQuery calls", value=0),),
        )
    )

    assert told == [("vacuous", "GenericPrometheusQuery calls: query 'Perc50' gave no number")]


def test_no_pod_though_pods_are_measured_is_told() -> None:
    calls = (*started_and_gathered("PodStartupLatency"), *started_and_gathered("PodStartupLatency", "other"))
    run = result(*calls, summaries=(*startup(), *startup("other")), pods=0)

    assert found(run) == [("vacuous", "no pod was seen in its namespaces, though it measures pods (PodStartupLatency)")]
    assert found(result(pods=0)) == []


def test_a_summary_that_is_not_there_is_told() -> None:
    calls = started_and_gathered("PodStartupLatency")

    told = findings(result(*calls, summaries=startup()[1:]), judged_elsewhere=True)

    assert [(one.kind, one.measurement, one.text) for one in told] == [
        ("vacuous", "PodStartupLatency", "0 of 1 summary files PodStartupLatency_PodStartupLatency were written")
    ]


def test_a_summary_that_another_overwrote_is_told() -> None:
    calls = started_and_gathered("PodStartupLatency", "a (b)")

    told = found(result(*calls, calls[1], summaries=startup("a (b)")))

    assert ("vacuous", "1 of 2 summary files PodStartupLatency_a (b) were written") in told


def test_a_summary_of_what_failed_is_not_missed_too() -> None:
    calls = started_and_gathered("PodStartupLatency")
    cases = (PASSED, failed(1, error="broke", measurement="PodStartupLatency"))

    assert found(result(*calls, cases=cases)) == [("error", "broke")]


def test_without_a_report_no_summary_is_missed() -> None:
    run = result(*started_and_gathered("PodStartupLatency"), cases=None, no_junit="no report")

    assert [kind for kind, _ in found(run)] == ["error", "error"]


def test_a_summary_without_numbers_or_with_problems_is_told() -> None:
    calls = started_and_gathered("PodStartupLatency")
    first, *others = startup()

    empty = found(result(*calls, summaries=(replace(first, samples=()), *others)))
    broken = found(result(*calls, summaries=(replace(first, samples=(), problems=("not JSON: x",)), *others)))

    assert empty == [("vacuous", "PodStartupLatency_PodStartupLatency: it holds no number")]
    assert broken == [("vacuous", "PodStartupLatency_PodStartupLatency: not JSON: x")]


def test_a_summary_of_zeros_saw_nothing() -> None:
    calls = started_and_gathered("PodStartupLatency")
    first, *others = startup(value=0)
    lively = replace(first, samples=(*first.samples, replace(first.samples[0], metric="other", value=1.0)))

    told = found(result(*calls, summaries=(first, *others)))

    assert told == [
        (
            "vacuous",
            "PodStartupLatency_PodStartupLatency: all its numbers are 0, so it saw nothing (is its selector right?)",
        )
    ]
    assert found(result(*calls, summaries=(lively, *others))) == []


def test_what_can_be_zero_may_be_zero() -> None:
    params = QUERY | {"queries": [{"name": "Perc99", "query": "up", "threshold": 5}], "enableViolations": True}
    calls = started_and_gathered("GenericPrometheusQuery", "q", **params)

    assert found(result(*calls, summaries=(summary("GenericPrometheusQuery calls", value=0),))) == []


def test_a_config_that_judges_nothing_is_an_empty_green() -> None:
    run = result(call("Sleep", identifier="nap", duration="1s"))

    assert found(run, judged_elsewhere=True) == []
    ((kind, text),) = found(run, judged_elsewhere=False)
    assert kind == "vacuous"
    assert text.startswith("the config has no measurement that can fail")


def test_the_gravest_kind_is_first_and_texts_are_lines() -> None:
    cases = (PASSED, failed(1, violation="too\n slow"), failed(1, error="x" * 10_000))
    run = result(*started_and_gathered("PodStartupLatency"), cases=cases, summaries=startup(), pods=0)

    told = findings(run, judged_elsewhere=True)

    assert [one.kind for one in told] == ["error", "violation", "vacuous"]
    assert told[1].text == "too slow"
    assert all(len(one.text) <= LONGEST for one in told)


def test_findings_carry_their_entry() -> None:
    run = replace(result(pods=0, ended=replace(OK, code=1)), entry=Entry(name="second", config=Path("c")))

    assert {one.entry for one in findings(run, judged_elsewhere=False)} == {"second"}


PLAIN = st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.text(max_size=5)
VALUES = PLAIN | st.lists(PLAIN | st.dictionaries(st.sampled_from(["name", "Threshold", "query"]), PLAIN), max_size=3)
PARAMS = sorted({name for one in methods().values() for names in one.params.values() for name in names})
NAMES = st.sampled_from([*methods(), "NoSuchMethod"])
IDENTIFIERS = st.sampled_from(["a", "b (c)", "PodStartupLatency", ""])
SUMMARY_NAMES = st.sampled_from(
    [*(f"{name}_a" for name in POD_STARTUP), "SchedulingThroughput", "GenericPrometheusQuery x", "APIAvailability", ""]
)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    method = draw(NAMES)
    known = methods().get(method)
    params = draw(st.dictionaries(st.sampled_from(PARAMS), VALUES, max_size=4))
    action = draw(st.sampled_from([*(known.actions if known else ()), "", "start", "other"]))
    return call(method, draw(st.integers(1, 3)), draw(IDENTIFIERS), **(params | ({"action": action} if action else {})))


SAMPLES = st.builds(
    Sample,
    summary=SUMMARY_NAMES,
    metric=st.sampled_from(["m", "n"]),
    stat=st.sampled_from(["Perc99", "value"]),
    value=st.sampled_from([0.0, 1.5, -1.0, 1e300]),
    unit=st.just("s"),
    labels=st.dictionaries(st.sampled_from(["verb", "Count", "resource"]), st.text(max_size=5), max_size=3),
)
SUMMARIES = st.builds(
    Summary,
    name=SUMMARY_NAMES,
    config=st.just("load"),
    file=st.just(Path("x")),
    samples=st.lists(SAMPLES, max_size=3).map(tuple),
    problems=st.lists(st.text(max_size=9), max_size=2).map(tuple),
)
CASES = st.builds(
    Case,
    step=st.text(max_size=5),
    number=st.integers(0, 4),
    measurement=IDENTIFIERS,
    seconds=st.floats(0, 9),
    failure=st.none() | st.text(max_size=9),
    violations=st.lists(st.text(max_size=9), max_size=2).map(tuple),
    errors=st.lists(st.text(max_size=9), max_size=2).map(tuple),
)
REAL_LINES = [
    one
    for path in sorted((DATA / "logs").glob("*.log"))
    for one in log.parse(path.read_text(encoding="utf-8").splitlines(), now=NOW)
    if one.event or one.level == "F"
]
ENDS = st.builds(
    Ended,
    code=st.integers(-11, 255),
    timed_out=st.booleans(),
    seconds=st.floats(0, 9),
    cpu=st.just(1.0),
    memory=st.just(1),
    tail=st.lists(st.text(max_size=9), max_size=2).map(tuple),
)


@given(
    st.lists(calls(), max_size=6),
    st.none() | st.lists(CASES, max_size=5).map(tuple),
    st.lists(SUMMARIES, max_size=6).map(tuple),
    st.lists(st.sampled_from(REAL_LINES), max_size=4).map(tuple),
    ENDS,
    st.integers(0, 2),
    st.booleans(),
)
def test_whatever_a_run_left_behind_there_are_findings_and_no_failure(
    asked: list[Call],
    cases: tuple[Case, ...] | None,
    summaries: tuple[Summary, ...],
    lines: tuple[Line, ...],
    ended: Ended,
    pods: int,
    judged_elsewhere: bool,
) -> None:
    run = result(*asked, cases=cases, summaries=summaries, lines=lines, ended=ended, pods=pods, no_junit="no report")

    told = findings(run, judged_elsewhere=judged_elsewhere)

    assert len(set(told)) == len(told)
    assert all(one.text == " ".join(one.text.split()) and len(one.text) <= LONGEST for one in told)
    if cases is None or ended.code or ended.timed_out:
        assert any(one.kind == "error" for one in told) or any(case.failure is not None for case in cases or ())
