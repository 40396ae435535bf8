"""Lines of the worst elements over the window, asked of a real Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics.answers import RangeAnswer
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.slo import explaining
from pytest_telescope.slo import queries
from pytest_telescope.slo import traces
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.elements import POOLED
from pytest_telescope.slo.explaining import explained
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Trace
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.slicing import MOST_POINTS
from pytest_telescope.slo.slicing import grid
from pytest_telescope.slo.traces import GREEN_POINTS
from pytest_telescope.slo.traces import RED_ELEMENTS
from pytest_telescope.slo.traces import Lines
from pytest_telescope.slo.traces import thinned
from tests.report.busy_node import EVICTIONS
from tests.report.busy_node import LATENCY
from tests.report.busy_node import SPAN
from tests.report.busy_node import bound
from tests.report.busy_node import evictions
from tests.report.busy_node import judged
from tests.report.busy_node import latency
from tests.slo.world import INTERVAL
from tests.slo.world import T0


def element(**labels: str) -> Element:
    return Element(labels=labels, verdict=Verdict.FAIL, value=1.0)


def line(prom: Prometheus, slo: Slo, *, is_reset: bool = False, is_whole: bool = False, **labels: str) -> Trace:
    lines = Lines(slo=slo, prom=prom, span=SPAN, facts={}, is_reset=is_reset, is_whole=is_whole)
    return lines.of([element(**labels)])[0]


def values(trace: Trace) -> list[float]:
    return [value for _, value in trace.points if value is not None]


@pytest.mark.parametrize("seconds", [7, 19.761, 20, 60, 240, 3600, 86_400])
def test_a_window_has_at_most_sixty_slices_of_at_least_four_scrapes_that_end_with_it(seconds: float) -> None:
    span = queries.Span(start_ms=1_000_000, end_ms=1_000_000 + round(seconds * 1000), interval=INTERVAL)

    found = grid(span)

    assert 1 <= found.count <= MOST_POINTS
    assert found.last == pytest.approx(span.end)
    assert found.first - found.length >= span.start - 1e-6
    assert found.length >= min(seconds, 4 * INTERVAL)
    assert seconds < 300 or found.count >= 30


def test_a_percentile_goes_over_the_window_and_a_time_without_observations_is_a_gap(busy: Prometheus) -> None:
    found = line(busy, latency(), node="n1")

    assert found.name == "p90 in slices of 20s, node n1"
    assert min(values(found)) > 2.0
    assert [when - T0 for when, value in found.points if value is None] == list(range(125, 161, 5))


def test_a_line_is_restricted_to_the_element(busy: Prometheus) -> None:
    fast = line(busy, latency(), node="n2")

    assert max(values(fast)) < 1.0
    assert 'node="n2"' in fast.query


def test_a_line_can_be_asked_again_as_it_is_told(busy: Prometheus) -> None:
    found = line(busy, latency(), node="n1")

    again = busy.query(found.query, found.points[-1][0])

    assert again.series[0].value == pytest.approx(found.points[-1][1], rel=1e-5)


def test_a_counter_goes_up_to_exactly_what_is_judged(busy: Prometheus) -> None:
    judgement = judged(busy, evictions())

    (found,) = judgement.traces
    assert judgement.value == 3.0
    assert found.points[-1][1] == 3.0
    assert found.points[0][1] in {0.0, None}
    assert set(values(found)) <= {0.0, 1.0, 3.0}


def test_a_ratio_without_bad_ones_is_zero_where_something_was_counted_and_a_gap_elsewhere(busy: Prometheus) -> None:
    slo = Slo(
        id="errors",
        form="ratio",
        bad="no_such_errors_total",
        total=f"{LATENCY}_count",
        by=("node",),
        absent_zero=True,
        bound=bound(0.01, unit="ratio"),
    )

    found = line(busy, slo, node="n1")

    assert set(values(found)) == {0.0}
    assert any(value is None for _, value in found.points)


@pytest.mark.parametrize("node", ["n1", "n$2", 'quoted "n"'])
def test_a_raw_query_is_restricted_to_the_element_and_asked_in_slices(busy: Prometheus, node: str) -> None:
    slo = Slo(
        id="calls",
        form="query",
        query=f"sum by (node) (rate({LATENCY}_count[${{w}}]))",
        by=("node",),
        bound=bound(10.0, unit="/s"),
    )

    found = line(busy, slo, node=node)

    assert "[20000ms]" in found.query
    assert (max(values(found), default=0.0) == pytest.approx(1.0, abs=0.1)) is (node == "n1")


def test_a_query_that_stands_still_at_the_end_has_no_line(busy: Prometheus) -> None:
    slo = Slo(id="calls", form="query", query=f"sum({LATENCY}_count @ ${{end}})", bound=bound(1.0, unit="count"))

    assert line(busy, slo).points == ()


def test_after_a_reset_lines_are_of_rates_and_never_negative(busy: Prometheus) -> None:
    of_latency = line(busy, latency(), is_reset=True, node="n1")
    of_evictions = line(busy, evictions(), is_reset=True, node="n1")

    assert "increase(" in of_latency.query
    assert min(values(of_latency)) > 2.0
    assert min(values(of_evictions)) >= 0.0


def test_a_mistake_in_a_line_costs_the_line_and_not_the_verdict(busy: Prometheus) -> None:
    slo = latency()
    red = judged(busy, slo)

    found = explained(red, replace(slo, metrics=()), Desk(busy, SPAN), {})

    assert found.verdict is Verdict.FAIL
    assert found.traces == ()
    assert found.signals
    assert found.guards["pictures"].startswith("left out: ")


def test_pooled_elements_have_a_line_only_where_they_are_all_there_is(busy: Prometheus) -> None:
    assert line(busy, latency(), node=POOLED).points == ()

    whole = line(busy, latency(), node=POOLED, is_whole=True)

    assert values(whole)
    assert whole.name == "p90 in slices of 20s, all that were pooled"


def test_two_generations_of_a_histogram_make_one_line(busy: Prometheus) -> None:
    both = line(busy, replace(latency(), metrics=("no_such_seconds", LATENCY)), node="n1")

    assert values(both) == values(line(busy, latency(), node="n1"))


def test_the_slices_of_an_slo_are_those_of_its_line_and_the_peak_is_in_it(busy: Prometheus) -> None:
    slo = evictions(slices=Slices(mode="peak", length=60, step=20))

    judgement = judged(busy, slo)

    (found,) = judgement.traces
    assert found.name == "count in slices of 1m, node n1"
    assert max(values(found)) == judgement.value == 2.0
    assert [round(when - T0) for when, _ in found.points] == list(range(60, 241, 20))


def test_thinning_keeps_the_worst_of_neighbours() -> None:
    points = [(float(number), None if number == 3 else 1.0) for number in range(600)]
    points[417] = (417.0, 9.0)

    kept = thinned(points, latency())

    assert len(kept) <= MOST_POINTS
    assert (417.0, 9.0) in kept


def test_a_green_slo_has_one_shorter_line_and_no_signals(busy: Prometheus) -> None:
    judgement = judged(busy, latency(5.0))

    assert judgement.verdict is Verdict.PASS
    assert [one.name for one in judgement.traces] == ["p90 in slices of 20s, node n1"]
    assert len(judgement.traces[0].points) <= GREEN_POINTS
    assert judgement.signals == ()


def test_a_red_slo_has_a_line_for_each_of_the_worst_elements_in_their_order(busy: Prometheus) -> None:
    judgement = judged(busy, latency(0.5))

    assert [one.labels["node"] for one in judgement.elements] == ["n1", "n2"]
    assert [one.name.rpartition(" ")[2] for one in judgement.traces] == ["n1", "n2"]
    assert len(judgement.traces) <= RED_ELEMENTS


def test_the_queries_of_lines_are_not_among_those_of_the_verdict(busy: Prometheus) -> None:
    judgement = judged(busy, latency())

    assert not {one.query for one in judgement.traces} & set(judgement.queries)


def test_a_line_over_very_many_series_has_few_points_when_red_and_is_left_out_when_green(
    busy: Prometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "GREEN_COST", 50)
    monkeypatch.setattr(traces, "RED_COST", 50)
    over_both = latency(by=())

    red = Lines(slo=over_both, prom=busy, span=SPAN, facts={}).of([element()])[0]
    green = Lines(slo=over_both, prom=busy, span=SPAN, facts={}).of([replace(element(), verdict=Verdict.PASS)])[0]

    assert len(red.points) in {traces.FEWEST_POINTS - 1, traces.FEWEST_POINTS}
    assert green.points == ()


class _Asked(Prometheus):
    """Counts range queries."""

    def __init__(self, prom: Prometheus) -> None:
        super().__init__(prom.endpoint)
        self.ranges: list[str] = []

    def query_range(self, promql: str, start: float, end: float, step: float) -> RangeAnswer:
        self.ranges.append(promql)
        return super().query_range(promql, start, end, step)


def test_a_green_slo_costs_one_range_query(busy: Prometheus) -> None:
    slo = latency(5.0)
    green = judged(busy, slo)

    with _Asked(busy) as prom:
        explained(green, slo, Desk(prom, SPAN), {})

    assert len(prom.ranges) == 1


def test_signals_are_asked_once_for_all_slos_that_the_same_node_misses(busy: Prometheus) -> None:
    slos = [latency(), evictions()]
    reds = [judged(busy, one) for one in slos]

    with _Asked(busy) as prom:
        desk = Desk(prom, SPAN)
        for red, slo in zip(reds, slos, strict=True):
            explained(red, slo, desk, {})

    assert sum("node_cpu_seconds_total" in one and "idle" in one for one in prom.ranges) == 1


def test_a_line_that_takes_too_long_is_left_out_and_told_and_the_verdict_stays(busy: Prometheus) -> None:
    slo = latency()
    red = judged(busy, slo)
    times = iter([0.0, *[explaining.PATIENCE + 1] * 50])

    late = explained(red, slo, Desk(busy, SPAN), {}, clock=lambda: next(times))

    assert late.verdict is red.verdict
    assert late.traces == ()
    assert "left out: not asked within 10 s" in late.guards["pictures"]


class _Gone(Prometheus):
    def query_range(self, promql: str, start: float, end: float, step: float) -> RangeAnswer:  # noqa: ARG002
        raise MetricsError("Prometheus is gone")


def test_a_prometheus_that_is_gone_costs_the_picture_and_not_the_verdict(busy: Prometheus) -> None:
    slo = latency()
    red = judged(busy, slo)

    found = explained(red, slo, Desk(_Gone(busy.endpoint), SPAN), {})

    assert found.verdict is Verdict.FAIL
    assert "Prometheus is gone" in found.guards["pictures"]


def _names(some: Sequence[Trace]) -> list[str]:
    return [one.name for one in some]


def test_no_value_on_a_metric_that_is_not_there_is_a_line_without_points_not_an_error(busy: Prometheus) -> None:
    slo = Slo(id="x", form="counter", counter=f"{EVICTIONS}_x", bound=bound(0.0, unit="count"), by=("node",))

    found = Lines(slo=slo, prom=busy, span=SPAN, facts={}).of([element(node="n1")])

    assert _names(found) == ["count since the start, node n1"]
    assert values(found[0]) == []
