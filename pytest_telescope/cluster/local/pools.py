"""Simulated nodes: Node objects made through the API, brought to life by kwok."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pytest_telescope.cluster.local.api import Api
from pytest_telescope.cluster.local.spec import Pool
from pytest_telescope.errors import ProvisionError

POOL_LABEL = "telescope/pool"
KUBERNETES_NODES = "/api/v1/nodes"
_WRITERS = 4
_NOT_READY = frozenset({"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})


def create_nodes(connect: Callable[[], Api], pools: Iterable[Pool]) -> int:
    """Create all nodes of the kwok pools, some at a time; return how many.

    Raises:
        ProvisionError: the API server refused one.
    """
    nodes = [node_object(pool, name) for pool in pools for name in pool.node_names()]
    batches = [nodes[start::_WRITERS] for start in range(_WRITERS)]
    with ThreadPoolExecutor(_WRITERS) as executor:
        list(executor.map(lambda batch: _create(connect, batch), batches))
    return len(nodes)


def _create(connect: Callable[[], Api], nodes: list[dict[str, Any]]) -> None:
    if not nodes:
        return
    api = connect()
    try:
        for node in nodes:
            api.create(KUBERNETES_NODES, node)
    except OSError as error:
        raise ProvisionError(f"the API server went away while nodes were created: {error}") from error
    finally:
        api.close()


def node_object(pool: Pool, name: str) -> dict[str, Any]:
    """Return the Node object of one simulated node, with the pool's labels, taints and size."""
    size = {"cpu": f"{round(pool.cpu * 1000)}m", "memory": pool.memory, "pods": str(pool.max_pods)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0"},
            "labels": node_labels(pool, name, kind="kwok"),
        },
        "spec": {"taints": [taint_object(taint) for taint in pool.taints]},
        "status": {
            "allocatable": size,
            "capacity": size,
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": "",
                "containerRuntimeVersion": "",
                "kernelVersion": "",
                "kubeProxyVersion": "",
                "kubeletVersion": "fake",
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "",
                "systemUUID": "",
            },
        },
    }


def node_labels(pool: Pool, name: str, kind: str) -> dict[str, str]:
    """Return the labels of a node: what every node has, its pool, and what the pool asks for."""
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        POOL_LABEL: pool.name,
        "type": kind,
    }
    return {**labels, **pool.labels}


def taint_object(taint: str) -> dict[str, str]:
    """Turn `key=value:Effect` or `key:Effect` into a taint of a Node object."""
    pair, _, effect = taint.rpartition(":")
    key, _, value = pair.partition("=")
    return {"key": key, "value": value, "effect": effect}


def all_ready(api: Api, wanted: AbstractSet[str]) -> bool:
    """Say whether all `wanted` nodes are there and may take pods; an API server that does not answer is a no."""
    try:
        return wanted <= ready_nodes(api.get(f"{KUBERNETES_NODES}?resourceVersion=0")["items"])
    except OSError:
        return False


def ready_nodes(nodes: Iterable[dict[str, Any]]) -> set[str]:
    """Return the names of nodes that are Ready and that pods may land on (no not-ready taint left)."""
    return {node["metadata"]["name"] for node in nodes if _is_ready(node)}


def _is_ready(node: dict[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions") or []
    taints = node.get("spec", {}).get("taints") or []
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
    return ready and not any(taint["key"] in _NOT_READY for taint in taints)
