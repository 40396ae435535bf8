"""A world of three nodes for explanations: n1 is overloaded, n2 is calm, n3 is known to cAdvisor alone."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Window
from pytest_telescope.slo import queries
from pytest_telescope.slo.judge import judge
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Operator
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.queries import Span
from tests.slo.world import INTERVAL
from tests.slo.world import T0
from tests.slo.world import World

WINDOW = Window(start=T0, end=T0 + 240, steps={"wave-1": (T0 + 10, T0 + 120), "hold-1": (T0 + 120, T0 + 230)})
SCRAPES = tuple(T0 - 298 + INTERVAL * number for number in range(108))
"""From 298 s before the window to 3 s before its end."""
LOAD = T0 + 20
LATENCY = "sandbox_wait_seconds"
EVICTIONS = "kubelet_evictions"
SCENARIO = """\
name: alpha
description: A small scenario of the tests.
component: kubelet
cluster:
  pools:
    user: {count: 2, labels: {tests: "true"}}
matrix:
  p10: {pods: 10}
load:
  default: resource-consumer
  resource-consumer:
    pods: ${pods}
    rate: 20/s
    consume: {cpu: 0.01, memory: 16Mi}
    selector: {tests: "true"}
slos:
"""
"""A scenario without its SLOs."""
SPAN: Span = queries.span(WINDOW, INTERVAL)

Rate = Callable[[float], float]


def world() -> World:
    """Return the world; latencies are 0.8 s on n2, on n1 4 s and none at all from 100 s to 160 s."""
    made = World()
    for node in ("n1", "n2", "n3"):
        labels = {"job": "kubelet", "instance": node, "node": node}
        made.counter("up", labels, lambda _: 1.0, SCRAPES)
        made.counter("process_start_time_seconds", labels, lambda _: T0 - 3600, SCRAPES)
    every = [T0 + second for second in range(2, 236)]
    slow = [(when, 4.0) for when in every if not 100 < when - T0 <= 160]
    for node, observed in (("n1", slow), ("n2", [(when, 0.8) for when in every])):
        made.histogram(LATENCY, {"job": "kubelet", "instance": node, "node": node}, observed, scrapes=SCRAPES)
    born = {"job": "kubelet", "instance": "n1", "node": "n1"}
    made.counter(
        EVICTIONS, born, lambda now: float(now >= T0 + 52) + 2 * (now >= T0 + 150) if now >= T0 + 52 else None, SCRAPES
    )
    exported(made, "n1", busy=lambda now: 0.1 if now < LOAD else 0.98, waiting=lambda now: 0.02 if now < LOAD else 1.4)
    exported(made, "n2", busy=lambda _: 0.2, waiting=lambda _: 0.01)
    cadvisor(made, "n3", cores=lambda now: 0.5 if now < LOAD else 3.9)
    return made


def exported(made: World, node: str, *, busy: Rate, waiting: Rate) -> None:
    """Add what node_exporter shows of a machine of two CPUs."""
    labels = {"job": "node", "instance": f"{node}:9100", "node": node}
    for cpu in "01":
        total(made, "node_cpu_seconds_total", {**labels, "cpu": cpu, "mode": "idle"}, lambda now: 1 - busy(now))
        total(made, "node_cpu_seconds_total", {**labels, "cpu": cpu, "mode": "user"}, busy)
        total(
            made, "node_schedstat_waiting_seconds_total", {**labels, "cpu": cpu}, lambda now: busy(now) * waiting(now)
        )
        total(made, "node_schedstat_running_seconds_total", {**labels, "cpu": cpu}, busy)
    made.counter("node_memory_MemAvailable_bytes", labels, lambda _: 6e9, SCRAPES)
    made.counter("node_memory_MemTotal_bytes", labels, lambda _: 8e9, SCRAPES)
    made.counter("node_nf_conntrack_entries", labels, lambda _: 900.0 if node == "n1" else 10.0, SCRAPES)
    made.counter("node_nf_conntrack_entries_limit", labels, lambda _: 1000.0, SCRAPES)


def cadvisor(made: World, node: str, *, cores: Rate) -> None:
    """Add what the kubelet's cAdvisor shows of a machine of four CPUs, sampled every 10 s."""
    labels = {"job": "cadvisor", "instance": node, "node": node}
    total(made, "container_cpu_usage_seconds_total", {**labels, "id": "/", "cpu": "total"}, cores, SCRAPES[::2])
    made.counter("machine_cpu_cores", labels, lambda _: 4.0, SCRAPES[::2])


def total(made: World, name: str, labels: Mapping[str, str], rate: Rate, scrapes: tuple[float, ...] = SCRAPES) -> None:
    """Add a counter that grows by `rate` a second."""
    value = 1000.0
    for before, when in zip((scrapes[0] - INTERVAL, *scrapes), scrapes, strict=False):
        value += rate(when) * (when - before)
        made.sample(name, labels, when, value)


def bound(value: float, operator: Operator = "max", unit: str = "s") -> Bound:
    """Return a bound in a base unit."""
    return Bound(operator=operator, values=(value,), unit=unit, text=f"{value:g}{unit}")


def latency(limit: float = 2.0, **keys: object) -> Slo:
    """Return the SLO on sandbox latencies, which n1 misses at 2 s."""
    given = {"p": 90.0, "by": ("node",), "min_count": 20, "job": "kubelet", **keys}
    return Slo(
        id="sandbox-create",
        form="histogram",
        metrics=(LATENCY,),
        bound=bound(limit),
        description="How long a pod waits for its sandbox.",
        look_at="containerd's log on the node",
        ref="https://example.test/slo.md",
        **given,  # type: ignore[arg-type]  # keys of tests
    )


def evictions(limit: float = 0.0, **keys: object) -> Slo:
    """Return the SLO on evictions, of which n1 has three."""
    given = {"by": ("node",), "job": "kubelet", **keys}
    return Slo(id="evictions", form="counter", counter=EVICTIONS, bound=bound(limit, unit="count"), **given)  # type: ignore[arg-type]  # likewise


def judged(prom: Prometheus, slo: Slo, **targets: int) -> Judgement:
    """Return a judgement with everything that explains it."""
    facts: dict[str, object] = {"nodes": ["n1", "n2", "n3"]}
    return judge(slo, prom, WINDOW, facts=facts, scrape_interval=INTERVAL, targets=targets)
