"""Engine `resource-consumer`: pods of the upstream image, made at a rate, sized by what each node has left."""

from __future__ import annotations

import re
import resource
from pathlib import Path

from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Leftover
from pytest_telescope.errors import LoadError
from pytest_telescope.errors import UsageError
from pytest_telescope.load.accounting import account
from pytest_telescope.load.accounting import start_of
from pytest_telescope.load.accounting import summary
from pytest_telescope.load.api import Api
from pytest_telescope.load.creator import anchored_clock
from pytest_telescope.load.manifests import IMAGE
from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.model import PodAccount
from pytest_telescope.load.model import PodStart
from pytest_telescope.load.model import Progress
from pytest_telescope.load.namespaces import make_namespace
from pytest_telescope.load.namespaces import namespace_of
from pytest_telescope.load.namespaces import remove_namespace
from pytest_telescope.load.nodes import Toleration
from pytest_telescope.load.nodes import parse_toleration
from pytest_telescope.load.nodes import read_rooms
from pytest_telescope.load.sizing import Sizing
from pytest_telescope.load.sizing import size
from pytest_telescope.load.store import SAMPLE
from pytest_telescope.load.store import save
from pytest_telescope.load.waves import Waves
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ResourceConsumerSpec

LABEL = 63


class ResourceConsumer:
    """See `load.model.Engine`."""

    name = "resource-consumer"

    def check(self, cell: Cell, capabilities: frozenset[str]) -> None:
        """Check what can be known without a cluster.

        Raises:
            UsageError: the pods cannot be created within their time-out.
        """
        del capabilities
        try:
            _spec(cell)
        except LoadError as error:
            raise UsageError(str(error)) from error

    def prepare(self, cluster: Cluster, cell: Cell, folder: Path) -> None:
        """Check that the pods fit, then make the cell's namespace.

        Raises:
            LoadError: they do not fit (nothing was created), or the namespace cannot be made.
        """
        folder.mkdir(parents=True, exist_ok=True)
        spec = _spec(cell)
        with Api.from_kubeconfig(cluster.kubeconfig) as api:
            _sizing(api, cluster, spec)
            make_namespace(api, namespace_of(cell.id), lease=_label(cluster), cell=cell.id)

    def run(self, cluster: Cluster, cell: Cell, folder: Path, progress: Progress) -> LoadResult:
        """Run the waves and leave the last one's pods where they are.

        Raises:
            LoadError: the pods do not fit, or the API server does not answer.
        """
        before, spec, clock = _cpu_seconds(), _spec(cell), anchored_clock()
        with Api.from_kubeconfig(cluster.kubeconfig) as api:
            sizing = _sizing(api, cluster, spec)
            waves = Waves(
                api=api,
                namespace=namespace_of(cell.id),
                spec=spec,
                sizing=sizing,
                tolerations=_tolerations(spec),
                folder=folder,
                progress=progress,
                clock=clock,
            )
            waves.run()
        facts = _facts(waves, sizing, spec) | {"harness_cpu_seconds": round(_cpu_seconds() - before, 4)}
        return save(_result(waves, sizing, files=(folder / SAMPLE,), facts=facts, ended=clock()), folder)

    def clean(self, cluster: Cluster, cell: Cell) -> list[Leftover]:
        """Delete the cell's namespace with all its pods and list what does not go."""
        name = namespace_of(cell.id)
        try:
            with Api.from_kubeconfig(cluster.kubeconfig) as api:
                return remove_namespace(api, name)
        except LoadError as error:
            return [Leftover(kind="namespace", name=name, detail=str(error))]


def _spec(cell: Cell) -> ResourceConsumerSpec:
    if not isinstance(cell.load, ResourceConsumerSpec):
        raise LoadError(f"{cell.place}: cell {cell.id} has no resource-consumer load")
    spec = cell.load
    if spec.pods / spec.rate > spec.timeout:
        raise LoadError(
            f"{cell.place}: {spec.pods} pods at {spec.rate:g}/s take {spec.pods / spec.rate:.0f} s to create, "
            f"but the wave's timeout is {spec.timeout:g} s: raise `timeout` or `rate`"
        )
    return spec


def _tolerations(spec: ResourceConsumerSpec) -> tuple[Toleration, ...]:
    return tuple(parse_toleration(text) for text in spec.tolerations)


def _sizing(api: Api, cluster: Cluster, spec: ResourceConsumerSpec) -> Sizing:
    rooms = read_rooms(api, cluster.nodes, spec.selector, _tolerations(spec))
    return size(rooms, spec.pods, spec.consume)


def _label(cluster: Cluster) -> str:
    """Return the lease, or the cluster's name where no lease is told, as a label's value."""
    lease = str(cluster.facts.get("lease") or cluster.name)
    return re.sub(r"[^A-Za-z0-9._-]", "-", lease)[:LABEL].strip("-._")


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _result(
    waves: Waves, sizing: Sizing, *, files: tuple[Path, ...], facts: dict[str, float | int | str], ended: float
) -> LoadResult:
    starts = tuple(start_of(pod, ended) for pod in waves.tracker.pods)
    pods = account(starts)
    whole = pods.running == pods.created and not waves.undrained
    return LoadResult(
        outcome="complete" if whole else "incomplete",
        started=min(start.created for start in starts),
        ended=max(end for _, end in waves.steps.values()),
        steps=waves.steps,
        pods=pods,
        starts=starts,
        asked_cpu=sizing.asked_cpu,
        asked_memory=sizing.asked_memory,
        namespaces=(waves.namespace,),
        message=_message(waves, pods, starts),
        files=files,
        facts=facts,
    )


def _message(waves: Waves, pods: PodAccount, starts: tuple[PodStart, ...]) -> str:
    line = summary(pods, starts)
    if waves.undrained:
        line += f"; {waves.undrained} pods were still there when their drain timed out"
    if late := sum(start.upper_bound for start in starts):
        gap = max(gap.end - gap.start for gap in waves.watcher.gaps) if waves.watcher.gaps else 0.0
        line += f"; the watch had gaps of up to {gap:.1f} s: the start-up times of {late} pods are upper bounds"
    return line


def _facts(waves: Waves, sizing: Sizing, spec: ResourceConsumerSpec) -> dict[str, float | int | str]:
    watcher = waves.watcher
    return {
        "image": IMAGE,
        "asked_rate": spec.rate,
        "achieved_rate": waves.achieved_rate,
        "pod_millicores": sizing.millicores,
        "pod_memory_bytes": sizing.memory,
        "pod_memory_request_bytes": sizing.memory_request,
        "real_pods_per_wave": sizing.real,
        "create_retries": sum(creator.retries for creator in waves.creators),
        "watch_restarts": watcher.restarts,
        "watch_relists": watcher.relists,
        "watch_gaps": len(watcher.gaps),
        "watch_error": watcher.error,
        "pods_upper_bound": sum(pod.late for pod in waves.tracker.pods),
    }
