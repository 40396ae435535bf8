"""One ClusterLoader2 config twice: by hand as upstream runs it, and through the engine, whose result is judged."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import Literal

from pytest_telescope.cluster.model import Cluster
from pytest_telescope.load.clusterloader2 import stand_in
from pytest_telescope.load.clusterloader2.command import Invocation
from pytest_telescope.load.clusterloader2.command import environment
from pytest_telescope.load.clusterloader2.engine import ClusterLoader2
from pytest_telescope.load.clusterloader2.model import Entry
from pytest_telescope.load.clusterloader2.overrides import write_overrides
from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.telemetry import openmetrics
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.recording import backfill
from pytest_telescope.metrics.recording import save
from pytest_telescope.metrics.serving import serve
from pytest_telescope.scenario.model import Budget
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterLoader2Spec
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.model import PoolSpec
from pytest_telescope.scenario.model import SloSpec
from pytest_telescope.scenario.names import Scalar
from pytest_telescope.slo.judge import judge
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.resolve import resolve
from pytest_telescope.toolchain import tool

DATA = Path(__file__).parent / "data" / "vacuous"
SPEC = ClusterSpec(
    pools={"user": PoolSpec(count=3, cpu=8, memory="16Gi", max_pods=110)}, stages=str(DATA / "stages.yaml")
)
LABEL = "CL2_RUN"
"""Variable of the configs: the label of what one run makes."""
OF_ITS_OWN = SloSpec(use="pod-startup/running", p=50, max="60s")
PATIENCE = 90.0
APART = 7200.0
"""Seconds between the windows of two runs in the recording."""
STEP = 5.0

Fit = Literal["no Prometheus", "fit", "unfit"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """A config run by both.

    Attributes:
        name: unique.
        config: folder of the config, where it is not named like the run.
        prometheus: what CL2 is given; `unfit` is without its recording rules and spells `le="1.0"`.
        slos: the scenario has SLOs of its own.
        upstream: CL2 calls it a success.
    """

    name: str
    config: str = ""
    prometheus: Fit = "no Prometheus"
    slos: bool = True
    upstream: bool = True

    @property
    def folder(self) -> Path:
        return DATA / (self.config or self.name)

    @property
    def cell(self) -> Cell:
        """Return the cell of a scenario that is no more than this config."""
        return Cell(
            id=f"local-{self.name}",
            provider="local",
            scenario=self.name,
            row=None,
            engine="clusterloader2",
            description="",
            component="api-server",
            values={},
            cluster=SPEC,
            load=ClusterLoader2Spec(config="config.yaml", overrides={LABEL: f"engine-{self.name}"}, timeout=PATIENCE),
            slos=(OF_ITS_OWN,) if self.slos else (),
            budget=Budget(),
            folder=self.folder,
            place=Place(self.folder / "scenario.yaml", 1),
        )


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """What upstream's own program said."""

    code: int
    log: str
    reports: Path

    @property
    def green(self) -> bool:
        return self.code == 0 and "Status: Success" in self.log

    def summaries(self, name: str) -> list[list[dict[str, Any]]]:
        """Return the data items of the summary files of that name, of perf-data form."""
        files = sorted(self.reports.glob(f"{name}_*.json"))
        return [json.loads(file.read_text())["dataItems"] or [] for file in files]


@dataclass(frozen=True, kw_only=True)
class World:
    """A cluster, and folders for what is run in it."""

    cluster: Cluster
    root: Path

    def by_hand(self, run: Run, *options: str, dry_run: bool = False) -> ByHand:
        """Run the unmodified CL2 with the flags that the harness gives it."""
        folder = self.root / "by-hand" / run.name
        own: dict[str, Scalar] = {**stand_in.overrides(), LABEL: f"byhand-{run.name}"}
        invocation = Invocation(
            binary=tool("clusterloader2"),
            entry=Entry(name="main", config=run.folder / "config.yaml"),
            provider="local",
            kubeconfig=self.cluster.kubeconfig,
            reports=folder / "reports",
            overrides=(write_overrides(folder / "overrides.yaml", own),),
            prefix=f"byhand-{run.name}",
            nodes=len(self.cluster.nodes),
            extra=(*(() if run.prometheus == "no Prometheus" else stand_in.flags()), *options),
        )
        return _run(invocation.command(dry_run=dry_run), folder)

    def folder(self, run: Run) -> Path:
        """Return where the engine keeps the files of a run."""
        return self.root / "engine" / run.name

    def engine(self, run: Run) -> LoadResult:
        """Run the same config as the harness does."""
        one, cluster, folder = ClusterLoader2(), self.seen(run), self.folder(run)
        one.prepare(cluster, run.cell, folder)
        return one.run(cluster, run.cell, folder, lambda _: None)

    def seen(self, run: Run) -> Cluster:
        """Return the cluster as a run finds it."""
        missing = run.prometheus == "no Prometheus"
        return replace(self.cluster, prometheus_from_apiserver=None) if missing else self.cluster


def _run(command: list[str], folder: Path) -> ByHand:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("w") as log:
        done = subprocess.run(
            command,
            env=environment(os.environ, {}),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            timeout=PATIENCE,
            check=False,
        )
    return ByHand(code=done.returncode, log=(folder / "log").read_text(), reports=folder / "reports")


def judged(results: Mapping[str, LoadResult], folder: Path) -> dict[str, dict[str, Judgement]]:
    """Judge what the engine left behind by the SLOs that every cell of it has, each run over its own window.

    Args:
        results: by name of the run.
        folder: of the recording that is made of them, all of which one Prometheus serves.
    """
    folder.mkdir(parents=True)
    windows = {name: _recorded(result, folder, number) for number, (name, result) in enumerate(results.items())}
    made = Recording(
        path=folder, window=_window(0), scrape_interval=STEP, clock_offset=0.0, prometheus_version="unknown"
    )
    save(made)
    slos = {slo.id: slo for slo in resolve(Run(name="green").cell, frozenset())}
    with serve(made) as prometheus:
        return {
            name: {
                slo: judge(slos[slo], prometheus, window, facts={}, scrape_interval=STEP, targets={})
                for slo in ("engine-thresholds", "pods-complete")
            }
            for name, window in windows.items()
        }


def _window(number: int) -> Window:
    start = 1_700_000_000.0 + number * APART
    return Window(start=start, end=start + PATIENCE, steps={})


def _recorded(result: LoadResult, folder: Path, number: int) -> Window:
    window = _window(number)
    moved = window.start - result.started
    backfill(openmetrics(result, start=window.start, end=window.end, step=STEP, offset=moved), folder)
    return window
