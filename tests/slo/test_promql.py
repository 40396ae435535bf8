"""What is said of a query without Prometheus."""

from __future__ import annotations

import pytest

from pytest_telescope.slo.promql import Selector
from pytest_telescope.slo.promql import mistakes
from pytest_telescope.slo.promql import selectors
from pytest_telescope.slo.promql import split


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("max(a) > 5", "comparison '>' at top level"),
        ("(max(a) == bool 5)", "comparison '==' at top level"),
        ("sum by (le) (a_bucket)", "a_bucket without rate or increase"),
        ("avg_over_time(a_bucket[${w}])", "a_bucket without rate or increase"),
        ("rate(a_total[5m])", "literal range [5m]"),
        ('sum(rate(a_bucket{le="1"}[${w}]))', 'le=~"1(\\\\.0)?"'),
        ('sum(rate(a_bucket{le="1.0"}[${w}]))', "depends on how a bound is spelt"),
        ("avg(histogram_quantile(0.9, sum by (le, n) (rate(a_bucket[${w}]))))", "avg over histogram_quantile"),
        ("sum by (n) (histogram_quantile(0.9, rate(a_bucket[${w}])))", "sum over histogram_quantile"),
        ("max_over_time(max(a)[${w}:])", "subquery without resolution"),
        ('rate({__name__=~"a_total|b_total"}[${w}])', "__name__ by regular expression"),
        ("max(a[${wide}])", "unknown variable ${wide}"),
        ("max(a", "'(' is never closed"),
        ("max(a))", "')' closes nothing"),
        ("", "the query is empty"),
        ("vector(1)", "selects no metric"),
    ],
)
def test_mistake_is_named(query: str, text: str) -> None:
    assert any(text in found for found in mistakes(query))


@pytest.mark.parametrize(
    "query",
    [
        "max_over_time((sum by (queue) (rate(a_total[1m])))[${w}:${scrape}])",
        'histogram_quantile(0.99, sum by (le) (rate(a_bucket{le!="+Inf"}[%v])))',
        "sum(rate(a_total[${w}])) / sum(rate(b_total[${w}]) > 0)",
        'sum(increase(a_total{code=~"5.."}[${w}])) or vector(0) # none is zero',
        "avg_over_time((a <= bool 5)[${w}:1m])",
        "a - (a @ ${start} or a * 0)",
        "sum(a * on (node) group_left (zone) b)",
    ],
)
def test_sound_query_has_no_mistakes(query: str) -> None:
    assert mistakes(query) == ()


def test_metrics_are_found_without_functions_labels_and_keywords() -> None:
    found = selectors('sum by (job) (rate(a_total{x="b", y!=""}[5m])) / on (job) group_left (z) (c:d or inf) offset 5m')

    assert found == (
        Selector(name="a_total", matchers='x="b",y!=""', inside=("sum", "rate")),
        Selector(name="c:d", matchers="", inside=("",)),
    )


def test_counter_with_matchers_is_split() -> None:
    assert split('calls_total{code=~"5.."}') == ("calls_total", 'code=~"5.."')
    assert split("calls_total") == ("calls_total", "")


def test_the_step_of_a_filled_subquery_is_no_metric() -> None:
    found = selectors("max_over_time(sum(calls)[31232ms:5000ms]) + max_over_time(:rule:sum[5m:])")

    assert [one.name for one in found] == ["calls", ":rule:sum"]
