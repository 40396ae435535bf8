"""Steps are found in few noisy runs, and hardly ever where there are none."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.statistics.chance import chance
from pytest_telescope.statistics.chance import level
from pytest_telescope.statistics.simulated import KINDS
from pytest_telescope.statistics.simulated import Kind
from pytest_telescope.statistics.simulated import remembering
from pytest_telescope.statistics.simulated import series_of
from pytest_telescope.statistics.steps import FEWEST
from pytest_telescope.statistics.steps import Found
from pytest_telescope.statistics.steps import find

SOME = 300
"""Series a test simulates; the figures in docs/trends.md come from thousands."""


def found_in(
    count: int, runs: int, *, rho: float = 0.5, kind: Kind = "normal", cv: float = 0.05, step: float = 0.0, at: int = 30
) -> list[Found]:
    noise = remembering(np.random.default_rng(42), count, runs, rho, kind)
    return [find([math.log(one) for one in row]) for row in series_of(noise, kind, cv=cv, step=step, at=at)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_hardly_any_clean_series_of_thirty_runs_is_flagged(kind: Kind, rho: float) -> None:
    found = found_in(SOME, 30, rho=rho, kind=kind)

    assert np.mean([bool(one.steps) for one in found]) <= (0.02 if kind != "t3" else 0.04)


def test_a_step_of_a_fifth_is_found_within_five_runs_where_it_is() -> None:
    noise = remembering(np.random.default_rng(1), 2 * SOME, 35, 0.5)
    series = np.log(series_of(noise, "normal", cv=0.05, step=0.2, at=30))

    right = [any(is_found(row[:runs]) for runs in range(31, 36)) for row in series]

    assert np.mean(right) >= 0.8


def is_found(values: Sequence[float]) -> bool:
    return any(abs(one.at - 30) <= 2 and one.shift > 0 for one in find(values).steps)


def test_the_interval_of_a_step_holds_the_truth_about_as_often_as_it_says() -> None:
    found = found_in(SOME, 40, step=0.2)

    steps = [one for each in found for one in each.steps if abs(one.at - 30) <= 2]
    assert 0.90 <= np.mean([one.low <= math.log(1.2) <= one.high for one in steps]) <= 0.99


def test_the_step_said_to_be_detectable_is_found_about_as_often_as_said() -> None:
    least = np.median([one.detectable for one in found_in(SOME, 30)])

    found = found_in(SOME, 35, step=math.expm1(least))

    assert 0.7 <= np.mean([bool(one.steps) for one in found]) <= 0.95


def test_up_and_down_again_are_two_steps() -> None:
    values = [10.0 + 0.1 * (-1) ** n + (3.0 if 20 <= n < 35 else 0.0) for n in range(60)]

    found = find(values)

    assert [(one.at, one.shift > 0) for one in found.steps] == [(20, True), (35, False)]
    assert [(one.before, one.until) for one in found.steps] == [(0, 35), (20, 60)]


@pytest.mark.parametrize("off", [[17], [16, 17], [3, 12, 25]])
def test_single_runs_that_are_far_off_are_no_step(off: list[int]) -> None:
    values = [10.0 + 0.1 * math.sin(7 * n) + (5.0 if n in off else 0.0) for n in range(30)]

    assert not find(values).steps


@pytest.mark.parametrize("young", [1, 2])
def test_a_change_in_the_last_one_or_two_runs_is_only_a_tail(young: int) -> None:
    values = [10.0 + 0.1 * math.sin(7 * n) + (3.0 if n >= 30 - young else 0.0) for n in range(30)]

    found = find(values)

    assert not found.steps
    assert found.tail is not None
    assert found.tail.at == 30 - young


def test_the_third_run_at_a_new_level_makes_it_a_step() -> None:
    values = [10.0 + 0.1 * math.sin(7 * n) + (3.0 if n >= 27 else 0.0) for n in range(30)]

    assert [one.at for one in find(values).steps] == [27]


def test_a_series_that_never_moves_has_no_noise_and_no_step() -> None:
    found = find([5.0] * 30)

    assert (found.steps, found.tail, found.sd) == ((), None, 0.0)


def test_counts_that_were_always_zero_and_then_are_not_are_a_step() -> None:
    assert [one.at for one in find([0.0] * 20 + [2.0] * 4).steps] == [20]


def test_three_equal_values_behind_three_others_prove_nothing() -> None:
    assert not find([1.0, 1.0, 1.0, 2.0, 2.0, 2.0]).steps


def test_noise_is_measured_about_the_levels_and_not_over_them() -> None:
    values = [10.0 + 0.1 * (-1) ** n + (8.0 if n >= 30 else 0.0) for n in range(60)]

    assert find(values).sd < 0.5


@settings(max_examples=60, deadline=None, derandomize=True)  # two splits can be equally likely but for rounding
@given(
    st.lists(st.integers(1000, 100_000).map(lambda one: one / 1000), min_size=FEWEST, max_size=40),
    st.floats(1e-3, 1e3),
    st.floats(-1e3, 1e3),
)
def test_units_and_origin_do_not_matter(values: list[float], factor: float, offset: float) -> None:
    plain, moved = find(values), find([factor * one + offset for one in values])

    assert [one.at for one in moved.steps] == pytest.approx([one.at for one in plain.steps])
    assert moved.p == pytest.approx(plain.p, rel=0.05, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=FEWEST, max_size=60))
def test_whatever_the_values_the_answer_is_finite_and_in_order(values: list[float]) -> None:
    found = find(values)

    assert all(0 < one.p <= level(one.until - one.before) or one.p <= 0.01 for one in found.steps)
    assert [one.at for one in found.steps] == sorted({one.at for one in found.steps})
    assert all(math.isfinite(part) for one in found.steps for part in (one.shift, one.low, one.high))
    assert math.isfinite(found.sd)
    assert math.isfinite(found.detectable)


def test_a_larger_gain_is_less_likely() -> None:
    chances = [chance(gain, 33) for gain in range(80)]

    assert chances == sorted(chances, reverse=True)
