"""Bounds, buckets and wording; pure."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_telescope.errors import UsageError
from pytest_telescope.metrics.client import Samples
from pytest_telescope.slo.bounds import holds
from pytest_telescope.slo.bounds import margin
from pytest_telescope.slo.bounds import snap
from pytest_telescope.slo.bounds import unit_of
from pytest_telescope.slo.buckets import Buckets
from pytest_telescope.slo.coverage import coverage
from pytest_telescope.slo.elements import judge_histogram
from pytest_telescope.slo.elements import pooled
from pytest_telescope.slo.elements import worst
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Operator
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.queries import span
from pytest_telescope.slo.text import humanly
from pytest_telescope.slo.text import interval
from tests.slo.world import INTERVAL
from tests.slo.world import SCRAPES
from tests.slo.world import T0
from tests.slo.world import WINDOW

EDGES = (1.0, 2.0, 5.0, math.inf)


def bound(value: float, operator: Operator = "max", *more: float) -> Bound:
    return Bound(operator=operator, values=(value, *more), unit="s", text=f"{value:g}s")


def slo(p: float = 90.0, limit: float = 2.0, min_count: int = 1, **keys: object) -> Slo:
    return Slo(id="x", form="histogram", bound=bound(limit), p=p, min_count=min_count, metrics=("x_seconds",), **keys)  # type: ignore[arg-type] # a test's shorthand


def buckets(*cumulative: float) -> Buckets:
    return Buckets(dict(zip(EDGES, cumulative, strict=True)))


@given(
    st.lists(st.floats(0.01, 20), min_size=1, max_size=200),
    st.sampled_from([50.0, 90.0, 99.0]),
    st.sampled_from([1.0, 2.0, 5.0]),
)
def test_verdict_is_the_share_of_observations_within_the_bound(values: list[float], p: float, limit: float) -> None:
    counts = buckets(*(sum(value <= edge for value in values) for edge in EDGES))

    found = judge_histogram(slo(p, limit), (), counts)

    good = sum(value <= limit for value in values) / len(values)
    assert (found.verdict is Verdict.PASS) == (good >= p / 100 - 1e-9)
    assert found.value is not None
    assert found.bucket is not None
    assert found.bucket[0] <= found.value <= found.bucket[1]
    assert (found.value <= limit * (1 + 1e-9)) == (found.verdict is Verdict.PASS) or found.bucket[0] == limit


def test_quantile_is_interpolated_as_prometheus_does() -> None:
    assert buckets(0, 10, 10, 10).quantile(50) == (1.5, (1.0, 2.0))
    assert buckets(10, 10, 10, 10).quantile(99)[0] == pytest.approx(0.99)
    assert buckets(0, 0, 0, 10).quantile(99) == (5.0, (5.0, math.inf))


@pytest.mark.parametrize(
    ("counts", "text"),
    [((5, 3, 9, 9), "less in a wider bucket"), ((-1, 3, 9, 9), "negative"), ((1, math.nan, 2, 2), "no number")],
)
def test_impossible_counts_are_invalid(counts: tuple[float, ...], text: str) -> None:
    found = judge_histogram(slo(), (), buckets(*counts))

    assert found.verdict is Verdict.INVALID
    assert text in found.message


def test_histogram_without_its_last_bucket_is_invalid() -> None:
    found = judge_histogram(slo(), (), Buckets({1.0: 5, 2.0: 5}))

    assert (found.verdict, found.message) == (Verdict.INVALID, "has no +Inf bucket")


def test_skip_leaves_thin_series_out_but_never_all_of_them() -> None:
    thick, thin = buckets(9, 9, 9, 9), buckets(1, 1, 1, 1)

    some = pooled(slo(min_count=5, sparse="skip", by=("n",)), {("a",): thick, ("b",): thin})
    none = pooled(slo(min_count=5, sparse="skip", by=("n",)), {("b",): thin})

    assert (set(some), set(none)) == ({("a",)}, {("b",)})


def test_worst_verdict_wins_and_nothing_judged_is_invalid() -> None:
    assert worst([Verdict.PASS, Verdict.FAIL, Verdict.INVALID]) is Verdict.INVALID
    assert worst([Verdict.ERROR, Verdict.INVALID]) is Verdict.ERROR
    assert worst([]) is Verdict.INVALID


@pytest.mark.parametrize(
    ("operator", "values", "inside", "outside"),
    [
        ("max", (5.0,), 5.0, 5.1),
        ("min", (5.0,), 5.0, 4.9),
        ("below", (5.0,), 4.9, 5.0),
        ("above", (5.0,), 5.1, 5.0),
        ("equals", (5.0,), 5.0, 4.9),
        ("between", (5.0, 6.0), 6.0, 6.1),
    ],
)
def test_bounds_hold_up_to_their_edge(
    operator: Operator, values: tuple[float, ...], inside: float, outside: float
) -> None:
    limit = bound(values[0], operator, *values[1:])

    assert holds(limit, inside)
    assert not holds(limit, outside)
    assert (margin(limit, outside) or 0) <= 0 <= (margin(limit, inside) or 0)


@given(st.floats(0.001, 100), st.lists(st.floats(0.001, 100), min_size=1, max_size=20, unique=True))
def test_bound_is_moved_by_half_a_percent_at_most(value: float, edges: list[float]) -> None:
    try:
        found = snap(bound(value), edges, "x")
    except UsageError:
        assert all(abs(edge - value) > 0.005 * edge for edge in edges)
    else:
        assert found.values[0] in edges
        assert abs(found.values[0] - value) <= 0.005 * found.values[0]
        assert bool(found.note) == (found.values[0] != value)


def test_units_follow_the_metrics_name() -> None:
    found = [unit_of(name) for name in ("a_seconds_bucket", "a_bytes_total", "a_ratio", "a_total")]

    assert found == ["s", "B", "ratio", None]
    with pytest.raises(UsageError, match="not in seconds"):
        unit_of("pod_resize_duration_milliseconds")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (6.3, "s", "6.3 s"),
        (0.32, "s", "320 ms"),
        (0, "s", "0 s"),
        (125.4, "s", "125 s"),
        (1.5 * 2**30, "B", "1.5 GiB"),
        (0.0012, "ratio", "0.12 %"),
        (3.0, "cores", "3 cores"),
        (12345.0, "count", "12345"),
        (9.96, "/s", "9.96/s"),
        (2.5e9, "bit/s", "2.5 Gbit/s"),
    ],
)
def test_values_read_as_people_write_them(value: float, unit: str, text: str) -> None:
    assert humanly(value, unit) == text


def test_buckets_read_as_ranges() -> None:
    assert [interval(low, high, "s") for low, high in ((6, 8), (0.5, 1), (0, 1), (10, math.inf))] == [
        "6-8 s",
        "500 ms-1 s",
        "0-1 s",
        "above 10 s",
    ]


@given(st.sets(st.sampled_from(SCRAPES)))
def test_losing_scrapes_never_makes_coverage_better(lost: set[float]) -> None:
    kept = tuple((when, 1.0) for when in SCRAPES if when not in lost)
    target = Samples(labels={"job": "j", "instance": "i"}, values=kept)
    started = Samples(labels={"job": "j", "instance": "i"}, values=tuple((when, T0 - 99) for when, _ in kept))

    found = coverage([target], [started], jobs=frozenset({"j"}), targets={}, span=span(WINDOW, INTERVAL))

    last_two_lost = {SCRAPES[-1], SCRAPES[-2]} <= lost
    inside_lost = sum(when > T0 for when in lost)
    baseline_lost = T0 - 3 in lost
    assert bool(found.problems) or not (last_two_lost or inside_lost > 1 or baseline_lost)
