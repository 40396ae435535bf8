"""Random worlds, whole and after a loss, and the same world told in another way: cases without a known answer."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from random import Random
from typing import Any

from tests.slo.corpus.model import Case
from tests.slo.corpus.model import Truth
from tests.slo.corpus.model import invalid
from tests.slo.corpus.writing import HOUR_AGO
from tests.slo.corpus.writing import Burst
from tests.slo.corpus.writing import Job
from tests.slo.world import EDGES

UNKNOWN: Truth = invalid("not known: two judgements are compared")
BOUND = 1.0
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One target with one histogram; a restarted process counts from zero again 30 s into the window."""

    name: str
    bursts: Sequence[Burst]
    restarts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What is missing of one node.

    Attributes:
        kind: `scrapes`, `target`, `series`, `bucket`, `count`, `start`, `up`; `edge` is a bucket of all nodes.
        node: index of the node.
        scrapes: indices of the scrapes that failed, `told` by `up 0` or not at all.
        edge: bucket.
    """

    kind: str = ""
    node: int = 0
    scrapes: frozenset[int] = frozenset()
    told: bool = True
    edge: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How a world is written down; the default is as it is."""

    scale: float = 1.0
    bound: str = "1s"
    label: str = "node"
    rename: Callable[[str], str] = str
    reverse: bool = False
    split: bool = False
    pooled: bool = False
    retimed: bool = False
    loss: Loss = field(default_factory=Loss)


KINDS = ("scrapes", "target", "series", "bucket", "edge", "count", "start", "up")


def nodes(random: Random) -> tuple[Node, ...]:
    """Return one to three nodes with 100 to 300 observations each, about as many of them slow as p90 allows."""
    return tuple(_node(random, f"n{number}") for number in range(random.randint(1, 3)))


def loss(random: Random, number: int, kind: str) -> Loss:
    """Return a random loss of one of `number` nodes."""
    lost = frozenset(random.sample(range(15), random.choice([1, 1, 2, 5, 12])))
    return Loss(
        kind=kind,
        node=random.randrange(number),
        scrapes=lost,
        told=random.random() < 0.5,
        edge=random.choice(EDGES),
    )


def case(name: str, world: Sequence[Node], telling: Telling) -> Case:
    """Return a world as a case."""
    by = "" if telling.pooled else f"by: [{telling.label}], "
    expected = ", ".join(telling.rename(node.name) for node in world)
    expect = "" if telling.pooled else f", expect: {{{telling.label}: [{expected}]}}"
    return Case(
        name=name,
        pitfalls=("random",),
        slo=f"{{histogram: work_duration_seconds, {by}p: 90, max: {telling.bound}{expect}}}",
        write=lambda job: _write(job, world, telling),
        truth=UNKNOWN,
        targets=len(world) * (2 if telling.split else 1),
    )


def _node(random: Random, name: str) -> Node:
    number = random.randint(100, 300)
    bad = random.choice([0, 0, number // 20, number // 10, number // 10, number // 10 + 1, number // 3])
    values = [0.6] * (number - bad) + [random.choice([1.5, 4.0, 40.0]) for _ in range(bad)]
    bursts = [(random.choice([-20.0, random.uniform(1, 50)]), 4.0, random.randint(0, 30))]
    bursts += [(random.uniform(1, 50), value, 1) for value in values]
    return Node(name=name, bursts=bursts, restarts=random.random() < 0.15)


def _write(job: Job, world: Sequence[Node], telling: Telling) -> None:
    for number, node in enumerate(world):
        missing = telling.loss if telling.loss.node == number or telling.loss.kind == "edge" else Loss()
        if missing.kind == "target":
            continue
        parts = [node.bursts[::2], node.bursts[1::2]] if telling.split else [node.bursts]
        for part, bursts in enumerate(parts):
            _write_target(job, f"i{number}-{part}", node, bursts, telling, missing)
    if telling.reverse:
        job.world.series = dict(reversed(job.world.series.items()))


def _write_target(
    job: Job, instance: str, node: Node, bursts: Sequence[Burst], telling: Telling, missing: Loss
) -> None:
    failed = {job.scrapes[n] for n in missing.scrapes if n < len(job.scrapes)} if missing.kind == "scrapes" else set()
    kept = [when for when in job.scrapes if when not in failed]
    begin = 30.0 if node.restarts else HOUR_AGO
    job.target(
        instance,
        up=(lambda now: 0.0 if now in failed else 1.0) if missing.kind != "up" else (lambda _: None),
        started=None if missing.kind in {"start", "up"} else (lambda now: begin if now >= begin else HOUR_AGO),
        scrapes=job.scrapes if missing.told else kept,
    )
    if missing.kind != "series":
        _write_histogram(job, instance, node, _told(bursts, telling), telling, missing, kept)


def _told(bursts: Sequence[Burst], telling: Telling) -> list[Burst]:
    """Return the observations as they are told: scaled, or at other times on the same side of the window's start."""
    moved = [(at if at < 0 or not telling.retimed else 1 + (at * 7.3) % 49, value, n) for at, value, n in bursts]
    return [(at, value * telling.scale, n) for at, value, n in moved]


def _write_histogram(
    job: Job,
    instance: str,
    node: Node,
    bursts: Sequence[Burst],
    telling: Telling,
    missing: Loss,
    kept: Sequence[float],
) -> None:
    edges = [edge * telling.scale for edge in EDGES if missing.kind not in {"bucket", "edge"} or edge != missing.edge]
    labels: dict[str, Any] = {telling.label: telling.rename(node.name), "instance": instance}
    phases = [(kept, bursts)]
    if node.restarts:
        phases = [
            ([when for when in kept if when < 30], bursts),
            ([when for when in kept if when >= 30], [one for one in bursts if one[0] >= 30]),
        ]
    for number, (times, seen) in enumerate(phases):
        before = 1000 if number == 0 else 0
        job.histogram(seen, before=before, edges=edges, scrapes=times, **labels)
    if missing.kind == "count":
        for name in [name for name in job.world.series if "_bucket" not in name and f'instance="{instance}"' in name]:
            if name.startswith("work_duration_seconds"):
                del job.world.series[name]
