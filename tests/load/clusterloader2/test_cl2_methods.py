"""The table of Methods says what CL2's own source says."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pytest_telescope import paths
from pytest_telescope.load.clusterloader2 import log
from pytest_telescope.load.clusterloader2.lint_schema import SCHEMA
from pytest_telescope.load.clusterloader2.lint_variables import own
from pytest_telescope.load.clusterloader2.methods import Method
from pytest_telescope.load.clusterloader2.methods import SummaryName
from pytest_telescope.load.clusterloader2.methods import method
from pytest_telescope.load.clusterloader2.methods import methods
from pytest_telescope.toolchain import fetch
from pytest_telescope.toolchain import golang

MODULE = "k8s.io/perf-tests/clusterloader2"
OF_ALL = {"action", "prometheusClient", "enableViolations"}
SELECTOR = {"namespace", "labelSelector", "fieldSelector"}
STRUCTS = {
    "Config": "config",
    "Module": "module",
    "TestScenario": "suite",
    "Dependency": "dependency",
    "NamespaceConfig": "namespace",
    "Step": "step",
    "ModuleRef": "reference",
    "Phase": "phase",
    "NamespaceRange": "range",
    "Object": "object",
    "ListUnknownObjectOptions": "listOptions",
    "Measurement": "measurement",
    "MeasurementInstanceConfig": "instance",
    "TuningSet": "tuningSet",
    "QPSLoad": "qpsLoad",
    "RandomizedLoad": "randomizedLoad",
    "SteppedLoad": "steppedLoad",
    "TimeLimitedLoad": "timeLimitedLoad",
    "RandomizedTimeLimitedLoad": "randomizedTimeLimitedLoad",
    "ParallelismLimitedLoad": "parallelismLimitedLoad",
    "GlobalQPSLoad": "globalQPSLoad",
    "PoissonLoad": "poissonLoad",
    "ChaosMonkeyConfig": "chaosMonkey",
    "NodeFailureConfig": "nodeFailure",
}


@cache
def module_folder() -> Path | None:
    """Where the pinned source of CL2 lies in Go's module cache."""
    go = golang.find().path or fetch.fetched()
    if go is None:
        return None
    pins = paths.modules() / "toolchain" / "clusterloader2"

    def ask(*arguments: str) -> str:
        command = [str(go), *arguments, MODULE]
        done = subprocess.run(command, cwd=pins, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    folder = ask("list", "-m", "-f", "{{.Dir}}")
    if not folder:  # the binary came from a cache, so its source may not be here
        ask("mod", "download")
        folder = ask("list", "-m", "-f", "{{.Dir}}")
    return Path(folder) if folder else None


def upstream() -> Path:
    """The pinned source of CL2; without it a test is skipped, on CI it fails."""
    folder = module_folder()
    if folder is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{MODULE} is not in Go's module cache")
    return folder


def go_files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*.go")) if not file.name.endswith("_test.go")]


def registered() -> dict[str, Path]:
    """Method -> the file that registers it."""
    found = {}
    for file in go_files(upstream() / "pkg" / "measurement"):
        text = file.read_text()
        for name in re.findall(r"measurement\.Register\(([\w.]+),", text):
            found[constant(name, text)] = file
    return found


def constant(name: str, text: str) -> str:
    if name.endswith(".Name"):
        form = rf"{name.removesuffix('.Name')}\s*=\s*\w+{{\s*Name:\s*\"(\w+)\""
    else:
        form = rf"\b{name}\s*(?:string\s*)?=\s*\"(\w+)\""
    match = re.search(form, text)
    assert match, name
    return match[1]


def unit(file: Path) -> str:
    """The Go text that reads the params of what `file` registers: it alone, or its whole package."""
    alone = file.parent.name in {"common", "slos"}
    return "\n".join(one.read_text() for one in ([file] if alone else go_files(file.parent)))


def params_read(text: str) -> set[str]:
    names = set()
    for word in re.findall(r"\.Get(?:\w+)\(\s*[\w.]*(?:[pP]arams|namespaceRange|commandMap),\s*([\w\"]+)", text):
        if word in {"bucketName", "percentileName"}:  # NegLatency hands the names on
            names |= set(re.findall(r'"(neg\w+SLO)"', text))
        else:
            names.add(word.strip('"') if word.startswith('"') else constant(word, text))
    return names | (SELECTOR if re.search(r"elector\.Parse\(", text) else set())


def params_known(known: Method) -> set[str]:
    inner = {name for names in known.nested.values() for name in names}
    return {*known.known, *inner} - OF_ALL


def test_the_table_has_the_methods_that_are_registered() -> None:
    assert set(methods()) == set(registered())


def units() -> Iterator[tuple[list[Method], str]]:
    """Methods whose params are read by name, with the text that reads them."""
    by_text: dict[str, list[Method]] = {}
    for name, file in registered().items():
        known = methods()[name]
        if not known.parts and not known.any_case:
            by_text.setdefault(unit(file), []).append(known)
    yield from ((group, text) for text, group in by_text.items())


def test_params_are_those_that_are_read() -> None:
    for group, text in units():
        known = set().union(*(params_known(one) for one in group))
        read = params_read(text) - OF_ALL

        assert known == read, [one.name for one in group]


def test_params_decoded_as_a_struct_are_its_fields() -> None:
    query = (upstream() / "pkg/measurement/common/generic_query_measurement.go").read_text()
    failure = fields_of("NodeFailureConfig")

    for struct, names in (
        ("StartParams", method_of("GenericPrometheusQuery").params["start"]),
        ("GenericQuery", method_of("GenericPrometheusQuery").nested["queries"]),
    ):
        body = re.search(rf"type {struct} struct {{(.*?)\n}}", query, re.DOTALL)
        assert body
        fields = {line.split()[0].lower() for line in body[1].strip().split("\n")}
        assert fields == {name.lower() for name in names} - {"prometheusclient"}
    assert set(method_of("ChaosMonkey").params["start"]) == failure


def method_of(name: str) -> Method:
    known = method(name)
    assert known is not None
    return known


def test_bundles_take_the_params_of_their_parts() -> None:
    bundles = {one.name: one for one in methods().values() if one.parts}

    def of_parts(name: str) -> frozenset[str]:
        return frozenset[str]().union(*(method_of(part).known for part in bundles[name].parts))

    assert bundles["TestMetrics"].known == of_parts("TestMetrics") - {"componentName"}
    assert bundles["SLOMeasurement"].known == of_parts("SLOMeasurement") | {"overrides"}


def test_parts_of_bundles_are_those_that_are_created() -> None:
    folder = upstream() / "pkg" / "measurement" / "common"
    created = set(re.findall(r'CreateMeasurement\("(\w+)"\)', (folder / "bundle" / "test_metrics.go").read_text()))
    listed = re.search(r"sloMeasurementsNames = \[\]string\{(.*)\}", (folder / "slos/slo_measurement.go").read_text())

    assert set(method_of("TestMetrics").parts) == created
    assert listed
    assert set(method_of("SLOMeasurement").parts) == set(re.findall(r'"(\w+)"', listed[1]))


def test_enable_violations_is_known_where_it_is_read() -> None:
    for name, file in registered().items():
        known = methods()[name]
        reads = {"CreatePrometheusMeasurement(&", '"enableViolations"'}

        expected = any(word in file.read_text() for word in reads) or name == "SLOMeasurement"

        assert ("enableViolations" in known.known) == expected, name
        assert known.gates != "enable-violations" or expected, name


def test_actions_are_those_that_are_told_apart() -> None:
    for name, file in registered().items():
        text = unit(file)
        switch = re.search(r"switch action \{(.*?)\n\tdefault:", text, re.DOTALL)
        read = set(re.findall(r'^\tcase "(\w+)":', switch[1], re.MULTILINE)) if switch else set()
        read |= set(re.findall(r'action == "(\w+)"', text))
        if "CreatePrometheusMeasurement(&" in text or name == "SLOMeasurement":
            read |= {"start", "gather"}

        assert set(methods()[name].actions) == read, name


@pytest.mark.parametrize(
    "text",
    [
        "Prometheus is disabled, skipping the measurement!",
        "disabled, skipping the measuerment!",
        "Probes cannot work in %s, skipping the measurement!",
    ],
)
def test_what_is_logged_when_skipping_is_in_the_source_and_told_from_its_log(text: str) -> None:
    source = "\n".join(file.read_text() for file in go_files(upstream() / "pkg" / "measurement"))

    line = log.parse_line(f"W1125 18:30:09.000000 1 a.go:1] mine: {text.replace('%s', 'kind')}", now=0.0)

    assert text in source
    assert line is not None
    assert (line.event, line.fields) == ("skipped", {"what": "mine"})


def test_thresholds_and_switches_are_params() -> None:
    for known in methods().values():
        for action, names in known.thresholds.items():
            assert {name.partition(".")[0] for name in names} <= set(known.params[action]), known.name
        assert set(known.switches) <= known.known, known.name


def fields_of(struct: str) -> set[str]:
    text = (upstream() / "api" / "types.go").read_text()
    body = re.search(rf"^type {struct} struct {{(.*?)^}}", text, re.DOTALL | re.MULTILINE)
    assert body, struct
    tags = set(re.findall(r'json:"(\w+)', body[1]))
    return tags | {name.lower() for name in re.findall(r"^\t(\w+) +\S+$", body[1], re.MULTILINE)}


@pytest.mark.parametrize(("struct", "kind"), STRUCTS.items())
def test_keys_of_a_config_are_the_fields_of_its_struct(struct: str, kind: str) -> None:
    assert set(SCHEMA[kind]) == fields_of(struct)


def test_every_kind_of_the_schema_is_a_struct_of_cl2_or_of_kubernetes() -> None:
    assert set(SCHEMA) == {*STRUCTS.values(), "selector", "expression"}


def test_variables_of_the_prometheus_stack_are_known_as_read_by_cl2_itself() -> None:
    manifests = "\n".join(file.read_text() for file in (upstream() / "pkg").rglob("*.yaml"))
    names = set(re.findall(r"\.((?:CL2|PROMETHEUS)_\w+)", manifests))

    assert names
    assert all(own(name) for name in names)


def test_an_unknown_method_is_none() -> None:
    assert method("PodStartupLatencies") is None


@pytest.mark.parametrize(
    ("template", "values", "name"),
    [
        ("PodStartupLatency_{identifier}", {"identifier": "a_b"}, "PodStartupLatency_a_b"),
        ("GenericPrometheusQuery {metricName}", {"metricName": "API (calls)"}, "GenericPrometheusQuery API (calls)"),
        ("{summaryName=APIResponsivenessPrometheus}", {}, "APIResponsivenessPrometheus"),
        ("{summaryName=APIResponsivenessPrometheus}", {"summaryName": "own"}, "own"),
        ("WaitForControlledPodsRunning_{time}_failedpods", {}, "WaitForControlledPodsRunning_1760000000_failedpods"),
    ],
)
def test_a_name_of_a_summary_fits_what_cl2_writes(template: str, values: dict[str, str], name: str) -> None:
    pattern = SummaryName(template=template).pattern(values)

    assert pattern.fullmatch(name)
    assert not pattern.fullmatch(f"x{name}")


def test_profiles_are_written_only_sometimes_and_are_no_json() -> None:
    (profile,) = method_of("CPUProfile").summaries["gather"]

    assert (profile.always, profile.extension) == (False, "pprof")
    assert profile in method_of("TestMetrics").summaries["gather"]
