"""What a config asks CL2 to judge, and what of it CL2 never looks at."""

from __future__ import annotations

import pytest

from pytest_telescope.load.clusterloader2.expected import Measurement
from pytest_telescope.load.clusterloader2.expected import measurements_of
from pytest_telescope.load.clusterloader2.findings import findings
from pytest_telescope.load.clusterloader2.generated import Call
from pytest_telescope.load.clusterloader2.model import Finding
from pytest_telescope.load.clusterloader2.model import Sample
from tests.load.clusterloader2.test_cl2_findings import call
from tests.load.clusterloader2.test_cl2_findings import found
from tests.load.clusterloader2.test_cl2_findings import line
from tests.load.clusterloader2.test_cl2_findings import result
from tests.load.clusterloader2.test_cl2_findings import started_and_gathered
from tests.load.clusterloader2.test_cl2_findings import startup
from tests.load.clusterloader2.test_cl2_findings import summary

SLOW = {"name": "Perc99", "query": "up", "threshold": 5}


def one(*calls: Call) -> Measurement:
    (measurement,) = measurements_of(result(*calls).generated)
    return measurement


def start(method: str, **params: object) -> Call:
    return call(method, 1, "", action="start", **params)


def gather(method: str, **params: object) -> Call:
    return call(method, 1, "", action="gather", **params)


def test_calls_of_one_method_and_identifier_are_one_measurement() -> None:
    calls = (start("Timer", label="a"), gather("Timer"), call("Timer", identifier="other"), call("NoSuchMethod"))

    found = measurements_of(result(*calls).generated)

    assert [(one.identifier, len(one.calls)) for one in found] == [("Timer", 2), ("other", 1)]
    assert found[0].params == {"action": "gather", "label": "a"}


@pytest.mark.parametrize(
    ("calls", "enforced"),
    [
        ((gather("PodStartupLatency"),), True),
        ((gather("Sleep"),), False),
        ((gather("GenericPrometheusQuery"),), False),
        ((gather("GenericPrometheusQuery", enableViolations=True),), True),
        ((gather("GenericPrometheusQuery", enableViolations="T"),), True),
        ((gather("GenericPrometheusQuery", enableViolations="no"),), False),
        ((start("GenericPrometheusQuery", enableViolations=True), gather("GenericPrometheusQuery")), False),
        ((gather("GenericPrometheusQuery", ENABLEVIOLATIONS=True),), True),
        ((gather("APIResponsivenessPrometheus", ENABLEVIOLATIONS=True),), False),
        ((gather("SchedulingThroughput"),), True),
        ((gather("SchedulingThroughput", enableViolations=False),), False),
        ((gather("DnsLookupLatency"),), False),
        ((gather("DnsLookupLatency", threshold="0s"),), False),
        ((gather("DnsLookupLatency", threshold="5s"),), True),
        ((gather("ContainerRestarts", enableViolations=True),), True),
        ((gather("ContainerRestarts", enableViolations=True, failureEnabled=False),), False),
        ((gather("ClusterOOMsTracker", clusterOOMsTrackerEnabled=True),), True),
        ((gather("ClusterOOMsTracker", clusterOOMsTrackerEnabled=True, clusterOOMsFailureEnabled="f"),), False),
        ((gather("SystemPodMetrics", enableRestartCountCheck=True),), False),
        ((gather("SystemPodMetrics", enableRestartCountCheck=True, systemPodMetricsEnabled=True),), True),
    ],
)
def test_what_fails_its_step_when_a_threshold_is_missed(calls: tuple[Call, ...], enforced: bool) -> None:
    assert one(*calls).enforced == enforced


@pytest.mark.parametrize(
    ("calls", "can_fail"),
    [
        ((gather("PodStartupLatency"),), True),  # thresholds of its own
        ((call("WaitForRunningPods"),), True),  # its time-out
        ((gather("SchedulingThroughput"),), False),
        ((gather("SchedulingThroughput", threshold=0),), False),
        ((gather("SchedulingThroughput", threshold=5),), True),
        ((start("SchedulingThroughput", threshold=5), gather("SchedulingThroughput")), False),
        ((gather("APIAvailability"),), False),
        ((start("APIAvailability", threshold=99.5), gather("APIAvailability")), True),
        ((gather("DnsLookupLatency"),), False),
        ((gather("DnsLookupLatency", threshold="5s"),), True),
        ((gather("Timer"),), False),
    ],
)
def test_what_may_fail_its_step_at_all(calls: tuple[Call, ...], can_fail: bool) -> None:
    assert one(*calls).can_fail == can_fail


@pytest.mark.parametrize(
    ("calls", "nothing"),
    [
        ((gather("SchedulingThroughput"),), False),  # on by default: nobody asked for it
        ((gather("SchedulingThroughput", enableViolations=True),), True),
        ((gather("SchedulingThroughput", enableViolations=True, threshold=5),), False),
        ((gather("SchedulingThroughput", enableViolations=True, threshold=0),), False),  # off on purpose
        ((start("GenericPrometheusQuery", queries=[]), gather("GenericPrometheusQuery", enableViolations=True)), True),
        ((gather("APIResponsivenessPrometheus", enableViolations=True),), False),
        ((gather("PrometheusSchedulingMetrics", enableViolations=True),), False),  # it never gates
        ((gather("DnsLookupLatency", enableViolations=True),), False),
    ],
)
def test_what_is_told_to_fail_and_given_no_threshold(calls: tuple[Call, ...], nothing: bool) -> None:
    assert one(*calls).compares_nothing == nothing


@pytest.mark.parametrize(
    ("query", "nothing"), [({"threshold": 5}, False), ({"requireSamples": True}, False), ({"query": "up"}, True)]
)
def test_a_query_compares_with_a_threshold_or_with_there_being_samples(query: dict[str, object], nothing: bool) -> None:
    calls = (
        start("GenericPrometheusQuery", queries=[{"name": "a", **query}]),
        gather("GenericPrometheusQuery", enableViolations=True),
    )

    assert one(*calls).compares_nothing == nothing


def test_thresholds_are_told_with_their_values() -> None:
    queries = [SLOW, {"Name": "b", "REQUIRESAMPLES": "true"}, "no query", {"name": "c", "threshold": 0}]

    assert one(start("GenericPrometheusQuery", Queries=queries)).thresholds == (
        "Perc99 threshold 5",
        "b requireSamples",
        "c threshold 0",
    )
    assert one(start("PodStartupLatency", threshold="0s")).thresholds == ("threshold 0s",)
    assert one(start("PodStartupLatency")).thresholds == ("its own",)
    assert one(gather("SchedulingThroughput", threshold=0)).thresholds == ()
    assert one(*[gather("SchedulingThroughput", threshold=n) for n in (3, 4)]).thresholds == ("threshold 4",)


def test_names_of_queries_are_told_and_nothing_else_is_one() -> None:
    assert one(start("GenericPrometheusQuery", queries=[SLOW, 5, {"Name": "b"}])).queries() == ("Perc99", "b")
    assert one(start("GenericPrometheusQuery", queries="up")).queries() == ()


def test_a_threshold_counts_only_where_it_is_read() -> None:
    early = one(start("SchedulingThroughput", threshold=5), gather("SchedulingThroughput"))
    late = one(start("GenericPrometheusQuery"), gather("GenericPrometheusQuery", queries=[SLOW]))
    both = one(*started_and_gathered("SchedulingThroughput", threshold=5))

    assert (early.misplaced, early.thresholds) == (("threshold 5",), ())
    assert (late.misplaced, late.thresholds) == (("Perc99 threshold 5",), ())
    assert (both.misplaced, both.thresholds) == ((), ("threshold 5",))


@pytest.mark.parametrize(
    ("measurement", "idle"),
    [
        (
            gather("TestMetrics", enableRestartCountCheck=True),
            {"enableRestartCountCheck": ("systemPodMetricsEnabled",)},
        ),
        (
            gather("TestMetrics", enableRestartCountCheck=True, systemPodsFailureEnabled=False),
            {"enableRestartCountCheck": ("systemPodMetricsEnabled", "systemPodsFailureEnabled")},
        ),
        (gather("TestMetrics", enableRestartCountCheck=True, systemPodMetricsEnabled=True), {}),
        (gather("TestMetrics", systemPodsFailureEnabled=False), {}),
        (gather("ContainerRestarts", failureEnabled=False), {"always": ("failureEnabled",)}),
        (gather("ContainerRestarts"), {}),
        (gather("PodStartupLatency"), {}),
    ],
)
def test_switches_that_others_make_idle(measurement: Call, idle: dict[str, tuple[str, ...]]) -> None:
    assert one(measurement).idle == idle


def test_what_is_started_and_never_gathered() -> None:
    assert one(start("PodStartupLatency")).never_gathered
    assert not one(*started_and_gathered("PodStartupLatency")).never_gathered
    assert not one(gather("PodStartupLatency")).never_gathered
    assert not one(call("Sleep")).never_gathered
    assert not one(call("ChaosMonkey", action="start")).never_gathered  # it has no `gather`


def test_what_is_there_to_be_judged() -> None:
    assert one(gather("SchedulingThroughput", threshold=5, enableViolations=False)).gates
    assert one(gather("APIResponsivenessPrometheus")).gates
    assert not one(start("GenericPrometheusQuery", queries=[{"name": "a", "query": "up"}])).gates
    assert not one(call("Timer")).gates


def told(*calls: Call, **more: object) -> tuple[Finding, ...]:
    return findings(result(*calls, **more), judged_elsewhere=True)


@pytest.mark.parametrize(
    ("calls", "text"),
    [
        (
            (start("SchedulingThroughput", threshold=5),),
            "SchedulingThroughput: its thresholds (threshold 5) stand at an action that does not read them",
        ),
        (
            (start("Timer"), gather("SchedulingThroughput", enableViolations=True)),
            "SchedulingThroughput: enableViolations, but there is no threshold: nothing is compared",
        ),
        (
            (gather("SystemPodMetrics", enableRestartCountCheck=True),),
            "SystemPodMetrics: enableRestartCountCheck says nothing without systemPodMetricsEnabled: true",
        ),
        (
            (gather("ContainerRestarts", enableViolations=True, failureEnabled=False),),
            "ContainerRestarts: its thresholds say nothing without failureEnabled: true",
        ),
        ((start("PodStartupLatency"),), "PodStartupLatency: started, but never gathered"),
    ],
)
def test_what_cl2_never_looks_at_is_an_empty_green(calls: tuple[Call, ...], text: str) -> None:
    assert ("vacuous", text) in [(one.kind, one.text) for one in told(*calls)]


def test_what_only_informs_may_be_started_and_left() -> None:
    assert told(start("Timer", label="a")) == ()
    assert told(start("GenericPrometheusQuery", queries=[{"name": "a", "query": "up"}])) == ()


@pytest.mark.parametrize("what", ["WaitForControlledPodsRunning", "WaitForFinishedJobs"])
def test_a_barrier_that_found_nothing_is_an_empty_green(what: str) -> None:
    nothing = {
        "WaitForControlledPodsRunning": "running 0, deleted 0, timeout: 0, failed: 0",
        "WaitForFinishedJobs": "0/0 Jobs finished, 0 completed, 0 failed",
    }

    (finding,) = told(lines=(line(f"{what}: {nothing[what]}", "I"),) * 2)

    assert (finding.kind, finding.text) == ("vacuous", f"{what} found no object (is its selector right?)")


def test_a_barrier_that_found_something_is_none() -> None:
    texts = (
        "WaitForControlledPodsRunning: running 1, deleted 0, timeout: 0, failed: 0",
        "WaitForControlledPodsRunning: running 0, deleted 3, timeout: 0, failed: 0",
        "WaitForFinishedJobs: 3/3 Jobs finished, 3 completed, 0 failed",
    )

    assert told(lines=tuple(line(text, "I") for text in texts)) == ()


def test_failed_jobs_are_an_error_though_cl2_calls_them_finished() -> None:
    (finding,) = told(lines=(line("WaitForFinishedJobs: 3/3 Jobs finished, 1 completed, 2 failed", "I"),))

    assert finding.kind == "error"
    assert finding.text == "2 of 3 Jobs failed; WaitForFinishedJobs calls them finished"


def test_parts_of_a_bundle_that_only_inform_may_be_empty_or_missing() -> None:
    calls = started_and_gathered("TestMetrics", enableRestartCountCheck=True, systemPodMetricsEnabled=True)
    empty = summary("ResourceUsageSummary", samples=(), problems=("there is no number in it",))

    assert told(*calls, summaries=(empty,)) == ()


def test_one_of_the_two_kinds_of_pods_may_not_exist() -> None:
    whole, stateless, stateful = startup()
    zeros = summary(stateful.name, value=0)

    assert told(*started_and_gathered("PodStartupLatency"), summaries=(whole, stateless, zeros)) == ()


def test_doubts_about_api_calls_are_an_empty_green() -> None:
    calls = started_and_gathered("APIResponsivenessPrometheus", enableViolations=True)
    name = "APIResponsivenessPrometheus"
    sample = Sample(summary=name, metric="latency", stat="Perc99", value=0.0, unit="s")

    ((kind, text),) = found(result(*calls, summaries=(summary(name, samples=(sample,)),)))

    assert (kind, text.partition(": ")[0]) == ("vacuous", name)
    assert "lacks the recording rules" in text
