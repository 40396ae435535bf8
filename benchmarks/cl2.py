"""ClusterLoader2 (CL2) by the harness beside CL2 by hand, with the same flags on the same kind of cluster."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.byhand import Load
from benchmarks.byhand import by_hand
from benchmarks.clusters import own_state
from benchmarks.overhead import CHECKOUT
from benchmarks.sidebyside import Pairs
from pytest_telescope import cells
from pytest_telescope.load.clusterloader2 import generated
from pytest_telescope.load.clusterloader2.command import Invocation
from pytest_telescope.load.clusterloader2.command import clients_for
from pytest_telescope.load.clusterloader2.entries import entries_of
from pytest_telescope.load.clusterloader2.entries import prefix_of
from pytest_telescope.load.clusterloader2.overrides import write_overrides
from pytest_telescope.slo.planned import Planned
from pytest_telescope.toolchain import tool

SCENARIO = "deployment"
SHIPPED = "scheduler-throughput"
"""1,000 pods that CL2 itself creates, one by one."""
TEXT = """\
name: deployment
component: scheduler
cluster: {{pools: {{user: {{count: {nodes}}}}}}}
load: {{clusterloader2: {{config: config.yaml, overrides: {{POD_COUNT: {pods}}}, timeout: 15m}}}}
"""
MOST_CPU = 0.25
"""Of CL2's own CPU, the harness' share while a load of 1,000 pods runs."""


def measure(pairs: int = 3) -> Iterator[Pairs | str]:
    """Yield the figures, each pair on fresh clusters."""
    ours, theirs, by_controller, by_itself = [], [], [], []
    for number in range(pairs):
        with tempfile.TemporaryDirectory() as name, own_state(Path(name)), scenarios(Path(name), nodes=100, pods=1000):
            seconds, facts = by_harness(Path(name))
            ours.append(seconds)
            by_controller.append(_share(facts))
            theirs.append(by_hand(SCENARIO, number, _load(Path(name) / "by-hand")))
        with tempfile.TemporaryDirectory() as name, own_state(Path(name)):
            by_itself.append(_share(by_harness(Path(name), SHIPPED)[1]))
    yield Pairs(
        name="a CL2 run of 1,000 pods by the harness against terraform and clusterloader2 by hand",
        ours=tuple(ours),
        theirs=tuple(theirs),
        target=1.1,
    )
    yield _cpu("1,000 pods that CL2 creates", by_itself)
    yield _cpu("1,000 pods of one Deployment, which costs CL2 a watch and no more", by_controller)


def _share(facts: dict[str, float | int | str]) -> float:
    return float(facts["harness_cpu_seconds"]) / float(facts["cl2_cpu_seconds"])


def _cpu(load: str, shares: list[float]) -> str:
    share = statistics.median(shares)
    met = "met" if share <= MOST_CPU else "MISSED"
    return (
        f"CPU of the harness against CL2's, {load}: {share:.2f} (at most {MOST_CPU:.2f}: {met}), "
        f"median of {len(shares)} runs, {min(shares):.2f} to {max(shares):.2f}"
    )


class scenarios:
    """Make a folder of scenarios that holds the benchmark's own, and let the harness look there."""

    def __init__(self, folder: Path, *, nodes: int, pods: int) -> None:
        self._root = folder / "scenarios"
        shutil.copytree(Path(__file__).parent / "clusterloader2", self._root / SCENARIO)
        (self._root / SCENARIO / "scenario.yaml").write_text(TEXT.format(nodes=nodes, pods=pods), encoding="utf-8")

    def __enter__(self) -> None:
        os.environ["TELESCOPE_SCENARIOS"] = str(self._root)
        cells.scenario.cache_clear()

    def __exit__(self, *_: object) -> None:
        del os.environ["TELESCOPE_SCENARIOS"]
        cells.scenario.cache_clear()


def by_harness(folder: Path, scenario: str = SCENARIO) -> tuple[float, dict[str, float | int | str]]:
    """Run the scenario by pytest; return its seconds and the facts of its load."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "local", f"--scenario={scenario}"]
    started = time.monotonic()
    ended = subprocess.run(
        [*command, f"--telescope-dir={folder}/runs"], cwd=CHECKOUT, check=False, capture_output=True, timeout=900
    )
    seconds = time.monotonic() - started
    assert ended.returncode == 0, ended.stdout.decode()
    document = json.loads(next(folder.glob("runs/runs/*/publish/cells/*/load/load.json")).read_text())
    return seconds, document["facts"]


def _load(folder: Path) -> Load:
    return lambda kubeconfig, planned: run_by_hand(invocation(planned, kubeconfig, folder), folder)


def invocation(planned: Planned, kubeconfig: Path, folder: Path) -> Invocation:
    """Return the command of the cell's only entry, as the harness would start it."""
    cell, entry = planned.cell, entries_of(planned.cell)[0]
    overrides = cell.load.model_dump()["overrides"]
    return Invocation(
        binary=tool("clusterloader2"),
        entry=entry,
        provider="local",
        kubeconfig=kubeconfig,
        reports=folder / "reports",
        overrides=(write_overrides(folder / "overrides.yaml", overrides),),
        prefix=prefix_of(cell, entry),
        nodes=sum(pool.count or 0 for pool in cell.cluster.pools.values()),
    )


def run_by_hand(asked: Invocation, folder: Path) -> None:
    """Start clusterloader2 twice: the dry run, then in earnest; its own threshold of a minute may be missed."""
    dry = replace(asked, reports=folder / "dry")
    subprocess.run(dry.command(dry_run=True), check=False, capture_output=True, timeout=60)
    rates = generated.read(next((folder / "dry").glob("generatedConfig_*.yaml"))).rates
    final = replace(asked, clients=clients_for(rates))
    ended = subprocess.run(final.command(), check=False, capture_output=True, timeout=900)
    assert (asked.reports / "junit.xml").exists(), ended.stderr.decode()[-2000:]
