"""What each node has left for the load, read from raw API objects."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pytest_telescope.errors import UsageError
from pytest_telescope.load.api import Api
from pytest_telescope.load.quantity import parse_quantity

KWOK = "kwok.x-k8s.io/node"
ENDED = {"Succeeded", "Failed"}
BLOCKING = {"NoSchedule", "NoExecute"}
Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What one node has left.

    Attributes:
        cpu: cores; memory: bytes; slots: pods. Allocatable minus the requests of every pod that is there.
        real: a kubelet runs there; False for a node that kwok simulates.
        closed: why the load's pods cannot go there, or None.
    """

    name: str
    cpu: Decimal
    memory: Decimal
    slots: int
    real: bool = True
    closed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Toleration:
    """One taint that the pods tolerate; an empty value means any."""

    key: str
    value: str
    effect: str

    def manifest(self) -> dict[str, str]:
        """Return it as a pod's toleration."""
        entry = {"key": self.key, "operator": "Equal" if self.value else "Exists"}
        if self.value:
            entry["value"] = self.value
        if self.effect:
            entry["effect"] = self.effect
        return entry

    def tolerates(self, taint: Object) -> bool:
        """Tell whether it matches `taint`."""
        return (
            self.key == taint["key"]
            and (not self.value or self.value == taint.get("value", ""))
            and (not self.effect or self.effect == taint["effect"])
        )


def parse_toleration(text: str) -> Toleration:
    """Read `key=value:Effect` or `key:Effect`.

    Raises:
        UsageError: it has another form.
    """
    left, _, effect = text.partition(":")
    key, _, value = left.partition("=")
    if not key or effect not in (BLOCKING | {"PreferNoSchedule", ""}):
        raise UsageError(f"toleration {text!r}: expected key=value:Effect or key:Effect, Effect of {sorted(BLOCKING)}")
    return Toleration(key=key, value=value, effect=effect)


def read_rooms(
    api: Api, only: Iterable[str], selector: Mapping[str, str], tolerations: tuple[Toleration, ...]
) -> tuple[Room, ...]:
    """Ask the API server for every node and every pod of all namespaces, and return what each node has left.

    Args:
        api: the API server.
        only: names of the nodes that take load; empty means all.
        selector: node labels that the load's pods ask for.
        tolerations: taints that they tolerate.
    """
    nodes = [node for page in api.pages("/api/v1/nodes") for node in page["items"]]
    bound = "/api/v1/pods?fieldSelector=spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"
    pods = [pod for page in api.pages(bound) for pod in page["items"]]
    return rooms(nodes, pods, only=frozenset(only), selector=selector, tolerations=tolerations)


def rooms(
    nodes: Iterable[Object],
    pods: Iterable[Object],
    *,
    only: frozenset[str] = frozenset(),
    selector: Mapping[str, str],
    tolerations: tuple[Toleration, ...],
) -> tuple[Room, ...]:
    """Return what each node has left, sorted by name; pods that ended take nothing."""
    there: dict[str, list[Object]] = {}
    for pod in pods:
        if pod.get("status", {}).get("phase") not in ENDED:
            there.setdefault(pod["spec"].get("nodeName", ""), []).append(pod)
    found = (
        _room(node, there.get(node["metadata"]["name"], []), _closed(node, only, selector, tolerations))
        for node in nodes
    )
    return tuple(sorted(found, key=lambda room: room.name))


def _room(node: Object, pods: list[Object], closed: str | None) -> Room:
    allocatable = node["status"].get("allocatable", {})
    requests = [pod_requests(pod["spec"]) for pod in pods]
    return Room(
        name=node["metadata"]["name"],
        cpu=parse_quantity(allocatable.get("cpu", 0)) - sum(cpu for cpu, _ in requests),
        memory=parse_quantity(allocatable.get("memory", 0)) - sum(memory for _, memory in requests),
        slots=int(parse_quantity(allocatable.get("pods", 0))) - len(pods),
        real=KWOK not in node["metadata"].get("annotations", {}),
        closed=closed,
    )


def _closed(
    node: Object, only: frozenset[str], selector: Mapping[str, str], tolerations: tuple[Toleration, ...]
) -> str | None:
    metadata, spec = node["metadata"], node.get("spec", {})
    labels = metadata.get("labels", {})
    if only and metadata["name"] not in only:
        return "not a node that takes load"
    if missing := [f"{key}={value}" for key, value in selector.items() if labels.get(key) != value]:
        return f"lacks label {missing[0]}"
    if spec.get("unschedulable"):
        return "is cordoned"
    for taint in spec.get("taints", ()):
        if taint["effect"] in BLOCKING and not any(each.tolerates(taint) for each in tolerations):
            return f"has taint {taint['key']}={taint.get('value', '')}:{taint['effect']}"
    ready = [each for each in node["status"].get("conditions", ()) if each["type"] == "Ready"]
    return None if ready and ready[0]["status"] == "True" else "is not Ready"


def pod_requests(spec: Object) -> tuple[Decimal, Decimal]:
    """Return the (cores, bytes) that the scheduler counts for a pod.

    Containers and restartable init containers add up; other init containers count by the largest, each on top of the
    restartable ones before it; pod-level requests replace the sum; overhead comes on top
    (https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers).
    """
    cpu, memory = (_request(spec, resource) for resource in ("cpu", "memory"))
    return cpu, memory


def _request(spec: Object, resource: str) -> Decimal:
    overhead = parse_quantity((spec.get("overhead") or {}).get(resource, 0))
    if (whole := _asked(spec, resource)) is not None:
        return whole + overhead
    sidecars = peak = Decimal(0)
    for container in spec.get("initContainers") or ():
        asked = _asked(container, resource) or Decimal(0)
        if container.get("restartPolicy") == "Always":
            sidecars += asked
            peak = max(peak, sidecars)
        else:
            peak = max(peak, sidecars + asked)
    steady = sidecars + sum(_asked(container, resource) or Decimal(0) for container in spec["containers"])
    return max(steady, peak) + overhead


def _asked(holder: Object, resource: str) -> Decimal | None:
    requests = (holder.get("resources") or {}).get("requests") or {}
    return parse_quantity(requests[resource]) if resource in requests else None
