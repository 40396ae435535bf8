"""Every rule of the judge, against the real Prometheus over a world with answers known in closed form."""

from __future__ import annotations

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.slo.judge import judge
from pytest_telescope.slo.judge import judge_all
from pytest_telescope.slo.model import Verdict
from tests.slo.asked import histogram
from tests.slo.asked import judged
from tests.slo.asked import query
from tests.slo.asked import ratio
from tests.slo.cases import METRIC
from tests.slo.world import INTERVAL
from tests.slo.world import WINDOW

pytestmark = pytest.mark.e2e


def test_clean_histogram_passes_with_its_own_observations_only(prom: Prometheus) -> None:
    found = judged(prom, histogram("clean"))

    assert (found.verdict, found.count, found.value) == (Verdict.PASS, 300.0, 1.0)
    assert found.elements[0].good == pytest.approx(0.99)


def test_one_observation_too_many_above_the_bound_fails_and_says_by_how_much(prom: Prometheus) -> None:
    found = judged(prom, histogram("slow"))

    assert found.verdict is Verdict.FAIL
    assert found.message == "work p99 2.75 s > 1 s (+175 %), node n1, n=300, 95 % above 500 ms, bucket 2-5 s"
    assert found.margin == pytest.approx(-1.75)


def test_series_born_inside_the_window_count_from_zero(prom: Prometheus) -> None:
    found = judged(prom, histogram("born", 5.0))

    assert (found.verdict, found.count) == (Verdict.PASS, 400.0)
    assert found.value == pytest.approx(4.88)


def test_series_that_ended_before_the_window_count_in_full(prom: Prometheus) -> None:
    found = judged(prom, histogram("gone"))

    assert (found.verdict, found.count) == (Verdict.PASS, 300.0)


def test_spelling_of_bucket_bounds_does_not_matter(prom: Prometheus) -> None:
    whole, pointed = judged(prom, histogram("spelt")), judged(prom, histogram("gone"))

    assert (whole.verdict, whole.value) == (pointed.verdict, pointed.value)


def test_overflow_is_a_lower_bound_and_fails(prom: Prometheus) -> None:
    found = judged(prom, histogram("overflow", 10.0))

    assert found.verdict is Verdict.FAIL
    assert "at least 10 s" in found.message
    assert "bucket above 10 s" in found.message


def test_too_few_observations_are_invalid_with_their_number(prom: Prometheus) -> None:
    found = judged(prom, histogram("few"))

    assert found.verdict is Verdict.INVALID
    assert "299 of at least 300" in found.message
    assert found.value is not None


def test_nothing_observed_is_invalid(prom: Prometheus) -> None:
    found = judged(prom, histogram("idle"))

    assert found.verdict is Verdict.INVALID
    assert "no observations" in found.message


def test_each_node_is_judged_alone_and_the_worst_is_named(prom: Prometheus) -> None:
    found = judged(prom, histogram("nodes"))

    assert found.verdict is Verdict.FAIL
    assert [one.verdict for one in found.elements] == [Verdict.FAIL, Verdict.PASS]
    assert dict(found.labels) == {"node": "n2"}


def test_expected_node_without_observations_is_invalid(prom: Prometheus) -> None:
    found = judged(prom, histogram("clean", expect={"node": "${nodes}"}))

    assert found.verdict is Verdict.INVALID
    assert "no observations of node n2" in found.message


def test_misspelt_metric_is_invalid_with_the_nearest_name(prom: Prometheus) -> None:
    found = judged(prom, histogram("clean", metrics=("work_duraton_seconds",)))

    assert found.verdict is Verdict.INVALID
    assert "nearest name that was is work_duration_seconds_bucket" in found.message


def test_selector_that_matches_nothing_is_invalid(prom: Prometheus) -> None:
    found = judged(prom, histogram("clean", where='node="n9"'))

    assert found.verdict is Verdict.INVALID
    assert "matches no series" in found.message


def test_targets_with_other_buckets_are_not_added_up(prom: Prometheus) -> None:
    found, alone = judged(prom, histogram("layouts", by=())), judged(prom, histogram("layouts"))

    assert (found.verdict, alone.verdict) == (Verdict.INVALID, Verdict.PASS)
    assert "disagree on the buckets" in found.message
    assert [one.bucket for one in alone.elements] == [(0.5, 1.0), (0.2, 1.0)]


def test_bound_off_every_live_bucket_is_invalid_with_its_neighbours(prom: Prometheus) -> None:
    found = judged(prom, histogram("clean", 1.5))

    assert found.verdict is Verdict.INVALID
    assert "the nearest are 1s and 2s" in found.message


def test_bound_near_a_live_bucket_is_judged_there_and_says_so(prom: Prometheus) -> None:
    found = judged(prom, histogram("clean", 1.004))

    assert found.verdict is Verdict.PASS
    assert "judged at the bucket 1 s" in found.guards["bound"]


@pytest.mark.parametrize(
    ("job", "finding"),
    [
        ("stopped", "target stopped i1 was last scraped 23.0 s before the end"),
        ("undiscovered", "target undiscovered i1 was not scraped at the start"),
        ("down", "target down i1 was down at the start"),
        ("reset", "counters of reset i1 were reset"),
        ("balanced", "target balanced i1 alternates between 2 processes"),
    ],
)
def test_gap_in_the_scrapes_is_invalid_and_names_the_target(prom: Prometheus, job: str, finding: str) -> None:
    found = judged(prom, histogram(job))

    assert found.verdict is Verdict.INVALID
    assert finding in found.message


def test_target_started_inside_the_window_is_whole(prom: Prometheus) -> None:
    found = judged(prom, histogram("started"))

    assert (found.verdict, found.count) == (Verdict.PASS, 300.0)


def test_fewer_targets_than_expected_are_invalid(prom: Prometheus) -> None:
    found = judged(prom, histogram("clean"), clean=2)

    assert found.verdict is Verdict.INVALID
    assert "job clean: 1 of 2 targets" in found.message


def test_thin_series_are_judged_together_with_all_others_where_they_are_too_few(prom: Prometheus) -> None:
    found = judged(prom, histogram("sparse", by=("verb",), sparse="merge"))

    assert found.verdict is Verdict.PASS
    assert found.count == 450.0
    assert {one.labels["verb"]: one.count for one in found.elements} == {"GET": 400.0, "(pooled)": 450.0}


def test_thin_series_are_invalid_without_sparse(prom: Prometheus) -> None:
    found = judged(prom, histogram("sparse", by=("verb",)))

    assert found.verdict is Verdict.INVALID
    assert "1 more of 3 likewise" in found.message


def test_error_ratio_counts_errors_born_in_the_window(prom: Prometheus) -> None:
    found = judged(prom, ratio("failing", 0.01))

    assert (found.verdict, found.value, found.count) == (Verdict.FAIL, 0.02, 1000.0)
    assert "2 % > 1 % (+100 %)" in found.message


def test_absent_errors_are_zero_only_where_declared(prom: Prometheus) -> None:
    declared = judged(prom, ratio("calm", 0.01, absent_zero=True))
    silent = judged(prom, ratio("calm", 0.01))

    assert (declared.verdict, declared.value) == (Verdict.PASS, 0.0)
    assert "witnessed by calls_total" in declared.guards["absent"]
    assert silent.verdict is Verdict.INVALID


def test_absent_errors_without_a_witness_are_invalid(prom: Prometheus) -> None:
    found = judged(prom, ratio("clean", 0.01, absent_zero=True))

    assert found.verdict is Verdict.INVALID


def test_query_is_judged_by_value(prom: Prometheus) -> None:
    found = judged(prom, query("max by (queue) (max_over_time(depth[${w}]))", by=("queue",)))

    assert (found.verdict, found.value, dict(found.labels)) == (Verdict.PASS, 7.0, {"queue": "a"})


@pytest.mark.parametrize(
    ("promql", "finding"),
    [
        ("max(not_a_number)", "the value is NaN"),
        ("max(boundless)", "the value is infinite"),
        ("max(dept)", "nearest name that was is depth"),
        ("sum(dept) or vector(0)", "nearest name that was is depth"),
        ("depth", "the label instance, which is not in by"),
        ("max(depth > 100)", "the query's answer is empty"),
    ],
)
def test_query_without_a_number_to_judge_is_invalid(prom: Prometheus, promql: str, finding: str) -> None:
    found = judged(prom, query(promql))

    assert found.verdict is Verdict.INVALID
    assert finding in found.message


def test_query_over_fewer_than_four_scrapes_is_invalid(prom: Prometheus) -> None:
    found = judged(prom, query("max(depth)"), Window(start=WINDOW.end - 19, end=WINDOW.end, steps={}))

    assert found.verdict is Verdict.INVALID
    assert "shorter than 4 scrapes" in found.message


def test_warning_of_prometheus_is_invalid(prom: Prometheus) -> None:
    found = judged(prom, query("quantile(1.5, depth) * 0 + 1"))

    assert found.verdict is Verdict.INVALID
    assert "Prometheus warns" in found.message


def test_query_that_prometheus_refuses_is_an_error_with_its_words(prom: Prometheus) -> None:
    found = judged(prom, query("max(depth) + on ( 3"))

    assert found.verdict is Verdict.ERROR
    assert "parse error" in found.message


def test_prometheus_that_is_gone_is_an_error() -> None:
    gone = Prometheus(Endpoint(url="http://127.0.0.1:9"), retries=0)

    found = judged(gone, histogram("clean"))

    assert found.verdict is Verdict.ERROR
    assert "refused" in found.message


def test_clocks_that_part_are_invalid(prom: Prometheus) -> None:
    slo = histogram("clean")

    found = judge(slo, prom, WINDOW, facts={}, scrape_interval=INTERVAL, targets={}, drift=1.5)

    assert found.verdict is Verdict.INVALID
    assert "parted by 1.50 s" in found.message


def test_declared_skip_asks_nothing(prom: Prometheus) -> None:
    found = judged(prom, histogram("clean", skip="work requires etcd-metrics"))

    assert (found.verdict, found.queries) == (Verdict.SKIP, ())


def test_all_slos_of_a_recording_are_judged_in_order(recording: Recording) -> None:
    found = judge_all([histogram("slow")], recording, {}, {})

    assert [one.verdict for one in found] == [Verdict.FAIL]
    assert all("$" not in promql for promql in found[0].queries)


def test_ratio_of_too_few_calls_says_so_first_and_still_tells_the_value(prom: Prometheus) -> None:
    found = judged(prom, ratio("failing", 0.05, min_count=5000))

    assert found.verdict is Verdict.INVALID
    assert found.message == "calls: too few samples: 1000 of at least 5000; 2 % <= 5 % (60 % to spare), n=1000"


def test_histogram_of_two_names_is_judged_by_the_one_that_is_there(prom: Prometheus) -> None:
    found = judged(prom, histogram("clean", metrics=("older_duration_seconds", METRIC)))

    assert (found.verdict, found.count) == (Verdict.PASS, 300.0)
