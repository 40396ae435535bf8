"""Whether a shared cluster is as it was before its first row: snapshots of what the API server lists, compared.

Not seen here: images on the nodes, caches, the size of etcd, events of the last hour. A later row finds those warm.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.cluster.model import Leftover
from pytest_telescope.errors import ProvisionError

if TYPE_CHECKING:
    from pytest_telescope.cluster.kube import Kube

TABLE = Path(__file__).with_name("cleanliness.yaml")
NODES = "nodes"
NAMESPACES = "namespaces"
SETTLE_WITHIN = 60.0
"""Seconds that the cluster's own controllers have to finish what the clean-up of a load began (volumes, endpoints)."""
POLL = 1.0
PAGE = 500
Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What names one object: resource as `plural.group`, namespace (empty if cluster-scoped), name."""

    resource: str
    namespace: str
    name: str

    @property
    def title(self) -> str:
        """Return `namespace/name`, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was listed at one time.

    Attributes:
        objects: object -> what must not change of it: its uid, and a digest or the words that are compared.
        pods: (namespace, what controls the pod, or its own name) -> number of pods.
    """

    objects: Mapping[Key, str]
    pods: Mapping[tuple[str, str], int]


@cache
def known() -> Mapping[str, Any]:
    """Return cleanliness.yaml."""
    import yaml

    found: Mapping[str, Any] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return found


def snapshot(kubeconfig: Path, scratch: Path) -> Snapshot:
    """Ask the API server for everything that is compared.

    Args:
        kubeconfig: of an administrator.
        scratch: private folder for copies of its certificates.

    Raises:
        ProvisionError: the API server does not tell.
    """
    from pytest_telescope.cluster.kube import Kube
    from pytest_telescope.cluster.kube import access

    with Kube(access(kubeconfig, scratch)) as kube:
        return of_lists(_lists(kube))


def of_lists(lists: Iterable[tuple[str, Iterable[Object]]]) -> Snapshot:
    """Return the snapshot of (resource, objects) pairs."""
    objects: dict[Key, str] = {}
    pods: Counter[tuple[str, str]] = Counter()
    for resource, items in lists:
        for item in items:
            if resource == "pods":
                pods[item["metadata"]["namespace"], _controller(item)] += 1
            else:
                objects[_key(resource, item)] = _state(resource, item)
    return Snapshot(objects, dict(pods))


def _key(resource: str, item: Object) -> Key:
    return Key(resource, item["metadata"].get("namespace", ""), item["metadata"]["name"])


def _controller(pod: Object) -> str:
    """Name what would make the pod again: pods of one controller stand for each other."""
    owners = [one for one in pod["metadata"].get("ownerReferences", ()) if one.get("controller")]
    return f"of {owners[0]['kind']} {owners[0]['name']}" if owners else pod["metadata"]["name"]


def _state(resource: str, item: Object) -> str:
    uid = str(item["metadata"].get("uid", ""))
    if resource == NODES:
        return f"{uid} {_node(item)}"
    fields = known()["content"].get(resource, ())
    return f"{uid} {_digest({name: _steady(item.get(name)) for name in fields})}" if fields else uid


def _node(node: Object) -> str:
    """Return what the scheduler goes by, as words that can be compared part by part."""
    spec = node.get("spec", {})
    words = [f"label {name}={value}" for name, value in (node["metadata"].get("labels") or {}).items()]
    words += [f"taint {one['key']}={one.get('value', '')}:{one['effect']}" for one in spec.get("taints") or ()]
    return json.dumps(sorted(words + ["cordoned"] * bool(spec.get("unschedulable"))))


def _steady(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _steady(one) for name, one in value.items() if name not in known()["changing"]}
    return [_steady(one) for one in value] if isinstance(value, list) else value


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def compare(before: Snapshot, after: Snapshot) -> list[Leftover]:
    """Return every difference, sorted; what lies in a namespace that is itself new or gone is not told again."""
    fresh = _namespaces(after) - _namespaces(before)
    gone = _namespaces(before) - _namespaces(after)
    found = [*_of_objects(before.objects, after.objects), *_of_pods(before.pods, after.pods)]
    told = [left for namespace, left in found if namespace not in fresh | gone]
    return sorted(told, key=lambda left: (left.kind, left.name))


def _namespaces(seen: Snapshot) -> set[str]:
    return {key.name for key in seen.objects if key.resource == NAMESPACES}


def _of_objects(before: Mapping[Key, str], after: Mapping[Key, str]) -> Iterator[tuple[str, Leftover]]:
    for key in {*before, *after}:
        if key not in before:
            yield key.namespace, _left(key, "was not there before the first row")
        elif key not in after:
            yield key.namespace, _left(key, "was there before the first row and is gone")
        elif before[key] != after[key]:
            yield key.namespace, _left(key, _change(key, before[key], after[key]))


def _left(key: Key, detail: str) -> Leftover:
    return Leftover(kind=key.resource, name=key.title, detail=detail)


def _change(key: Key, before: str, after: str) -> str:
    uid, _, content = before.partition(" ")
    other, _, now = after.partition(" ")
    if uid != other:
        return "is another object of the same name than before the first row"
    if key.resource != NODES:
        return "has other content than before the first row"
    was, became = set(json.loads(content)), set(json.loads(now))
    words = [*(f"lost {one}" for one in sorted(was - became)), *(f"got {one}" for one in sorted(became - was))]
    return ", ".join(words)


def _of_pods(
    before: Mapping[tuple[str, str], int], after: Mapping[tuple[str, str], int]
) -> Iterator[tuple[str, Leftover]]:
    for namespace, name in {*before, *after}:
        was, became = before.get((namespace, name), 0), after.get((namespace, name), 0)
        if was != became:
            yield namespace, Leftover(kind="pods", name=f"{namespace}/{name}", detail=f"{was} before, {became} now")


def settled(
    look: Callable[[], Snapshot],
    *,
    within: float = SETTLE_WITHIN,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Snapshot:
    """Return a snapshot that a second look `POLL` seconds later confirmed, or the last one after `within` seconds.

    A cluster that has just come up is still given service accounts and config maps by its controllers.

    Raises:
        ProvisionError: the API server does not tell.
    """
    end, last = clock() + within, look()
    while clock() < end:
        sleep(POLL)
        before, last = last, look()
        if before == last:
            break
    return last


def differences(
    before: Snapshot,
    look: Callable[[], Snapshot],
    *,
    within: float = SETTLE_WITHIN,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> list[Leftover]:
    """Look until nothing differs from `before`, at most `within` seconds, and return what still does.

    Raises:
        ProvisionError: the API server does not tell.
    """
    end = clock() + within
    while (left := compare(before, look())) and clock() < end:
        sleep(POLL)
    return left


def _lists(kube: Kube) -> Iterator[tuple[str, Iterator[Object]]]:
    wanted = set(known()["namespaced"])
    ignored = set(known()["ignored"])
    for resource, namespaced, path in _resources(kube):
        if resource in wanted if namespaced else resource not in ignored:
            yield resource, _items(kube, path)


def _resources(kube: Kube) -> Iterator[tuple[str, bool, str]]:
    """Yield (resource, whether it lies in namespaces, path) of all that can be listed and deleted."""
    groups = kube.get("/apis")["groups"]
    roots = [(one["name"], f"/apis/{one['preferredVersion']['groupVersion']}") for one in groups]
    for group_name, root in [("", "/api/v1"), *roots]:
        for one in _served(kube, root):
            if {"list", "delete"} <= set(one["verbs"]):
                name = f"{one['name']}.{group_name}" if group_name else one["name"]
                yield name, bool(one["namespaced"]), f"{root}/{one['name']}"


def _served(kube: Kube, root: str) -> list[dict[str, Any]]:
    """Return what a group serves; nothing where its definition has just gone, or its own server is away."""
    try:
        found = kube.find(root)
    except ProvisionError:
        if root == "/api/v1":
            raise
        return []
    resources: list[dict[str, Any]] = found["resources"] if found else []
    return resources


def _items(kube: Kube, path: str) -> Iterator[Object]:
    token = ""
    while True:
        page = kube.find(f"{path}?limit={PAGE}{token}")
        if page is None:
            return
        yield from page["items"]
        if not (more := page["metadata"].get("continue")):
            return
        token = f"&continue={more}"
