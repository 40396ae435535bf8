"""Worlds that a guard which is too simple, or too eager, gets wrong."""

from __future__ import annotations

import math
from collections.abc import Callable

from tests.slo.corpus.model import GOOD
from tests.slo.corpus.model import SLOW
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import fails
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import lasting
from tests.slo.corpus.model import passes
from tests.slo.corpus.model import refused
from tests.slo.corpus.writing import HOUR_AGO
from tests.slo.corpus.writing import Burst
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast
from tests.slo.corpus.writing import slow
from tests.slo.corpus.writing import spelt
from tests.slo.corpus.writing import spelt_short

_P90 = "{histogram: work_duration_seconds, p: 90, max: 1s}"
_BY_NODE = "{histogram: work_duration_seconds, by: [node], p: 99, max: 1s"
_HOUR = lasting(3600)


def _two_paths(job: Job) -> None:
    """One kubelet, scraped at two paths under one job, as everybody does."""
    for path in ("/metrics", "/metrics/cadvisor"):
        job.series("up", lambda _: 1.0, metrics_path=path)
    job.series("process_start_time_seconds", lambda _: 1.7e9 + HOUR_AGO, metrics_path="/metrics")
    job.histogram([fast(300)], metrics_path="/metrics")


def _start_time_jitters(job: Job) -> None:
    """The kernel's boot time, from which a process knows its start, moves by 10 ms; the counters never fall."""
    job.target(started=lambda now: HOUR_AGO + (0.01 if round(now) % 10 == 2 else 0))
    job.histogram([(float(at), 0.6, 10) for at in range(50)])


def _replaced(job: Job) -> None:
    """A pod is deleted, another one takes over."""
    first = [when for when in job.scrapes if when < 25]
    second = [when for when in job.scrapes if when > 30]
    job.target("i1", scrapes=first)
    job.histogram([fast(100)], scrapes=first, instance="i1")
    job.target("i2", scrapes=second, started=lambda _: 28.0)
    job.histogram([fast(200, at=40)], before=0, scrapes=second, instance="i2")


def _begins_again(job: Job) -> None:
    """A container starts again: its counter ends at 10 and comes back from 0; the kubelet ran all the time."""
    job.target()
    job.counter("throttled_total", [(10, 10)], before=0, dies=23, container="c")
    job.counter("throttled_total", [(45, 6)], before=0, born=35, container="c")


def _no_up(job: Job) -> None:
    job.histogram([fast(300)])


def _nan_in_a_bucket(job: Job) -> None:
    job.observed(fast(300))
    labels = {"job": job.name, "instance": "i1", "le": "1.0"}
    name = next(name for name in job.world.series if 'le="1.0"' in name and labels["job"] in name)
    job.world.series[name] = [(when, math.nan) for when, _ in job.world.series[name]]


def _thin_nodes(job: Job) -> None:
    job.target()
    for node, count in (("n1", 400), ("n2", 200), ("n3", 150)):
        job.histogram([fast(count)], node=node)


def _restart_in_the_first_wave(job: Job) -> None:
    """Ten fast ones a second; the process starts again 40 s into the first wave."""

    def counted(now: float) -> float:
        return 5000 + 10 * now if now < 50 else 10 * (now - 50)

    job.target(started=lambda now: HOUR_AGO if now < 50 else 50.0)
    for le in ("0.5", "1.0", "2.0", "+Inf"):
        job.series("work_duration_seconds_bucket", counted if le != "0.5" else lambda _: 0.0, le=le)
    job.series("work_duration_seconds_count", counted)


def _missed_at_a_slice(job: Job) -> None:
    """The scrape that a slice begins with is missed, and the last one before another one ends."""
    kept = [when for when in job.scrapes if when not in {297.0, 1797.0}]
    job.target(up=lambda now: 1.0 if now in kept else 0.0)
    job.series("retries_total", lambda now: 5000.0 + (now + 40) // 60, scrapes=kept)


def _born_in_a_slice(job: Job) -> None:
    """Thirty a minute; in minute 30 a verb is asked for first, and is slow."""
    job.target()
    job.histogram([fast(30, at=60 * n + 20) for n in range(60)], verb="GET")
    job.histogram([slow(30, at=1820)], before=0, born=1820, verb="POST")


def _sum_of_two(job: Job) -> None:
    """Two targets count ten a second each; one of them starts again, which no metric says."""
    for instance in ("i1", "i2"):
        job.target(instance, started=None)
    job.series("calls_total", lambda now: 5000 + 10 * now, instance="i1")
    job.series("calls_total", lambda now: 5000 + 10 * now if now < 30 else 10 * (now - 30), instance="i2")


def _flaps(job: Job, missed: float) -> None:
    """A hundred thousand old fast ones, a hundred slow ones now; one scrape that worked does not show the histogram."""
    job.target()
    kept = [when for when in job.scrapes if when != missed]
    job.histogram([slow(100)], before=100_000, scrapes=kept)


def _after_the_grid(job: Job) -> None:
    """Half a minute more than an hour; what is slow comes in it."""
    job.target()
    job.histogram([*(fast(30, at=60 * n + 20) for n in range(60)), slow(30, at=3605)])


def _nodes_under_pressure(job: Job, number: int) -> None:
    job.target()
    for node in range(number):
        job.series("pressure_ratio", lambda _: 0.1, node=f"n{node}")


def _sandboxes(job: Job, spell: Callable[[float], str], *bursts: Burst) -> None:
    job.target()
    job.histogram(
        bursts,
        metric="kubelet_runtime_operations_duration_seconds",
        edges=(*(0.005 * 2.5**k for k in range(14)), math.inf),
        spell=spell,
        node="n1",
        operation_type="run_podsandbox",
    )


def _found_late(job: Job) -> None:
    """A target first scraped in the window that does not say since when its process runs."""
    late = [when for when in job.scrapes if when > 10]
    job.target(scrapes=late, started=None)
    job.histogram([fast(300, at=25)], scrapes=late)


def _busy_minute(job: Job) -> None:
    job.target()
    job.series("queued", lambda now: 100.0 if 1800 <= now < 1860 else 1.0)


def _seconds(job: Job) -> None:
    job.target()
    job.counter("waited_seconds_total", [(10, 5.25), (40, 7.25)])


def _evictions_by_node(job: Job, *seen: str) -> None:
    job.target(node="n1")
    job.target("i2", node="n2")
    for instance, node in (("i1", "n1"), ("i2", "n2")):
        if node in seen:
            job.counter("evictions_total", [], before=3, instance=instance, node=node)


_EVICTIONS = "{counter: evictions_total, by: [node], max: 0"
_QUEUED = '{query: "max(max_over_time(queued{JOB}[${w}]))", unit: count, max: 50, window: '

_FLAPPED = fails(SLOW, "all 100 in the window are 4 s; the scrape before shows the 100,000 that are older", count=100)
_SANDBOX = "{use: kubelet/sandbox-create, p: 90, max: 3.05s, min_count: 100}"

CASES = (
    Case(
        name="series-flaps-at-the-start", pitfalls=("10",), slo=_P90, write=lambda job: _flaps(job, -3), truth=_FLAPPED
    ),
    Case(
        name="series-flaps-at-the-start-marked",
        pitfalls=("10", "13"),
        slo=_P90,
        marked=True,
        write=lambda job: _flaps(job, -3),
        truth=_FLAPPED,
    ),
    Case(
        name="series-flaps-at-the-end-marked",
        pitfalls=("10", "13"),
        slo=_P90,
        marked=True,
        write=lambda job: _flaps(job, 57),
        truth=_FLAPPED,
    ),
    Case(
        name="series-flaps-in-the-middle-marked",
        pitfalls=("10", "13"),
        slo=_P90,
        marked=True,
        write=lambda job: _flaps(job, 22),
        truth=_FLAPPED,
    ),
    Case(
        name="target-found-in-the-window-untold",
        pitfalls=("10",),
        slo=_P90,
        write=_found_late,
        truth=invalid("nothing says how old its process is: which of its 1300 are in the window nobody knows"),
    ),
    Case(
        name="peak-bad-after-the-last-full-minute",
        pitfalls=("4.2", "16"),
        slo="{histogram: work_duration_seconds, p: 90, max: 1s, min_count: 20, window: 'peak(5m, step=1m)'}",
        window=lasting(3630),
        interval=15,
        write=_after_the_grid,
        truth=fails(SLOW, "the slice that ends with the window has 30 of 150 at 4 s", count=1830),
    ),
    Case(
        name="quorum-with-a-node-missing",
        pitfalls=("quorum", "4"),
        slo="""
            query: max by (node) (max_over_time(pressure_ratio{JOB}[${w}]))
            by: [node]
            unit: ratio
            max: 20%
            quorum: 90%
            expect: {node: "${nodes}"}
        """,
        plain="max by (node) (pressure_ratio{JOB})",
        facts={"nodes": [f"n{number}" for number in range(20)]},
        write=lambda job: _nodes_under_pressure(job, 19),
        truth=invalid("one of 20 nodes is not there: nobody outvotes what was not seen"),
    ),
    Case(
        name="library-sandbox-on-the-bound",
        pitfalls=("17", "3.1"),
        slo=_SANDBOX,
        kubernetes="1.36",
        facts={"nodes": ["n1"], "kubernetes_version": "v1.36.0"},
        write=lambda job: _sandboxes(job, spelt, (20, 3.0, 90), (20, 7.0, 10)),
        truth=passes((1.220703125, 3.0517578125), "90 of 100 are 3 s, in the bucket up to 3.0517578125 s", count=100),
    ),
    Case(
        name="library-sandbox-off-by-one",
        pitfalls=("17", "3.1"),
        slo=_SANDBOX,
        kubernetes="1.34",
        facts={"nodes": ["n1"], "kubernetes_version": "v1.34.10"},
        write=lambda job: _sandboxes(job, spelt_short, (20, 3.0, 89), (20, 7.0, 11)),
        truth=fails((3.0517578125, 7.62939453125), "11 of 100 are 7 s", count=100),
    ),
    Case(
        name="two-paths-of-one-target",
        pitfalls=("27",),
        slo=_P90,
        write=_two_paths,
        truth=passes(GOOD, "all 300 are 0.6 s and are there once; only `up` is there for each path", count=300),
    ),
    Case(
        name="start-time-jitters",
        pitfalls=("9",),
        slo=_P90,
        write=_start_time_jitters,
        truth=passes(GOOD, "500 of 0.6 s; the process that started an hour ago is one, give or take 10 ms", count=500),
    ),
    Case(
        name="pod-replaced",
        pitfalls=("9", "13"),
        slo=_P90,
        write=_replaced,
        truth=invalid("what the first pod observed after its last scrape is in no sample"),
    ),
    Case(
        name="series-begins-again",
        pitfalls=("8", "13"),
        slo="{counter: throttled_total, max: 12}",
        write=_begins_again,
        truth=invalid("10 and 6 were seen; what was counted between the last scrape and the restart was not"),
    ),
    Case(
        name="series-begins-again-marked",
        pitfalls=("8", "13"),
        slo="{counter: throttled_total, max: 12}",
        marked=True,
        write=_begins_again,
        truth=invalid("10 and 6 were seen; what was counted between the last scrape and the restart was not"),
    ),
    Case(
        name="no-up-at-all",
        pitfalls=("26",),
        slo=_P90,
        write=_no_up,
        truth=invalid("nothing says that the target was scraped, or is one"),
    ),
    Case(name="nan-in-a-bucket", pitfalls=("3",), slo=_P90, write=_nan_in_a_bucket, truth=invalid("1 s says NaN")),
    Case(
        name="expected-and-merged",
        pitfalls=("4", "28"),
        slo=f"{_BY_NODE}, sparse: merge, expect: {{node: [n1, n2, n3]}}}}",
        write=_thin_nodes,
        truth=passes(GOOD, "all three observed something, all of it 0.6 s; two are judged together", count=750),
    ),
    Case(
        name="expected-and-merged-missing",
        pitfalls=("4", "28"),
        slo=f"{_BY_NODE}, sparse: merge, expect: {{node: [n1, n2, n3, n4]}}}}",
        write=_thin_nodes,
        truth=invalid("n4, which is expected, is not there"),
    ),
    Case(
        name="restart-in-another-step",
        pitfalls=("8", "during"),
        slo="{histogram: work_duration_seconds, p: 90, max: 1s, during: wave-2}",
        window=lasting(180, wave_1=(10, 60), wave_2=(90, 150)),
        write=_restart_in_the_first_wave,
        truth=passes(GOOD, "ten a second, all 0.6 s; the process started half a minute before the second wave"),
    ),
    Case(
        name="restart-in-this-step",
        pitfalls=("8", "during"),
        slo="{histogram: work_duration_seconds, p: 90, max: 1s, during: wave-1}",
        window=lasting(180, wave_1=(10, 60), wave_2=(90, 150)),
        write=_restart_in_the_first_wave,
        truth=invalid("what was observed between the last scrape and the crash is in no sample"),
    ),
    Case(
        name="peak-with-scrapes-missed",
        pitfalls=("4.2", "12"),
        slo="{counter: retries_total, max: 5, window: 'peak(5m, step=1m)'}",
        window=_HOUR,
        interval=15,
        write=_missed_at_a_slice,
        truth=passes(5.0, "one in every minute, seen 7 s later; the two scrapes that were missed saw nothing new"),
    ),
    Case(
        name="peak-with-scrapes-missed-marked",
        pitfalls=("4.2", "12"),
        slo="{counter: retries_total, max: 5, window: 'peak(5m, step=1m)'}",
        window=_HOUR,
        interval=15,
        marked=True,
        write=_missed_at_a_slice,
        truth=passes(5.0, "one in every minute, seen 7 s later; the two scrapes that were missed saw nothing new"),
    ),
    Case(
        name="peak-born-slow",
        pitfalls=("4.2", "10"),
        slo="{histogram: work_duration_seconds, p: 90, max: 1s, min_count: 20, window: 'peak(5m, step=1m)'}",
        window=_HOUR,
        interval=15,
        write=_born_in_a_slice,
        truth=fails(SLOW, "30 of 180 in each slice that holds minute 30 are 4 s", count=1830),
    ),
    Case(
        name="sum-before-increase",
        pitfalls=("8",),
        slo='{query: "increase(sum(calls_total{JOB})[${w}:${scrape}])", unit: count, min: 3000}',
        plain="increase(sum(calls_total{JOB})[${w}:5s])",
        targets=2,
        write=_sum_of_two,
        truth=refused(
            "increase of an aggregation",
            1200.0,
            "two times ten a second for 60 s are 1200; the sum falls once, as if all of it had started again",
        ),
    ),
    Case(
        name="peak-of-a-gauge",
        pitfalls=("4.2", "15"),
        slo=f"{_QUEUED}'peak(5m, step=1m)'}}",
        plain="max(queued{JOB})",
        window=_HOUR,
        interval=15,
        write=_busy_minute,
        truth=fails(100.0, "100 for a minute"),
    ),
    Case(
        name="sliding-of-a-gauge",
        pitfalls=("4.2", "15"),
        slo=f"{_QUEUED}'sliding(5m, step=1m, good=85%)'}}",
        plain="max(queued{JOB})",
        window=_HOUR,
        interval=15,
        write=_busy_minute,
        truth=passes(1.0, "100 for the minute from 1800 s on, scraped 1812 to 1857: 5 of 56 slices hold it"),
    ),
    Case(
        name="counter-of-seconds",
        pitfalls=("11",),
        slo="{counter: waited_seconds_total, max: 12.5s}",
        write=_seconds,
        truth=passes(12.5, "5.25 s and 7.25 s"),
    ),
    Case(
        name="counter-missing-on-a-node",
        pitfalls=("4",),
        slo=f'{_EVICTIONS}, expect: {{node: "${{nodes}}"}}}}',
        facts={"nodes": ["n1", "n2"]},
        targets=2,
        write=lambda job: _evictions_by_node(job, "n1"),
        truth=invalid("n2 shows no such counter, and the SLO does not say what that means"),
    ),
    Case(
        name="counter-missing-on-a-node-declared",
        pitfalls=("4",),
        slo=f'{_EVICTIONS}, expect: {{node: "${{nodes}}"}}, absent: {{counter: zero}}}}',
        facts={"nodes": ["n1", "n2"]},
        targets=2,
        write=lambda job: _evictions_by_node(job, "n1"),
        truth=passes(0.0, "n1 counted nothing; n2 never did, and was scraped"),
    ),
)
