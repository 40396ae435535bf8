"""The pods that CL2's objects bring about, as our own watch sees them."""

from __future__ import annotations

import calendar
import threading
import time
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pytest_telescope.load.model import PodStart
from pytest_telescope.load.reasons import Object
from pytest_telescope.load.reasons import Why
from pytest_telescope.load.reasons import ended_reason
from pytest_telescope.load.reasons import pending_reason

GONE: Why = ("Deleted", "deleted before it ran")
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
    item: Object | None = None
    """As last seen, as long as it does not run: why is only asked of those that never do."""
    gone: bool = False


class Pods:
    """Keeps every pod of the namespaces `<prefix>-<number>`; told by a `Watcher` over all namespaces.

    CL2 deletes what it made, so a pod that ran and is gone is a pod that ran.
    """

    def __init__(self, prefixes: Iterable[str] = ()) -> None:
        self._prefixes: tuple[str, ...] = ()
        self.follow(prefixes)
        self._pods: dict[str, _Seen] = {}
        self._lock = threading.Lock()
        self.last_event = 0.0
        self.last_change = 0.0
        self.running = 0
        """Pods that ran so far."""

    def follow(self, prefixes: Iterable[str]) -> None:
        """Keep the pods of these namespaces from now on."""
        self._prefixes = tuple(f"{prefix}-" for prefix in prefixes)

    def __len__(self) -> int:
        return len(self._pods)

    def observe(self, kind: str, item: Object, when: float, *, late: bool = False) -> None:
        """Take in one watch event or, with kind `LIST`, one pod of a list."""
        self.last_event = when
        metadata = item["metadata"]
        if not metadata["namespace"].startswith(self._prefixes):
            return
        with self._lock:
            pod = self._pods.get(metadata["uid"])
            if pod is None:
                pod = self._pods[metadata["uid"]] = _first_seen(metadata, when, late=late or kind == "LIST")
            if kind == "DELETED":
                self._gone(pod)
            else:
                self._advance(pod, item, when, late)

    def _advance(self, pod: _Seen, item: Object, when: float, late: bool) -> None:
        if pod.node is None and (node := item["spec"].get("nodeName")):
            pod.node, pod.scheduled, pod.late, self.last_change = node, when, pod.late or late, when
        phase = item["status"].get("phase")
        if pod.running is None and phase in {"Running", "Succeeded"}:
            pod.running, pod.late, pod.item, self.last_change = when, pod.late or late, None, when
            self.running += 1
        elif phase == "Failed" and pod.why is None:
            pod.why, pod.item, self.last_change = ended_reason(item), None, when
        elif pod.running is None and pod.why is None:
            pod.item = item

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
        ours = [item for item in items if item["metadata"]["namespace"].startswith(self._prefixes)]
        there = {item["metadata"]["uid"] for item in ours}
        with self._lock:
            lost = sum(uid not in there for uid, pod in self._pods.items() if not pod.gone)
            return lost + sum(self._is_behind(item) for item in ours)

    def _is_behind(self, item: Object) -> bool:
        pod = self._pods.get(item["metadata"]["uid"])
        if pod is None:
            return True
        running = item["status"].get("phase") in {"Running", "Succeeded"}
        return (running and pod.running is None) or (bool(item["spec"].get("nodeName")) and pod.node is None)

    def unseen_since(self) -> float | None:
        """Return None: nobody here knows of a pod before the watch shows it."""
        return None

    def unsettled(self) -> int:
        """Return how many pods are there that neither run nor have failed."""
        with self._lock:
            return sum(pod.running is None and pod.why is None for pod in self._pods.values())

    def starts(self) -> tuple[PodStart, ...]:
        """Return what became of every pod, in the order in which they were first seen."""
        with self._lock:
            return tuple(_start(pod) for pod in self._pods.values())


def _first_seen(metadata: Object, when: float, *, late: bool) -> _Seen:
    stamped = unix(metadata["creationTimestamp"])
    name = f"{metadata['namespace']}/{metadata['name']}"
    return _Seen(name=name, created=stamped if late else when, stamped=stamped, late=late)


def _start(pod: _Seen) -> PodStart:
    why = pod.why
    if why is None and pod.running is None and pod.item is not None:
        why = pending_reason(pod.item)
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


def as_upstream(starts: Iterable[PodStart]) -> list[float]:
    """Return the start-up seconds as CL2's PodStartupLatency takes them: from `creationTimestamp`, whole seconds.

    Sorted; pods that never ran are left out, as there.
    """
    return sorted(one.running - one.stamped for one in starts if one.running is not None and one.stamped is not None)
