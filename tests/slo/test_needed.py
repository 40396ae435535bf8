"""Which series SLOs rest on, and whether a recording of chosen series holds them."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.needed import CLOCKS
from pytest_telescope.slo.needed import needed
from pytest_telescope.slo.needed import not_recorded

BOUND = Bound(operator="max", values=(1.0,), unit="s", text="1s")


def slo(form: Any, **keys: Any) -> Slo:
    return Slo(id="x", form=form, bound=BOUND, **keys)


HISTOGRAM = slo("histogram", metrics=("h_seconds",), job="j", where='verb="GET", code="200"')


def test_a_histogram_rests_on_its_three_parts() -> None:
    matchers = '{job="j", verb="GET", code="200"}'

    assert needed(HISTOGRAM) == (*(f"h_seconds_{part}{matchers}" for part in ("bucket", "count", "sum")), *CLOCKS)


def test_counters_carry_their_own_matchers_and_the_common_ones() -> None:
    found = needed(slo("ratio", bad='calls_total{code=~"5.."}', total="calls_total", where='verb="GET"'))

    assert found == ('calls_total{code=~"5..", verb="GET"}', 'calls_total{verb="GET"}')
    assert needed(slo("counter", counter="evictions")) == ("evictions",)


def test_a_query_rests_on_every_metric_in_it_and_variables_are_left_out() -> None:
    found = needed(slo("query", query='max(rate(a{x="1"}[${w}])) / sum(b{node=~"${nodes}"}) + on (x) c'))

    assert found == ('a{x="1"}', "b", "c")


@pytest.mark.parametrize(
    "recorded",
    [
        ["h_seconds_bucket", "h_seconds_count", "h_seconds_sum"],
        [*needed(HISTOGRAM)],
        ["up", *(f"h_seconds_{part}{{code='200',job='j',}}".replace("'", '"') for part in ("bucket", "count", "sum"))],
    ],
)
def test_a_recording_with_no_more_matchers_holds_the_slo(recorded: list[str]) -> None:
    assert not_recorded(HISTOGRAM, recorded) == ""


def test_a_whole_recording_holds_every_slo() -> None:
    assert not_recorded(HISTOGRAM, None) == ""


def test_a_recording_of_fewer_series_does_not_hold_the_slo_and_says_what_it_holds() -> None:
    wider = slo("counter", counter='calls_total{verb="GET"}')
    recorded = ["up", 'calls_total{verb="GET", code="500"}']

    assert not_recorded(wider, recorded) == (
        'not recorded: calls_total{verb="GET"}; the recording holds only up, calls_total{verb="GET", code="500"}'
    )


def test_another_value_of_a_matcher_is_not_held() -> None:
    assert not_recorded(slo("counter", counter='a{x=~"1|2"}'), ['a{x="1"}', "b"]).startswith("not recorded: a{")


def test_what_the_harness_writes_is_in_every_recording() -> None:
    assert not_recorded(slo("query", query="sum(telescope_load_pods)"), []) == ""
