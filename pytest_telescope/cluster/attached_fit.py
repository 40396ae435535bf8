"""How an existing cluster fits what a spec asks: pure functions over its nodes, as the API server lists them."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec

POOL = "telescope/pool"
"""Label with the pool's name that the nodes of every cluster of the harness carry."""
SYSTEM = "system"
MACHINE = "node.kubernetes.io/instance-type"
REGION = "topology.kubernetes.io/region"
ZONE = "topology.kubernetes.io/zone"
UNSEEN_OF_POOL = ("os", "os_disk_gb", "os_disk_type", "spot", "kubelet", "sysctls")
UNSEEN = ("network", "tier", "stages")
Node = Mapping[str, Any]


def wanted_pools(spec: ClusterSpec) -> dict[str, PoolSpec]:
    """Return the pools that take load: neither the system pool, where there is another, nor Prometheus' own."""
    pools = {name: pool for name, pool in spec.pools.items() if pool.count != 0}
    kept = {name: pool for name, pool in pools.items() if name not in (SYSTEM, spec.prometheus_pool)}
    return kept or pools


def nodes_of(name: str, pool: PoolSpec, nodes: Sequence[Node]) -> list[Node]:
    """Return the nodes that stand for a pool: those the harness made for it, else those with all its labels."""
    own = [node for node in nodes if _labels(node).get(POOL) == name]
    return own or [node for node in nodes if pool.labels.items() <= _labels(node).items() and _open(node, pool)]


def _open(node: Node, pool: PoolSpec) -> bool:
    """Say whether a pool without labels may mean this node: not one that keeps pods away which the pool does not."""
    return bool(pool.labels) or not (_taints(node, blocking=True) - set(pool.taints))


def load_nodes(spec: ClusterSpec, nodes: Sequence[Node]) -> tuple[str, ...]:
    """Return the names of the ready nodes that take load, sorted."""
    found = {_name(node) for name, pool in wanted_pools(spec).items() for node in nodes_of(name, pool, nodes)}
    return tuple(sorted(found & {_name(node) for node in nodes if _ready(node)}))


def refusals(spec: ClusterSpec, nodes: Sequence[Node]) -> list[str]:
    """Return why the load could not run at all: a pool of which no node is there, or none is ready."""
    found = []
    for name, pool in wanted_pools(spec).items():
        mine = nodes_of(name, pool, nodes)
        if lacking := [node for node in mine if not pool.labels.items() <= _labels(node).items()]:
            missing = sorted(f"{key}={value}" for key, value in pool.labels.items())
            found.append(f"pool {name}: node {_name(lacking[0])} lacks {' '.join(missing)}")
        elif not mine:
            labels = " ".join(sorted(f"{key}={value}" for key, value in pool.labels.items()))
            asked = f"the label {labels}" if labels else "no taint that the pool does not have"
            found.append(f"pool {name}: none of the cluster's {len(nodes)} nodes has {asked}")
        elif not any(_ready(node) for node in mine):
            found.append(f"pool {name}: none of its {len(mine)} nodes is Ready")
    return found


def differences(spec: ClusterSpec, version: str, nodes: Sequence[Node]) -> list[str]:
    """Return a line for all that the spec asks and the cluster has otherwise, or that cannot be seen from here."""
    found = [*_version(spec, version), *_place(spec, nodes)]
    for name, pool in spec.pools.items():
        mine = nodes_of(name, pool, nodes)
        found += [f"pool {name}: {text}" for text in _pool(pool, mine)] if mine else []
    unseen = [*_unseen(spec)]
    return found + ([f"cannot be seen from here, so not compared: {', '.join(unseen)}"] if unseen else [])


def _version(spec: ClusterSpec, version: str) -> Iterator[str]:
    asked = spec.kubernetes_version
    if asked is not None and not f"{version.removeprefix('v')}.".startswith(f"{asked}."):
        yield f"Kubernetes {asked} is asked, the cluster has {version}"


def _place(spec: ClusterSpec, nodes: Sequence[Node]) -> Iterator[str]:
    regions = _values(nodes, REGION)
    if spec.region is not None and regions and regions != {spec.region}:
        yield f"region {spec.region} is asked, the nodes are in {', '.join(sorted(regions))}"


def _pool(pool: PoolSpec, nodes: Sequence[Node]) -> Iterator[str]:
    least = (pool.min or 0) if pool.max is not None else (1 if pool.count is None else pool.count)
    most = least if pool.max is None else pool.max
    if not least <= len(nodes) <= most:
        yield f"{least if least == most else f'{least} to {most}'} nodes are asked, {len(nodes)} are there"
    machines = _values(nodes, MACHINE)
    if pool.machine is not None and machines != {pool.machine}:
        yield f"machine {pool.machine} is asked, there is {', '.join(sorted(machines)) or 'no word of it'}"
    pods = {str(node.get("status", {}).get("allocatable", {}).get("pods")) for node in nodes}
    if pods != {str(pool.max_pods)}:
        yield f"{pool.max_pods} pods a node are asked, there are {', '.join(sorted(pods))}"
    taints = {taint for node in nodes for taint in _taints(node)}
    if taints != (asked := set(pool.taints)):
        yield f"taints {', '.join(sorted(asked)) or 'none'} are asked, there are {', '.join(sorted(taints)) or 'none'}"
    zones = {zone.rpartition("-")[2][-1:] for zone in _values(nodes, ZONE)}
    if pool.zones and zones != set(pool.zones):
        yield f"zones {', '.join(pool.zones)} are asked, there are {', '.join(sorted(zones)) or 'none told'}"


def _unseen(spec: ClusterSpec) -> Iterator[str]:
    yield from (name for name in UNSEEN if getattr(spec, name) is not None)
    for pool_name, pool in spec.pools.items():
        yield from (f"{name} of pool {pool_name}" for name in UNSEEN_OF_POOL if getattr(pool, name))
    if spec.prometheus_pool is not None:
        yield "prometheus_pool (Prometheus runs on any node)"


def facts(version: str, nodes: Sequence[Node]) -> dict[str, str | int]:
    """Return what the nodes say of themselves, by the names that the fingerprint knows; several values are joined."""
    infos = [node.get("status", {}).get("nodeInfo", {}) for node in nodes]
    told = {
        "kubelet": {info.get("kubeletVersion", "") for info in infos},
        "kernel": {info.get("kernelVersion", "") for info in infos},
        "containerd": {info.get("containerRuntimeVersion", "") for info in infos},
        "node_image": {info.get("osImage", "") for info in infos},
        "architecture": {info.get("architecture", "") for info in infos},
        "machine_types": _values(nodes, MACHINE),
        "region": _values(nodes, REGION),
        "zone": _values(nodes, ZONE),
    }
    joined = {name: ", ".join(sorted(values - {""})) for name, values in told.items()}
    # What an SLO trusts by the version of Kubernetes may be a metric of kubelet, which may be an older one.
    versions = ", ".join(sorted({version} | (told["kubelet"] - {""})))
    return {"kubernetes": versions, "node_count": len(nodes), **{name: text for name, text in joined.items() if text}}


def _name(node: Node) -> str:
    return str(node["metadata"]["name"])


def _labels(node: Node) -> Mapping[str, str]:
    return node["metadata"].get("labels") or {}


def _values(nodes: Sequence[Node], label: str) -> set[str]:
    return {_labels(node)[label] for node in nodes if label in _labels(node)}


def _taints(node: Node, *, blocking: bool = False) -> set[str]:
    """Return the node's taints as a spec spells them; those that the cluster itself puts on are left out."""
    found = [
        one
        for one in node.get("spec", {}).get("taints") or ()
        if not one["key"].startswith("node.kubernetes.io/") and (not blocking or one["effect"] != "PreferNoSchedule")
    ]
    return {f"{one['key']}{'=' + one['value'] if one.get('value') else ''}:{one['effect']}" for one in found}


def _ready(node: Node) -> bool:
    conditions = node.get("status", {}).get("conditions") or ()
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and not node.get("spec", {}).get("unschedulable")
