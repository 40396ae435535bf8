"""Worlds that the tests of the library are asked on: targets whose series are known by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.serving import serve
from pytest_telescope.slo import library
from pytest_telescope.slo.judge import judge
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.resolve import resolve
from tests.slo.conftest import record_world
from tests.slo.test_resolving import cell
from tests.slo.world import INTERVAL
from tests.slo.world import T0
from tests.slo.world import WINDOW
from tests.slo.world import World

FILES = ("azure-cns", "cilium", "cluster-autoscaler", "cni", "containerd", "karpenter", "kubelet", "node")
MINE = tuple(one for one in library.entries().values() if one.name.partition("/")[0] in FILES)
CAPABILITIES = frozenset(name for entry in MINE for name in (*entry.keys.get("requires", ()), *entry.available_on))
DEFAULT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)
GENERATIONS = ("1.7", "1.7 with CRI sandboxes", "2.0", "2.4")
MIB = 1024.0**2

Value = Callable[[float], float | None]


def used(name: str, provider: str = "local", **keys: Any) -> Slo:
    return resolve(cell({"use": name, **keys}, provider=provider), CAPABILITIES)[-1]


def judged(prom: Prometheus, slo: Slo, **facts: str) -> Judgement:
    return judge(slo, prom, WINDOW, facts={"nodes": ["n1"], **facts}, scrape_interval=INTERVAL, targets={})


def values(found: Judgement) -> dict[tuple[str, ...], float | None]:
    return {tuple(element.labels.values()): element.value for element in found.elements}


def served_world(folder: Path, made: World) -> Iterator[Prometheus]:
    with serve(record_world(folder, made.openmetrics())) as prometheus:
        yield prometheus


def ramp(rate: float, base: float = 1000.0) -> Value:
    """Return a counter that counts `rate` a second, whatever its value before."""
    return lambda now: base + rate * (now - T0 + 20)


def step(count: float, before: float | None = 0.0) -> Value:
    """Return a counter that counts `count` 20 s into the window; without `before` it is born then."""
    return lambda now: before if now < T0 + 20 else (before or 0.0) + count


class Node:
    """Adds series of one target with a node."""

    def __init__(self, made: World, job: str, node: str | None = "n1") -> None:
        self.made, self.labels = made, {"job": job, "instance": "i1", **({"node": node} if node else {})}
        self.series("up", lambda _: 1.0)
        self.series("process_start_time_seconds", lambda _: T0 - 3600)

    def series(self, name: str, value: Value | float, **labels: str) -> None:
        self.made.counter(name, {**self.labels, **labels}, value if callable(value) else lambda _: value)

    def histogram(self, name: str, seen: list[tuple[float, float]], **labels: str) -> None:
        self.made.histogram(name, {**self.labels, **labels}, seen, edges=DEFAULT)
