"""Every pitfall of PromQL that the field knows, by its number in the reference, and what stands against it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Mapping

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.serving import serve
from pytest_telescope.slo.judge import judge
from pytest_telescope.slo.linting import mistakes
from pytest_telescope.slo.model import Verdict
from tests.slo.asked import counter
from tests.slo.asked import histogram
from tests.slo.asked import judged
from tests.slo.asked import peak
from tests.slo.asked import query
from tests.slo.asked import ratio
from tests.slo.cases import METRIC
from tests.slo.conftest import record_world
from tests.slo.world import INTERVAL
from tests.slo.world import T0
from tests.slo.world import WINDOW
from tests.slo.world import Counter
from tests.slo.world import World
from tests.slo.world import observed

pytestmark = pytest.mark.e2e


def plain(edge: float) -> str:
    return "+Inf" if math.isinf(edge) else f"{edge:g}"


def pitfalls() -> World:
    made = World()
    for job in (
        "beyond",
        "fast",
        "spelt",
        "fine",
        "skewed",
        "events",
        "pods",
        "summed",
        "odd",
        "generation",
        "respelt",
    ):
        made.target(job)
    made.histogram(METRIC, {"job": "beyond", "instance": "i1"}, observed(300, 40.0))
    made.histogram(METRIC, {"job": "fast", "instance": "i1"}, observed(400, 0.1))
    made.counter("calls_total", {"job": "fast", "instance": "i1"}, lambda now: 400.0 if now >= T0 + 20 else 0.0)
    made.counter("call_errors_total", {"job": "fast", "instance": "i1"}, lambda now: 200.0 if now >= T0 + 20 else 0.0)
    made.target("spelt", "i2")
    for job, instance in (("spelt", "i2"), ("respelt", "i1")):
        made.histogram(METRIC, {"job": job, "instance": "i1"}, observed(300, 0.6))
        made.histogram(METRIC, {"job": job, "instance": instance}, observed(300, 0.6), spell=plain)
    made.histogram(METRIC, {"job": "fine", "instance": "i1"}, observed(1000, 0.6))
    made.histogram("generation_b_seconds", {"job": "generation", "instance": "i1"}, observed(300, 0.6))
    _sums(made)
    _gauges(made)
    _duplicates(made)
    return made


def _sums(made: World) -> None:
    negative = [(T0 + 20, -3.0), *observed(300, 0.6, T0 + 40)]
    made.histogram(METRIC, {"job": "skewed", "instance": "i1"}, negative)
    for node, off in (("n1", 0.004), ("n2", -0.3)):
        made.counter("node_timex_offset_seconds", {"job": "node", "instance": node}, lambda _, off=off: off)  # type: ignore[misc] # bound early
        made.counter("node_timex_sync_status", {"job": "node", "instance": node}, lambda _: 1.0)
    made.counter("events_total", {"job": "events", "instance": "i1"}, lambda now: 1.0 if now >= T0 + 21 else None)
    made.counter("queries_total", {"job": "events", "instance": "i1"}, lambda now: 90 - (now - T0) % 30 + 30)
    made.counter("summary_seconds", {"job": "summed", "instance": "i1", "quantile": "0.99"}, lambda _: 0.2)
    made.counter("summary_seconds_count", {"job": "summed", "instance": "i1"}, lambda now: now - T0 + 50)
    made.counter("native_seconds", {"job": "summed", "instance": "i1"}, lambda _: 1.0)
    for le, each in (("1.0", 9.0), ("2.0", 5.0), ("+Inf", 9.0)):
        labels = {"job": "odd", "instance": "i1", "le": le}
        made.counter("odd_seconds_bucket", labels, lambda now, each=each: each * (now - T0 + 20))  # type: ignore[misc] # bound early


def _gauges(made: World) -> None:
    early = [T0 - 408 + 5 * k for k in range(94)]
    made.target("deleted", scrapes=early)
    made.counter("level", {"job": "deleted", "instance": "i1", "pod": "stays"}, lambda _: 1.0, early)
    made.counter("level", {"job": "deleted", "instance": "i1", "pod": "ends"}, lambda _: 9.0, early[:20])
    made.counter("depth", {"job": "pods", "instance": "i1", "pod": "stays"}, lambda _: 1.0)
    made.counter("depth", {"job": "pods", "instance": "i1", "pod": "too"}, lambda _: 1.0)
    made.counter("holes", {"job": "pods", "instance": "i1", "pod": "a"}, lambda _: math.nan)
    made.counter("holes", {"job": "pods", "instance": "i1", "pod": "b"}, lambda _: 1.0)
    made.counter("telescope_load_pods", {"job": "telescope", "state": "running"}, lambda _: 120.0)
    for pod in range(80):
        labels = {"job": "pods", "instance": "i1", "namespace": "telescope-x", "pod": f"p{pod}"}
        made.counter("container_memory_bytes", labels, lambda _: 1.0)


_STARTS: Mapping[str, Counter] = {"a": lambda _: T0 - 100, "b": lambda _: T0 - 200}


def _duplicates(made: World) -> None:
    for replica in ("a", "b"):
        labels = {"job": "pair", "instance": "i1", "replica": replica}
        made.counter("up", labels, lambda _: 1.0)
        made.histogram(METRIC, labels, observed(300, 0.6))
        made.counter("up", {"job": f"monitor-{replica}", "instance": "i9"}, lambda _: 1.0)
        made.target(f"part-{replica}", "i8", process_start=_STARTS[replica])
        made.counter("shared_total", {"job": f"part-{replica}", "instance": "i8"}, lambda now: now - T0 + 50)
        made.counter("served_total", {"job": f"monitor-{replica}", "instance": "i9"}, lambda now: now - T0 + 50)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with serve(record_world(tmp_path_factory.mktemp("pitfalls"), pitfalls().openmetrics())) as prometheus:
        yield prometheus


def test_01_quantile_in_the_last_bucket_is_a_lower_bound_and_the_mean_is_told(served: Prometheus) -> None:
    found = judged(served, histogram("beyond", 10.0, by=()))

    assert (found.verdict, found.value, found.bucket) == (Verdict.FAIL, 10.0, (10.0, math.inf))
    assert "at least 10 s" in found.message
    assert found.guards["overflow"] == (
        "300 of 300 above 10 s; the mean of all is 40 s, beyond the last bucket: the value is a lower bound"
    )


def test_01_bound_beyond_the_last_bucket_is_never_judged(served: Prometheus) -> None:
    found = judged(served, histogram("beyond", 60.0, by=()))

    assert found.verdict is Verdict.INVALID
    assert "above the last bucket" in found.message


def test_02_value_stands_beside_the_bucket_that_is_its_resolution(served: Prometheus) -> None:
    found = judged(served, histogram("fine", by=()))

    assert found.value == pytest.approx(0.995)
    assert found.bucket == (0.5, 1.0)
    assert "bucket 500 ms-1 s" in found.message


def test_03_no_observations_are_invalid_and_nan_keeps_no_bound(prom: Prometheus) -> None:
    idle, undefined = judged(prom, histogram("idle")), judged(prom, query("sum(depth * 0) / sum(depth * 0)"))

    assert (idle.verdict, undefined.verdict) == (Verdict.INVALID, Verdict.INVALID)
    assert "the value is NaN" in undefined.message


def test_04_empty_answer_is_invalid_and_a_declared_zero_needs_its_witness(served: Prometheus) -> None:
    silent = judged(served, query("max(depth > 100)", job="pods"))
    declared = judged(served, query("sum(absent_total)", job="pods", absent_zero=True))
    unwitnessed = judged(served, query("sum(absent_total)", job="nobody", absent_zero=True))

    assert [one.verdict for one in (silent, declared, unwitnessed)] == [Verdict.INVALID, Verdict.PASS, Verdict.INVALID]


def test_05_nan_that_poisons_an_aggregate_is_invalid(served: Prometheus) -> None:
    found = judged(served, query("avg(avg_over_time(holes[${w}]))", job="pods"))

    assert found.verdict is Verdict.INVALID
    assert "NaN" in found.message


def test_06_quantiles_of_several_series_are_of_their_summed_buckets(prom: Prometheus) -> None:
    found = judged(prom, histogram("nodes", 5.0, by=(), p=50.0))

    assert (found.count, found.bucket) == (600.0, (0.5, 1.0))
    assert mistakes("avg(histogram_quantile(0.9, rate(x_seconds_bucket[${w}])))")


def test_07_raw_cumulative_buckets_are_refused(prom: Prometheus) -> None:
    found = judged(prom, histogram("clean"))

    assert found.count == 300.0
    assert mistakes("histogram_quantile(0.9, avg_over_time(x_seconds_bucket[${w}]))")


def test_08_counter_reset_is_invalid_with_who_restarted_and_when(prom: Prometheus) -> None:
    found = judged(prom, histogram("reset"))

    assert found.verdict is Verdict.INVALID
    assert "target reset i1 restarted in the window (at 22:13:45 UTC)" in found.message
    assert "counters of reset i1 were reset in the window (about 22:13:5" in found.message


def test_08_reset_that_rate_healed_is_told(served: Prometheus) -> None:
    found = judged(served, query("sum(increase(queries_total[${w}]))", 1000, job="events"))

    assert "events i1 (about 22:13:" in found.guards["resets"]


def test_09_target_behind_a_load_balancer_is_invalid_with_its_processes(prom: Prometheus) -> None:
    found = judged(prom, histogram("balanced"))

    assert found.verdict is Verdict.INVALID
    assert "alternates between 2 processes" in found.message
    assert "20:13:20 UTC" in found.message


def test_10_series_born_in_the_window_count_from_zero(prom: Prometheus) -> None:
    found = judged(prom, histogram("born", 5.0))

    assert (found.count, found.bucket) == (400.0, (2.0, 5.0))
    assert found.value == pytest.approx(4.88)


@pytest.mark.parametrize("end", [T0 + 31.7, T0 + 40.001, T0 + 59.999])
def test_11_one_event_is_one_whenever_it_is_asked_for(served: Prometheus, end: float) -> None:
    found = judged(served, counter("events_total", job="events"), Window(start=T0, end=end, steps={}))

    assert (found.verdict, found.value) == (Verdict.FAIL, 1.0)


def test_12_window_or_slice_of_fewer_than_four_scrapes_is_invalid(served: Prometheus) -> None:
    short = Window(start=T0 + 10, end=T0 + 29, steps={})
    asked = judged(served, query("sum(rate(queries_total[${w}]))", job="events"), short)
    sliced = judged(served, counter("events_total", job="events", slices=peak(15, 5)))

    assert (asked.verdict, sliced.verdict) == (Verdict.INVALID, Verdict.INVALID)
    assert "slices of 15s are shorter than 4 scrapes of 5 s" in sliced.message


def test_13_gauge_of_a_deleted_pod_is_not_lost(served: Prometheus) -> None:
    window = Window(start=T0 - 400, end=T0 + 60, steps={})
    bare = judged(served, query("max(level)", 5, job="deleted"), window)
    ranged = judged(served, query("max(max_over_time(level[${w}]))", 5, job="deleted"), window)

    assert bare.verdict is Verdict.INVALID
    assert "1 series of level ended before the window did, unseen by a bare gauge" in bare.message
    assert (ranged.verdict, ranged.value) == (Verdict.FAIL, 9.0)


def test_14_pods_that_were_never_sampled_are_told(served: Prometheus) -> None:
    found = judged(served, query("max(max_over_time(container_memory_bytes[${w}]))", job="pods"))

    assert (found.verdict, found.guards["pods sampled"]) == (Verdict.PASS, "80 of 120")


def test_15_subquery_without_its_own_resolution_is_refused() -> None:
    assert any("resolution" in text for text in mistakes("max_over_time(depth[${w}:])"))


@pytest.mark.parametrize("shift", [0.0, 0.001, 1.999, 2.001])
def test_16_milliseconds_of_the_window_do_not_move_the_counts(prom: Prometheus, shift: float) -> None:
    found = judged(prom, histogram("clean"), Window(start=T0 + shift - 2, end=T0 + 58 + shift, steps={}))

    assert (found.verdict, found.count) == (Verdict.PASS, 300.0)


def test_17_bucket_bounds_in_both_spellings_are_one_bucket(served: Prometheus) -> None:
    found = judged(served, histogram("spelt", by=()))

    assert (found.verdict, found.count, found.bucket) == (Verdict.PASS, 600.0, (0.5, 1.0))


def test_17_target_that_changes_its_spelling_would_be_counted_from_zero_and_is_invalid(served: Prometheus) -> None:
    found = judged(served, histogram("respelt", by=()))

    assert found.verdict is Verdict.INVALID


def test_18_targets_with_other_buckets_are_not_added_up(prom: Prometheus) -> None:
    found = judged(prom, histogram("layouts", by=()))

    assert found.verdict is Verdict.INVALID
    assert "disagree on the buckets" in found.message


def test_19_native_histogram_without_buckets_says_what_to_switch_on(served: Prometheus) -> None:
    found = judged(served, histogram("summed", metrics=("native_seconds",)))

    assert found.verdict is Verdict.INVALID
    assert "always_scrape_classic_histograms: true" in found.message


def test_20_summaries_are_refused_as_histogram_and_in_queries(served: Prometheus) -> None:
    asked = histogram("summed", metrics=("summary_seconds",)), query("max(summary_seconds)", job="summed")

    found = [judged(served, slo) for slo in asked]

    assert [one.verdict for one in found] == [Verdict.INVALID, Verdict.INVALID]
    assert all("is a summary" in one.message for one in found)


def test_21_negative_observations_are_invalid(served: Prometheus) -> None:
    found = judged(served, histogram("skewed", by=()))

    assert found.verdict is Verdict.INVALID
    assert "work_duration_seconds_sum of skewed i1 fell (about 22:13:4" in found.message
    assert "negative values were observed" in found.message


def test_21_how_far_the_nodes_clocks_are_off_is_told(served: Prometheus) -> None:
    found = judged(served, histogram("fine", by=()))

    assert found.guards["node clocks"] == "at most 300 ms off their time servers'"


def test_22_population_stands_beside_the_value(prom: Prometheus) -> None:
    found = judged(prom, histogram("nodes", 5.0))

    assert (found.count, [one.count for one in found.elements]) == (600.0, [300.0, 300.0])
    assert "n=300" in found.message


def test_23_fast_failures_are_caught_by_the_error_ratio_beside_the_latency(served: Prometheus) -> None:
    latency, errors = judged(served, histogram("fast", by=())), judged(served, ratio("fast", 0.001))

    assert (latency.verdict, errors.verdict, errors.value) == (Verdict.PASS, Verdict.FAIL, 0.5)


def test_24_join_that_is_not_unique_is_an_error(served: Prometheus) -> None:
    found = judged(served, query("sum(depth * on (instance) container_memory_bytes)", job="pods"))

    assert found.verdict is Verdict.ERROR
    assert "many-to-many" in found.message or "duplicate series" in found.message


def test_25_clocks_that_part_are_invalid(prom: Prometheus) -> None:
    slo = histogram("clean")

    found = judge(slo, prom, WINDOW, facts={}, scrape_interval=INTERVAL, targets={}, drift=-1.5)

    assert found.verdict is Verdict.INVALID


def test_26_samples_that_have_not_arrived_are_invalid(prom: Prometheus) -> None:
    found = judged(prom, histogram("stopped"))

    assert found.verdict is Verdict.INVALID
    assert "was last scraped 23.0 s before the end" in found.message


def test_27_target_that_two_scrapers_see_is_invalid(served: Prometheus) -> None:
    found = judged(served, histogram("pair", by=()))

    assert found.verdict is Verdict.INVALID
    assert "target pair i1 is scraped 2 times (its series differ in replica)" in found.message


def test_27_instance_under_two_jobs_is_invalid_until_the_job_is_said(served: Prometheus) -> None:
    doubled = judged(served, query("sum(rate(served_total[${w}]))", job=None))
    alone = judged(served, query('sum(rate(served_total{job="monitor-a"}[${w}]))', job=None))

    assert doubled.verdict is Verdict.INVALID
    assert "instance i9 is scraped by the jobs monitor-a and monitor-b" in doubled.message
    assert alone.verdict is Verdict.PASS


def test_27_two_processes_at_one_address_are_no_duplicate(served: Prometheus) -> None:
    found = judged(served, query("sum(rate(shared_total[${w}]))", job=None))

    assert found.verdict is Verdict.PASS
    assert found.value == pytest.approx(2.0)


def test_28_percentile_of_few_samples_is_invalid_and_a_close_one_says_so(prom: Prometheus) -> None:
    few, close = judged(prom, histogram("few")), judged(prom, histogram("clean"))

    assert few.verdict is Verdict.INVALID
    assert close.verdict is Verdict.PASS
    assert close.guards["close call"] == "99 % within the bound, 95 % 97.1 % to 99.66 %, 99 % asked"


def test_29_warnings_and_mended_histograms_are_invalid(served: Prometheus) -> None:
    mended = "histogram_quantile(0.9, sum by (le) (rate(odd_seconds_bucket[${w}])))"
    found = [judged(served, query(promql, job=None)) for promql in ("quantile(2, depth) * 0", mended)]

    assert [one.verdict for one in found] == [Verdict.INVALID, Verdict.INVALID]
    assert "Prometheus mended the histogram" in found[1].message


def test_30_two_generations_of_a_metric_are_named_one_by_one(served: Prometheus) -> None:
    names = ("generation_a_seconds", "generation_b_seconds")

    found = judged(served, histogram("generation", metrics=names, by=()))

    assert (found.verdict, found.count) == (Verdict.PASS, 300.0)
    assert mistakes('sum(rate({__name__=~"generation_._seconds_bucket"}[${w}]))')
