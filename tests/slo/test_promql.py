"""What is said of a query without Prometheus."""

from __future__ import annotations

import pytest

from pytest_telescope.slo.linting import labels_of
from pytest_telescope.slo.linting import mistakes
from pytest_telescope.slo.promql import Selector
from pytest_telescope.slo.promql import is_selector
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
        ("(max(a[${w}]) > 5) or vector(0)", "comparison '>' at top level"),
        ("(max_over_time(a[${w}]) > 5) and on (node) last_over_time(b[${w}])", "comparison '>' at top level"),
        ("sum(increase(a_total[${w}])) or vector(0)", "write absent: {query: zero} and job:"),
        ("ceil(sum(increase(a_total[${w}])) or on () vector(0))", "write absent: {query: zero} and job:"),
        ("max_over_time(a[5m:1m])", "literal range [5m]"),
        ("max_over_time(rate(a_total[${scrape}])[${w}:${scrape}])", "holds one sample at most"),
        ("rate(sum(a_total)[${w}:${scrape}])", "a restart of one counter hides in the sum"),
        ("sum(increase((sum by (node) (a_total))[${w}:15s]))", "take the increase first, then aggregate"),
        ("rate(a_total[${w}:${scrape}])", "reads at steps instead of at samples"),
        ("sum(a_total) - sum(a_total @ ${start})", "a_total without rate or increase"),
        ('sum(rate(a_bucket{le=~"1|5"}[${w}]))', "does not find 1 where it is spelt 1.0"),
        ('sum(rate(a_bucket{le="1e-05"}[${w}]))', "depends on how a bound is spelt"),
        ('max_over_time(a_seconds{quantile="0.99"}[${w}])', "quantile is a summary's label"),
        ("max by (quantile) (max_over_time(a_seconds[${w}]))", "quantile is a summary's label"),
        ("quantile_over_time(0.9, histogram_quantile(0.9, rate(a_bucket[1m]))[${w}:15s])", "quantile_over_time over"),
        ("histogram_quantile(0.9, sum by (node) (rate(a_bucket[${w}])))", "histogram_quantile without le"),
        ("histogram_quantile(99, rate(a_bucket[${w}]))", "share of 0 to 1"),
        ("max(max_over_time(apiserver_latency_summary[${w}]))", "take a histogram, or its _sum over its _count"),
        ("sum(rate(a_total[${w}]) * on (instance) group_left (node) kubelet_node_name)", "a join by instance breaks"),
        ("max(queue_length)", "queue_length is read at the end of the window alone"),
        ("max(queue_length offset 5m)", "queue_length is read at the end of the window alone"),
        ("sum(max_over_time(a[${w}]) * on (node) group_left (zone) labels)", "labels is read at the end"),
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
        '(sum(increase(a_total{code=~"5.."}[${w}])) or vector(0)) / sum(increase(a_total[${w}])) # none is zero',
        "avg_over_time((a <= bool 5)[${w}:1m])",
        "a - (a @ ${start} or a * 0)",
        "sum(last_over_time(a_total[${w}]) - (a_total @ ${start} or last_over_time(a_total[${w}]) * 0)) / ${w_s}",
        "sum(last_over_time(a[${w}]) * on (node) group_left (zone) last_over_time(b[${w}]))",
        "sum(rate(a_total[${w}])) / (sum(rate(b_total[${w}])) > 0)",
        "max_over_time(a[${w}]) and (max_over_time(b[${w}]) > 0)",
        'sum(telescope_cl2_check{verdict!="pass"}) or vector(0)',
        "max(telescope_load_pods)",
        "1 - (sum(rate(a_total[${w}])) or vector(0)) / sum(rate(b_total[${w}]))",
        "max(max_over_time(node:a:sum[${w}]))",
        "max(queue_length @ ${end})",
        "max_over_time(queue_length[${w}])",
        "max_over_time((sum(queue_length))[${w}:${scrape}])",
        "max(max_over_time(rate(a_total[1m])[${w}:15s]))",
        'sum(rate(a_bucket{le=~"1(\\\\.0)?"}[${w}])) / sum(rate(a_count[${w}]))',
        'sum(rate(a_bucket{le="3.0517578125"}[${w}]))',
        "max by (node) (histogram_quantile(0.9, sum by (node, le) (rate(a_bucket[${w}]))))",
        "avg_over_time(((histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m]))) >= 0) <= bool 5)[${w}:1m])",
        "quantile_over_time(0.9, (histogram_quantile(0.9, rate(a_bucket[5m])) >= 0)[${w}:1m])",
        "quantile(0.9, max_over_time(a[${w}]))",
        "max(changes(a_total[${w}]))",
        "count(group by (node) (last_over_time(a_total[${w}])))",
    ],
)
def test_sound_query_has_no_mistakes(query: str) -> None:
    assert mistakes(query) == ()


def test_metrics_are_found_without_functions_labels_and_keywords() -> None:
    found = selectors('sum by (job) (rate(a_total{x="b", y!=""}[5m])) / on (job) group_left (z) (c:d or inf) offset 5m')

    assert found == (
        Selector(name="a_total", matchers='x="b",y!=""', inside=("sum", "rate"), aggregated=(5,), read="range"),
        Selector(name="c:d", matchers="", inside=("",)),
    )


@pytest.mark.parametrize(
    ("query", "read", "pinned"),
    [
        ("max(a)", "instant", False),
        ("max(a @ 5)", "instant", True),
        ("max(a offset 5m @ ${start})", "instant", True),
        ("max(a offset -5m)", "instant", False),
        ('rate(a{b="c"}[5m] @ end())', "range", True),
        ("max_over_time(a[5m:15s])", "subquery", False),
        ("max_over_time((a)[5m:15s])", "subquery", False),
        ("max_over_time(rate(a[1m])[5m:15s])", "range", False),
    ],
)
def test_how_a_metric_is_read_is_told(query: str, read: str, pinned: bool) -> None:
    found = next(one for one in selectors(query) if one.name == "a")

    assert (found.read, found.pinned) == (read, pinned)


@pytest.mark.parametrize(
    ("written", "one"),
    [
        ("a_total", True),
        ('a_total{b="c"}', True),
        ("rate(a_total[5m])", False),
        ("a_total[5m]", False),
        ("a_total + b_total", False),
        ("", False),
        ('"a"', False),
    ],
)
def test_one_metric_and_nothing_else(written: str, one: bool) -> None:
    assert is_selector(written) is one


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("max(a)", ()),
        ("max by (node, zone) (a)", ("node", "zone")),
        ("(sum(rate(a_total[5m])) by (node))", ("node",)),
        ("quantile by (node) (0.9, a)", ("node",)),
        ("max by () (a)", ()),
        ("max without (node) (a)", None),
        ("topk by (node) (3, a)", None),
        ("sum(a) / sum(b)", None),
        ("sum by (node) (a) * 8", None),
        ("sum by (node) (a) or sum by (node) (b)", None),
        ("max_over_time(max(a)[5m:15s])", None),
        ("a", None),
        ("max(a", None),
    ],
)
def test_labels_of_an_answer_are_known_where_the_text_tells(query: str, labels: tuple[str, ...] | None) -> None:
    assert labels_of(query) == labels


def test_counter_with_matchers_is_split() -> None:
    assert split('calls_total{code=~"5.."}') == ("calls_total", 'code=~"5.."')
    assert split("calls_total") == ("calls_total", "")


def test_the_step_of_a_filled_subquery_is_no_metric() -> None:
    found = selectors("max_over_time(sum(calls)[31232ms:5000ms]) + max_over_time(:rule:sum[5m:])")

    assert [one.name for one in found] == ["calls", ":rule:sum"]
