"""What became of every pod, as the watch tells it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_telescope.load.reasons import Why
from pytest_telescope.load.reasons import ended_reason
from pytest_telescope.load.reasons import gone_reason
from pytest_telescope.load.reasons import pending_reason

Object = Mapping[str, Any]
ENDED = {"Failed", "Succeeded"}
UNKNOWN: Why = ("Unknown", "the watch never showed it")


@dataclass(slots=True, kw_only=True)
class Pod:
    """One pod's life so far; times on the controller's clock.

    Attributes:
        wave: the wave it belongs to.
        created: just before its create call was sent; None as long as it was not.
        accepted: when the API server answered that it has it.
        why: why it failed or was refused; `pending` why it did not run when last seen.
        late: its Running was seen after a gap in the watch, so `running` is an upper bound.
    """

    name: str
    wave: Wave
    node: str | None = None
    created: float | None = None
    accepted: float | None = None
    seen: bool = False
    scheduled: float | None = None
    running: float | None = None
    late: bool = False
    why: Why | None = None
    pending: Why | None = None
    gone: bool = False


class Wave:
    """Pods made together: `settled` is set when each of them runs or never will, `empty` when all are gone."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.pods: list[Pod] = []
        self.settled = threading.Event()
        self.empty = threading.Event()
        self.draining = False
        self.running = self.failed = self.open = self.left = 0

    def note(self) -> None:
        """Set what is reached."""
        if self.open == 0:
            self.settled.set()
        if self.draining and self.left == 0:
            self.empty.set()


class Tracker:
    """Keeps every pod of a run; told by the creator's threads and by the watch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pods: dict[str, Pod] = {}
        self.last_event = 0.0
        self.last_change = 0.0

    @property
    def pods(self) -> tuple[Pod, ...]:
        """All pods of all waves."""
        return tuple(self._pods.values())

    def add(self, number: int, names: Iterable[str]) -> Wave:
        """Expect a wave of pods with these names."""
        wave = Wave(number)
        with self._lock:
            for name in names:
                pod = Pod(name=name, wave=wave)
                wave.pods.append(pod)
                self._pods[name] = pod
            wave.open = len(wave.pods)
        return wave

    def accepted(self, pod: Pod, when: float) -> None:
        """Note that the API server has the pod."""
        with self._lock:
            pod.accepted = when
            pod.wave.left += 0 if pod.gone else 1

    def refused(self, pod: Pod, why: Why) -> None:
        """Note that the pod will never exist."""
        with self._lock:
            if pod.why is None and not pod.seen:
                self._fail(pod, why)
            pod.wave.note()

    def give_up(self, wave: Wave) -> None:
        """The wave's time is over: what does not run now never ran, whatever it does later."""
        with self._lock:
            for pod in wave.pods:
                if pod.running is None and pod.why is None:
                    self._fail(pod, pod.pending or UNKNOWN)
            wave.note()

    def drain(self, wave: Wave) -> None:
        """From now on the wave's pods may go."""
        with self._lock:
            wave.draining = True
            wave.note()

    def observe(self, kind: str, item: Object, when: float, *, late: bool = False) -> None:
        """Take in one watch event or, with kind `LIST`, one pod of a list."""
        with self._lock:
            self.last_event = when
            pod = self._pods.get(item["metadata"]["name"])
            if pod is None:
                return
            pod.seen = True
            if kind == "DELETED":
                self._gone(pod, gone_reason(item))
            elif not pod.wave.draining:
                self._advance(pod, item, when, late)
            pod.wave.note()

    def _advance(self, pod: Pod, item: Object, when: float, late: bool) -> None:
        node, phase = item["spec"].get("nodeName"), item.get("status", {}).get("phase")
        if node and pod.node is None:
            pod.node, pod.scheduled, self.last_change = node, when, when
            pod.late = pod.late or late
        if phase == "Running":
            if pod.running is None and pod.why is None:
                pod.running, pod.late, self.last_change = when, late or pod.late, when
                pod.wave.running += 1
                pod.wave.open -= 1
        elif phase in ENDED:
            self.last_change = when if pod.why is None else self.last_change
            self._fail(pod, ended_reason(item))
        elif pod.running is None:
            pod.pending = pending_reason(item)

    def _fail(self, pod: Pod, why: Why) -> None:
        if pod.why is not None:
            return
        pod.why = why
        wave = pod.wave
        wave.failed += 1
        if pod.running is None:
            wave.open -= 1
        else:
            wave.running -= 1

    def _gone(self, pod: Pod, why: Why) -> None:
        if pod.gone:
            return
        pod.gone = True
        pod.wave.left -= 1 if pod.accepted is not None else 0
        if not pod.wave.draining:
            self._fail(pod, why)

    def relist(self, items: Iterable[Object], when: float, *, late: bool) -> None:
        """Take in a whole list: what it does not hold is gone."""
        there = set()
        for item in items:
            there.add(item["metadata"]["name"])
            self.observe("LIST", item, when, late=late)
        with self._lock:
            for pod in self._pods.values():
                if pod.seen and not pod.gone and pod.name not in there:
                    self._gone(pod, ("Deleted", "it was gone when the pods were listed again"))
                    pod.wave.note()

    def behind(self, items: Sequence[Object]) -> int:
        """Return how many pods a list shows further on than the watch has told."""
        by_name = {item["metadata"]["name"]: item for item in items}
        with self._lock:
            return sum(self._is_behind(pod, by_name.get(pod.name)) for pod in self._pods.values())

    def _is_behind(self, pod: Pod, item: Object | None) -> bool:
        if item is None:
            return pod.seen and not pod.gone
        phase = item.get("status", {}).get("phase")
        if not pod.seen:
            return True
        if pod.wave.draining or pod.why is not None:
            return False
        return (
            (bool(item["spec"].get("nodeName")) and pod.node is None)
            or (phase == "Running" and pod.running is None)
            or phase in ENDED
        )

    def awaiting(self) -> bool:
        """Say that a quiet watch is always suspicious: pods are made, or held and may end."""
        return True

    def glance(self, line: bytes, when: float, *, late: bool) -> str | None:
        """Return None: reasons and conditions matter here, so every event is parsed."""
        del line, when, late
        return None

    def unseen_since(self) -> float | None:
        """Return when the oldest pod was accepted that the watch has not shown, or None."""
        with self._lock:
            times = [pod.accepted for pod in self._pods.values() if pod.accepted is not None and not pod.seen]
        return min(times, default=None)
