"""Quorum, trust, intervals and close calls: what is said beside a verdict, and when it turns."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.slo.buckets import Buckets
from pytest_telescope.slo.closeness import close_call
from pytest_telescope.slo.confidence import quantile_interval
from pytest_telescope.slo.confidence import ranks
from pytest_telescope.slo.confidence import wilson
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.elements import judge_value
from pytest_telescope.slo.elements import worst_first
from pytest_telescope.slo.judge import judge
from pytest_telescope.slo.judgement import judgement
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.queries import span
from tests.slo.asked import bound
from tests.slo.asked import histogram
from tests.slo.asked import judged
from tests.slo.asked import ratio
from tests.slo.world import INTERVAL
from tests.slo.world import WINDOW


def chance(count: int, share: float, upto: int) -> float:
    return sum(math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(upto + 1))


def voted(prom: Prometheus, values: list[float], quorum: float, *more: Element) -> Judgement:
    slo = Slo(id="x", form="query", bound=bound(5.0), by=("node",), quorum=quorum)
    elements = [judge_value(slo, (f"n{number}",), value) for number, value in enumerate(values)]
    return judgement(slo, Desk(prom, span(WINDOW, INTERVAL)), [*elements, *more], "")


@pytest.mark.parametrize(("count", "share"), [(20, 0.5), (100, 0.9), (300, 0.99), (367, 0.99), (1000, 0.99), (40, 0.1)])
def test_ranks_hold_the_quantile_in_95_of_100_and_no_narrower_ones_do(count: int, share: float) -> None:
    low, high = ranks(count, share)

    assert chance(count, share, low - 1) <= 0.025 < chance(count, share, low)
    assert 1 - chance(count, share, high - 1) <= 0.025 < 1 - chance(count, share, high - 2)


@given(st.integers(6000, 10**7), st.sampled_from([0.5, 0.9, 0.99]))
def test_ranks_of_many_observations_are_those_of_the_normal_distribution(count: int, share: float) -> None:
    low, high = ranks(count, share)

    reach = NormalDist().inv_cdf(0.975) * math.sqrt(count * share * (1 - share))
    assert (low, high) == pytest.approx((count * share - reach, count * share + reach), abs=3)


@given(st.integers(0, 500), st.integers(1, 500))
def test_interval_of_a_share_holds_it_and_stays_a_share(hits: int, more: int) -> None:
    low, high = wilson(hits, hits + more)

    assert 0 <= low <= hits / (hits + more) <= high <= 1


def test_interval_of_a_share_is_wilsons() -> None:
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(1, 10) == pytest.approx((0.0179, 0.4042), abs=1e-4)


def test_interval_of_a_percentile_is_widened_to_its_buckets_and_open_beyond_the_samples() -> None:
    found = Buckets({1.0: 900, 2.0: 985, 5.0: 1000, 10.0: 1000, math.inf: 1000})

    assert quantile_interval(found, 99) == (1.0, 5.0)
    assert quantile_interval(Buckets({1.0: 300, math.inf: 300}), 99) == (0.0, math.inf)


@given(st.lists(st.integers(0, 200), min_size=4, max_size=4).filter(any), st.sampled_from([50.0, 90.0, 99.0]))
def test_interval_of_a_percentile_holds_its_bucket(counts: list[int], p: float) -> None:
    cumulative = [sum(counts[: at + 1]) for at in range(4)]
    found = Buckets(dict(zip((1.0, 2.0, 5.0, math.inf), cumulative, strict=True)))

    low, high = quantile_interval(found, p)

    assert low <= found.quantile(p)[1][0]
    assert high >= found.quantile(p)[1][1]


@pytest.mark.e2e
def test_quorum_outvotes_failures_within_it_and_tells_them(prom: Prometheus) -> None:
    found = voted(prom, [1.0] * 198 + [6.0, 9.0], 0.99)

    assert (found.verdict, found.value) == (Verdict.PASS, 1.0)
    assert found.message.endswith("; 2 of 200 miss it, within the quorum of 99 %: node n199 9 s, node n198 6 s")
    assert found.guards["quorum"] == "99 % of 200: 2 may miss it, 2 do"
    assert [one.verdict for one in found.elements[:3]] == [Verdict.FAIL, Verdict.FAIL, Verdict.PASS]


@pytest.mark.e2e
def test_one_failure_more_than_the_quorum_allows_fails_with_the_worst(prom: Prometheus) -> None:
    found = voted(prom, [1.0] * 197 + [6.0, 9.0, 7.0], 0.99)

    assert (found.verdict, found.value, dict(found.labels)) == (Verdict.FAIL, 9.0, {"node": "n198"})
    assert found.message.endswith("; quorum 99 % allows 2 of 200")


@pytest.mark.e2e
def test_quorum_of_few_elements_allows_none(prom: Prometheus) -> None:
    found = voted(prom, [1.0, 1.0, 6.0], 0.99)

    assert found.verdict is Verdict.FAIL
    assert found.guards["quorum"] == "99 % of 3: none may miss it, 1 does"


@pytest.mark.e2e
@pytest.mark.parametrize("verdict", [Verdict.INVALID, Verdict.ERROR])
def test_element_without_a_verdict_is_never_outvoted(prom: Prometheus, verdict: Verdict) -> None:
    found = voted(prom, [1.0] * 200, 0.5, Element(labels={}, verdict=verdict, value=None))

    assert found.verdict is verdict


@pytest.mark.e2e
def test_version_outside_of_trust_is_invalid_once_the_recording_tells_it(prom: Prometheus) -> None:
    slo = histogram("clean", trust={"kubernetes": ">=1.36"})

    found = [
        judge(slo, prom, WINDOW, facts={"kubernetes": version}, scrape_interval=INTERVAL, targets={})
        for version in ("v1.36.2", "v1.34.9")
    ]

    assert [one.verdict for one in found] == [Verdict.PASS, Verdict.INVALID]
    assert "1.34.9" in found[1].message


@pytest.mark.e2e
def test_judgement_says_what_it_was_made_of(prom: Prometheus) -> None:
    slo = histogram("slow", description="how long work takes", ref="https://example.org/slo", look_at="the queue")

    found = judged(prom, slo)

    assert (found.description, found.ref, found.look_at) == (slo.description, slo.ref, slo.look_at)
    assert found.window == (WINDOW.start, WINDOW.end)
    assert found.interval == found.elements[0].interval == (0.5, math.inf)


@pytest.mark.e2e
def test_ratio_has_the_interval_of_its_share(prom: Prometheus) -> None:
    clear, close = judged(prom, ratio("failing", 0.01)), judged(prom, ratio("failing", 0.021))

    assert clear.interval == pytest.approx((0.01299, 0.03069), abs=1e-4)
    assert "95 % 1.3-3.07 %" in clear.message
    assert "close call" not in clear.guards
    assert close.guards["close call"] == "95 % 1.3-3.07 % holds the bound"


def test_verdict_far_from_its_bound_is_no_close_call() -> None:
    slo = histogram("x", p=50.0)
    sure = Element(labels={}, verdict=Verdict.PASS, value=0.6, count=1000, good=0.9, interval=(0.5, 1.0))

    assert close_call(slo, sure) == ""


def test_values_between_two_bounds_are_worst_at_the_far_end() -> None:
    slo = Slo(id="x", form="query", bound=bound(5.0, "equals"))
    elements = [judge_value(slo, (), value) for value in (4.0, 9.0, 5.5)]

    assert [one.value for one in worst_first(elements, slo)] == [9.0, 4.0, 5.5]
