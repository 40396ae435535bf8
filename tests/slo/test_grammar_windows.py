"""`window:` and `quorum:`, and queries that are asked once a slice."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_telescope.errors import UsageError
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.windows import read_quorum
from pytest_telescope.slo.windows import read_window
from pytest_telescope.slo.windows import slice_mistakes

FIVE = Slices(mode="sliding", length=300.0, step=60.0, good=0.99)


@pytest.mark.parametrize(
    ("written", "slices"),
    [
        ("whole", None),
        ("sliding(5m, step=1m, good=99%)", FIVE),
        ("sliding(5m)", FIVE),
        (" sliding ( 5m ,good=0.99 , step=60s ) ", FIVE),
        ("sliding(1m30s, step=30s, good=100%)", Slices(mode="sliding", length=90.0, step=30.0, good=1.0)),
        ("sliding(30s)", Slices(mode="sliding", length=30.0, step=30.0, good=0.99)),
        ("peak(5m, step=1m)", Slices(mode="peak", length=300.0, step=60.0)),
        ("peak(5m, step=5m)", Slices(mode="peak", length=300.0, step=300.0)),
    ],
)
def test_windows_are_read(written: str, slices: Slices | None) -> None:
    assert read_window(written) == slices


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("slidng(5m)", "did you mean sliding? write whole, sliding(5m, step=1m, good=99%) or peak(5m, step=1m)"),
        ("sliding", "did you mean sliding?"),
        ("the whole of it", "is no window: "),
        ("whole(5m)", "is no window: "),
        ("sliding(5)", "the length of a slice: '5' has no unit"),
        ("sliding()", "the length of a slice"),
        ("sliding(0s)", "0s is nothing"),
        ("sliding(5m, step=6m)", "step 6m is longer than a slice of 5m"),
        ("sliding(5m, step=1)", "step: '1' has no unit"),
        ("sliding(5m, good=101%)", "101% is no share"),
        ("sliding(5m, good=0%)", "0% is no share"),
        ("sliding(5m, good=1s)", "'1s' is a duration"),
        ("peak(5m, good=99%)", "'good=99%' says nothing in peak(...): it takes a length, step"),
        ("sliding(5m, 1m)", "'1m' says nothing in sliding(...): it takes a length, step, good"),
        ("sliding(5m, step=1m, step=1m)", "step is said twice"),
    ],
)
def test_mistakes_of_a_window_are_named(written: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_window(written)

    assert text in str(caught.value)


@pytest.mark.parametrize(("written", "share"), [("99%", 0.99), (0.5, 0.5), ("0.9 ratio", 0.9), (1, 1.0)])
def test_quorum_is_a_share(written: Any, share: float) -> None:
    assert read_quorum(written) == share


@pytest.mark.parametrize(("written", "text"), [(99, "99 is no share"), ("0%", "0% is no share"), ("3s", "duration")])
def test_quorum_that_is_no_share_is_a_mistake(written: Any, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        read_quorum(written)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("max(a @ ${start})", "${start} in a query judged in slices"),
        ("max(max_over_time(a[${w}] @ ${end}))", "${end} in a query judged in slices"),
        ("max_over_time(rate(a_total[1m])[4m:15s])", "no ${w} in a query judged in slices"),
        ("max_over_time(rate(a_total[5m])[${w}:15s])", "[5m] is not shorter than a slice of 300s"),
        ("max_over_time(max(a)[${w}:3m])", "resolution 3m leaves less than two points in a slice of 300s"),
    ],
)
def test_query_that_cannot_be_asked_once_a_slice_is_a_mistake(query: str, text: str) -> None:
    assert any(text in one for one in slice_mistakes(query, FIVE))


@pytest.mark.parametrize(
    "query",
    ["max(rate(a_total[${w}]))", "max(rate(a_total[%v]))", "max_over_time(rate(a_total[1m])[${w}:${scrape}])", "max(a"],
)
def test_query_that_can_be_asked_once_a_slice_is_sound(query: str) -> None:
    assert slice_mistakes(query, FIVE) == ()
