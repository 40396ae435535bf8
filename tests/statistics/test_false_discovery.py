"""Adjusted p values of many tests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.statistics.false_discovery import benjamini_hochberg

settings.load_profile("ci")

P = st.lists(st.floats(0.0, 1.0), max_size=40)


@given(P)
def test_it_agrees_with_scipy(p: list[float]) -> None:
    from scipy.stats import false_discovery_control

    expected = list(false_discovery_control(p, method="bh")) if p else []

    assert benjamini_hochberg(p) == pytest.approx(expected)


@given(P)
def test_no_p_becomes_smaller_and_their_order_stays(p: list[float]) -> None:
    adjusted = benjamini_hochberg(p)

    assert all(new >= old for new, old in zip(adjusted, p, strict=True))
    assert [new for _, new in sorted(zip(p, adjusted, strict=True))] == sorted(adjusted)


def test_one_test_alone_is_as_it_was() -> None:
    assert benjamini_hochberg([0.03]) == [0.03]


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        benjamini_hochberg([0.5, p])
