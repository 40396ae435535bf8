"""The pretended cloud: objects with tags, delays on a clock of its own, quotas, faults, side effects."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from tests.clouds.faults import FakeError
from tests.clouds.faults import Fault
from tests.clouds.faults import Faults
from tests.clouds.faults import words_for

__all__ = ["CREATE", "DESTROY", "Call", "Clock", "FakeCloud", "FakeError", "Fault", "Thing"]

SLOW = (
    "azurerm_kubernetes_cluster",
    "azurerm_kubernetes_cluster_node_pool",
    "aws_eks_cluster",
    "aws_eks_node_group",
    "google_container_cluster",
    "google_container_node_pool",
)
CREATE = 60.0
"""Simulated seconds that making a cluster or a pool takes."""
DESTROY = 30.0
OTHER = 1.0
"""Simulated seconds for making or deleting anything else."""
TAGS = ("tags", "tags_all", "labels", "resource_labels", "effective_labels", "terraform_labels")
"""Attributes of Terraform's resources that hold tags."""

Key = tuple[str, str]


class Clock:
    """Time in the cloud: `speed` simulated seconds go by in a real one.

    The simulated time begins at the real one.
    """

    def __init__(self, speed: float = 600.0) -> None:
        self.speed = speed
        self._unix = time.time()
        self._start = time.monotonic()

    def now(self) -> float:
        """Return the simulated unix seconds."""
        return self._unix + (time.monotonic() - self._start) * self.speed

    def sleep(self, simulated: float) -> None:
        """Wait for `simulated` seconds of the cloud's time."""
        time.sleep(simulated / self.speed)


@dataclass
class Thing:
    """One object of the cloud.

    Attributes:
        type: Terraform's name, or an own one for what Terraform does not make.
        values: all attributes, as Terraform reads them.
        created: simulated unix seconds.
        visible_from: simulated unix seconds before which neither a read nor a listing finds it.
        parent: key of what it goes away with.
        state: creating, ready, failed, deleting.
    """

    type: str
    id: str
    name: str
    region: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    created: float = 0.0
    visible_from: float = 0.0
    parent: Key | None = None
    state: str = "ready"

    @property
    def key(self) -> Key:
        """Type and id."""
        return (self.type, self.id)


@dataclass(frozen=True)
class Call:
    """What was asked of the cloud: `op` is create, update, read, destroy; `at` simulated unix seconds."""

    op: str
    type: str
    name: str
    at: float


Hook = Callable[["FakeCloud", Thing], None]


class FakeCloud:
    """All that one pretended cloud holds; safe to use from many threads. Hooks run without the lock.

    Attributes:
        on_created: type -> what happens beside when a thing of it begins to exist (node resource groups, disks).
        on_removing: type -> what happens when it is about to go; may raise `FakeError` to refuse.
        computed: `type.dotted.path` or `data.type.path` -> value of what Terraform leaves to the cloud, or a function
            of the resource's other values.
        delays: type -> simulated seconds (create, destroy), other than the usual.
        quotas: type, or a name in `demands` -> the most there may be.
        demands: name (e.g. "cores") -> how much of it a thing of (type, values) takes.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.things: dict[Key, Thing] = {}
        self.calls: list[Call] = []
        self.faults = Faults()
        self.on_created: dict[str, list[Hook]] = {}
        self.on_removing: dict[str, list[Hook]] = {}
        self.computed: dict[str, Any] = {}
        self.delays: dict[str, tuple[float, float]] = {}
        self.quotas: dict[str, float] = {}
        self.demands: dict[str, Callable[[str, Mapping[str, Any]], float]] = {}
        self.closed = threading.Event()
        self._lock = threading.RLock()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold still: nothing else changes meanwhile. Not for waiting."""
        with self._lock:
            yield

    def close(self) -> None:
        """End all waiting and hanging; what is being made is finished at once."""
        self.closed.set()

    # What it holds

    def holds(self) -> list[str]:
        """Return `type id` of everything, also of what no listing shows yet."""
        with self._lock:
            return sorted(" ".join(key) for key in self.things)

    def get(self, type: str, id: str) -> Thing | None:  # noqa: A002 - the fields' names
        """Return the thing that a read finds now."""
        with self._lock:
            thing = self.things.get((type, id))
        return thing if thing is not None and thing.visible_from <= self.clock.now() else None

    def listed(self, type: str | None = None, tag: tuple[str, str] | None = None) -> list[Thing]:  # noqa: A002
        """Return what a listing shows now, oldest first."""
        now = self.clock.now()
        with self._lock:
            return [
                thing
                for thing in self.things.values()
                if (type is None or thing.type == type)
                and (tag is None or thing.tags.get(tag[0]) == tag[1])
                and thing.visible_from <= now
            ]

    # At once, without faults

    def add(
        self,
        type: str,  # noqa: A002
        *,
        id: str,  # noqa: A002
        name: str,
        region: str = "",
        tags: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
        parent: Key | None = None,
        state: str = "ready",
        after: float = 0.0,
    ) -> Thing:
        """Put a thing there, with what comes beside; seen `after` simulated seconds."""
        now = self.clock.now()
        kept = copy.deepcopy(dict(values or {}))
        thing = Thing(type, id, name, region, dict(tags or {}), kept, now, now + after, parent, state)
        with self._lock:
            self.things[thing.key] = thing
        for hook in self.on_created.get(type, ()):
            hook(self, thing)
        return thing

    def remove(self, type: str, id: str) -> None:  # noqa: A002
        """Take a thing away with its children, at once; nothing to do where it is gone.

        Raises:
            FakeError: a hook refuses, for it or for a child.
        """
        thing = self.things.get((type, id))
        if thing is None:
            return
        self._ask(thing)
        self._drop(thing)

    def retag(self, type: str, id: str, tags: Mapping[str, str]) -> None:  # noqa: A002
        """Replace the tags, also where Terraform reads them."""
        with self._lock:
            thing = self.things.get((type, id))
            if thing is None:
                raise FakeError("NotFound", f"there is no {type} {id}", status=404)
            thing.tags = dict(tags)
            for name in TAGS:
                if thing.values.get(name) is not None:
                    thing.values[name] = dict(tags)

    # As a client of the cloud would, with delays and faults

    def create(
        self,
        type: str,  # noqa: A002
        *,
        id: str,  # noqa: A002
        name: str,
        region: str = "",
        tags: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
        parent: Key | None = None,
    ) -> Thing:
        """Make a thing: it is there (creating) from the beginning and ready at the end.

        Raises:
            FakeError: a fault or a quota; after a `fail-after-create` the thing is there, failed.
        """
        self.log("create", type, name)
        self.faults.raised("throttle", type, "create")
        self.faults.raised("quota", type, "create")
        self.faults.raised("fail-create", type, "create")
        self._within_quotas(type, values or {})
        if (type, id) in self.things:
            raise FakeError("AlreadyExists", f"{type} {id} exists already, and was made by somebody else")
        hidden = self.faults.take("invisible", type)
        after = 0.0 if hidden is None else float(hidden.settings.get("seconds", 60.0))
        thing = self.add(
            type,
            id=id,
            name=name,
            region=region,
            tags=tags,
            values=values,
            parent=parent,
            state="creating",
            after=after,
        )
        self.wait(self.delay(type)[0], type, "create")
        return self._made(thing)

    def update(self, thing: Thing, values: Mapping[str, Any], tags: Mapping[str, str]) -> Thing:
        """Change a thing in a second.

        Raises:
            FakeError: throttled, or the thing is gone.
        """
        self.log("update", thing.type, thing.name)
        self.faults.raised("throttle", thing.type, "update")
        self.wait(OTHER, thing.type, "update")
        with self._lock:
            if thing.key not in self.things:
                raise FakeError("NotFound", f"there is no {thing.type} {thing.id}", status=404)
            thing.values = copy.deepcopy(dict(values))
            thing.tags = dict(tags)
        return thing

    def destroy(self, type: str, id: str) -> None:  # noqa: A002
        """Delete a thing: it is there (deleting) until the end; nothing to do where it is gone.

        Raises:
            FakeError: a fault, or something still hangs on it.
        """
        thing = self.things.get((type, id))
        self.log("destroy", type, thing.name if thing else id)
        self.faults.raised("throttle", type, "destroy")
        if thing is None:
            return
        self.faults.raised("fail-destroy", type, "destroy")
        self._ask(thing)
        before, thing.state = thing.state, "deleting"
        try:
            self.wait(self.delay(type)[1], type, "destroy")
            self._drop(thing)
        except FakeError:
            thing.state = before
            raise

    # Parts that fakes of an API use too

    def log(self, op: str, type: str, name: str) -> None:  # noqa: A002
        """Note that somebody asked."""
        with self._lock:
            self.calls.append(Call(op, type, name, self.clock.now()))

    def delay(self, type: str) -> tuple[float, float]:  # noqa: A002
        """Return the simulated seconds that making and deleting take."""
        return self.delays.get(type, (CREATE, DESTROY) if type in SLOW else (OTHER, OTHER))

    def wait(self, simulated: float, type: str, op: str) -> None:  # noqa: A002
        """Let the time of an operation go by, more of it if a hang strikes; ends when the cloud is closed."""
        fault = self.faults.take("hang", type, op)
        more = 0.0 if fault is None else float(fault.settings.get("seconds", 7200.0))
        self.closed.wait((simulated + more) / self.clock.speed)

    def _made(self, thing: Thing) -> Thing:
        fault = self.faults.take("fail-after-create", thing.type)
        with self._lock:
            if thing.key not in self.things:
                raise FakeError("NotFound", f"{thing.type} {thing.id} was deleted while it was made", status=404)
            if thing.state == "creating":
                thing.state = "ready" if fault is None else "failed"
        if fault is not None:
            raise fault.error(thing.type)
        return thing

    def _within_quotas(self, typ: str, values: Mapping[str, Any]) -> None:
        with self._lock:
            for name, most in self.quotas.items():
                there = sum(self._taken(name, thing.type, thing.values) for thing in self.things.values())
                more = self._taken(name, typ, values)
                if more and there + more > most:
                    words = words_for("quota", typ)
                    text = f"{words['message']} ({name}: limit {most:g}, in use {there:g}, asked for {more:g})"
                    raise FakeError(words["code"], text, int(words["status"]))

    def _taken(self, name: str, typ: str, values: Mapping[str, Any]) -> float:
        demand = self.demands.get(name)
        return float(typ == name) if demand is None else demand(typ, values)

    def _ask(self, thing: Thing) -> None:
        for hook in self.on_removing.get(thing.type, ()):
            hook(self, thing)

    def _drop(self, thing: Thing) -> None:
        with self._lock:
            children = [child for child in self.things.values() if child.parent == thing.key]
        for child in children:
            self.remove(*child.key)
        with self._lock:
            self.things.pop(thing.key, None)
