"""A ClusterLoader2 load that cannot run, or would measure nothing, is known before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.conftest import Runner
from tests.plugin.conftest import write_scenario

USAGE = 4
SCENARIO = """\
name: alpha
component: scheduler
load: {clusterloader2: {config: config.yaml, overrides: {CL2_PODS: 3}}}
"""
CONFIG = """\
name: alpha
namespace:
  number: 1
tuningSets:
- name: steady
  qpsLoad:
    qps: 10
steps:
- name: start
  measurements:
  - Identifier: Startup
    Method: PodStartupLatency
    Params:
      action: start
      threshold: 5s
- name: create
  phases:
  - namespaceRange: {min: 1, max: 1}
    replicasPerNamespace: {{.CL2_PODS}}
    tuningSet: steady
    objectBundle:
    - basename: pod
      objectTemplatePath: pod.yaml
- name: gather
  measurements:
  - Identifier: Startup
    Method: PodStartupLatency
    Params:
      action: gather
"""
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {{.Name}}
spec:
  containers:
  - name: pause
    image: pause
"""
EXEC = "  - Identifier: Hook\n    Method: Exec\n    Params:\n      command: [touch, /nowhere]\n"
PROBES = "  - Identifier: Services\n    Method: ServiceCreationLatency\n    Params: {action: start}\n"
QUERY = """\
  - Identifier: Query
    Method: GenericPrometheusQuery
    Params:
      action: start
      metricName: calls
      metricVersion: v1
      unit: s
      queries:
      - {name: p99, query: up, threshold: 1}
"""
START = "  - Identifier: Startup\n    Method: PodStartupLatency\n    Params:\n      action: start\n"


def scenario(root: Path, config: str) -> Path:
    folder = write_scenario(root, "alpha", SCENARIO).parent
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    (folder / "pod.yaml").write_text(POD, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("  measurements:", "  measurments:", ["alpha/config.yaml:10", "did you mean measurements?"]),
        ("threshold:", "treshold:", ["alpha/config.yaml:15", "threshold"]),
        ("Method: PodStartupLatency", "Method: PodStartLatency", ["alpha/config.yaml:12", "PodStartupLatency"]),
        ("pod.yaml", "podd.yaml", ["alpha/config.yaml", "podd.yaml is not there"]),
        ("tuningSet: steady", "tuningSet: stedy", ["clusterloader2 refuses it", "stedy"]),
        ("{{.CL2_PODS}}", "{{.CL2_PODS | nosuch}}", ["clusterloader2 refuses it", "nosuch"]),
        (START, EXEC + START, ["step 'start': Exec Hook runs `touch /nowhere`", "--allow-exec"]),
        (START, PROBES + START, ["ServiceCreationLatency", "real-nodes"]),
    ],
)
def test_what_cannot_run_is_exit_4_and_says_why(
    run: Runner, scenario_root: Path, state_root: Path, old: str, new: str, says: list[str]
) -> None:
    assert old in CONFIG
    scenario(scenario_root, CONFIG.replace(old, new, 1))

    result = run("-m", "local", "--scenario=alpha")

    assert result.returncode == USAGE, result.stdout
    assert [text for text in says if text not in result.stdout] == []
    assert "Traceback" not in result.stdout
    assert not list(state_root.glob("ledger/*"))


def test_what_would_measure_nothing_is_a_note_of_the_plan(run: Runner, scenario_root: Path) -> None:
    scenario(scenario_root, CONFIG.replace(START, QUERY + START, 1))

    result = run("-m", "local", "--scenario=alpha", "--plan")

    assert result.returncode == 0, result.stdout
    assert "alpha/config.yaml:19" in result.stdout
    assert "enableViolations" in result.stdout
    assert "requireSamples" in result.stdout


def test_two_configs_that_cannot_run_are_told_together(run: Runner, scenario_root: Path) -> None:
    scenario(scenario_root, CONFIG.replace(START, EXEC + START, 1))
    beta = write_scenario(scenario_root, "beta", SCENARIO.replace("alpha", "beta")).parent
    (beta / "config.yaml").write_text(CONFIG.replace(START, PROBES + START, 1), encoding="utf-8")
    (beta / "pod.yaml").write_text(POD, encoding="utf-8")

    result = run("-m", "local", "--scenario=alpha,beta")

    assert result.returncode == USAGE, result.stdout
    assert "local-alpha: " in result.stdout
    assert "local-beta: " in result.stdout
