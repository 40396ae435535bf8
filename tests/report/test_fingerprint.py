"""A fingerprint changes when something changes that can move a number, and stays for everything else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_telescope import paths
from pytest_telescope.cluster.clouds import nodes
from pytest_telescope.report import cell_parts
from pytest_telescope.report.fingerprint import cell_document
from pytest_telescope.report.fingerprint import changes
from pytest_telescope.report.fingerprint import fingerprint
from pytest_telescope.scenario.loading import load
from pytest_telescope.slo.planned import Planned
from pytest_telescope.slo.resolve import resolve

SCENARIO = """\
name: sample
description: Pods.
component: scheduler
cluster:
  kubernetes_version: "1.34"
  share: rows
  pools:
    system: {count: 1}
    user: {count: 3, labels: {a: b}, taints: ["x=y:NoSchedule", "a=b:NoSchedule"]}
matrix:
  p20: {pods: 20, limit: 5}
load:
  default: resource-consumer
  resource-consumer: {pods: "${pods}", rate: 10/s, hold: 10s, timeout: 2m, consume: {memory: 64Mi}}
  clusterloader2: {config: clusterloader2/config.yaml, overrides: {CL2_PODS: "${pods}"}, timeout: 10m}
slos:
  - {use: pod-startup/running, p: 90, max: "${limit}s", min_count: 20}
  - {id: cache, query: "max(max_over_time(up[${w}]))", unit: count, max: 4, level: warn}
on:
  local: {cluster: {pools: {user: {cpu: 8, memory: 32Gi}}}}
  aks: {cluster: {region: westeurope, pools: {user: {machine: Standard_D4s_v5}}}}
budget: {cost: 4 USD, time: 1h}
"""
CONFIG = """\
# Pods in one step.
{{$PODS := DefaultParam .CL2_PODS 10}}
name: sample
steps: []
"""
LOCAL = {
    "kubernetes": "v1.36.3",
    "etcd": "3.6.8",
    "kernel": "6.1.0",
    "cores": 8,
    "node-cni": "ptp",
    "node-container_runtime": "containerd://2.4.2",
    "node-cpu_limit": 7.0,
    "node-allocatable_memory": "10036204Ki",
    "node-memory_limit": 11697893376,
    "pools": "system: 1 kwok, user: 3 kwok",
    "seconds-to-ready": 7.5,
    "nodes": ["user-0"],
    "targets": {"kubelet": 1},
}
AKS = {
    "kubernetes": "v1.34.2",
    "kubernetes_version": "1.34.2",
    "region": "westeurope",
    "machines": "user=Standard_D4s_v5",
    "containerd": "2.1.6",
    "node_image": "AzureLinux 3.0.20260101",
    "node_count": 4,
    "zone": "westeurope-1",
    "api-server-replicas": 2,
    "terraform_retries": 0,
    "prometheus-node": "aks-user-1234-vmss000000",
}


class Case:
    """One cell's plan, which a test changes in one thing."""

    def __init__(self, folder: Path, provider: str = "local", engine: str = "resource-consumer") -> None:
        self.folder, self.provider, self.engine = folder / "sample", provider, engine
        self.facts: dict[str, object] = dict(LOCAL if provider == "local" else AKS)
        (self.folder / "clusterloader2").mkdir(parents=True, exist_ok=True)
        self.write("scenario.yaml", SCENARIO)
        self.write("clusterloader2/config.yaml", CONFIG)

    def write(self, name: str, text: str) -> None:
        """Write a file of the scenario."""
        (self.folder / name).write_text(text)

    def edit(self, old: str, new: str, name: str = "scenario.yaml") -> None:
        """Change a text of a file, which must be there."""
        text = (self.folder / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def document(self, sets: dict[str, str] | None = None) -> dict[str, Any]:
        """Return the cell.json of the plan."""
        cell = next(iter(load(self.folder).cells(self.provider, rows=["p20"], engines=[self.engine], sets=sets or {})))
        planned = Planned(cell=cell, slos=resolve(cell, frozenset()), skip=None, cluster=cell.id)
        return json.loads(json.dumps(cell_document(planned, dict(self.facts))))  # type: ignore[no-any-return]


Change = Callable[[Case], None]


def scenario(old: str, new: str) -> Change:
    return lambda case: case.edit(old, new)


def config(old: str, new: str) -> Change:
    return lambda case: case.edit(old, new, "clusterloader2/config.yaml")


def fact(name: str, value: object) -> Change:
    return lambda case: case.facts.update({name: value})


def file(name: str, text: str) -> Change:
    return lambda case: case.write(name, text)


BUILT_OR_PUT_ON = {
    "kubernetes": (fact("kubernetes", "v1.36.4"), "kubernetes 1.36.3 -> 1.36.4"),
    "etcd": (fact("etcd", "3.7.0"), "etcd 3.6.8 -> 3.7.0"),
    "kernel": (fact("kernel", "6.6.2"), "kernel 6.1.0 -> 6.6.2"),
    "containerd": (fact("node-container_runtime", "containerd://2.5.0"), "node-container_runtime 2.4.2 -> 2.5.0"),
    "cni": (fact("node-cni", "bridge"), "node-cni ptp -> bridge"),
    "cores": (fact("cores", 4), "cores 8 -> 4"),
    "nodes": (scenario("count: 3", "count: 5"), "cluster.pools.user.count 3 -> 5"),
    "node size": (scenario("cpu: 8", "cpu: 16"), "cluster.pools.user.cpu 8 -> 16"),
    "node memory": (scenario("32Gi", "64Gi"), "cluster.pools.user.memory 34359738368 -> 68719476736"),
    "label": (scenario("{a: b}", "{a: c}"), "cluster.pools.user.labels.a b -> c"),
    "taint": (
        scenario('"x=y:NoSchedule", ', ""),
        "cluster.pools.user.taints a=b:NoSchedule, x=y:NoSchedule -> a=b:NoSchedule",
    ),
    "a pool more": (scenario("system: {count: 1}", "system: {count: 1}\n    b: {count: 0}"), "cluster.pools.b.count"),
    "row value in use": (scenario("pods: 20", "pods: 30"), "load.pods 20 -> 30"),
    "rate": (scenario("10/s", "20/s"), "load.rate 10 -> 20"),
    "hold": (scenario("hold: 10s", "hold: 20s"), "load.hold 10 -> 20"),
    "what pods consume": (scenario("64Mi", "1Gi"), "load.consume.memory 67108864 -> 1073741824"),
}
NEITHER = {
    "bound": scenario('max: "${limit}s"', "max: 9s"),
    "row value only in a bound": scenario("limit: 5", "limit: 6"),
    "level": scenario("level: warn", "level: gate"),
    "reference": scenario("level: warn", "level: warn, ref: a page"),
    "description": scenario("description: Pods.", "description: Many pods."),
    "comment": scenario("matrix:", "# a note\n\n\nmatrix:"),
    "order of keys": scenario("{count: 3, labels: {a: b},", "{labels: {a: b}, count: 3,"),
    "order of taints": scenario('"x=y:NoSchedule", "a=b:NoSchedule"', '"a=b:NoSchedule", "x=y:NoSchedule"'),
    "another spelling of a duration": scenario("hold: 10s", "hold: 10000ms"),
    "another spelling of a quantity": scenario("32Gi", "32768Mi"),
    "a default written out": scenario("count: 3,", "count: 3, max_pods: 110,"),
    "another row": scenario("matrix:", "matrix:\n  p99: {pods: 99, limit: 1}"),
    "another SLO": scenario(
        "  - {id: cache", '  - {id: b, query: "max(max_over_time(up[${w}]))", unit: count, max: 4}\n  - {id: cache'
    ),
    "another provider's overlay": scenario("region: westeurope", "region: northeurope"),
    "another engine's load": scenario("overrides: {", "overrides: {CL2_X: 1, "),
    "a time-out": scenario("timeout: 2m", "timeout: 3m"),
    "budget": scenario("4 USD", "5 USD"),
    "version asked for, another one had": scenario('"1.34"', '"1.36"'),
    "sharing that did not come to pass": scenario("  share: rows\n", ""),
    "README": file("README.md", "words"),
    "files of another engine": config("steps: []", "steps: [{}]"),
    "memory that the machine had free": fact("node-allocatable_memory", "9036204Ki"),
    "limit that follows from it": fact("node-memory_limit", 1),
    "time to ready": fact("seconds-to-ready", 9.25),
    "names of nodes": fact("nodes", ["user-1"]),
    "a lease": fact("lease", "0123abcd"),
    "Prometheus": fact("prometheus", "v9.9.9"),
    "a fact that nobody knows": fact("mood", "good"),
}
MEASURING = {
    "percentile": (scenario("p: 90", "p: 50"), "running", "running: p 90 -> 50"),
    "query": (scenario("max(max_over", "min(max_over"), "cache", "cache: query"),
    "unit": (scenario("unit: count, max: 4", "unit: s, max: 4s"), "cache", "cache: unit count -> s"),
    "side of the bound": (scenario("unit: count, max: 4", "unit: count, min: 4"), "cache", "cache: better lower"),
    "step of the load": (scenario("level: warn", "during: wave-1"), "cache", "cache: during not there -> wave-1"),
}


def compared(case: Case, change: Change) -> tuple[dict[str, Any], dict[str, Any]]:
    before = case.document()
    change(case)
    return before, case.document()


@pytest.mark.parametrize("name", BUILT_OR_PUT_ON)
def test_what_was_built_or_put_on_changes_every_fingerprint_and_is_named(tmp_path: Path, name: str) -> None:
    change, said = BUILT_OR_PUT_ON[name]

    before, after = compared(Case(tmp_path), change)

    assert before["fingerprint"] != after["fingerprint"]
    assert fingerprint(before) != fingerprint(after)
    assert all(fingerprint(before, before["measures"][one]) != fingerprint(after, after["measures"][one]) for one in ID)
    assert [one for one in changes(before, after) if one.startswith(said)], changes(before, after)


ID = ("running", "cache", "pods-complete")


@pytest.mark.parametrize("name", NEITHER)
def test_what_moves_no_number_changes_no_fingerprint(tmp_path: Path, name: str) -> None:
    before, after = compared(Case(tmp_path), NEITHER[name])

    assert changes(before, after) == []
    assert before["fingerprint"] == after["fingerprint"]
    assert [changes(before, after, one) for one in ID] == [[], [], []]
    assert all(fingerprint(before, before["measures"][one]) == fingerprint(after, after["measures"][one]) for one in ID)


@pytest.mark.parametrize("name", MEASURING)
def test_how_one_slo_measures_changes_its_own_fingerprint_and_no_other(tmp_path: Path, name: str) -> None:
    change, slo, said = MEASURING[name]

    before, after = compared(Case(tmp_path), change)

    changed = {
        one for one in ID if fingerprint(before, before["measures"][one]) != fingerprint(after, after["measures"][one])
    }
    assert changed == {slo}
    assert before["fingerprint"] == after["fingerprint"]
    assert changes(before, after) == []
    assert changes(before, after, slo)[0].startswith(said)


CL2 = {
    "a step": (config("steps: []", "steps: [{}]"), ["file clusterloader2/config.yaml changed"]),
    "a file more": (file("clusterloader2/pod.yaml", "kind: Pod\n"), ["file clusterloader2/pod.yaml not there -> "]),
    "an override": (scenario("overrides: {", "overrides: {CL2_X: 1, "), ["load.overrides.CL2_X not there -> 1"]),
    "a comment": (config("# Pods in one step.", "# One step."), []),
    "a template's comment": (config("name: sample", "{{/* a\nnote */}}\nname: sample"), []),
    "line ends": (config("steps: []", "steps: []  \r\n\n"), []),
    "a page beside": (file("clusterloader2/README.md", "words"), []),
    "an editor's copy": (file("clusterloader2/config.yaml~", "words"), []),
    "a time-out": (scenario("timeout: 10m", "timeout: 11m"), []),
    "another engine's load": (scenario("10/s", "20/s"), []),
}


@pytest.mark.parametrize("name", CL2)
def test_the_files_of_a_load_count_without_what_is_only_for_people(tmp_path: Path, name: str) -> None:
    change, said = CL2[name]

    before, after = compared(Case(tmp_path, engine="clusterloader2"), change)

    assert (before["fingerprint"] != after["fingerprint"]) == bool(said)
    assert len(changes(before, after)) == len(said)
    assert all(one.startswith(start) for one, start in zip(changes(before, after), said, strict=True))


def test_the_version_of_the_engine_counts_and_so_does_a_binary_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case(tmp_path, engine="clusterloader2")
    before = case.document()
    own = tmp_path / "clusterloader2"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("TELESCOPE_TOOL_CLUSTERLOADER2", str(own))
    after = case.document()
    own.write_text("#!/bin/sh\nexit 1\n")

    assert re.fullmatch(r"engine clusterloader2 v\S+ -> clusterloader2 own [0-9a-f]{16}", changes(before, after)[0])
    assert changes(after, case.document())[0].startswith("engine clusterloader2 own ")


def test_of_a_file_of_kwok_stages_the_content_counts_not_the_name(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.edit("  share: rows\n", "  stages: a.yaml\n")
    case.write("a.yaml", "kind: Stage\n")
    before = case.document()
    case.write("b.yaml", "# the same\nkind: Stage\n")
    case.edit("a.yaml", "b.yaml")
    renamed = case.document()
    case.write("b.yaml", "kind: Stage\nspec: {}\n")

    assert changes(before, renamed) == []
    assert changes(before, case.document())[0].startswith("cluster.stages ")


def test_of_a_suite_the_files_of_all_its_configs_count(tmp_path: Path) -> None:
    case = Case(tmp_path, engine="clusterloader2")
    case.edit("clusterloader2/config.yaml", "suites/all.yaml")
    (case.folder / "suites").mkdir()
    case.write("suites/all.yaml", "- identifier: one\n  configPath: ../clusterloader2/config.yaml\n")
    before = case.document()
    case.edit("steps: []", "steps: [{}]", "clusterloader2/config.yaml")

    assert changes(before, case.document()) == ["file clusterloader2/config.yaml changed"]


SPELLINGS = [
    ("kubernetes", "v1.36.3", "1.36.3"),
    ("containerd", "containerd://2.4.2", "2.4.2"),
    ("kubelet", "v1.36.3, v1.36.4", "1.36.3, 1.36.4"),
    ("kernel", "6.18.44-fc-v769", "6.18.44-fc-v769"),
]


@pytest.mark.parametrize(("name", "told", "part"), SPELLINGS)
def test_a_version_is_the_same_with_and_without_what_stands_before_it(
    tmp_path: Path, name: str, told: str, part: str
) -> None:
    case = Case(tmp_path)
    case.facts[name] = told

    assert case.document()["parts"][name] == part


CLOUD = {
    "machine": (fact("machines", "user=Standard_D8s_v5"), True),
    "region": (fact("region", "northeurope"), True),
    "node image": (fact("node_image", "AzureLinux 3.0.20260201"), True),
    "version of the control plane": (fact("kubernetes_version", "1.34.3"), True),
    "version of a component": (fact("coredns", "v1.12.0"), True),
    "spot": (scenario("machine: S", "spot: true, machine: S"), True),
    "zones of a pool": (scenario("machine: S", 'zones: ["1"], machine: S'), True),
    "machine asked for, the same one had": (scenario(", pools: {user: {machine: Standard_D4s_v5}}", ""), False),
    "region asked for, the same one had": (scenario("region: westeurope, ", ""), False),
    "zone that the cloud chose": (fact("zone", "westeurope-2"), False),
    "nodes of an autoscaler": (fact("node_count", 9), False),
    "replicas of the API server": (fact("api-server-replicas", 3), False),
    "name of a node": (fact("prometheus-node", "aks-user-5678-vmss000000"), False),
    "retries": (fact("terraform_retries", 2), False),
    "size of simulated nodes": (scenario("count: 3,", "count: 3, cpu: 4,"), False),
}


@pytest.mark.parametrize("name", CLOUD)
def test_of_a_cloud_counts_what_was_had_not_what_was_asked_for(tmp_path: Path, name: str) -> None:
    change, counts = CLOUD[name]

    before, after = compared(Case(tmp_path, provider="aks"), change)

    assert (before["fingerprint"] != after["fingerprint"]) == counts, changes(before, after)


def test_a_cluster_that_served_another_row_is_another_cluster(tmp_path: Path) -> None:
    about = Case(tmp_path).document()
    fresh, second, third = (about | {"reused": used, "position": at} for used, at in ((False, 1), (True, 2), (True, 3)))

    assert fingerprint(fresh) != fingerprint(second)
    assert fingerprint(second) == fingerprint(third)
    assert changes(fresh, second) == ["cluster fresh -> used before"]
    assert changes(second, third) == []


def test_a_measure_holds_observations_only_where_they_decide_which_element_counts(tmp_path: Path) -> None:
    case = Case(tmp_path)
    cell = next(iter(load(case.folder).cells("local", rows=["p20"], engines=["resource-consumer"])))
    slo = next(one for one in resolve(cell, frozenset()) if one.id == "running")

    plain, more = cell_parts.measure_of(slo), cell_parts.measure_of(replace(slo, min_count=99))
    merged = cell_parts.measure_of(replace(slo, sparse="merge"))

    assert plain == more
    assert merged != cell_parts.measure_of(replace(slo, sparse="merge", min_count=99))
    assert plain != cell_parts.measure_of(replace(slo, quorum=0.9))


def test_an_arm_of_a_comparison_is_the_cell_it_is_of(tmp_path: Path) -> None:
    case = Case(tmp_path)
    cell = next(iter(load(case.folder).cells("local", rows=["p20"], engines=["resource-consumer"])))
    arm = replace(cell, id=f"{cell.id}--ab-a-1", arm="a", repeat=1, of=cell.id)
    documents = [
        cell_document(Planned(cell=one, slos=(), skip=None, cluster=one.id), dict(LOCAL)) for one in (cell, arm)
    ]

    assert [one.get("of") for one in documents] == [None, cell.id]
    assert (documents[1]["arm"], documents[1]["repeat"]) == ("a", 1)
    assert documents[0]["fingerprint"] == documents[1]["fingerprint"]


PRINT = """
import json, sys
from pathlib import Path
import pytest_telescope
from pytest_telescope.report.fingerprint import cell_document
from pytest_telescope.scenario.loading import load
from pytest_telescope.slo.planned import Planned
from pytest_telescope.slo.resolve import resolve
assert Path(pytest_telescope.__file__).is_relative_to(sys.argv[1])
CELLS = (("cri", "clusterloader2"), ("cri", "resource-consumer"), ("scheduler-throughput", "clusterloader2"))
for name, engine in CELLS:
    cell = next(iter(load(Path(sys.argv[1]) / "scenarios" / name).cells("local", engines=[engine])))
    planned = Planned(cell=cell, slos=resolve(cell, frozenset({"real-nodes"})), skip=None, cluster=cell.id)
    made = cell_document(planned, {"kernel": "6.1.0", "targets": {"a": 1, "b": 2}})
    print(json.dumps([made["fingerprint"], made["parts"], made["measures"]], sort_keys=True))
"""


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_two_processes_in_two_checkouts_agree(tmp_path: Path, seed: str) -> None:
    here, there = paths.checkout(), tmp_path / "elsewhere"
    for name in ("pytest_telescope", "scenarios", "modules/toolchain"):
        shutil.copytree(here / name, there / name, ignore=shutil.ignore_patterns("__pycache__"))

    found = [printed(checkout, number) for checkout, number in ((here, "1"), (there, seed))]

    assert found[0] == found[1]
    assert str(here) not in found[0]


def printed(checkout: Path, seed: str) -> str:
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", PRINT, str(checkout)]
    return subprocess.run(
        command, env=environment, cwd=checkout, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def told_by_modules() -> set[str]:
    texts = [(paths.modules() / "terraform" / name / "outputs.tf").read_text() for name in ("aks", "eks", "gke")]
    blocks = [match[1] for text in texts if (match := re.search(r"    facts = \{\n(.*?)\n    \}\n", text, re.DOTALL))]
    return {name for block in blocks for name in re.findall(r"^      (\w+) +=", block, re.MULTILINE)}


def told_by_components() -> set[str]:
    table = yaml.safe_load((paths.modules() / "manifests" / "prometheus" / "components.yaml").read_text())
    return {one["fact"] for one in table["components"].values()}


def test_every_fact_that_a_cluster_can_have_either_counts_or_passes_for_a_reason() -> None:
    rules = cell_parts.identity()["facts"]
    known = {*rules["counts"], *rules["passes"]}

    assert set(rules["counts"]).isdisjoint(rules["passes"])
    assert len(blocks := told_by_modules()) > 10
    assert blocks <= known
    assert told_by_components() <= known
    assert set(nodes.facts({})) <= known


def test_the_first_schema_of_cell_json_is_compared_by_the_facts_that_it_has() -> None:
    before = {"schema": 1, "fingerprint": "abc", "definition": "x", "facts": {"kernel": "6.1.0"}}
    after = {"schema": 1, "fingerprint": "abd", "definition": "x", "facts": {"kernel": "6.6.2"}}

    assert changes(before, after) == ["kernel 6.1.0 -> 6.6.2"]
    assert fingerprint(before) == "abc"
    assert fingerprint(before, {"p": 99}) is None
