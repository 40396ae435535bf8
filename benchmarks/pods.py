"""1,000 pods on 100 kwok nodes: the load engine beside ClusterLoader2 on the same cluster."""

from __future__ import annotations

import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clusters import harness_cluster
from benchmarks.clusters import own_state
from benchmarks.witness import Witness
from pytest_telescope import toolchain
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.load.engines import engine
from pytest_telescope.scenario.model import Budget
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import Consume
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.model import ResourceConsumerSpec

PODS = 1000
CONFIG = Path(__file__).parent / "clusterloader2" / "config.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One load: seconds from the first pod to the last Running, CPU seconds of the tool, pods seen running."""

    seconds: float
    cpu: float
    pods: int


def measure(repeats: int = 3) -> Iterator[str]:
    """Yield the figures; each pair has a fresh cluster, and who goes first alternates."""
    ours: list[Sample] = []
    theirs: list[Sample] = []
    for number in range(repeats):
        tools = [_harness, _clusterloader2] if number % 2 == 0 else [_clusterloader2, _harness]
        for tool in tools:
            with tempfile.TemporaryDirectory() as name, own_state(Path(name)), harness_cluster() as (cluster, _):
                (ours if tool is _harness else theirs).append(tool(cluster, Path(name)))
    yield _line("harness", ours)
    yield _line("ClusterLoader2", theirs)
    ratio = statistics.median(a.seconds / b.seconds for a, b in zip(ours, theirs, strict=True))
    yield f"1,000 pods, first create to all Running, against CL2: {ratio:.2f} (at most 1.10), {repeats} pairs"


def _line(name: str, samples: list[Sample]) -> str:
    rates = [sample.pods / sample.seconds for sample in samples]
    cpu = statistics.median(sample.cpu / sample.pods for sample in samples) * 1000
    return (
        f"{name}: {statistics.median(rates):.0f} pods/s ({min(rates):.0f} to {max(rates):.0f}), "
        f"{cpu:.2f} ms CPU a pod, {[sample.pods for sample in samples]} of {PODS} accounted for"
    )


def _harness(cluster: Cluster, folder: Path) -> Sample:
    load = ResourceConsumerSpec(pods=PODS, rate=500.0, consume=Consume(cpu=0.01, memory="16Mi"), timeout=120.0)
    cell, consumer = _cell(load, cluster, folder), engine("resource-consumer")
    consumer.prepare(cluster, cell, folder)
    before = time.process_time()
    result = consumer.run(cluster, cell, folder, lambda _: None)
    cpu = time.process_time() - before
    running = [start.running for start in result.starts if start.running is not None]
    return Sample(seconds=max(running) - result.started, cpu=cpu, pods=result.pods.running)


def _clusterloader2(cluster: Cluster, folder: Path) -> Sample:
    overrides = folder / "overrides.yaml"
    overrides.write_text(f"POD_COUNT: {PODS}\n")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [
        str(toolchain.tool("clusterloader2")),
        "--provider=kind",
        f"--kubeconfig={cluster.kubeconfig}",
        f"--testconfig={CONFIG}",
        f"--testoverrides={overrides}",
        f"--report-dir={folder}/report",
        "--enable-exec-service=false",
        "--nodes=100",
        "--k8s-clients-number=5",
    ]
    with Witness(cluster.kubeconfig, "group=anchor") as witness:
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Sample(seconds=witness.seconds, cpu=cpu, pods=len(witness.running))


def _cell(load: ResourceConsumerSpec, cluster: Cluster, folder: Path) -> Cell:
    return Cell(
        id="local-benchmark",
        provider="local",
        scenario="benchmark",
        row=None,
        engine="resource-consumer",
        description="",
        component="scheduler",
        values={},
        cluster=ClusterSpec(),
        load=load,
        slos=(),
        budget=Budget(),
        folder=folder,
        place=Place(file=Path(cluster.name), line=0),
    )
