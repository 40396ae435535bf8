"""The engine: check, prepare, run, clean."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from pathlib import Path

from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Leftover
from pytest_telescope.cluster.processes import LEASE
from pytest_telescope.cluster.processes import ROLE
from pytest_telescope.errors import LoadError
from pytest_telescope.errors import UsageError
from pytest_telescope.load.api import Api
from pytest_telescope.load.clusterloader2 import generated
from pytest_telescope.load.clusterloader2 import leftovers
from pytest_telescope.load.clusterloader2 import requirements
from pytest_telescope.load.clusterloader2 import stand_in
from pytest_telescope.load.clusterloader2.command import Invocation
from pytest_telescope.load.clusterloader2.command import clients_for
from pytest_telescope.load.clusterloader2.command import environment
from pytest_telescope.load.clusterloader2.entries import entries_of
from pytest_telescope.load.clusterloader2.entries import prefix_of
from pytest_telescope.load.clusterloader2.entries import spec_of
from pytest_telescope.load.clusterloader2.generated import Generated
from pytest_telescope.load.clusterloader2.outcome import load_result
from pytest_telescope.load.clusterloader2.overrides import write_overrides
from pytest_telescope.load.clusterloader2.running import Part
from pytest_telescope.load.clusterloader2.running import Runner
from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.model import Progress
from pytest_telescope.load.store import save
from pytest_telescope.scenario.model import Cell

TOOL = "clusterloader2"
OVERRIDES = "overrides.yaml"


@dataclass(slots=True)
class ClusterLoader2:
    """See `load.model.Engine`.

    Attributes:
        allow_exec: configs may run commands of their own on this machine (`Exec`).
        clock: unix seconds.
    """

    allow_exec: bool = False
    clock: Callable[[], float] = time.time
    name: str = TOOL
    _parts: list[Part] = field(default_factory=list)
    _before: frozenset[leftovers.Thing] | None = None
    _stands_in: bool = False

    def check(self, cell: Cell, capabilities: frozenset[str]) -> None:
        """Let CL2 compile every config of the cell, and see that a cluster of these capabilities can run it.

        Raises:
            UsageError: CL2 refuses a config, or it needs what the cluster has not got.
            ToolError: CL2 cannot be had.
        """
        with tempfile.TemporaryDirectory(prefix="telescope-") as scratch:
            folder = Path(scratch)
            kubeconfig = generated.offline_kubeconfig(folder / "kubeconfig")
            parts = self._compiled(cell, folder, kubeconfig, nodes=_planned_nodes(cell))
            wrong = [
                f"{part.entry.config}: {text}"
                for part in parts
                for text in requirements.missing(
                    part.generated, capabilities, allow_exec=self.allow_exec, folder=part.entry.config.parent
                )
            ]
        if wrong:
            raise UsageError("\n".join(wrong))

    def prepare(self, cluster: Cluster, cell: Cell, folder: Path) -> None:
        """Compile the configs for this cluster, note what is in it, and make the stand-in of its Prometheus.

        Raises:
            LoadError: CL2 refuses a config, or the stand-in does not get ready.
        """
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._parts = self._compiled(cell, folder, cluster.kubeconfig, nodes=len(cluster.nodes))
        except UsageError as error:
            raise LoadError(str(error)) from error
        with Api.from_kubeconfig(cluster.kubeconfig) as api:
            self._before = leftovers.snapshot(api)
            self._make_way(api, cell)
            needed = any(requirements.asks_prometheus(part.generated) for part in self._parts)
            if needed and cluster.prometheus_from_apiserver is not None:
                self._stands_in = True  # first: what a failed `make` made is removed as well
                stand_in.make(api, cluster.prometheus_from_apiserver, lease=_lease(cluster), cell=cell.id)

    def _make_way(self, api: Api, cell: Cell) -> None:
        """Remove namespaces of ours that an earlier run left: CL2 refuses to start beside them."""
        if left := leftovers.remove(api, None, self._prefixes(cell), ()):
            raise LoadError(f"left from an earlier run: {'; '.join(map(str, left))}")

    def run(self, cluster: Cluster, cell: Cell, folder: Path, progress: Progress) -> LoadResult:
        """Run the entries one after the other.

        Raises:
            LoadError: nothing was measured.
        """
        runner = Runner(cluster=cluster, progress=progress, clock=self.clock, environment=_seen(cluster))
        try:
            results = runner.run_all(self._parts, timeout=spec_of(cell).timeout, extra=self._flags())
        finally:
            runner.stop()
        return save(load_result(results, runner, judged_elsewhere=bool(cell.slos), folder=folder), folder)

    def _flags(self) -> tuple[str, ...]:
        return stand_in.flags() if self._stands_in else ()

    def clean(self, cluster: Cluster, cell: Cell) -> list[Leftover]:
        """Remove the namespaces and what else is surely CL2's, and list what is left or may be another's."""
        names = {base for part in self._parts for base, _, scoped in part.generated.objects if scoped}
        try:
            with Api.from_kubeconfig(cluster.kubeconfig) as api:
                left = leftovers.remove(api, self._before, self._prefixes(cell), names)
                return left + (stand_in.remove(api) if self._stands_in else [])
        except LoadError as error:
            return [Leftover(kind="load", name=cell.id, detail=str(error))]

    def _prefixes(self, cell: Cell) -> tuple[str, ...]:
        return tuple(prefix_of(cell, entry, number) for number, entry in enumerate(entries_of(cell), start=1))

    def _compiled(self, cell: Cell, folder: Path, kubeconfig: Path, nodes: int) -> list[Part]:
        """Dry-run every entry; its folder then holds its override file, and its reports belong into a fresh one."""
        from pytest_telescope.toolchain import tool

        binary = tool(TOOL)
        own = {**stand_in.overrides(), **spec_of(cell).overrides}
        parts = []
        for number, entry in enumerate(entries_of(cell), start=1):
            place = folder / entry.name
            shutil.rmtree(place, ignore_errors=True)  # reports of an earlier attempt would be read as its own
            written = write_overrides(place / OVERRIDES, own)
            invocation = Invocation(
                binary=binary,
                entry=entry,
                provider=cell.provider,
                kubeconfig=kubeconfig,
                reports=place / "dry-run",
                overrides=(*entry.overrides, written),
                prefix=prefix_of(cell, entry, number),
                nodes=nodes,
            )
            compiled = generated.dry_run(invocation, environment(os.environ, {}), place, now=self.clock())
            parts.append(
                Part(entry=entry, generated=compiled, invocation=_to_run(invocation, compiled, place), folder=place)
            )
        return parts


def _to_run(invocation: Invocation, compiled: Generated, place: Path) -> Invocation:
    return replace(invocation, reports=place / "reports", clients=clients_for(compiled.rates))


def _planned_nodes(cell: Cell) -> int:
    """Return how many nodes will take load; the pool `system` is there for what clouds run themselves."""
    pools = {name: pool.count or pool.max or 0 for name, pool in cell.cluster.pools.items()}
    ours = {name: count for name, count in pools.items() if name != "system"} or pools
    return max(sum(ours.values()), 1)


def _seen(cluster: Cluster) -> dict[str, str]:
    """Return the environment of the measured process, marked so that `telescope reap` finds it."""
    return environment(os.environ, {LEASE: _lease(cluster), ROLE: TOOL})


def _lease(cluster: Cluster) -> str:
    return str(cluster.facts.get("lease") or cluster.name.rpartition("-")[2])
