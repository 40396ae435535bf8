"""1,000 kwok nodes and 10,000 pods by ClusterLoader2 (CL2): through the harness, and alone on a cluster like it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cl2 import SCENARIO
from benchmarks.cl2 import invocation
from benchmarks.cl2 import run_by_hand
from benchmarks.cl2 import scenarios
from benchmarks.clusters import harness_cluster
from benchmarks.clusters import own_state
from pytest_telescope import cells
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.load.api import Api
from pytest_telescope.load.clusterloader2.pods import unix
from pytest_telescope.load.engines import engine
from pytest_telescope.options import Choice
from pytest_telescope.slo.planned import Planned

NODES, PODS = 1000, 10_000
LEAST = 0.95


def measure() -> Iterator[str]:
    """Yield the figure of one pair: pods made Running a second, by the API server's own times (whole seconds)."""
    with tempfile.TemporaryDirectory() as name, own_state(Path(name)), scenarios(Path(name), nodes=NODES, pods=PODS):
        planned = cells.plan(Choice(providers=("local",), scenarios=(SCENARIO,)))[0]
        with harness_cluster(planned.cell.cluster) as (cluster, ready):
            ours, facts = _by_harness(cluster, planned, Path(name) / "ours")
        with harness_cluster(planned.cell.cluster) as (cluster, _):
            folder = Path(name) / "alone"
            run_by_hand(invocation(planned, cluster.kubeconfig, folder), folder)
            alone = _rate(cluster)
    met = "met" if ours / alone >= LEAST else "MISSED"
    yield (
        f"{PODS} pods on {NODES} nodes by CL2 through the harness against CL2 alone: {ours / alone:.2f} "
        f"(at least {LEAST:.2f}: {met}), 1 pair; {ours:.0f} against {alone:.0f} pods/s; "
        f"cluster ready in {ready:.0f} s; harness: "
        f"{facts['memory'] / 1e6:.0f} MB at most, {facts['cpu']:.1f} s CPU against CL2's {facts['cl2']:.1f} s"
    )


def _by_harness(cluster: Cluster, planned: Planned, folder: Path) -> tuple[float, dict[str, float]]:
    import resource

    load = engine("clusterloader2")
    load.prepare(cluster, planned.cell, folder)
    result = load.run(cluster, planned.cell, folder, lambda _: None)
    assert result.pods.running == PODS, result.message
    document = json.loads((folder / "load.json").read_text())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    cpu = {"cpu": document["facts"]["harness_cpu_seconds"], "cl2": document["facts"]["cl2_cpu_seconds"]}
    return _rate(cluster), {**cpu, "memory": memory}


def _rate(cluster: Cluster) -> float:
    """Return pods a second from the first creation to the last Ready, as the API server stamped them."""
    created, ready = [], []
    with Api.from_kubeconfig(cluster.kubeconfig) as api:
        for page in api.pages("/api/v1/pods"):
            for pod in page["items"]:
                times = [c["lastTransitionTime"] for c in pod["status"]["conditions"] if c["type"] == "Ready"]
                created.append(unix(pod["metadata"]["creationTimestamp"]))
                ready += [unix(time) for time in times]
    assert len(ready) == PODS, len(ready)
    return PODS / (max(ready) - min(created))
