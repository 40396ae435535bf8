"""The pods that CL2's objects bring about, as our own watch sees them."""

from __future__ import annotations

import calendar
import json
import re
import threading
import time
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pytest_telescope.load.model import PodStart
from pytest_telescope.load.reasons import Object
from pytest_telescope.load.reasons import Why
from pytest_telescope.load.reasons import ended_reason
from pytest_telescope.load.reasons import pending_reason

RAN = frozenset({"Running", "Completed"})
GONE: Why = ("Deleted", "deleted before it ran")
_EVENT = re.compile(
    rb'\{"type":"(ADDED|MODIFIED|DELETED)","object":\{"kind":"Pod","apiVersion":"v1","metadata":\{'
    rb'"name":"([^"\\]+)",(?:"generateName":"[^"\\]*",)?"namespace":"([^"\\]+)","uid":"([^"\\]+)",'
    rb'"resourceVersion":"(\d+)",(?:"generation":\d+,)?"creationTimestamp":"([^"\\]+)"'
)
_PHASE = re.compile(rb'"status":\{(?:"observedGeneration":\d+,)?"phase":"(Pending|Running|Succeeded)"')
_ACCOUNT = b'"serviceAccount":"'
_NODE = re.compile(
    rb'"serviceAccount":"[^"\\]+",(?:"automountServiceAccountToken":(?:true|false),)?(?:"nodeName":"([^"\\]+)",)?'
    rb'"(?:hostNetwork|hostPID|hostIPC|securityContext)":'
)
"""`spec.nodeName`, or that it has none; no label or selector looks like this, as its keys are sorted: nothing that may
come next here could follow `serviceAccount` there."""
PATH = "/api/v1/pods?fieldSelector=metadata.namespace!%3Dkube-system"


@dataclass(slots=True, kw_only=True)
class _Seen:
    """One pod so far; see `PodStart`."""

    name: str
    created: float
    stamped: float
    node: str | None = None
    scheduled: float | None = None
    running: float | None = None
    late: bool = False
    why: Why | None = None
    item: Object | bytes | None = None
    """As last seen (an object, or a raw watch event), until it runs: why is only asked of those that never do."""
    gone: bool = False


class _Now(NamedTuple):
    """What one event shows of a pod."""

    node: str | None
    phase: str
    when: float
    late: bool
    item: Object | bytes


class Pods:
    """Keeps every pod of the namespaces `<prefix>-<number>`; told by a `Watcher` over all namespaces.

    CL2 deletes what it made, so a pod that ran and is gone is a pod that ran, with whatever code it ended when told to.
    """

    def __init__(self, prefixes: Iterable[str] = ()) -> None:
        self._prefixes: frozenset[str] = frozenset()
        self._namespaces: dict[bytes, bool] = {}
        """Namespaces of raw events, and whether they are ours."""
        self.follow(prefixes)
        self._pods: dict[str, _Seen] = {}
        self._lock = threading.Lock()
        self.last_event = 0.0
        self.running = 0
        """Pods that ran so far."""

    def follow(self, prefixes: Iterable[str]) -> None:
        """Keep the pods of these namespaces from now on."""
        self._prefixes = frozenset(prefixes)
        self._namespaces = {}

    def _ours(self, namespace: str) -> bool:
        prefix, _, number = namespace.rpartition("-")
        return prefix in self._prefixes and number.isdigit()

    def _is_ours(self, namespace: bytes) -> bool:
        if (ours := self._namespaces.get(namespace)) is None:
            ours = self._namespaces[namespace] = self._ours(namespace.decode())
        return ours

    def __len__(self) -> int:
        return len(self._pods)

    def observe(self, kind: str, item: Object, when: float, *, late: bool = False) -> None:
        """Take in one watch event or, with kind `LIST`, one pod of a list."""
        self.last_event = when
        metadata = item["metadata"]
        if not self._ours(metadata["namespace"]):
            return
        with self._lock:
            pod = self._pods.get(metadata["uid"]) or self._add(
                metadata["uid"],
                f"{metadata['namespace']}/{metadata['name']}",
                unix(metadata["creationTimestamp"]),
                when,
                late=late or kind == "LIST",
            )
            if kind == "DELETED":
                self._gone(pod)
                return
            now = _Now(item["spec"].get("nodeName"), item["status"].get("phase"), when, late, item)
            self._advance(pod, now)
            if item["status"].get("phase") == "Failed" and pod.why is None and "deletionTimestamp" not in metadata:
                pod.why, pod.item = ended_reason(item), None

    def glance(self, line: bytes, when: float, *, late: bool) -> str | None:
        """Take in one watch event by the few fields that matter, in the order in which the API server writes them.

        Parsing all of a pod costs ten times as much. Whatever does not look as expected is left to be parsed.
        """
        if (head := _EVENT.match(line)) is None or (status := line.rfind(b'"status":{')) < 0:
            return None
        if (phase := _PHASE.match(line, status)) is None:
            return None
        kind, name, namespace, uid, version, stamp = head.groups()
        if self._is_ours(namespace):
            with self._lock:
                pod = self._pods.get(key := uid.decode())
                news = kind != b"DELETED" and (pod is None or pod.running is None or pod.node is None)
                if news and (node := _node(line, status)) is None:
                    return None
                if pod is None:
                    full_name = f"{namespace.decode()}/{name.decode()}"
                    pod = self._add(key, full_name, unix(stamp.decode()), when, late=late)
                if news:
                    self._advance(pod, _Now(node, phase[1].decode(), when, late, line))
                elif kind == b"DELETED":
                    self._gone(pod)
        self.last_event = when
        return version.decode()

    def _add(self, uid: str, name: str, stamped: float, when: float, *, late: bool) -> _Seen:
        pod = _Seen(name=name, created=stamped if late else when, stamped=stamped, late=late)
        self._pods[uid] = pod
        return pod

    def _advance(self, pod: _Seen, now: _Now) -> None:
        if pod.node is None and now.node:
            pod.node, pod.scheduled, pod.late = now.node, now.when, pod.late or now.late
        if pod.running is None and now.phase in {"Running", "Succeeded"}:
            pod.running, pod.late, pod.item = now.when, pod.late or now.late, None
            self.running += 1
        elif pod.running is None and pod.why is None:
            pod.item = now.item

    def _gone(self, pod: _Seen) -> None:
        pod.gone = True
        if pod.running is None and pod.why is None:
            pod.why, pod.item = GONE, None

    def relist(self, items: Iterable[Object], when: float, *, late: bool) -> None:
        """Take in a whole list: what it does not hold is gone."""
        there = set()
        for item in items:
            there.add(item["metadata"]["uid"])
            self.observe("LIST", item, when, late=late)
        with self._lock:
            for uid, pod in self._pods.items():
                if uid not in there:
                    self._gone(pod)

    def behind(self, items: Sequence[Object]) -> int:
        """Return how many pods a list shows further on than the watch has told."""
        ours = [item for item in items if self._ours(item["metadata"]["namespace"])]
        there = {item["metadata"]["uid"] for item in ours}
        with self._lock:
            lost = sum(uid not in there for uid, pod in self._pods.items() if not pod.gone)
            return lost + sum(self._is_behind(item) for item in ours)

    def lacks(self, there: Mapping[str, str]) -> bool:
        """Say whether a list (`namespace/name` -> what kubectl shows as STATUS) is further on than the watch."""
        with self._lock:
            here = {pod.name: pod for pod in self._pods.values() if not pod.gone}
        if here.keys() != there.keys():
            return True
        return any(status in RAN and here[name].running is None for name, status in there.items())

    def namespaces(self) -> tuple[str, ...]:
        """Return the namespaces in which a pod was seen."""
        with self._lock:
            return tuple(dict.fromkeys(pod.name.partition("/")[0] for pod in self._pods.values()))

    def _is_behind(self, item: Object) -> bool:
        pod = self._pods.get(item["metadata"]["uid"])
        if pod is None:
            return True
        running = item["status"].get("phase") in {"Running", "Succeeded"}
        return (running and pod.running is None) or (bool(item["spec"].get("nodeName")) and pod.node is None)

    def unseen_since(self) -> float | None:
        """Return None: nobody here knows of a pod before the watch shows it."""
        return None

    def awaiting(self) -> bool:
        """Say whether a pod is there that neither runs nor has failed."""
        with self._lock:
            return any(pod.running is None and pod.why is None for pod in self._pods.values())

    def starts(self) -> tuple[PodStart, ...]:
        """Return what became of every pod, in the order in which they were first seen."""
        with self._lock:
            return tuple(_start(pod) for pod in self._pods.values())


def _node(line: bytes, end: int) -> str | None:
    """Return `spec.nodeName` of a raw pod whose status begins at `end`: empty where it has none, None where unsure."""
    account = line.rfind(_ACCOUNT, 0, end)
    found = _NODE.match(line, account, end) if account >= 0 else None
    return (found[1] or b"").decode() if found else None


def _start(pod: _Seen) -> PodStart:
    why = pod.why
    if why is None and pod.running is None and pod.item is not None:
        item = json.loads(pod.item)["object"] if isinstance(pod.item, bytes) else pod.item
        why = pending_reason(item)
    return PodStart(
        name=pod.name,
        node=pod.node,
        created=pod.created,
        scheduled=pod.scheduled,
        running=pod.running,
        reason=why[0] if why else None,
        detail=why[1] if why else "",
        upper_bound=pod.late,
        stamped=pod.stamped,
    )


@lru_cache(maxsize=1024)
def unix(stamp: str) -> float:
    """Return a Kubernetes timestamp (`2026-01-31T12:00:00Z`) as unix seconds."""
    return float(calendar.timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ")))
