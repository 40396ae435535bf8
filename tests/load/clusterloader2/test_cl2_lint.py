from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_telescope.load.clusterloader2.lint import lint
from pytest_telescope.load.clusterloader2.lint import makes_pods
from pytest_telescope.load.clusterloader2.model import Hint
from pytest_telescope.load.clusterloader2.source import is_suite
from pytest_telescope.load.clusterloader2.source import read
from tests.load.clusterloader2.test_cl2_methods import upstream

DATA = Path(__file__).parent / "data" / "lint"
Write = Callable[..., Path]

HEAD = """\
name: test
namespace: {number: 1}
steps:
"""
SLEEP = """\
- measurements:
  - {Identifier: nap, Method: Sleep, Params: {duration: 1s}}
"""
START_QUERY = """\
- measurements:
  - Identifier: q
    Method: GenericPrometheusQuery
    Params:
      action: start
      metricName: m
      metricVersion: v1
      unit: s
      queries:
"""
GATHER_QUERY = """\
- measurements:
  - {Identifier: q, Method: GenericPrometheusQuery, Params: {action: gather}}
"""
GATHER_ENABLED = GATHER_QUERY.replace("gather}", "gather, enableViolations: true}")
QUERY = "      - {name: n, query: up}\n"
THRESHOLD = "      - {name: n, query: up, threshold: 1, requireSamples: true}\n"
PHASE = """\
- phases:
  - replicasPerNamespace: 1
    tuningSet: t
    objectBundle:
    - {basename: a, objectTemplatePath: object.yaml}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a config and, by keyword, what lies beside it."""

    def written(text: str, **beside: str) -> Path:
        for name, content in beside.items():
            (tmp_path / f"{name}.yaml").write_text(content)
        config = tmp_path / "config.yaml"
        config.write_text(text)
        return config

    return written


def found(config: Path, **overrides: str | float) -> list[str]:
    return [f"{hint.level} {hint.file.name}:{hint.line}: {hint.text}" for hint in lint(config, overrides, {})]


def only(config: Path, **overrides: str | float) -> str:
    (hint,) = found(config, **overrides)
    return hint


def calling(method: str, params: str) -> str:
    return f"{HEAD}- measurements:\n  - Identifier: x\n    Method: {method}\n    Params: {params}\n"


def test_a_config_with_which_nothing_is_wrong_has_no_hints() -> None:
    assert lint(DATA / "clean" / "config.yaml", {"CL2_PODS": 2_000_000}, {"HOME": "/"}) == ()


def test_a_mistyped_key_is_an_error_with_its_line_and_what_was_meant(write: Write) -> None:
    config = write(HEAD.replace("number: 1", "number: 1, prefx: a") + SLEEP)

    assert only(config).startswith("error config.yaml:2: prefx: CL2 knows no such key of a namespace")
    assert only(config).endswith("did you mean prefix?")


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("tuningSet", "tunningSet"),
        ("objectTemplatePath", "objectTemplatepaths"),
        ("replicasPerNamespace", "replicaPerNamespace"),
    ],
)
def test_mistyped_keys_are_found_below_steps(write: Write, good: str, bad: str) -> None:
    config = write(HEAD + PHASE.replace(good, bad), object="apiVersion: v1\nkind: Secret\n")

    assert any(hint.startswith("error") and hint.endswith(f"did you mean {good}?") for hint in found(config))


def test_keys_fit_in_any_case_and_a_key_like_no_other_is_only_ignored(write: Write) -> None:
    config = write(HEAD.replace("steps", "Owner: me\nSTEPS") + SLEEP)

    assert only(config).startswith("warning config.yaml:3: Owner: CL2 knows no such key of a config and ignores it")


def test_keys_of_both_branches_of_an_if_are_checked(write: Write) -> None:
    branches = "{{if .A}}\nname: a\n{{else}}\nnamme: b\n{{end}}\nnamespace: {number: 1}\nsteps:\n"

    assert found(write(branches + SLEEP)) == [
        "warning config.yaml:4: namme: CL2 knows no such key of a config and ignores it; it knows name, dependencies, "
        "automanagedNamespaces, namespace, steps, tuningSets, chaosMonkey"
    ]


def test_an_unknown_method_is_an_error(write: Write) -> None:
    config = write(calling("PodStartupLatancy", "{action: start}"))

    assert only(config) == (
        "error config.yaml:6: PodStartupLatancy: CL2 has no such measurement Method: did you mean PodStartupLatency?"
    )


@pytest.mark.parametrize(
    ("method", "params", "hint"),
    [
        ("PodStartupLatency", "{action: start, treshold: 5s}", "error .*did you mean threshold?"),
        ("PodStartupLatency", "{action: start, Threshold: 5s}", "error .*did you mean threshold?"),
        (
            "SchedulingThroughput",
            "{action: start, measurementInterval: 1s}",
            "error .*did you mean measurmentInterval?",
        ),
        (
            "PodStartupLatency",
            "{action: start, colour: red}",
            "warning .*colour: PodStartupLatency knows no such param",
        ),
        ("PodStartupLatency", "{action: gathr}", "error .*has no action gathr; it has start, gather"),
        ("PodStartupLatency", "{threshold: 5s}", "error .*needs the param action, which is one of start, gather"),
        ("Sleep", "{action: start}", "error .*Sleep needs the param duration"),
        ("WaitForRunningPods", "{desiredPodCounts: 3}", "error .*did you mean desiredPodCount?"),
        ("NetworkPerformanceMetrics", "{action: gather, colour: red}", "warning .*colour"),
    ],
)
def test_params_and_actions_are_those_of_the_method(write: Write, method: str, params: str, hint: str) -> None:
    level, text = hint.split(" .*")

    assert any(one.startswith(level) and text in one for one in found(write(calling(method, params))))


def test_params_of_a_query_fit_in_any_case_and_mistyped_ones_are_errors(write: Write) -> None:
    fine = START_QUERY.replace("metricName", "MetricName") + "      - {Name: n, QUERY: up}\n"
    wrong = START_QUERY + "      - {name: n, query: up, requiresSamples: true}\n"

    assert found(write(HEAD + fine)) == []
    assert only(write(HEAD + wrong)) == (
        "error config.yaml:13: queries.requiresSamples: GenericPrometheusQuery knows no such param and ignores it; "
        "did you mean requireSamples?"
    )


def test_a_mandatory_param_within_an_if_is_only_a_warning(write: Write) -> None:
    step = START_QUERY.replace("      unit: s\n", "") + QUERY

    assert only(write(HEAD + step)).startswith("error config.yaml:5: GenericPrometheusQuery needs the param unit")
    assert only(write(HEAD + "{{if .A}}\n" + step + "{{end}}\n")).startswith("warning config.yaml:6: ")


def test_params_of_a_wrapper_count_for_its_instances(write: Write) -> None:
    wrapper = (
        "- measurements:\n  - Method: WaitForControlledPodsRunning\n    Instances:\n"
        "    - {identifier: a, params: {kind: X}}\n    - identifier: b\n    Params: {action: start, apiVersion: v1}\n"
    )

    assert only(write(HEAD + wrapper)) == (
        "error config.yaml:8: WaitForControlledPodsRunning needs the param kind, without which start fails"
    )


def test_a_threshold_without_enable_violations_says_nothing(write: Write) -> None:
    hint = only(write(HEAD + START_QUERY + THRESHOLD + GATHER_QUERY))

    assert hint.startswith(
        "warning config.yaml:13: GenericPrometheusQuery compares this only with enableViolations: true"
    )
    assert "engine-thresholds will be INVALID" in hint


@pytest.mark.parametrize("enabled", ["true", '"true"', "{{$strict}}"])
def test_a_threshold_that_is_enabled_or_may_be_is_fine(write: Write, enabled: str) -> None:
    gather = GATHER_ENABLED.replace("true}", f"{enabled} }}")
    variable = "{{$strict := DefaultParam .CL2_STRICT false}}\n"

    assert found(write(variable + HEAD + START_QUERY + THRESHOLD + gather)) == []


def test_another_identifier_does_not_enable_a_threshold(write: Write) -> None:
    other = (
        START_QUERY + THRESHOLD + GATHER_QUERY + (START_QUERY + THRESHOLD + GATHER_ENABLED).replace(": q", ": other")
    )

    assert only(write(HEAD + other)).startswith("warning config.yaml:13: GenericPrometheusQuery compares this only")


def test_enable_violations_without_any_threshold_compares_nothing(write: Write) -> None:
    assert only(write(HEAD + START_QUERY + QUERY + GATHER_ENABLED)) == (
        "warning config.yaml:15: enableViolations: GenericPrometheusQuery has no threshold in any step, "
        "so nothing is compared"
    )


def test_a_method_with_thresholds_of_its_own_needs_none_to_be_enabled(write: Write) -> None:
    api = calling("APIResponsivenessPrometheus", "{action: start}") + (
        "- measurements:\n  - {Identifier: x, Method: APIResponsivenessPrometheus, "
        "Params: {action: gather, enableViolations: true}}\n"
    )

    assert found(write(api)) == []


def test_network_programming_latency_is_enabled_at_both_actions(write: Write) -> None:
    start = calling("NetworkProgrammingLatency", "{action: start, threshold: 30s}")
    gather = GATHER_ENABLED.replace(": q", ": x").replace("GenericPrometheusQuery", "NetworkProgrammingLatency")

    assert "only with enableViolations: true at action start" in only(write(start + gather))


def test_scheduling_throughput_is_enabled_unless_it_says_otherwise(write: Write) -> None:
    start = calling("SchedulingThroughput", "{action: start}")
    gather = (
        "- measurements:\n  - {Identifier: x, Method: SchedulingThroughput, Params: {action: gather, threshold: 9}}\n"
    )

    assert found(write(start + gather)) == []
    assert "compares this only with" in only(write(start + gather.replace("9}", "9, enableViolations: false}")))


def test_a_threshold_at_the_wrong_action_says_nothing(write: Write) -> None:
    config = calling("PodStartupLatency", "{action: gather, threshold: 5s}")

    assert only(write(config)).endswith(
        "PodStartupLatency reads this threshold at action start only, so it says nothing"
    )


def test_a_query_with_a_threshold_passes_without_data_unless_samples_are_required(write: Write) -> None:
    lax = THRESHOLD.replace(", requireSamples: true", "")

    hint = only(write(HEAD + START_QUERY + lax + GATHER_ENABLED))

    assert hint == "warning config.yaml:13: query n has a threshold but no requireSamples: with no data it passes"


def test_underscores_break_names_apart(write: Write) -> None:
    hints = found(write((HEAD + SLEEP).replace("name: test", "name: my_test").replace("nap", "my_nap")))

    assert [hint.partition(" the _")[0] for hint in hints] == [
        "warning config.yaml:1: name my_test:",
        "warning config.yaml:5: my_nap:",
    ]


def test_a_suite_is_told_from_a_config_and_its_own_mistakes_are_found() -> None:
    suite = DATA / "suite" / "suite.yaml"

    assert is_suite(suite)
    assert not is_suite(DATA / "clean" / "config.yaml")
    assert [(hint.level, hint.line, hint.text.partition(":")[0]) for hint in lint(suite, {}, {})] == [
        ("warning", 1, "identifier small is there 2 times"),
        ("error", 3, "identifier very_big"),
        ("error", 5, "overridePath"),
        ("warning", 6, "identifier small is there 2 times"),
    ]


def test_an_override_that_nobody_uses_is_named_with_what_was_meant(write: Write) -> None:
    config = write("{{$n := DefaultParam .CL2_REPLICAS 1}}\n" + HEAD + SLEEP)

    assert only(config, CL2_REPLICA=3) == (
        "warning config.yaml:1: override CL2_REPLICA is used nowhere in the config, its modules and object templates; "
        "did you mean CL2_REPLICAS?"
    )
    assert only(config, OTHER=3).endswith("its modules and object templates")


def test_overrides_are_used_in_modules_and_object_templates_and_by_cl2_itself(write: Write) -> None:
    module = "- module: {path: /module.yaml}\n"
    config = write(
        HEAD + module + PHASE,
        module="{{if .A}}\n{{end}}\nsteps:\n" + SLEEP,
        object="apiVersion: v1\nkind: Secret\nmetadata: {name: {{.Name}}-{{.B}} }\n",
    )

    assert found(config, A=1, B="b", CL2_PROMETHEUS_TOLERATE_MASTER=True) == []


def test_an_unused_override_is_not_named_where_something_could_not_be_read(write: Write) -> None:
    config = write(HEAD + "- module: {path: {{.WHICH}} }\n" + SLEEP)

    assert found(config, WHICH="module.yaml", ELSEWHERE=1) == []


def test_a_variable_that_nobody_sets_is_named_once_with_its_line(write: Write) -> None:
    nap = SLEEP.replace("1s", "{{.NAP}}s")

    hints = found(write(HEAD + nap + nap))

    assert len(hints) == 1
    assert hints[0].startswith("warning config.yaml:5: NAP is used without DefaultParam and set nowhere")
    assert found(write(HEAD + nap), NAP=3) == []


@pytest.mark.parametrize(
    "line",
    [
        '{{$x := DefaultParam .NAP "1s"}}',
        "{{if .NAP}}{{.NAP}}{{end}}",
        "{{if and .Nodes (not .NAP)}}{{end}}",
        "{{range $i := Loop .Nodes}}{{.NAP}}{{end}}",
        "{{/* .NAP */}}",
        '{{$x := Concat ".NAP" `.NAP`}}',
        "{{$x := .ImageRegistry}}",
    ],
)
def test_a_variable_that_may_be_unset_is_not_named(write: Write, line: str) -> None:
    assert found(write(f"# {line}\n{HEAD}{SLEEP}")) == []


def test_params_of_a_module_and_the_fill_map_set_variables(write: Write) -> None:
    fill = PHASE.replace("object.yaml}", "object.yaml, templateFillMap: {Size: 1} }")
    config = write(
        HEAD + "- module: {path: module.yaml, params: {nap: 1s} }\n" + fill,
        module="steps:\n" + SLEEP.replace("1s", "{{.nap}}"),
        object="apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{.Name}}-{{.Index}}-{{.Size}}-{{.Other}}\n",
    )

    assert only(config).startswith("warning object.yaml:4: Other is used without DefaultParam")


def test_the_environment_is_kept_from_cl2(write: Write) -> None:
    config = write("{{$a := DefaultParam .CL2_A 1}}\n{{$b := DefaultParam .CL2_B 1}}\n" + HEAD + SLEEP)

    hints = lint(config, {"CL2_A": 1}, {"CL2_A": "1", "CL2_B": "2", "CL2_C": "3", "PATH": "/bin"})

    assert [(hint.level, hint.line, hint.text) for hint in hints] == [
        ("warning", 1, "CL2_A is in the environment, too, which is kept from CL2: the override counts"),
        ("warning", 2, "CL2_B is in the environment only, which is kept from CL2: write it to the overrides"),
    ]


@pytest.mark.parametrize("value", ["{{.N}}", "{{$n}}"])
def test_a_big_number_written_as_it_is_becomes_one_with_an_exponent(write: Write, value: str) -> None:
    config = write("{{$n := DefaultParam .N 1}}\n" + HEAD + SLEEP.replace("1s", f"{value}s"))

    assert only(config, N=1_250_000).startswith("warning config.yaml:6: N=1250000 becomes 1.25e+06 in this text: put")
    assert found(config, N=999_999) == []


@pytest.mark.parametrize("value", ["{{AddInt $n 0}}", "{{MultiplyInt .N 1}}"])
def test_a_big_number_that_is_calculated_with_keeps_its_digits(write: Write, value: str) -> None:
    config = write("{{$n := DefaultParam .N 1}}\n" + HEAD + SLEEP.replace("1s", f"{value}s"))

    assert found(config, N=1_250_000) == []


@pytest.mark.parametrize("field", ["min: {{.N}} # all", "min: 1, max: {{.N}}, basename: a"])
def test_a_big_number_that_is_a_value_by_itself_stays_a_number(write: Write, field: str) -> None:
    phase = PHASE.replace("replicas", f"namespaceRange: {{{field}\n      }}\n    replicas")

    assert found(write(HEAD + phase, object="apiVersion: v1\nkind: Secret\n"), N=1_250_000) == []


def test_flow_style_that_cl2_cuts_apart_is_named_where_it_breaks(write: Write) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  labels: {name: {{.Name}}}\n"

    hint = only(write(HEAD + PHASE, object=secret))

    assert hint.startswith("warning object.yaml:")
    assert "did not find expected" in hint
    assert found(write(HEAD + PHASE, object=secret.replace("}}}", "}} }"))) == []


def test_a_kind_that_a_template_makes_is_not_found_by_cl2(write: Write) -> None:
    hint = only(write(HEAD + PHASE, object="apiVersion: v1\nkind: {{.Name}}\n"))

    assert "`kind` and `apiVersion` must be there without a template" in hint


def test_a_path_to_nothing_is_an_error_unless_it_may_not_be_needed(write: Write) -> None:
    config = HEAD + PHASE + "{{if .A}}\n- module: {path: gone.yaml}\n{{end}}\n"

    assert found(write(config)) == [
        "error config.yaml:8: object.yaml is not there; CL2 looks for it in the folder of the config",
        "warning config.yaml:10: gone.yaml is not there; CL2 looks for it in the folder of the config",
    ]


@pytest.mark.parametrize("text", ["{{.A}}:\n  - b\n c: {{.B}}\n", ""])
def test_what_cannot_be_read_unrendered_is_not_the_users_mistake(write: Write, text: str) -> None:
    hint = only(write(text), A=1, B=1)

    assert hint.startswith("warning config.yaml:")
    assert "not checked: it cannot be read without rendering it" in hint


def test_what_was_read_once_is_read_again_when_the_file_changes(write: Write) -> None:
    assert found(write(HEAD + SLEEP)) == []

    assert only(write((HEAD + SLEEP).replace("Sleep", "Sleeep"))).endswith("did you mean Sleep?")


def test_values_keep_their_lines_whatever_actions_stand_around_them(write: Write) -> None:
    config = write("{{/* one\ntwo */}}\na: {{$x := `}}\n`}}b{{.X}}\n{{- if .A }}\n{{ end -}}c: &c [1, 2]\nd: *c\n")

    root = read(config).root

    assert root is not None
    lines = {key.text: (key.line, value.templated) for key, value in root.pairs}
    assert lines == {"a": (3, True), "c": (6, False), "d": (7, False)}
    assert [item.text for value in root.fields("D") for item in value.items] == ["1", "2"]


@pytest.mark.parametrize(
    ("steps", "kind", "pods"),
    [
        (SLEEP, "", False),
        (PHASE, "apiVersion: v1\nkind: ConfigMap\n", False),
        (PHASE, "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n", False),
        (PHASE, "apiVersion: apps/v1\nkind: Deployment\n", True),
        (PHASE, "apiVersion: v1\nkind: Service\n---\napiVersion: batch/v1\nkind: Job\n", True),
        (PHASE, "apiVersion: example.com/v1\nkind: Widget\n", True),
        (PHASE, "apiVersion: v1\nkind: {{.Kind}}\n", True),
        (PHASE, "apiVersion: v1\nkind: Secret\ndata: {a: {{.A}}}\n", True),
        (PHASE.replace("object.yaml", "{{.PATH}}"), "", True),
        (PHASE.replace("object.yaml", "gone.yaml"), "", True),
        (SLEEP.replace("Sleep", "{{.METHOD}}"), "", True),
        (SLEEP.replace("Sleep, Params: {duration: 1s}", "Exec, Params: {command: [kubectl]}"), "", True),
        (SLEEP.replace("Sleep, Params: {duration: 1s}", "PodStartupLatency, Params: {action: start}"), "", True),
        (SLEEP + "{{.MORE}}\n", "", True),
    ],
)
def test_a_config_makes_no_pods_only_where_that_is_certain(write: Write, steps: str, kind: str, pods: bool) -> None:
    assert makes_pods(write(HEAD + steps, object=kind or "apiVersion: v1\nkind: Secret\n")) is pods


def test_a_hint_reads_as_file_line_and_text(write: Write) -> None:
    config = write(calling("Sleeep", "{}"))

    assert [str(hint) for hint in lint(config, {}, {})] == [
        f"{config}:6: Sleeep: CL2 has no such measurement Method: did you mean Sleep?"
    ]


def shipped() -> list[Path]:
    folder = upstream()
    files = sorted([*folder.glob("testing/**/*.yaml"), *folder.glob("examples/*.yaml")])
    return [file for file in files if is_suite(file) or is_config(file)]


def is_config(file: Path) -> bool:
    root = read(file).root
    return root is not None and any(root.fields("steps")) and any(root.fields("name"))


def test_shipped_configs_are_read_and_their_errors_are_true() -> None:
    configs = shipped()

    hints: dict[Hint, None] = dict.fromkeys(hint for config in configs for hint in lint(config, {}, {}))

    errors = {(hint.file.parent.name, hint.line) for hint in hints if hint.level == "error"}
    assert len(configs) >= 31
    assert not [hint for hint in hints if "not checked" in hint.text]
    # The first names a file that nobody has; the others are links upstream, which a Go module cannot carry.
    links = {("modules", line) for line in (30, 53, 80, 113, 135)}
    assert errors == {("custom-scheduler-metrics", 37), *links}


def test_shipped_thresholds_that_nobody_enables_are_found() -> None:
    config = upstream() / "testing" / "load" / "config.yaml"

    dead = {(hint.file.name, hint.line) for hint in lint(config, {}, {}) if "compares this only with" in hint.text}

    assert {("measurements.yaml", 130), ("measurements.yaml", 267), ("net-policy-metrics.yaml", 88)} <= dead


def test_whether_shipped_configs_make_pods_can_be_told() -> None:
    for config in (one for one in shipped() if not is_suite(one)):
        assert makes_pods(config) or config.parent.name in {"examples", "network"}
