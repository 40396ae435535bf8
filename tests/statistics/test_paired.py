"""Effects of a few runs: what their intervals promise is kept, and what cannot be known is not said."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.statistics import paired
from pytest_telescope.statistics.paired import Effect

settings.load_profile("ci")  # no time limit an example: these machines are busy

POSITIVE = st.floats(0.01, 1000.0)
ARMS = st.lists(st.tuples(POSITIVE, POSITIVE), min_size=2, max_size=12)
NEAR = 1e-6
VARIATIONS = [
    # run-to-run CV, effect, runs unpaired and pairs at a correlation of 0.7 for 80 % power: measured by simulation
    (0.03, 0.05, 8, 4),
    (0.05, 0.05, None, 8),
    (0.05, 0.10, 6, 4),
    (0.10, 0.10, None, 8),
    (0.10, 0.20, 6, 4),
    (0.20, 0.20, None, 8),
]


def pairs(values: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [a for a, _ in values], [b for _, b in values]


def some(effect: Effect | None) -> Effect:
    assert effect is not None
    return effect


@given(ARMS)
def test_swapping_the_arms_turns_the_effect_around(values: list[tuple[float, float]]) -> None:
    a, b = pairs(values)

    for of in (paired.of_pairs, paired.of_runs):
        there, back = some(of(a, b)), some(of(b, a))

        assert back.estimate == pytest.approx(-there.estimate, abs=NEAR)
        assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=NEAR)
        assert back.p == pytest.approx(there.p, abs=NEAR)


@given(ARMS, st.floats(0.1, 10.0))
def test_ratios_do_not_depend_on_the_unit(values: list[tuple[float, float]], factor: float) -> None:
    a, b = pairs(values)
    effect = some(paired.of_pairs(a, b))
    assume(effect.error > NEAR)

    other = some(paired.of_pairs([x * factor for x in a], [x * factor for x in b]))

    assert (other.low, other.high) == pytest.approx((effect.low, effect.high), abs=NEAR)


@given(ARMS, st.floats(-100.0, 100.0))
def test_differences_do_not_depend_on_where_zero_is(values: list[tuple[float, float]], shift: float) -> None:
    a, b = pairs([(x - 2000, y - 2000) for x, y in values])

    effect = some(paired.of_pairs(a, b))
    other = some(paired.of_pairs([x + shift for x in a], [x + shift for x in b]))

    assert effect.scale == other.scale == "linear"
    assert other.estimate == pytest.approx(effect.estimate, abs=NEAR)


@given(ARMS)
def test_the_same_pairs_once_more_never_widen_the_interval(values: list[tuple[float, float]]) -> None:
    for of in (paired.of_pairs, paired.of_runs):
        once, twice = some(of(*pairs(values))), some(of(*pairs(values * 2)))

        assert twice.high - twice.low <= once.high - once.low + NEAR
        assert twice.estimate == pytest.approx(once.estimate, abs=NEAR)


@given(ARMS)
def test_the_interval_leaves_out_no_effect_exactly_where_p_is_below_a_twentieth(
    values: list[tuple[float, float]],
) -> None:
    effect = some(paired.of_pairs(*pairs(values)))
    assume(effect.error > NEAR and abs(effect.p - 0.05) > NEAR)

    assert (effect.p < 0.05) == (effect.low > 0 or effect.high < 0)


@given(ARMS, st.floats(0.001, 2.0), st.floats(1.0, 3.0))
def test_a_wider_margin_never_makes_equivalence_less_likely(
    values: list[tuple[float, float]], margin: float, factor: float
) -> None:
    effect = some(paired.of_pairs(*pairs(values)))

    assert paired.p_equivalent(effect, margin * factor) <= paired.p_equivalent(effect, margin) + NEAR


@pytest.mark.parametrize(
    ("a", "b", "scale"), [([1, 2], [3, 4], "log"), ([0, 2], [3, 4], "linear"), ([1, 2], [-3, 4], "linear")]
)
def test_ratios_are_used_where_all_values_are_above_zero(a: list[float], b: list[float], scale: str) -> None:
    assert some(paired.of_pairs(a, b)).scale == scale


def test_one_pair_has_no_interval() -> None:
    assert paired.of_pairs([1.0], [2.0]) is None
    assert paired.of_runs([1.0], [2.0]) is None
    assert paired.of_runs([], [2.0, 3.0]) is None


def test_arms_of_different_length_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="found 1 and 2"):
        paired.of_pairs([1.0], [2.0, 3.0])


def test_an_arm_with_one_run_is_taken_to_vary_as_the_other() -> None:
    effect = some(paired.of_runs([1.0], [0.9, 1.0, 1.1]))

    assert effect.df == 2
    assert effect.low < 0 < effect.high


def test_welch_agrees_with_the_textbook() -> None:
    """Against scipy's own Welch test on the logarithms."""
    from scipy import stats

    a, b = [1.0, 1.2, 0.9, 1.1], [1.5, 1.4, 1.9]

    effect = some(paired.of_runs(a, b))
    textbook = stats.ttest_ind(list(map(math.log, b)), list(map(math.log, a)), equal_var=False)
    ends = textbook.confidence_interval(0.95)

    assert effect.p == pytest.approx(textbook.pvalue)
    assert (effect.low, effect.high) == pytest.approx((ends.low, ends.high))


def test_a_known_spread_gives_one_pair_an_interval() -> None:
    effect = some(paired.of_known([1.0], [1.5], spread=0.05, df=10, paired=True, scale="log"))

    assert effect.estimate == pytest.approx(math.log(1.5))
    assert 0 < effect.low < effect.estimate < effect.high
    assert paired.of_known([0.0], [1.5], spread=0.05, df=10, paired=True, scale="log") is None


@pytest.mark.parametrize(("variation", "effect", "runs", "needed"), VARIATIONS)
def test_the_runs_needed_are_those_that_simulation_found(
    variation: float, effect: float, runs: int | None, needed: int
) -> None:
    spread, step = math.sqrt(math.log1p(variation**2)), math.log1p(effect)

    found = paired.runs_needed(spread, step), paired.pairs_needed(spread * math.sqrt(2 * (1 - 0.7)), step)

    assert found[1] - needed in {0, 1}  # a power of .797 was printed as .80
    assert found[0] == runs if runs is not None else found[0] > 10


@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_a_larger_effect_never_needs_more_pairs(spread: float, effect: float) -> None:
    assert paired.pairs_needed(spread, effect * 1.5) <= paired.pairs_needed(spread, effect)
    assert paired.runs_needed(spread, effect * 1.5) <= paired.runs_needed(spread, effect)
    assert paired.pairs_needed(spread, effect) <= paired.pairs_needed(spread, effect, power=0.9)


def test_what_needs_very_many_pairs_is_cut_off() -> None:
    assert paired.pairs_needed(10.0, 0.01) == paired.MOST


def test_no_spread_at_all_needs_two() -> None:
    still = some(paired.of_pairs([1.0, 1.0], [2.0, 2.0]))

    assert (still.p, still.low) == (0.0, still.high)
    assert paired.needed_for_equivalence(still, 0.05) == paired.pairs_needed(0.0, 0.05) == 2
