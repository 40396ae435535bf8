"""Whole cells on pretended clouds: real Terraform, our modules, real clients, and a real cluster under the load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clouds.world import SMALL
from tests.clouds.world import world
from tests.e2e.conftest import Run
from tests.e2e.conftest import traces

pytestmark = pytest.mark.e2e

CRI = """\
name: cri
description: Container runtime and kubelet on a pretended cloud.
component: kubelet
cluster:
  pools:
    node: {count: 1, machine: %(machine)s, max_pods: 100}
matrix:
  p60: {pods: 60}
load:
  default: resource-consumer
  resource-consumer:
    pods: ${pods}
    rate: 4/s
    hold: 10s
    consume: {cpu: 0, memory: 1Mi}
    selector: {telescope/pool: node}
    timeout: 120s
slos:
  - {use: kubelet/pod-start-total, p: 50, max: 60s, min_count: 30, level: gate}
  - id: exporter
    query: count by (node) (last_over_time(node_load1{job="node"}[${w}]))
    by: [node]
    unit: count
    equals: 1
    job: node
    requires: [node-metrics]
  - id: runtime
    query: count by (node) (last_over_time(containerd_build_info_total{job="containerd"}[${w}]))
    by: [node]
    unit: count
    equals: 1
    job: containerd
    requires: [containerd-metrics]
  - id: nowhere
    query: count by (node) (last_over_time(up{job="karpenter"}[${w}]))
    by: [node]
    unit: count
    equals: 1
    job: karpenter
    requires: [karpenter-metrics]
  - {use: pod-startup/running, p: 50, max: 60s, min_count: 60}
budget: {cost: 40 USD, time: 3h}
"""


@pytest.mark.parametrize(
    "provider", [pytest.param("aks", marks=pytest.mark.long), "eks", pytest.param("gke", marks=pytest.mark.long)]
)
def test_a_whole_cell_is_green_and_nothing_is_left(provider: str, backing: Path, tmp_path: Path) -> None:
    with world(provider, backing, tmp_path) as pretended:
        name = pretended.small(text=SMALL)

        run = pretended.harness.run("-m", provider, f"--scenario={name}")

        cell = f"{provider}-small"
        assert run.code == 0, run.output
        assert run.cases[0].name == f"test_provision[{cell}]"
        assert {case.name for case in run.cases} >= {
            f"test_provision[{cell}]",
            f"test_load[{cell}]",
            f"test_destroy[{cell}]",
        }
        facts = run.folder.cell(cell).read("cell.json")["facts"]
        assert "v1." in facts["kubernetes"]
        assert pretended.held() == []
        assert traces(run.state) == []
        assert pretended.cloud.calls
        secrets_are_nowhere(run.folder.path)


def secrets_are_nowhere(folder: Path) -> None:
    """No key, token or password is in what could be published."""
    for file in folder.rglob("*"):
        if file.is_file() and "/recording/" not in str(file):
            text = file.read_bytes()
            assert b"PRIVATE KEY" not in text, file
            assert not re.search(rb"k8s-aws-v1\.[A-Za-z0-9_-]{40}", text), file


def test_sixty_real_pods_on_a_pretended_aks(backing: Path, tmp_path: Path) -> None:
    with world("aks", backing, tmp_path) as pretended:
        name = pretended.small(name="cri", text=CRI)

        run = pretended.harness.run("-m", "aks", f"--scenario={name}")

        cell = "aks-cri--p60"
        assert run.code == 0, run.output
        assert {"test_provision", "test_load", "test_destroy"} <= {c.name.partition("[")[0] for c in run.cases}
        judged = run.judgements(cell)
        assert judged["pods-complete"]["verdict"] == "PASS"
        assert judged["pod-start-total"]["verdict"] == "PASS"
        assert judged["pod-start-total"]["count"] >= 55
        assert [judged[name]["verdict"] for name in ("exporter", "runtime")] == ["PASS", "PASS"]
        assert judged.get("nowhere", {"verdict": "SKIP"})["verdict"] == "SKIP"
        assert pretended.held() == []


@pytest.mark.long
def test_six_cells_in_parallel_keep_out_of_each_others_way(backing: Path, tmp_path: Path) -> None:
    with world("aks", backing, tmp_path) as pretended:
        names = [pretended.small(name=f"s{number}") for number in range(6)]

        run = pretended.harness.run("-m", "aks", f"--scenario={','.join(names)}", "-n", "3", "-v")

        assert run.code == 0, run.output
        for name in names:
            stages = [one["stage"] for one in run.folder.cell(f"aks-{name}").records("status.jsonl")]
            assert stages == ["provision", "load", "destroy"]
        workers = {name: set(re.findall(rf"\[(gw\d)\].*\[aks-{name}[\]-]", run.output)) for name in names}
        assert all(len(found) == 1 for found in workers.values()), workers
        assert len(set().union(*workers.values())) == 3
        assert pretended.held() == []
        assert traces(run.state) == []
        assert at_once([lives(run, f"aks-{name}") for name in names]) == 3


def lives(run: Run, cell: str) -> tuple[float, float]:
    """Return when the cell's cluster was begun and gone, unix seconds."""
    stages = list(run.folder.cell(cell).records("status.jsonl"))
    return stages[0]["started"], stages[-1]["ended"]


def at_once(spans: list[tuple[float, float]]) -> int:
    """Return how many clusters there were at the same time: cells that waited for each other would be fewer."""
    return max(sum(start <= begun < end for start, end in spans) for begun, _ in spans)
