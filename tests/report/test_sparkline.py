"""A value over time in a line of characters."""

from __future__ import annotations

import math

import pytest

from pytest_telescope.report.sparkline import GAP
from pytest_telescope.report.sparkline import LEVELS
from pytest_telescope.report.sparkline import is_unicode
from pytest_telescope.report.sparkline import plain
from pytest_telescope.report.sparkline import sparkline
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Operator

UP_TO, ABOVE = LEVELS[:4], LEVELS[4:]


def bound(operator: Operator, *values: float) -> Bound:
    return Bound(operator=operator, values=values, unit="s", text="")


def test_values_up_to_the_bound_are_low_and_values_above_it_are_high() -> None:
    assert sparkline([0.0, 2.5, 5.0, 5.01, 7.0, 9.0], 5.0) == "▁▃▄▅▇█"


def test_values_far_below_their_bound_are_flat_and_low() -> None:
    assert sparkline([0.010, 0.020, 0.012], 5.0) == "▁▁▁"


@pytest.mark.parametrize(("value", "limit", "expected"), [(3.0, 5.0, UP_TO), (5.0, 5.0, UP_TO), (6.0, 5.0, ABOVE)])
def test_equal_values_are_one_level_on_their_side_of_the_bound(value: float, limit: float, expected: str) -> None:
    drawn = sparkline([value] * 4, limit)

    assert len(set(drawn)) == 1
    assert drawn[0] in expected


def test_equal_values_without_a_bound_are_neither_high_nor_low() -> None:
    assert sparkline([7.0, 7.0]) == "▄▄"


def test_values_without_a_bound_use_all_levels() -> None:
    assert sparkline([float(one) for one in range(8)]) == LEVELS


def test_a_value_of_zero_under_a_bound_of_zero_is_up_to_it_and_one_is_above() -> None:
    drawn = sparkline([0.0, 1.0], 0.0)

    assert drawn[0] in UP_TO
    assert drawn[1] in ABOVE


@pytest.mark.parametrize("missing", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_gap_and_never_a_low_value(missing: float | None) -> None:
    assert sparkline([1.0, missing, 1.0], 5.0) == f"▁{GAP}▁"


def test_only_gaps_stay_gaps() -> None:
    assert sparkline([None, math.nan], 5.0) == GAP * 2


def test_nothing_is_nothing_and_one_point_is_one_character() -> None:
    assert not sparkline([], 5.0)
    assert len(sparkline([3.0], 5.0)) == 1


def test_a_long_line_keeps_its_peak() -> None:
    drawn = sparkline([1.0] * 50 + [9.0] + [1.0] * 49, 5.0, width=20)

    assert len(drawn) == 20
    assert drawn.count("█") == 1


def test_a_long_line_under_a_lower_bound_keeps_its_dip() -> None:
    drawn = sparkline([9.0] * 50 + [1.0] + [9.0] * 49, bound("min", 5.0), width=20)

    assert sum(one in UP_TO for one in drawn) == 1


def test_a_long_line_keeps_a_gap_that_is_longer_than_a_character() -> None:
    assert GAP in sparkline([*[1.0] * 40, *[None] * 20, *[1.0] * 40], 5.0, width=20)


def test_the_upper_end_of_two_bounds_divides() -> None:
    assert sparkline([2.0, 6.0], bound("between", 1.0, 5.0))[1] in ABOVE


def test_negative_values_and_bounds_have_a_level() -> None:
    assert len(sparkline([-5.0, -1.0, 3.0], -2.0)) == 3


def test_ascii_keeps_the_levels_apart() -> None:
    drawn = plain(LEVELS + GAP)

    assert drawn.isascii()
    assert len(set(drawn)) == len(drawn) == len(LEVELS) + 1


@pytest.mark.parametrize(
    ("encoding", "expected"), [("utf-8", True), ("ascii", False), ("latin-1", False), (None, False)]
)
def test_only_a_terminal_that_can_show_the_levels_gets_them(encoding: str | None, *, expected: bool) -> None:
    assert is_unicode(encoding) is expected
