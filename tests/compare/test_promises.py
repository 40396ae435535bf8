"""What docs/comparisons.md promises, on fewer draws than the table there (`python -m benchmarks comparison`)."""

from __future__ import annotations

import pytest

from benchmarks import comparison

TRIALS = 1500


@pytest.mark.parametrize(("count", "cv"), [(3, 0.05), (5, 0.2), (10, 0.1)])
def test_the_interval_covers_19_times_of_20(count: int, cv: float) -> None:
    assert 0.93 <= comparison.coverage(count, cv, TRIALS) <= 0.97


@pytest.mark.parametrize(("count", "cv"), [(3, 0.02), (5, 0.05), (10, 0.02)])
def test_equivalence_is_false_once_in_20_at_most(count: int, cv: float) -> None:
    assert comparison.share(count, cv, comparison.MARGIN, TRIALS, "equivalent") <= 0.065


@pytest.mark.parametrize(("cv", "effect", "needed"), [(0.05, 0.1, 4), (0.1, 0.1, 8), (0.2, 0.2, 8)])
def test_as_many_pairs_as_are_needed_find_the_effect(cv: float, effect: float, needed: int) -> None:
    assert comparison.found_by(needed, cv, effect, TRIALS) >= 0.78
    assert comparison.found_by(needed - 1, cv, effect, TRIALS) <= 0.83


def test_few_of_the_changes_that_a_report_names_are_chance() -> None:
    assert comparison.false_discoveries(40, 10, 60) <= 0.08
