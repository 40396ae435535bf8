"""The nodes of a managed cluster: waited for, and sorted by pool."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_telescope.cluster.clouds import pace as paces
from pytest_telescope.cluster.progress import Line
from pytest_telescope.cluster.progress import counted
from pytest_telescope.errors import ProvisionError
from pytest_telescope.scenario.model import ClusterSpec

POOL = "telescope/pool"
"""Label that every node of a pool carries on every cloud, with the pool's name."""
SYSTEM = "system"
_REQUEST = (5, 20)
Say = Callable[[str], None]


def expected(spec: ClusterSpec) -> dict[str, int]:
    """Return pool -> nodes that must be ready before the load begins: the least that an autoscaler keeps."""
    return {
        name: (pool.min or 0) if pool.max is not None else (1 if pool.count is None else pool.count)
        for name, pool in spec.pools.items()
    }


def wait_ready(
    kubeconfig: Path, spec: ClusterSpec, within: float, say: Say, sleep: paces.Sleep = paces.sleep
) -> dict[str, list[Any]]:
    """Wait until every pool has its nodes ready; return pool -> nodes.

    Raises:
        ProvisionError: the time is up; says which pool lacks how many, and why its nodes are not ready.
    """
    from kubernetes import client
    from kubernetes import config

    want, end, told = expected(spec), time.monotonic() + within / paces.speed(), ""
    with config.new_client_from_config(config_file=str(kubeconfig)) as api:  # type: ignore[no-untyped-call] # upstream
        while True:
            found, why = _look(client.CoreV1Api(api))
            short = _short(want, found)
            if not short:
                api.rest_client.pool_manager.clear()
                return found
            if time.monotonic() >= end:
                raise ProvisionError(f"nodes are missing after {within:g} s: {short}; {why}")
            if short != told:
                told = short
                say(_told(short, want, found))
            sleep(5.0)


def _short(want: Mapping[str, int], found: Mapping[str, list[Any]]) -> str:
    missing = {name: count - len(found.get(name, ())) for name, count in want.items()}
    return ", ".join(f"pool {name} lacks {count} of {want[name]}" for name, count in missing.items() if count > 0)


def _told(short: str, want: Mapping[str, int], found: Mapping[str, list[Any]]) -> Line:
    ready = sum(min(count, len(found.get(name, ()))) for name, count in want.items())
    return counted(f"waiting for nodes: {short}", ready, sum(want.values()), "nodes", even=False)


def _look(core: Any) -> tuple[dict[str, list[Any]], str]:
    """Return the ready nodes by pool, and the first reason why one is not."""
    ready: dict[str, list[Any]] = {}
    why = "no other node is there"
    try:
        for node in core.list_node(_request_timeout=_REQUEST).items:
            condition = next((c for c in node.status.conditions or () if c.type == "Ready"), None)
            if condition is not None and condition.status == "True":
                ready.setdefault((node.metadata.labels or {}).get(POOL, ""), []).append(node)
            else:
                why = f"{node.metadata.name} is not ready: {condition.message if condition else 'no condition yet'}"
    except Exception as error:  # an API server that has just come up may still refuse
        return {}, f"the API server cannot be asked: {type(error).__name__}: {str(error)[:200]}"
    return ready, why


def load_nodes(spec: ClusterSpec, found: Mapping[str, list[Any]]) -> tuple[str, ...]:
    """Return the names of the nodes that take load, sorted: neither the system pool's nor Prometheus' own."""
    pools = {name for name, count in expected(spec).items() if count or spec.pools[name].max}
    kept = pools - {SYSTEM, spec.prometheus_pool} or pools
    return tuple(sorted(node.metadata.name for name in kept for node in found.get(name, ())))


def facts(found: Mapping[str, list[Any]]) -> dict[str, str | int]:
    """Return what the nodes say of themselves: several values are joined, sorted."""
    infos = [node.status.node_info for nodes in found.values() for node in nodes]
    labels = [node.metadata.labels or {} for nodes in found.values() for node in nodes]
    told = {
        "kubernetes": {info.kubelet_version for info in infos},
        "kubelet": {info.kubelet_version for info in infos},
        "kernel": {info.kernel_version for info in infos},
        "containerd": {info.container_runtime_version.removeprefix("containerd://") for info in infos},
        "node_image": {info.os_image for info in infos},
        "architecture": {info.architecture for info in infos},
        "machine_types": {one.get("node.kubernetes.io/instance-type", "unknown") for one in labels},
        "zone": {one.get("topology.kubernetes.io/zone", "unknown") for one in labels},
    }
    return {**{name: ", ".join(sorted(values)) for name, values in told.items()}, "node_count": len(infos)}
