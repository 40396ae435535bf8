"""The cases of the shared world: one job each, so that one server answers for all."""

from __future__ import annotations

import math

from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.model import PodAccount
from pytest_telescope.load.model import PodStart
from pytest_telescope.load.telemetry import openmetrics as telemetry
from tests.slo.world import INTERVAL
from tests.slo.world import SCRAPES
from tests.slo.world import T0
from tests.slo.world import World
from tests.slo.world import observed

METRIC = "work_duration_seconds"


def world() -> World:
    """Return the world of all cases."""
    made = World()
    _histograms(made)
    _targets(made)
    _ratios(made)
    _queries(made)
    return made


def _histograms(made: World) -> None:
    clean = [*observed(297, 0.6), *observed(3, 4.0)]
    for job, node, observations in (
        ("clean", "n1", clean),
        ("slow", "n1", [*observed(296, 0.6), *observed(4, 4.0)]),
        ("overflow", "n1", [*observed(290, 0.6), *observed(10, 40.0)]),
        ("few", "n1", observed(299, 0.6)),
        ("idle", "n1", []),
    ):
        made.target(job)
        made.histogram(METRIC, {"job": job, "instance": "i1", "node": node}, observations, before=1000)
    made.target("born")
    made.histogram(
        METRIC,
        {"job": "born", "instance": "i1", "node": "n1"},
        [*observed(300, 0.6), *observed(100, 4.0)],
        born=T0 + 20,
    )
    made.target("gone")
    gone = [when for when in SCRAPES if when <= T0 + 30]
    made.histogram(METRIC, {"job": "gone", "instance": "i1", "node": "n1"}, observed(300, 0.6), before=7, scrapes=gone)
    made.target("spelt")
    made.histogram(
        METRIC,
        {"job": "spelt", "instance": "i1", "node": "n1"},
        observed(300, 0.6),
        spell=lambda edge: "+Inf" if math.isinf(edge) else f"{edge:g}",
    )
    made.target("nodes")
    for node, value in (("n1", 0.6), ("n2", 4.0)):
        made.histogram(METRIC, {"job": "nodes", "instance": "i1", "node": node}, observed(300, value))
    made.target("layouts", "i1")
    made.target("layouts", "i2")
    made.histogram(METRIC, {"job": "layouts", "instance": "i1", "node": "n1"}, observed(300, 0.6))
    made.histogram(
        METRIC, {"job": "layouts", "instance": "i2", "node": "n2"}, observed(300, 0.6), edges=(0.2, 1.0, math.inf)
    )
    made.target("sparse")
    for verb, count in (("GET", 400), ("PUT", 30), ("POST", 20)):
        made.histogram(METRIC, {"job": "sparse", "instance": "i1", "verb": verb}, observed(count, 0.6))


def _targets(made: World) -> None:
    cut = [when for when in SCRAPES if when <= T0 + 40]
    late = [when for when in SCRAPES if when > T0 + 10]
    for job, scrapes in (("stopped", cut), ("undiscovered", late)):
        made.target(job, scrapes=scrapes)
        made.histogram(METRIC, {"job": job, "instance": "i1", "node": "n1"}, observed(300, 0.6), scrapes=scrapes)
    made.target("down", up=lambda now: 0.0 if now < T0 + 5 else 1.0)
    made.histogram(METRIC, {"job": "down", "instance": "i1", "node": "n1"}, observed(300, 0.6), before=50, born=T0 + 5)
    made.target("started", scrapes=late, process_start=lambda _: T0 + 8)
    made.histogram(METRIC, {"job": "started", "instance": "i1", "node": "n1"}, observed(300, 0.6), scrapes=late)
    made.target("reset", process_start=lambda now: T0 - 3600 if now < T0 + 30 else T0 + 25)
    for name, labels, each in (
        *((f"{METRIC}_bucket", {"le": le}, 1.0) for le in ("1.0", "+Inf")),
        (f"{METRIC}_count", {}, 1.0),
    ):
        made.counter(
            name,
            {"job": "reset", "instance": "i1", "node": "n1", **labels},
            lambda now, each=each: 1000 + 20 * (now - T0) * each if now < T0 + 30 else 20 * (now - T0 - 25) * each,  # type: ignore[misc] # bound early
        )
    made.target("balanced", process_start=lambda now: T0 - 3600 if int(now) % 2 else T0 - 7200)
    made.histogram(METRIC, {"job": "balanced", "instance": "i1", "node": "n1"}, observed(300, 0.6))


def _ratios(made: World) -> None:
    for job in ("calm", "failing"):
        made.target(job)
        made.counter("calls_total", {"job": job, "instance": "i1"}, lambda now: 5000 + (1000 if now >= T0 + 20 else 0))
    made.counter(
        "call_errors_total", {"job": "failing", "instance": "i1"}, lambda now: 20.0 if now >= T0 + 20 else None
    )


def _queries(made: World) -> None:
    made.target("gauges")
    for name, value in (("depth", 7.0), ("not_a_number", math.nan), ("boundless", math.inf)):
        made.counter(name, {"job": "gauges", "instance": "i1", "queue": "a"}, lambda _, value=value: value)  # type: ignore[misc] # bound early
    made.counter("cpu_seconds_total", {"job": "gauges", "instance": "i1"}, lambda now: 2.5 * (now - T0 + 100))


def consuming(cores: float, pods: int = 10) -> World:
    """Return pods that use `cores` together from 10 s into the window on, as cAdvisor stamps them: every 11 s."""
    made = World()
    made.target("cadvisor")
    stamps = [T0 - 1 + 11 * k for k in range(6)]
    for pod in range(pods):
        labels = {
            "job": "cadvisor",
            "instance": "i1",
            "namespace": "telescope-x",
            "container": "consumer",
            "pod": f"p{pod}",
        }
        made.counter(
            "container_cpu_usage_seconds_total", labels, lambda now: cores / pods * max(0.0, now - T0 - 10), stamps
        )
        made.counter("container_memory_working_set_bytes", labels, lambda _: 2.0**30 / pods, stamps)
    return made


def load_series(*, running: int = 118, failed: int = 1, never: int = 1, asked: float = 4.0) -> str:
    """Return the telemetry of a load: pods start in 1 to 3 s, evenly."""
    starts = [
        PodStart(
            name=f"p{n}", node="n1", created=T0 + 5, scheduled=T0 + 5.1, running=T0 + 6 + 2 * n / max(1, running - 1)
        )
        for n in range(running)
    ]
    starts += [
        PodStart(name=f"f{n}", node="n1", created=T0 + 5, scheduled=T0 + 5.1, running=T0 + 7, reason="OOMKilled")
        for n in range(failed)
    ]
    starts += [
        PodStart(name=f"l{n}", node=None, created=T0 + 5, scheduled=None, running=None, reason="Unschedulable")
        for n in range(never)
    ]
    account = PodAccount(
        created=running + failed + never,
        running=running,
        failed=failed,
        never_ran=never,
        reasons={"OOMKilled": failed, "Unschedulable": never},
    )
    result = LoadResult(
        outcome="complete",
        started=T0 + 5,
        ended=T0 + 45,
        steps={"hold-1": (T0 + 15, T0 + 45)},
        pods=account,
        starts=tuple(starts),
        asked_cpu=asked,
        asked_memory=2.0**30,
    )
    return telemetry(result, start=T0, end=T0 + 60, step=INTERVAL, offset=0.0)
