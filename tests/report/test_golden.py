"""Golden signals of a node, asked of a real Prometheus."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.slo import promql
from pytest_telescope.slo.golden import SCRAPED
from pytest_telescope.slo.golden import golden
from pytest_telescope.slo.golden import pressed
from pytest_telescope.slo.golden import scraped
from pytest_telescope.slo.golden import selectors
from pytest_telescope.slo.golden import signals
from pytest_telescope.slo.golden_told import Told
from pytest_telescope.slo.golden_told import stands_out
from pytest_telescope.slo.golden_told import told
from pytest_telescope.slo.model import Trace
from pytest_telescope.slo.model import Verdict
from tests.report.busy_node import SPAN
from tests.report.busy_node import WINDOW
from tests.report.busy_node import judged
from tests.report.busy_node import latency
from tests.slo.world import T0

INSIDE = (WINDOW.start, WINDOW.end)


def of(prom: Prometheus, node: str) -> dict[str, Trace]:
    found = signals(prom, SPAN, node, names=prom.metric_names())
    return {one.name.removesuffix(f" {node}"): one for one in found}


def words(prom: Prometheus, node: str) -> Told:
    found = told(signals(prom, SPAN, node, names=prom.metric_names()), INSIDE)
    assert found is not None
    return found


def test_what_an_overloaded_node_did_stands_out_with_what_was_usual_before(busy: Prometheus) -> None:
    found = words(busy, "n1")

    assert found.node == "n1"
    busy_text, waiting_text, conntrack_text = found.unusual
    assert busy_text.startswith("CPU busy up to 98 % at 22:1")
    assert busy_text.endswith("10 % before")
    assert waiting_text.startswith("run-queue wait up to 1.4 s/s at 22:1")
    assert ", 0.02 s/s before: seconds that tasks waited" in waiting_text
    assert conntrack_text.startswith("conntrack up to 90 %")
    assert "memory available 75 %" in found.calm
    assert "network drops" in found.missing


def test_a_calm_node_is_said_to_be_calm(busy: Prometheus) -> None:
    found = words(busy, "n2")

    assert found.unusual == ()
    assert "CPU busy 20 %" in found.calm


def test_cadvisor_tells_of_a_node_without_node_exporter(busy: Prometheus) -> None:
    found = words(busy, "n3")

    (unusual,) = found.unusual
    assert unusual.startswith("CPU busy up to 97.5 %")
    assert unusual.endswith("12.5 % before")
    assert "run-queue wait" in found.missing
    assert "container_cpu_usage_seconds_total" in of(busy, "n3")["CPU busy"].query


def test_a_signal_that_was_not_recorded_is_a_line_without_points_and_never_zero(busy: Prometheus) -> None:
    found = of(busy, "n1")["network drops"]

    assert found.points == ()
    assert found.query


def test_nothing_is_told_of_a_node_that_nothing_knows(busy: Prometheus) -> None:
    found = words(busy, "n9")

    assert found.unusual == found.calm == ()
    assert len(found.missing) == len(golden().signals)


def test_the_node_under_the_most_pressure_is_found_where_the_slo_names_none(busy: Prometheus) -> None:
    assert pressed(busy, SPAN, frozenset(busy.metric_names())) == "n1"


def test_without_any_metric_of_nodes_there_is_no_node_and_no_signal(busy: Prometheus) -> None:
    assert pressed(busy, SPAN, frozenset({"up"})) == ""
    assert signals(busy, SPAN, "", names=["up"]) == ()
    assert told((), INSIDE) is None


def test_lines_begin_before_the_window_and_end_with_it(busy: Prometheus) -> None:
    points = of(busy, "n1")["CPU busy"].points

    assert points[0][0] < T0 - 200
    assert points[-1][0] == pytest.approx(WINDOW.end)
    assert len(points) <= 60


def test_what_only_stood_out_before_the_window_does_not_stand_out() -> None:
    trace = Trace(name="CPU busy n1", unit="ratio", points=((T0 - 10, 0.99), (T0 + 10, 0.2)), query="")

    assert not stands_out(trace, INSIDE)
    assert stands_out(replace(trace, points=((T0 + 10, 0.99),)), INSIDE)


def test_a_signal_with_a_lower_limit_stands_out_below_it() -> None:
    trace = Trace(name="memory available n1", unit="ratio", points=((T0 + 10, 0.04), (T0 + 20, 0.5)), query="")

    found = told([trace], INSIDE)

    assert found is not None
    assert found.unusual == ("memory available down to 4 % at 22:13:30 UTC",)


def test_a_red_slo_has_the_signals_of_its_worst_elements_node(busy: Prometheus) -> None:
    judgement = judged(busy, latency())

    assert judgement.verdict is Verdict.FAIL
    assert {one.name.rpartition(" ")[2] for one in judgement.signals} == {"n1"}


def test_an_invalid_slo_shows_whether_its_targets_were_scraped(busy: Prometheus) -> None:
    judgement = judged(busy, latency(), kubelet=4)

    assert judgement.verdict is Verdict.INVALID
    assert judgement.signals[0].name == f"{SCRAPED} kubelet"
    assert {value for _, value in judgement.signals[0].points} == {3.0}


def test_targets_that_were_lost_are_told_with_the_time() -> None:
    points = tuple((T0 + 5 * number, 1.0 if number in {7, 8} else 3.0) for number in range(20))

    found = told([Trace(name=f"{SCRAPED} kubelet", unit="count", points=points, query="")], INSIDE)

    assert found is not None
    assert found.scraped == "1 to 3 targets of job kubelet, the fewest first at 22:13:55 UTC"


def test_a_job_that_nothing_scraped_has_no_targets(busy: Prometheus) -> None:
    found = told([scraped(busy, "nothing", SPAN)], INSIDE)

    assert found is not None
    assert found.scraped == "0 targets of job nothing throughout the window"


def test_selectors_are_metrics_with_their_own_matchers_only() -> None:
    found = selectors()

    assert all(promql.is_selector(one) for one in found)
    assert not [one for one in found if "$" in one]
    assert 'container_cpu_usage_seconds_total{id="/"}' in found
    assert "node_vmstat_oom_kill" in found


@pytest.mark.parametrize("signal", golden().signals, ids=lambda one: one.name)
def test_every_way_of_a_signal_is_answered_with_the_label_node_alone(busy: Prometheus, signal: object) -> None:
    from pytest_telescope.slo.golden import Signal
    from pytest_telescope.slo.queries import fill

    assert isinstance(signal, Signal)
    assert (signal.above is None) != (signal.below is None)
    for way in signal.ways:
        asked = fill(way.replace("${node}", 'node="n1"'), SPAN, {})
        assert "${" not in asked
        assert all(set(one.labels) <= {"node"} for one in busy.query(asked, SPAN.end).series)
