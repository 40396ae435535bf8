"""Can this machine serve the spec? Answered in milliseconds, before anything is built."""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from pytest_telescope import paths
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec

MIB = 1024**2
BASE_MEMORY = 700 * MIB
"""Control plane and Prometheus without a node: 536 MiB and 110 to 150 MiB were measured."""
NODE_MEMORY = 3 * MIB
"""Resident memory that one simulated node adds over all components."""
DISK = 1024 * MIB
"""Data of etcd and Prometheus of a run with some thousand pods, logs included."""
CLOUD_ONLY = ("os", "os_disk_gb", "os_disk_type", "zones", "spot", "kubelet", "sysctls")
"""What a pool can have on a cloud only."""
_POOL_NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
_TAINT = re.compile(r"[^:=]+(=[^:]*)?:(NoSchedule|PreferNoSchedule|NoExecute)")


@functools.cache
def pinned_version() -> str:
    """Return the only Kubernetes version on offer, `major.minor`, from the pins of the tools."""
    text = (paths.modules() / "toolchain" / "kubernetes" / "go.mod").read_text(encoding="utf-8")
    found = re.search(r"k8s\.io/kubernetes v(\d+\.\d+)\.", text)
    if found is None:
        raise AssertionError("modules/toolchain/kubernetes/go.mod does not pin k8s.io/kubernetes")
    return found.group(1)


def stages_file(spec: ClusterSpec) -> Path | None:
    """Return the file of kwok stages; a relative path starts beside the file that the spec was written in."""
    if spec.stages is None:
        return None
    beside = spec.place.file.parent if spec.place else Path.cwd()
    return (beside / spec.stages).resolve()


def objections(spec: ClusterSpec) -> list[str]:
    """Return everything that speaks against serving `spec` here; [] means it can be done."""
    return [*_of_cluster(spec), *_of_pools(spec), *_of_stages(spec), *_of_machine(spec)]


def _of_cluster(spec: ClusterSpec) -> Iterator[str]:
    pinned = pinned_version()
    if spec.kubernetes_version not in (None, pinned):
        yield f"kubernetes_version is {spec.kubernetes_version}, but only {pinned} is on offer"
    for name, meant in (("region", "no regions"), ("network", "only its own network"), ("tier", "no tiers")):
        if (value := getattr(spec, name)) is not None:
            yield f"{name} is {value}, but there are {meant}" if name != "network" else f"network is {value}: {meant}"
    yield from (f"{key} is only for clouds" for key in ("zones", "prometheus_pool") if getattr(spec, key))


def _of_pools(spec: ClusterSpec) -> Iterator[str]:
    if not any(node_count(pool) for pool in spec.pools.values()):
        yield "there is no node: give at least one pool a count"
    for name, pool in spec.pools.items():
        yield from (f"pool {name}: {objection}" for objection in _of_pool(name, pool))
    real = sum(node_count(pool) for pool in spec.pools.values() if pool.node == "containerd")
    if real > 1:
        yield f"{real} containerd nodes are asked for, but one machine can be one real node: set its pool's count to 1"


def _of_pool(name: str, pool: PoolSpec) -> Iterator[str]:
    if not _POOL_NAME.fullmatch(name):
        yield "its name must be 1 to 12 lower-case letters and digits and begin with a letter"
    if pool.min is not None or pool.max is not None:
        yield "autoscaling (min, max) is not on offer, only a fixed count"
    if pool.machine is not None:
        yield f"machine {pool.machine} is not on offer; simulated nodes are sized by cpu and memory"
    yield from (f"{key} is only for the nodes of clouds" for key in CLOUD_ONLY if getattr(pool, key))
    if pool.node == "containerd" and (sized := pool.model_fields_set & {"cpu", "memory"}):
        yield f"{' and '.join(sorted(sized))} of a real node are this machine's and cannot be set"
    yield from (f"taint {taint!r} is not key=value:Effect" for taint in pool.taints if not _TAINT.fullmatch(taint))


def _of_stages(spec: ClusterSpec) -> Iterator[str]:
    file = stages_file(spec)
    if file is not None and not file.is_file():
        yield f"the file of kwok stages {file} does not exist"


def _of_machine(spec: ClusterSpec) -> Iterator[str]:
    import psutil

    needed = memory_needed(spec)
    if (free := psutil.virtual_memory().available) < needed:
        yield f"{needed // MIB} MiB of memory are needed and {free // MIB} MiB available: ask for less"
    place = next(folder for folder in (paths.state(), *paths.state().parents) if folder.exists())
    if (space := shutil.disk_usage(place).free) < DISK:
        yield f"{DISK // MIB} MiB of disk are needed and {space // MIB} MiB free in {place}: set TELESCOPE_STATE_DIR"


def memory_needed(spec: ClusterSpec) -> int:
    """Return the bytes that control plane, Prometheus and simulated nodes will take at least."""
    simulated = sum(node_count(pool) for pool in spec.pools.values() if pool.node == "kwok")
    return BASE_MEMORY + simulated * NODE_MEMORY


def node_count(pool: PoolSpec) -> int:
    """Return how many nodes a pool has; one that says nothing has one."""
    return 1 if pool.count is None else pool.count


def has_real_node(spec: ClusterSpec) -> bool:
    """Say whether the spec asks for a node with a real kubelet."""
    return any(pool.node == "containerd" and node_count(pool) for pool in spec.pools.values())
