"""A window judged in slices, against a minute-long world of bursts with answers known in closed form."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.recording import backfill
from pytest_telescope.metrics.recording import save
from pytest_telescope.metrics.serving import serve
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.queries import span
from pytest_telescope.slo.sliced_queries import ends
from pytest_telescope.slo.slices import cut
from tests.slo.asked import counter
from tests.slo.asked import histogram
from tests.slo.asked import judged
from tests.slo.asked import peak
from tests.slo.asked import query
from tests.slo.asked import ratio
from tests.slo.asked import sliding
from tests.slo.cases import METRIC
from tests.slo.world import INTERVAL
from tests.slo.world import T0
from tests.slo.world import World

pytestmark = pytest.mark.e2e

LONG = Window(start=T0, end=T0 + 600, steps={"wave-1": (T0, T0 + 280)})
SCRAPED = tuple(T0 - 13 + 5 * k for k in range(123))


def steadily(slow_from: float, slow_to: float, each: int = 10, slow: float = 4.0) -> list[tuple[float, float]]:
    """Return `each` observations a second for 590 s, slow ones between two times."""
    return [
        (T0 + second + 0.5, slow if slow_from <= second < slow_to else 0.6)
        for second in range(590)
        for _ in range(each)
    ]


def bursts() -> World:
    made = World()
    for job in ("steady", "burst", "rare", "thin", "nodes", "counts", "gauge", "lost", "blind"):
        kept = [when for when in SCRAPED if not (job == "blind" and T0 + 300 < when < T0 + 325)]
        failed = {T0 + 297} if job == "lost" else set()
        made.target(job, scrapes=kept, up=lambda now, failed=failed: 0.0 if now in failed else 1.0)  # type: ignore[misc] # bound early
    labels = {"instance": "i1", "node": "n1"}
    made.histogram(METRIC, {"job": "steady", **labels}, steadily(0, 0), before=5000, scrapes=SCRAPED)
    made.histogram(METRIC, {"job": "burst", **labels}, steadily(300, 330), before=5000, scrapes=SCRAPED)
    rare = [(when, value) for when, value in steadily(0, 0, 20) if when < T0 + 60]
    made.histogram(METRIC, {"job": "rare", **labels}, rare, scrapes=SCRAPED)
    made.histogram(METRIC, {"job": "thin", **labels}, steadily(0, 0, 1), scrapes=SCRAPED)
    for node, observations in (("n1", steadily(0, 0)), ("n2", steadily(300, 330)), ("n3", steadily(0, 0, 1))):
        made.histogram(METRIC, {"job": "nodes", "instance": "i1", "node": node}, observations, scrapes=SCRAPED)
    for job, lost in (("lost", {T0 + 297}), ("blind", {when for when in SCRAPED if T0 + 300 < when < T0 + 325})):
        kept = [when for when in SCRAPED if when not in lost]
        made.histogram(METRIC, {"job": job, **labels}, steadily(0, 0), before=90_000, scrapes=kept)
    _counters(made)
    return made


def _counters(made: World) -> None:
    """2 a second, 8 a second from 300 s to 360 s, of which half are bad."""
    labels = {"job": "counts", "instance": "i1"}
    made.counter("calls_total", labels, lambda now: 7000 + 2 * (now - T0) + 6 * _within(now), SCRAPED)
    made.counter("call_errors_total", labels, lambda now: 4 * _within(now) if now > T0 + 300 else None, SCRAPED)
    gauge = {"job": "gauge", "instance": "i1", "queue": "a"}
    made.counter("depth", gauge, lambda now: 50.0 if T0 + 300 <= now < T0 + 330 else 1.0, SCRAPED)
    made.counter("hole", gauge, lambda now: 1.0 if now < T0 + 300 else math.nan, SCRAPED)


def _within(now: float) -> float:
    return min(60.0, max(0.0, now - T0 - 300))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("slices")
    backfill(bursts().openmetrics(), folder)
    made = Recording(path=folder, window=LONG, scrape_interval=INTERVAL, clock_offset=0.0, prometheus_version="x")
    save(made)
    with serve(made) as prometheus:
        yield prometheus


@pytest.mark.parametrize(
    ("length", "step", "seconds", "number"),
    [(60, 60, 600, 10), (60, 10, 600, 55), (300, 60, 290, 0), (60, 60, 630.5, 11), (600, 60, 600, 1)],
)
def test_slices_stay_in_the_window_and_the_last_one_ends_with_it(
    length: float, step: float, seconds: float, number: int
) -> None:
    window = Window(start=T0, end=T0 + seconds, steps={})

    found = ends(Slices(mode="peak", length=length, step=step), span(window, INTERVAL))

    assert len(found) == number
    assert all(T0 + length <= end / 1000 <= T0 + seconds for end in found)
    assert not found or found[-1] / 1000 == T0 + seconds


def test_whole_window_hides_a_burst_that_its_peak_shows(served: Prometheus) -> None:
    whole = judged(served, histogram("burst", p=90.0, min_count=100), LONG)
    worst = judged(served, histogram("burst", p=90.0, min_count=100, slices=peak(30, 10)), LONG)

    assert whole.verdict is Verdict.PASS
    assert (worst.verdict, worst.count, worst.bucket) == (Verdict.FAIL, 5900.0, (2.0, 5.0))
    assert "slices of 30s miss it, the worst ends at 22:18:" in worst.message


def test_share_of_slices_is_held_against_the_share_asked(served: Prometheus) -> None:
    found = {
        good: judged(served, histogram("burst", p=90.0, min_count=100, slices=sliding(60, 60, good)), LONG)
        for good in (0.9, 0.91)
    }

    assert [one.elements[0].good for one in found.values()] == [0.9, 0.9]
    assert [one.verdict for one in found.values()] == [Verdict.PASS, Verdict.FAIL]
    assert "1 of 10 slices of 1m miss it (10 % may)" in found[0.9].message
    assert (found[0.9].value or 9) <= 1.0 < (found[0.91].value or 0)


def test_slices_that_do_not_overlap_count_each_observation_once(served: Prometheus) -> None:
    slices = cut(Slices(mode="peak", length=60, step=60), Desk(served, span(LONG, INTERVAL)), [])

    counted = slices.counted('work_duration_seconds_count{job="steady"}', ("node",))

    assert [(dict(labels), len(values)) for labels, values in counted] == [({"node": "n1"}, 10)]
    assert sum(value for _, value in counted[0][1]) == 5900


def test_idle_slices_are_told_and_not_judged(served: Prometheus) -> None:
    found = judged(served, histogram("rare", p=90.0, min_count=100, slices=sliding(30, 15)), LONG)

    assert found.verdict is Verdict.PASS
    assert found.elements[0].slices == 4
    assert found.guards["slices"].startswith("39 of 30s every 15s, 35 idle (fewer than 100 observations)")


def test_too_few_slices_to_judge_are_invalid(served: Prometheus) -> None:
    found = judged(served, histogram("thin", p=90.0, min_count=100, slices=sliding(60, 60)), LONG)

    assert found.verdict is Verdict.INVALID
    assert "0 of 10 slices of 1m can be judged, at least 3 must" in found.message


def test_window_shorter_than_a_slice_is_invalid(served: Prometheus) -> None:
    found = judged(served, histogram("steady", slices=peak(300, 60), during="wave-1"), LONG)

    assert found.verdict is Verdict.INVALID
    assert "holds no slice of 5m" in found.message


def test_thin_elements_are_merged_slice_by_slice(served: Prometheus) -> None:
    slo = histogram("nodes", p=90.0, min_count=100, sparse="merge", slices=sliding(60, 60, 0.9))

    found = judged(served, slo, LONG)

    assert {one.labels["node"]: one.verdict for one in found.elements} == {
        "n1": Verdict.PASS,
        "n2": Verdict.PASS,
        "(pooled)": Verdict.PASS,
    }
    assert max(one.count or 0 for one in found.elements) == 2 * 5900 + 590


def test_failed_scrape_at_the_start_of_a_slice_does_not_count_a_lifetime(served: Prometheus) -> None:
    found = judged(served, histogram("lost", p=90.0, min_count=100, slices=peak(60, 10)), LONG)
    counted = judged(served, counter("work_duration_seconds_count", 700, job="lost", slices=peak(60, 10)), LONG)

    assert (found.verdict, counted.verdict) == (Verdict.PASS, Verdict.PASS)
    assert counted.value == pytest.approx(600, abs=60)


def test_gap_longer_than_half_a_slice_is_invalid(served: Prometheus) -> None:
    found = judged(served, histogram("blind", p=90.0, min_count=10, slices=peak(30, 10)), LONG)

    assert found.verdict is Verdict.INVALID
    assert "target blind i1 was not scraped for 30.0 s, more than half a slice of 30s" in found.message


def test_ratio_is_judged_in_slices(served: Prometheus) -> None:
    whole = judged(served, ratio("counts", 0.2, min_count=20), LONG)
    worst = judged(served, ratio("counts", 0.2, min_count=20, slices=peak(60, 20)), LONG)
    most = judged(served, ratio("counts", 0.2, min_count=20, slices=sliding(60, 20, 0.8)), LONG)

    assert [one.verdict for one in (whole, worst, most)] == [Verdict.PASS, Verdict.FAIL, Verdict.PASS]
    assert worst.value == pytest.approx(0.5, abs=0.03)
    assert worst.count == pytest.approx(1200 + 360, abs=20)


def test_counter_is_judged_in_slices(served: Prometheus) -> None:
    found = judged(served, counter("calls_total", 400, job="counts", slices=peak(60, 20)), LONG)

    assert found.verdict is Verdict.FAIL
    assert found.value == pytest.approx(8 * 60, abs=30)


def test_query_is_judged_in_slices_of_its_own_length(served: Prometheus) -> None:
    asked = query("max by (queue) (max_over_time(depth[${w}]))", by=("queue",), job="gauge", slices=peak(60, 60))
    found = judged(served, asked, LONG)
    most = judged(served, query("max(max_over_time(depth[${w}]))", job="gauge", slices=sliding(60, 60, 0.9)), LONG)

    assert (found.verdict, found.value, found.elements[0].slices) == (Verdict.FAIL, 50.0, 10)
    assert (most.verdict, most.value) == (Verdict.PASS, 1.0)


def test_slice_of_a_query_without_a_number_is_idle(served: Prometheus) -> None:
    found = judged(served, query("max(hole)", job="gauge", slices=peak(60, 60)), LONG)

    assert (found.verdict, found.elements[0].slices) == (Verdict.PASS, 5)
    assert "5 idle (no number)" in found.guards["slices"]


def test_query_that_stands_still_cannot_be_sliced(served: Prometheus) -> None:
    found = judged(served, query("max(depth @ ${start})", job="gauge", slices=peak(60, 60)), LONG)

    assert found.verdict is Verdict.INVALID
    assert "cannot use ${start}" in found.message


def test_slices_with_a_minimum_turn_the_order_around(served: Prometheus) -> None:
    slo = counter("calls_total", 100, job="counts", operator="min", slices=peak(60, 60))

    found = judged(served, slo, LONG)

    assert found.verdict is Verdict.PASS
    assert found.value == pytest.approx(120, abs=11)
