from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.errors import LoadError
from pytest_telescope.load.clusterloader2 import summaries
from pytest_telescope.load.clusterloader2 import summary_names
from pytest_telescope.load.clusterloader2 import summary_text
from pytest_telescope.load.clusterloader2.model import Summary
from pytest_telescope.load.clusterloader2.summary_kinds import kinds
from pytest_telescope.load.clusterloader2.summary_numbers import duration_text
from pytest_telescope.load.clusterloader2.summary_paths import steps

settings.register_profile("ci", deadline=None)
settings.load_profile("ci")  # no time limit an example: these machines are busy

REPORTS = Path(__file__).parent / "data" / "reports"
FOLDERS = sorted(path for path in REPORTS.iterdir() if path.is_dir())
TIME = "2026-08-07T16:16:53Z"
LABELS = {"Resource": "nodes", "Scope": "resource", "Subresource": "status", "Verb": "PATCH"}
HOST = {"host": "10.0.0.1"}
CONTAINER = {"container": "kube-dns-abc/dns"}


def summary_of(folder: str, name: str) -> Summary:
    (found,) = (one for one in summaries.read(REPORTS / folder) if one.name == name)
    return found


def written(folder: Path, content: bytes | str, name: str = "Timer") -> Summary:
    """Return what is read from a folder with this one summary in it."""
    data = content.encode() if isinstance(content, str) else content
    (folder / f"{name}_load_{TIME}.json").write_bytes(data)
    (found,) = summaries.read(folder, {"load"})
    return found


def perf_data(*data: str, unit: str = "ms", labels: str = '{"Metric": "m"}') -> str:
    items = ",".join(f'{{"data": {each}, "unit": "{unit}", "labels": {labels}}}' for each in data)
    return f'{{"version": "v1", "dataItems": [{items}]}}'


@pytest.mark.parametrize(
    ("folder", "config", "names"),
    [
        (
            "complete",
            "every_kind",
            [
                "APIAvailability",
                "ClusterOOMsTracker",
                "JobLifecycleLatency_Jobs",
                "MetricsForE2E",
                "NodeHealthTracker",
                "PodStartupLatency_Pod startup - [first]",
                "ResourceUsageSummary",
                "SchedulingThroughput",
                "StatefulPodStartupLatency_Pod startup - [first]",
                "StatelessPodStartupLatency_Pod startup - [first]",
                "SystemPodMetrics",
                "Timer",
            ],
        ),
        (
            "broken",
            "broken",
            [
                "JobLifecycleLatency_Jobs",
                "PodStartupLatency_PodStartupLatency",
                "StatefulPodStartupLatency_PodStartupLatency",
                "StatelessPodStartupLatency_PodStartupLatency",
                "Timer",
                "WaitForControlledPodsRunning_1795629748_failedpods",
            ],
        ),
        (
            "prometheus",
            "prometheus-route",
            [
                "APIResponsivenessPrometheus",
                "APIResponsivenessPrometheus_simple",
                "GenericPrometheusQuery apiserver requests",
                "SchedulingThroughputPrometheus",
                "Scheduling_PrometheusSchedulingMetrics",
            ],
        ),
    ],
)
def test_all_summaries_of_a_run_are_found_by_name(folder: str, config: str, names: list[str]) -> None:
    found = summaries.read(REPORTS / folder)

    assert sorted(one.name for one in found) == sorted(names)
    assert {one.config for one in found} == {config}


def test_configs_that_end_like_each_other_are_told_apart() -> None:
    found = summaries.read(REPORTS / "suite")

    configs = ["load_my", "load_second: [step: 07] x overall (z)", "my_load_first"]
    assert [(one.name, one.config) for one in found] == [("Timer", config) for config in configs]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_what_cl2_writes_has_no_problem_but_those_that_are_known(folder: Path) -> None:
    known = {
        "ResourceUsageSummary": "there is no number in it",  # no kubelet answered
        "Timer": "dataItems[0].data is empty",  # never started
        "GenericPrometheusQuery Terminated Watches": "dataItems is null",  # the query gave nothing
    }

    for one in summaries.read(folder):
        assert one.problems == (() if one.samples or one.name.endswith("-stdout") else (known[one.name],))


@pytest.mark.parametrize(
    ("folder", "name", "metric", "stat", "labels", "value", "unit"),
    [
        ("complete", "APIAvailability", "availabilityPercentage", "value", {}, 1.0, "ratio"),
        ("complete", "APIAvailability", "longestUnavailablePeriod", "value", {}, 0.0, "s"),
        ("complete", "ClusterOOMsTracker", "failures", "value", {}, 0.0, "count"),
        ("complete", "ClusterOOMsTracker", "past", "value", {}, 2.0, "count"),
        ("complete", "JobLifecycleLatency_Jobs", "start_to_complete", "Perc99", {}, 1.0, "s"),
        ("complete", "NodeHealthTracker", "runningNodes", "value", {}, 5.0, "count"),
        ("complete", "PodStartupLatency_Pod startup - [first]", "pod_startup", "Perc99", {}, 0.34861054, "s"),
        ("complete", "SchedulingThroughput", "SchedulingThroughput", "max", {}, 40.0, "/s"),
        (
            "complete",
            "SystemPodMetrics",
            "restartCount",
            "value",
            {"pod": "kube-dns", "container": "sidecar"},
            0.0,
            "count",
        ),
        ("complete", "Timer", "creation of pods", "value", {"test": "phases"}, 30.096080279, "s"),
        ("violated", "ClusterOOMsTracker", "failures", "value", {}, 2.0, "count"),
        ("broken", "WaitForControlledPodsRunning_1795629748_failedpods", "failedpods", "value", {}, 3.0, "count"),
        ("prometheus", "APIResponsivenessPrometheus", "latency", "Perc99", LABELS, 0.0495, "s"),
        ("prometheus", "APIResponsivenessPrometheus", "Count", "value", LABELS, 5.0, "count"),
        (
            "prometheus",
            "GenericPrometheusQuery apiserver requests",
            "Count",
            "value",
            {"verb": "LIST"},
            2.32,
            "requests",
        ),
        ("prometheus", "SchedulingThroughputPrometheus", "SchedulingThroughputPrometheus", "max", {}, 10.0, "/s"),
        (
            "prometheus",
            "Scheduling_PrometheusSchedulingMetrics",
            "frameworkExtensionPointDuration",
            "Perc50",
            {"extension_point": "Bind"},
            0.004764044,
            "s",
        ),
        ("prometheus", "Scheduling_PrometheusSchedulingMetrics", "schedulingLatency", "Perc99", {}, 0.00165, "s"),
        ("as-the-source-writes", "APIAvailability", "availabilityPercentage", "value", {}, 0.995, "ratio"),
        ("as-the-source-writes", "APIAvailability", "longestUnavailablePeriod", "value", {}, 90.5, "s"),
        ("as-the-source-writes", "APIAvailability", "availabilityPercentage", "value", HOST, 1.0, "ratio"),
        (
            "as-the-source-writes",
            "CiliumEndpointPropagationDelay",
            "CiliumEndpointPropagationDelay",
            "bucket",
            {"timestamp": "1786119413.781", "le": "600"},
            99.0,
            "count",
        ),
        (
            "as-the-source-writes",
            "ContainerRestarts",
            "RestartCount",
            "value",
            {"container": "dns", "pod": "kube-dns-abc", "namespace": "kube-system"},
            2.0,
            "count",
        ),
        ("as-the-source-writes", "EtcdMetrics", "backendCommitDuration", "bucket", {"le": "0.001"}, 9.0, "count"),
        ("as-the-source-writes", "EtcdMetrics", "maxDatabaseSize", "value", {}, 20480000.0, "B"),
        (
            "as-the-source-writes",
            "GenericPrometheusQuery Container_Memory",
            "Perc99",
            "value",
            {"container": "etcd"},
            1572864.0,
            "B",
        ),
        ("as-the-source-writes", "KubeStateMetricsLatency", "KubeStateMetricsLatency", "Perc90", {}, 0.009, "s"),
        (
            "as-the-source-writes",
            "MetricsForE2E",
            "kubelet_pod_start_latency_microseconds",
            "value",
            {"node": "node-1", "quantile": "0.99"},
            2.5,
            "s",
        ),
        ("as-the-source-writes", "My own name", "latency", "Perc50", LABELS, 0.025, "s"),
        ("as-the-source-writes", "My own name", "SlowCount", "value", LABELS, 1.0, "count"),
        ("as-the-source-writes", "Names of_my_own", "Names of_my_own", "Perc99", {}, 0.0025, "s"),
        ("as-the-source-writes", "Names of_my_own", "pods", "value", {}, 3.0, "count"),
        ("as-the-source-writes", "NegLatency", "neg_attach_endpoint", "bucket", {"le": "64"}, 9.0, "count"),
        ("as-the-source-writes", "NetworkPerformanceMetrics_1:1_UDP_P2P", "Lost_Packets", "Value", {}, 0.0125, "ratio"),
        (
            "as-the-source-writes",
            "NodeLocalDNSLatencyPrometheus",
            "NodeLocalDNSLatencyPrometheus",
            "Perc99",
            {},
            0.00225,
            "s",
        ),
        (
            "as-the-source-writes",
            "PodPeriodicCommand",
            "exitCode",
            "value",
            {"pod": "p-0", "namespace": "test-1", "container": "c", "command": "cpu"},
            3.0,
            "code",
        ),
        ("as-the-source-writes", "PodPeriodicCommand-stats", "nonZeroRCs", "value", {}, 1.0, "count"),
        ("as-the-source-writes", "ResourceClaimAllocationLatency_Claims", "PodGetCalls", "Count", {}, 7.0, "count"),
        ("as-the-source-writes", "ResourceUsageSummary", "CPU", "99", CONTAINER, 0.75, "cores"),
        ("as-the-source-writes", "ResourceUsageSummary", "Mem", "100", CONTAINER, 31457280.0, "B"),
        ("as-the-source-writes", "SchedulingMetrics", "e2eSchedulingLatency", "Perc50", {}, 0.005048076, "s"),
        (
            "as-the-source-writes",
            "WindowsMemoryUsagePrometheus",
            "Memory_Usage",
            "value",
            {"Process": "kubelet"},
            105381888.0,
            "B",
        ),
    ],
)
def test_a_number_is_read_in_its_base_unit(
    folder: str, name: str, metric: str, stat: str, labels: dict[str, str], value: float, unit: str
) -> None:
    samples = summary_of(folder, name).samples

    (found,) = (each for each in samples if (each.metric, each.stat, each.labels) == (metric, stat, labels))

    assert (found.value, found.unit, found.summary) == (value, unit, name)


def test_every_kind_that_is_known_is_in_the_data() -> None:
    seen = set()
    for one in (one for folder in FOLDERS for one in summaries.read(folder)):
        extension = one.file.suffix.removeprefix(".")
        content = summary_text.load(one.file.read_bytes()) if extension == "json" else None
        kind = kinds().find(one.name, extension, content)
        seen |= {kind.key} if kind and (one.samples or kind.shape == "text") else set()

    assert seen == {kind.key for kind in kinds().kinds}


def test_every_kind_has_paths_and_units_that_are_known() -> None:
    own_words = {"code"}
    for kind in kinds().kinds:
        assert bool(kind.values) == (kind.shape == "values"), kind.key
        for value in kind.values:
            assert value.unit in {*kinds().units, *own_words, "by-name"}, kind.key
            assert value.metric or "<metric" in value.path, kind.key
            assert steps(value.path), kind.key


def test_a_dump_of_metrics_leaves_out_what_is_no_finite_number_and_keeps_what_is_negative(tmp_path: Path) -> None:
    def metric(name: str, value: str) -> str:
        return (
            f'"{name}": [{{"metric": {{"__name__": "{name}", "metric": "x", "stat": "y"}}, "value": [0, "{value}"]}}]'
        )

    lines = [metric("a_seconds", "+Inf"), metric("b_seconds", "NaN"), metric("c_objects", "-1"), metric("d_bytes", "7")]
    components = ("ControllerManagerMetrics", "KubeletMetrics", "SchedulerMetrics", "ClusterAutoscalerMetrics")
    empty = ",".join(f'"{name}": null' for name in components)

    found = written(tmp_path, f'{{"APIServerMetrics": {{{",".join(lines)}}}, {empty}}}', "MetricsForE2E")

    assert [(each.metric, each.stat, each.value, each.unit) for each in found.samples] == [
        ("c_objects", "value", -1.0, ""),
        ("d_bytes", "value", 7.0, "B"),
    ]
    assert found.samples[0].labels == {"component": "APIServerMetrics", "metric": "x", "stat": "y"}
    assert found.problems == ()


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("NaN", "Perc99 of m is NaN"),
        ("Infinity", "Perc99 of m is Infinity"),
        ("-Infinity", "Perc99 of m is -Infinity"),
        ("-1", "Perc99 of m is negative: -1"),
        ("-1e-9", "Perc99 of m is negative: -1E-9"),
        ('"5"', "Perc99 of m is the text '5', not a number"),
        ("null", "Perc99 of m is null, not a number"),
        ("true", "Perc99 of m is true, not a number"),
        ("[1]", "Perc99 of m is a list, not a number"),
        ("{}", "Perc99 of m is an object, not a number"),
        ("1e400", "Perc99 of m is beyond a float: 1E+400"),
        ("1e-400", "Perc99 of m is beyond a float: 1E-400"),
        ("1e999999999999999999", "Perc99 of m is beyond a float: 1E+999999999999999999"),
        pytest.param("1" + "0" * 5000, "Perc99 of m is beyond a float: 1.000000e+5000", id="5001 digits"),
    ],
)
def test_what_is_no_number_is_a_problem_and_never_a_sample(tmp_path: Path, number: str, problem: str) -> None:
    found = written(tmp_path, perf_data(f'{{"Perc50": 1, "Perc99": {number}}}'), "PodStartupLatency_x")

    assert [(each.stat, each.value) for each in found.samples] == [("Perc50", 0.001)]
    assert found.problems == (problem,)


BROKEN: list[tuple[str, bytes | str, str]] = [
    ("Timer", "", "empty"),
    ("Timer", " \n", "empty"),
    ("Timer", "{", "not JSON: Expecting property name"),
    ("Timer", perf_data('{"a": 1}')[:-3], "not JSON: "),
    ("Timer", "5", "dataItems is missing"),
    ("Timer", "[]", "dataItems is missing"),
    ("Timer", "{}", "dataItems is missing"),
    ("Timer", '{"dataItems": null}', "dataItems is null"),
    ("Timer", '{"dataItems": {}}', "dataItems is not a list"),
    ("Timer", '{"dataItems": []}', "dataItems is empty"),
    ("Timer", '{"dataItems": [1]}', "dataItems[0] is not an object"),
    ("Timer", '{"dataItems": [{"unit": "s"}]}', "dataItems[0].data is missing or null"),
    ("Timer", '{"dataItems": [{"unit": "s", "data": [1]}]}', "dataItems[0].data is no object"),
    ("Timer", '{"dataItems": [{"unit": "s", "data": {}}]}', "dataItems[0].data is empty"),
    ("Timer", '{"dataItems": [{"data": {"a": 1}}]}', "dataItems[0].unit is not text"),
    ("Timer", perf_data('{"a": 1}', labels="[1]"), "dataItems[0].labels is not an object of texts"),
    ("Timer", perf_data('{"a": 1}', labels='{"b": 1}'), "dataItems[0].labels is not an object of texts"),
    ("Timer", perf_data('{"a": 1, "a": 2}'), "key 'a' twice in one object"),
    ("Timer", '{"dataItems": null, "dataItems": []}', "key 'dataItems' twice in one object"),
    ("Timer", perf_data(r'{"\ud800": 1}'), r"not UTF-8: half a character in '\ud800'"),
    ("Timer", perf_data('{"a": 1}', labels=r'{"b": "\udfff"}'), r"not UTF-8: half a character in '\udfff'"),
    ("Timer", "[" * 200_000, "not JSON of CL2: nested too deep"),
    ("Timer", '{"a":' * 200_000, "not JSON of CL2: nested too deep"),
    ("Timer", perf_data('{"a": 1e9999999999999999999}'), "not a number that can be: 1e9999999999999999999"),
    ("Timer", b"\xff\xfe{\x00}\x00", "not UTF-8: "),
    ("Timer", b"\x1f\x8b\x08\x00\xe0", "not UTF-8: "),
    ("Timer", b"\xef\xbb\xbf{}", "not JSON: Unexpected UTF-8 BOM"),
    ("Brandnew", '{"max": 1}', "a kind of summary that is not known"),
    ("SchedulingThroughput", '{"perc50": 1, "perc90": 1, "max": 1}', "perc99 is missing"),
    ("SchedulingThroughput", "null", "the file is not an object"),
    ("SchedulingMetrics", '{"e2eSchedulingLatency": 5}', "e2eSchedulingLatency is not an object"),
    ("SchedulingMetrics", "{}", "frameworkExtensionPointDuration is missing"),
    ("APIAvailability", '{"clusterMetrics": null, "hostMetrics": null}', "clusterMetrics is null"),
    ("APIAvailability", '{"hostMetrics": {}}', "hostMetrics is not a list"),
    ("APIAvailability", '{"hostMetrics": [{}]}', "hostMetrics[0].IP is not text"),
    ("APIAvailability", '{"hostMetrics": [null]}', "hostMetrics[0] is not an object"),
    ("EtcdMetrics", '{"walFsyncDuration": [{"labels": {"a": 1}}]}', "walFsyncDuration[0].labels is not text"),
    ("EtcdMetrics", '{"maxDatabaseSize": -1}', "maxDatabaseSize is negative: -1"),
    ("ResourceUsageSummary", "{}", "there is no number in it"),
    ("SystemPodMetrics", '{"pods": null}', "pods is null"),
    ("SystemPodMetrics", '{"pods": []}', "there is no number in it"),
    ("MetricsForE2E", '{"APIServerMetrics": {"m": [{"value": [0]}]}}', "APIServerMetrics.m[0].value is too short"),
    ("MetricsForE2E", '{"APIServerMetrics": {"m": [{"value": [0, 5]}]}}', "is a number, not a number as text"),
    ("MetricsForE2E", '{"APIServerMetrics": {"m": [{"value": [0, "1_0"]}]}}', "is the text '1_0', not a number"),
]


@pytest.mark.parametrize(
    ("name", "content", "problem"), BROKEN, ids=[f"{name}-{number}" for number, (name, _, _) in enumerate(BROKEN)]
)
def test_a_file_that_is_not_as_cl2_writes_it_has_a_problem_and_no_sample(
    tmp_path: Path, name: str, content: bytes | str, problem: str
) -> None:
    found = written(tmp_path, content, name)

    assert any(problem in line for line in found.problems), found.problems
    assert found.samples == () or name == "SchedulingThroughput"
    assert all(line and "\n" not in line for line in found.problems)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", "0"),
        ("1m30.5s", "90.5"),
        ("1h0m0s", "3600"),
        ("500ms", "0.5"),
        ("1.5µs", "0.0000015"),
        ("7ns", "0.000000007"),
        ("-2s", "-2"),
    ],
)
def test_durations_are_spelled_as_go_does(text: str, seconds: str) -> None:
    assert duration_text(text) == Decimal(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "1d", "1 s", "1s ", "--1s", "1s-2s", "\u0661s", None, 7, "NaNs"])
def test_what_is_no_duration_of_go_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        duration_text(text)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / f"Timer_load_{TIME}.json").open("wb") as file:
        file.truncate(summary_text.LARGEST + 1)

    (found,) = summaries.read(tmp_path, {"load"})

    assert found.problems == (f"too large to be a summary: {summary_text.LARGEST + 1} bytes",)


def test_problems_beyond_the_first_are_counted(tmp_path: Path) -> None:
    data = ",".join(f'"key {number}": null' for number in range(100))

    found = written(tmp_path, perf_data(f"{{{data}}}"))

    assert len(found.problems) == summaries.MOST_PROBLEMS + 1
    assert found.problems[-1] == f"and {100 - summaries.MOST_PROBLEMS} more"


def test_a_line_of_a_problem_is_one_line_and_short(tmp_path: Path) -> None:
    found = written(tmp_path, perf_data(f'{{"a\\n{"b" * 5000}": null}}'))

    assert found.problems[0].startswith("value of a bbb")
    assert len(found.problems[0]) == summaries.LONGEST


def test_files_that_are_no_summaries_are_left_out(tmp_path: Path) -> None:
    others = [
        "junit.xml",
        "cl2-metadata.json",
        "generatedConfig_load.yaml",
        f"ClusterLoader2_MemoryProfile_periodic_{TIME}.pprof",
        f"10.0.0.1_etcd_CPUProfile_load_{TIME}.pprof",
        "Timer_load.json",
        f"Timer_load_{TIME}.json.part",
    ]
    for name in others:
        (tmp_path / name).write_text("{}")
    (tmp_path / f"Timer_load_{TIME}.json").mkdir()

    assert summaries.read(tmp_path) == ()


def test_a_summary_of_no_known_config_is_read_and_has_a_problem(tmp_path: Path) -> None:
    (tmp_path / f"JobLifecycleLatency_Jobs_load_{TIME}.json").write_text(perf_data('{"Perc99": 1}'))

    (found,) = summaries.read(tmp_path, {"other"})

    assert (found.name, found.config, len(found.samples)) == ("JobLifecycleLatency_Jobs_load", "", 1)
    assert found.problems == ("its name ends with no known test config",)


def test_two_files_of_one_name_are_both_returned(tmp_path: Path) -> None:
    for second in (1, 2):
        (tmp_path / f"Timer_load_2026-08-07T16:16:0{second}Z.json").write_text(perf_data(f'{{"a": {second}}}'))

    found = summaries.read(tmp_path, {"load"})

    assert [(one.name, one.samples[0].value) for one in found] == [("Timer", 0.001), ("Timer", 0.002)]


@pytest.mark.parametrize(
    ("name", "configs", "expected"),
    [
        (f"Timer_load_{TIME}.json", {"load"}, ("Timer", "load", "json")),
        ("Timer_load_2026-08-07T16:16:53+02:00.json", {"load"}, ("Timer", "load", "json")),
        (f"X_my_load_{TIME}.json", {"load", "my_load"}, ("X", "my_load", "json")),
        (f"X_my_load_{TIME}.json", {"load"}, ("X_my", "load", "json")),
        (f"my_load_{TIME}.json", {"load", "my_load"}, ("my", "load", "json")),
        (f"X_load_id_{TIME}.json", {"load", "load_id"}, ("X", "load_id", "json")),
        (f"X_load_{TIME}_load_{TIME}.txt", {"load"}, (f"X_load_{TIME}", "load", "txt")),
        (f"A b: [c] (d)_a b: (c)_{TIME}.json", {"a b: (c)"}, ("A b: [c] (d)", "a b: (c)", "json")),
        (f"X\n_lo\nad_{TIME}.json", {"lo\nad"}, ("X\n", "lo\nad", "json")),
        (f"load_{TIME}.json", {"load"}, ("load", "", "json")),
        (f"Xload_{TIME}.json", {"load"}, ("Xload", "", "json")),
        (f"X_load_{TIME}.json", {""}, ("X_load", "", "json")),
    ],
)
def test_a_file_name_is_split_by_the_longest_config_that_fits(
    name: str, configs: set[str], expected: tuple[str, str, str]
) -> None:
    found = summary_names.parse(name, configs)

    assert found is not None
    assert (found.summary, found.config, found.extension) == expected


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"nothing: the report folder of clusterloader2 cannot be listed"):
        summaries.read(tmp_path / "nothing")


def test_zeros_are_samples() -> None:
    stateful = summary_of("complete", "StatefulPodStartupLatency_Pod startup - [first]")
    stateless = summary_of("complete", "StatelessPodStartupLatency_Pod startup - [first]")

    assert len(stateful.samples) == 18
    assert not any(sample.value for sample in stateful.samples)
    assert any(sample.value for sample in stateless.samples)


NAMES = ["Timer", "PodStartupLatency_x", "APIAvailability", "MetricsForE2E", "EtcdMetrics", "Unknown", "NegLatency"]
FILES = [path for folder in FOLDERS for path in sorted(folder.glob("*Z.json"))]
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("1.5"), st.just("7s")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)


def fuzzed(content: bytes, name: str) -> Summary:
    with tempfile.TemporaryDirectory() as folder:
        return written(Path(folder), content, name)


def assert_trustworthy(found: Summary, content: bytes) -> None:
    """Every number is finite, not below zero, and one that the file holds."""
    assert found.samples or found.problems
    if not found.samples:
        return
    value = json.loads(content, parse_float=Decimal, parse_int=Decimal, parse_constant=Decimal)
    factors = {base.factor for base in kinds().units.values()}
    allowed = {float(number * factor) for number in numbers(value) for factor in factors}
    raw = found.name == "MetricsForE2E"
    for sample in found.samples:
        assert math.isfinite(sample.value)
        assert raw or sample.value >= 0
        assert sample.value in allowed


def numbers(value: Any) -> Iterator[Decimal]:
    """Yield all numbers of a value: those that texts spell, and the lengths of lists, too."""
    if isinstance(value, dict):
        for each in value.values():
            yield from numbers(each)
    elif isinstance(value, list):
        yield Decimal(len(value))
        for each in value:
            yield from numbers(each)
    elif isinstance(value, str):
        yield from spelled(value)
    elif isinstance(value, Decimal) and value.is_finite():
        yield value


def spelled(text: str) -> Iterator[Decimal]:
    for read in (Decimal, duration_text):
        try:
            number = read(text)
        except (ArithmeticError, ValueError):
            continue
        if number.is_finite():
            yield number


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield from places(value[key], (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    value[path[0]] = replaced(value[path[0]], path[1:], new)
    return value


def kind_name(file: Path) -> str:
    found = summary_names.parse(file.name, {one.config for one in summaries.read(file.parent)})
    assert found is not None
    return found.summary


@given(st.binary(max_size=200), st.sampled_from(NAMES))
def test_no_bytes_make_it_crash(content: bytes, name: str) -> None:
    found = fuzzed(content, name)

    assert_trustworthy(found, content)


@given(JSON, st.sampled_from(NAMES))
def test_no_json_makes_it_crash(value: Any, name: str) -> None:
    content = json.dumps(value).encode()

    assert_trustworthy(fuzzed(content, name), content)


@given(st.sampled_from(FILES), st.data())
def test_a_file_with_one_value_changed_gives_no_number_that_it_does_not_hold(file: Path, data: st.DataObject) -> None:
    value = json.loads(file.read_bytes())
    path = data.draw(st.sampled_from(list(places(value))))
    content = json.dumps(replaced(value, path, data.draw(JSON))).encode()

    assert_trustworthy(fuzzed(content, kind_name(file)), content)


@given(st.sampled_from(FILES), st.data())
def test_a_file_with_bytes_changed_gives_no_number_that_it_does_not_hold(file: Path, data: st.DataObject) -> None:
    content = file.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 20)))
    content = content[:start] + data.draw(st.binary(max_size=10)) + content[end:]

    assert_trustworthy(fuzzed(content, kind_name(file)), content)


@given(st.text(max_size=60), st.sets(st.text(max_size=10), max_size=3))
def test_no_name_makes_it_crash(name: str, configs: set[str]) -> None:
    found = summary_names.parse(f"{name}_{TIME}.json", configs)

    if found is not None:
        whole = f"{found.summary}_{found.config}" if found.config else found.summary
        assert whole == name
        assert found.config == "" or found.config in configs
