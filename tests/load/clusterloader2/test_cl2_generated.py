"""What the real CL2 makes of configs, read back from its dry run."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pytest_telescope.errors import LoadError
from pytest_telescope.errors import UsageError
from pytest_telescope.load.clusterloader2 import generated
from pytest_telescope.load.clusterloader2.command import environment
from pytest_telescope.load.clusterloader2.expected import measurements_of
from pytest_telescope.load.clusterloader2.methods import method
from pytest_telescope.load.clusterloader2.requirements import asks_prometheus
from tests.load.clusterloader2.dry_runs import compiled
from tests.load.clusterloader2.dry_runs import invocation_of
from tests.load.clusterloader2.test_cl2_methods import upstream

REPORTS = Path(__file__).parent / "data" / "reports"
SHIPPED = {
    "access-tokens/config.yaml": ("access-tokens", 10, True),
    "batch/config.yaml": ("batch", 3, False),
    "density/config.yaml": ("density", 14, True),
    "load/config.yaml": ("load", 17, True),
    "network/config.yaml": ("network_performance", 2, False),
    "node-throughput/config.yaml": ("node-throughput", 8, True),
    "request-benchmark/config.yaml": ("Request benchmark", 16, True),
    "scheduler-throughput/config.yaml": ("direct-scheduler-throughput", 5, False),
    "watch-list/config.yaml": ("watch-list", 7, True),
}
CONFIG = """\
name: all
namespace: {number: 3}
tuningSets:
- {name: qps, qpsLoad: {qps: 12.5}}
- {name: global, globalQPSLoad: {qps: 2000000, burst: 1}}
- {name: random, randomizedLoad: {averageQPS: 7}}
- {name: poisson, poissonLoad: {expectedActionsPerSecond: 3}}
- {name: stepped, steppedLoad: {burstSize: 20, stepDelay: 500ms}}
- {name: limited, parallelismLimitedLoad: {parallelismLimit: 4}}
- {name: timed, timeLimitedLoad: {timeLimit: 1m}}
steps:
- name: measure
  measurements:
  - Method: PodStartupLatency
    Params: {action: start, threshold: 5s, labelSelector: "a = b"}
    Instances:
    - {Identifier: first, Params: {threshold: 7s}}
    - {Identifier: second}
  - Identifier: nap
    Method: Sleep
    Params: {duration: 1s}
- name: create
  phases:
  - namespaceRange: {min: 1, max: 3}
    replicasPerNamespace: 2
    tuningSet: qps
    objectBundle:
    - {basename: inside, objectTemplatePath: object.yaml}
    - {basename: other, objectTemplatePath: object.yaml}
  - replicasPerNamespace: 2
    tuningSet: qps
    objectBundle:
    - {basename: outside, objectTemplatePath: object.yaml}
- name: delete
  phases:
  - namespaceRange: {min: 1, max: 3}
    replicasPerNamespace: 0
    tuningSet: qps
    objectBundle:
    - {basename: inside, objectTemplatePath: object.yaml}
- module:
    path: module.yaml
    params: {deep: er}
"""
MODULE = """\
{{$deep := .deep}}
steps:
- name: within {{$deep}}
  measurements:
  - {Identifier: stop, Method: Timer, Params: {action: gather}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "object.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", encoding="utf-8")
    (tmp_path / "module.yaml").write_text(MODULE, encoding="utf-8")
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path / "config.yaml"


@pytest.mark.parametrize(("path", "facts"), SHIPPED.items())
def test_configs_that_cl2_ships_are_read_and_every_method_is_known(
    path: str, facts: tuple[str, int, bool], tmp_path: Path
) -> None:
    found = compiled(upstream() / "testing" / path, tmp_path)

    assert (found.name, len(found.steps), asks_prometheus(found)) == facts
    assert found.calls
    assert {call.step for call in found.calls} <= set(range(1, len(found.steps) + 1))
    assert all(found.steps[call.step - 1] == call.step_name for call in found.calls)
    assert sum(len(one.calls) for one in measurements_of(found)) == len(found.calls)


def test_all_parts_of_a_config_are_read(config: Path, tmp_path: Path) -> None:
    found = compiled(config, tmp_path)

    assert found.name == "all"
    assert found.steps == ("measure", "create", "delete", "within er")
    assert found.rates == (12.5, 2_000_000, 7, 3, 40)
    assert found.objects == (
        ("inside", "object.yaml", False),
        ("other", "object.yaml", False),
        ("outside", "object.yaml", True),
    )


def test_instances_are_calls_of_their_own_with_the_params_of_all(config: Path, tmp_path: Path) -> None:
    found = compiled(config, tmp_path).calls

    assert [(call.step, call.method, call.identifier, call.action) for call in found] == [
        (1, "PodStartupLatency", "first", "start"),
        (1, "PodStartupLatency", "second", "start"),
        (1, "Sleep", "nap", ""),
        (4, "Timer", "stop", "gather"),
    ]
    assert [dict(call.params) for call in found[:2]] == [
        {"action": "start", "threshold": "7s", "labelSelector": "a = b"},
        {"action": "start", "threshold": "5s", "labelSelector": "a = b"},
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("qps: 12.5", "qps: 0", "tuningSets[0].qpsLoad.qps: Invalid value: 0: must have positive value"),
        ("tuningSet: qps", "tuningSet: none", "tuning set referenced has not been declared"),
        ("Method: Sleep", "Method: Slep", 'Invalid value: "Slep"'),
        ("object.yaml}", "nowhere.yaml}", 'Invalid value: "nowhere.yaml": file must exist'),
        ("number: 3", "number: {{AddInt .none 1}}", "cannot cast"),
        ("name: all", "name: {{.all", "parsing error"),
        ("name: all", "name: [all", "Invalid YAML Template"),
        ("module.yaml", "no.yaml", "no.yaml"),
    ],
)
def test_a_config_that_cl2_refuses_is_told_in_its_words(
    config: Path, tmp_path: Path, old: str, new: str, words: str
) -> None:
    config.write_text(CONFIG.replace(old, new), encoding="utf-8")

    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        compiled(config, tmp_path)

    assert str(caught.value).startswith(f"{config}: clusterloader2 refuses it: ")
    assert "\n" not in str(caught.value)


def test_every_error_of_a_config_is_told(config: Path, tmp_path: Path) -> None:
    config.write_text(CONFIG.replace("qps: 12.5", "qps: 0").replace("Method: Sleep", "Method: Slep"), encoding="utf-8")

    with pytest.raises(UsageError, match=r"must have positive value.*Slep"):
        compiled(config, tmp_path)


def test_an_override_file_that_is_not_there_is_told(config: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such file or directory"):
        compiled(config, tmp_path, (tmp_path / "none.yaml",))


def test_a_dry_run_writes_only_where_it_is_told(config: Path, tmp_path: Path) -> None:
    compiled(config, tmp_path)

    assert {path.name for path in (tmp_path / "reports").iterdir()} == {"generatedConfig_all.yaml"}
    assert (tmp_path / "dry-run.log").stat().st_size > 0


def test_a_config_of_an_earlier_dry_run_is_not_taken_for_this_one(config: Path, tmp_path: Path) -> None:
    compiled(config, tmp_path)
    config.write_text(CONFIG.replace("name: all", "name: other"), encoding="utf-8")

    with pytest.raises(UsageError, match="made 2 configs, not 1"):
        compiled(config, tmp_path)


def test_a_binary_that_cannot_be_started_is_no_fault_of_the_config(config: Path, tmp_path: Path) -> None:
    invocation = replace(invocation_of(config, tmp_path), binary=tmp_path / "none")

    with pytest.raises(LoadError, match="cannot be started"):
        generated.dry_run(invocation, environment(os.environ, {}), tmp_path, now=time.time())


@pytest.mark.parametrize(
    ("script", "words"),
    [("", "no end within"), ("echo panic: oops >&2", "no end within"), ("echo I >&2; exit 0", "no end within")],
)
def test_a_binary_that_says_nothing_is_refused(config: Path, tmp_path: Path, script: str, words: str) -> None:
    binary = tmp_path / "binary"
    binary.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    binary.chmod(0o755)

    with pytest.raises(UsageError, match=words):
        generated.dry_run(
            replace(invocation_of(config, tmp_path), binary=binary),
            environment(os.environ, {}),
            tmp_path,
            now=time.time(),
        )


def test_an_offline_kubeconfig_leads_nowhere(tmp_path: Path) -> None:
    document = json.loads(generated.offline_kubeconfig(tmp_path / "deep" / "kubeconfig").read_text(encoding="utf-8"))

    assert [one["cluster"]["server"] for one in document["clusters"]] == [generated.NOWHERE]


def test_compiled_configs_of_real_runs_are_read() -> None:
    for folder in ("broken", "complete", "prometheus", "suite", "violated"):
        for path in (REPORTS / folder).glob("generatedConfig_*.yaml"):
            found = generated.read(path)

            assert found.name, path
            assert found.steps, path
            assert all(method(call.method) for call in found.calls), path


def test_numbers_and_texts_are_as_go_wrote_them(tmp_path: Path) -> None:
    params = "{a: 1e+06, b: 1e-07, c: =, d: <<, e: -2.5e+20, f: 1, g: '1e+06', h: e+1, i: 2026-99-99, j: 2026-11-25}"
    path = tmp_path / "generatedConfig_x.yaml"
    path.write_text(f"steps: [{{name: s, measurements: [{{method: M, identifier: i, params: {params}}}]}}]\n")

    (call,) = generated.read(path).calls

    assert call.params == {"a": 1e6, "b": 1e-7, "c": "=", "d": "<<", "e": -2.5e20, "f": 1, "g": "1e+06", "h": "e+1"} | {
        "i": "2026-99-99",
        "j": "2026-11-25",
    }
    assert isinstance(call.params["a"], float)
    assert yaml.safe_load("1e+06") == "1e+06"  # why it is told so


@pytest.mark.parametrize("content", [r"\377\376", "a: [", "a: !!int x", "text", ""])
def test_a_compiled_config_that_cannot_be_read_is_refused(config: Path, tmp_path: Path, content: str) -> None:
    binary, invocation = tmp_path / "binary", invocation_of(config, tmp_path)
    invocation.reports.mkdir()
    done = "I1125 18:30:09.000000 1 a.go:1] Dry run mode enabled, exiting after dumping test config in x"
    made = invocation.reports / "generatedConfig_x.yaml"
    binary.write_text(f"#!/bin/sh\nprintf '{content}' > {made}\necho '{done}' >&2\nexit 1\n", encoding="utf-8")
    binary.chmod(0o755)

    with pytest.raises(UsageError, match="what clusterloader2 made of it cannot be read"):
        generated.dry_run(replace(invocation, binary=binary), environment(os.environ, {}), tmp_path, now=time.time())


def test_an_empty_config_has_nothing(tmp_path: Path) -> None:
    path = tmp_path / "generatedConfig_x.yaml"
    path.write_text("name: x\nsteps: []\ntuningsets: []\nnamespace: {}\n", encoding="utf-8")

    assert generated.read(path) == generated.Generated(name="x", steps=(), calls=(), objects=(), rates=())
