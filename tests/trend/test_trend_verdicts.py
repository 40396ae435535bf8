"""What a trend says of a series, and what it never does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_telescope.report.record import Record
from pytest_telescope.trend.acknowledged import Acknowledgement
from pytest_telescope.trend.gathering import gather
from pytest_telescope.trend.model import Trend
from pytest_telescope.trend.verdicts import trends
from tests.trend import made_runs

METRIC = "sandbox-create"


def wave(count: int, level: float = 2.0, swing: float = 0.03) -> list[float]:
    """Return values about a level that no detector takes for a step."""
    return [level * (1 + swing * math.sin(7.3 * n)) for n in range(count)]


def records(values: Sequence[float | None], **fields: object) -> list[Record]:
    return [made_runs.record(n, METRIC, one, **fields) for n, one in enumerate(values)]


def trend_of(found: Sequence[Record], **known: object) -> Trend:
    return trends(gather(found), **known)[0]  # type: ignore[arg-type]  # each test names what it passes


def test_a_worse_level_is_a_regression_said_with_run_size_interval_and_chance() -> None:
    trend = trend_of(records(wave(30) + wave(8, 2.5)))

    assert trend.state == "regression"
    (change,) = trend.changes
    assert (change.run, change.is_standing, change.doubt) == (made_runs.run_id(30), True, None)
    assert change.low < 0.25 < change.high
    assert trend.said.startswith(f"regression since {made_runs.run_id(30)}: 2 s -> 2.5 s, +26 % (+")
    assert trend.said.endswith("p < 0.0001")


@pytest.mark.parametrize(
    ("better", "after", "state"),
    [
        ("lower", 2.5, "regression"),
        ("lower", 1.6, "improvement"),
        ("higher", 2.5, "improvement"),
        ("higher", 1.6, "regression"),
        (None, 2.5, "change"),
    ],
)
def test_which_way_is_good_decides_what_a_change_is(better: str | None, after: float, state: str) -> None:
    assert trend_of(records(wave(30) + wave(8, after), better=better)).state == state


def test_a_regression_that_was_made_good_is_shown_and_not_standing() -> None:
    trend = trend_of(records(wave(25) + wave(12, 2.6) + wave(12)))

    assert [(one.kind, one.is_standing) for one in trend.changes] == [("regression", False), ("improvement", True)]
    assert trend.state == "improvement"


def test_a_change_of_fingerprint_is_never_crossed() -> None:
    found = records(wave(30)) + [
        made_runs.record(30 + n, METRIC, one, fingerprint="beef") for n, one in enumerate(wave(10, 9.0))
    ]

    trend = trend_of(found, differs=lambda *_: ["kernel 6.1.0 -> 6.6.2"])

    assert trend.state == "steady"
    assert not trend.changes
    assert [(one.index, one.run, one.what) for one in trend.breaks] == [
        (30, made_runs.run_id(30), ("kernel 6.1.0 -> 6.6.2",))
    ]
    assert trend.tested == 10


def test_few_runs_behind_a_break_are_too_few_and_not_steady() -> None:
    found = records(wave(30)) + [
        made_runs.record(30 + n, METRIC, one, fingerprint="beef") for n, one in enumerate(wave(3, 9.0))
    ]

    trend = trend_of(found)

    assert trend.state == "too few"
    assert trend.said == f"too few to tell: 3 of 6 values since the break at {made_runs.run_id(30)}"


def test_an_unknown_fingerprint_is_not_taken_for_a_known_one() -> None:
    found = records(wave(20)) + [made_runs.record(20 + n, METRIC, 9.0, fingerprint=None) for n in range(8)]

    assert [one.index for one in trend_of(found).breaks] == [20]


def test_what_is_not_sound_is_a_gap_that_is_counted_and_never_zero() -> None:
    values: list[float | None] = [*wave(30)]
    values[10] = None
    found = records(values)
    found[11] = found[11].model_copy(update={"verdict": "INVALID", "value": 0.0})

    trend = trend_of(found)

    assert (trend.state, trend.gaps, trend.tested) == ("steady", 2, 28)
    assert [one.gap for one in trend.series.points if one.gap] == ["no value", "INVALID"]


def test_a_series_without_any_sound_value_says_so() -> None:
    assert trend_of(records([None] * 12, verdict="ERROR")).said == "no sound value in 12 runs"


def test_a_change_that_is_one_or_two_runs_young_is_suspected_and_asks_for_a_rerun() -> None:
    trend = trend_of(records(wave(30) + wave(2, 3.0)))

    assert trend.state == "suspected"
    assert trend.said.startswith("suspected regression since ")
    assert trend.said.endswith("run it again")


def test_a_steady_series_says_what_could_have_been_found() -> None:
    trend = trend_of(records(wave(30)))

    assert trend.detectable is not None
    assert 0.02 < trend.detectable < 0.2
    assert f"a change of {trend.detectable:.0%} would be found within 5 more" in trend.said


def test_a_change_below_the_practical_effect_or_the_noise_floor_is_none() -> None:
    small = records(wave(40, swing=0.001) + wave(40, 2.03, swing=0.001))
    large = records(wave(30) + wave(10, 2.2))

    assert not trend_of(small).changes
    assert trend_of(large).changes
    assert not trend_of(large, floors={(made_runs.CELL, METRIC): 0.15}).changes


def test_zeros_are_compared_by_difference() -> None:
    trend = trend_of(records([0.0] * 20 + [3.0] * 5, unit="count"))

    assert trend.state == "regression"
    assert "0 -> 3 (by 3 to 3)" in trend.said


def test_an_acknowledged_change_is_not_red_and_stays_visible() -> None:
    found = records(wave(30) + wave(8, 2.5))
    known = Acknowledgement("aks-*", METRIC, made_runs.run_id(31), "bigger image, agreed")

    trend = trend_of(found, acknowledged=[known])

    assert trend.state == "steady"
    assert trend.said.endswith(f"; known since {made_runs.run_id(30)}: bigger image, agreed")


@pytest.mark.parametrize("change", [{"run": made_runs.run_id(12)}, {"metric": "other"}, {"cell": "eks-*"}])
def test_an_acknowledgement_of_another_change_is_none_of_this_one(change: dict[str, str]) -> None:
    found = records(wave(30) + wave(8, 2.5))
    known = replace(Acknowledgement("*", "*", made_runs.run_id(30), "why"), **change)

    assert trend_of(found, acknowledged=[known]).state == "regression"


def test_a_later_regression_is_red_though_an_earlier_one_is_acknowledged() -> None:
    found = records(wave(30) + wave(12, 2.5) + wave(12, 3.1))
    known = Acknowledgement("*", "*", made_runs.run_id(30), "why")

    trend = trend_of(found, acknowledged=[known])

    assert trend.said.startswith(f"regression since {made_runs.run_id(42)}")


def test_of_many_series_a_change_that_chance_explains_is_only_suspected() -> None:
    doubtful = [2.0 * (1 + 0.05 * math.sin(7.3 * n * n)) * (1.16 if n >= 30 else 1.0) for n in range(35)]
    alone = trend_of(records(doubtful))
    others = [made_runs.record(n, f"m-{k}", one) for k in range(200) for n, one in enumerate(wave(30))]

    among = {one.series.metric: one for one in trends(gather([*records(doubtful), *others]))}[METRIC]

    assert alone.state == "regression"
    assert among.state == "suspected"
    assert "with so many series" in among.said


def test_facts_and_what_never_moves_do_not_hide_a_regression_in_their_number() -> None:
    doubtful = [2.0 * (1 + 0.05 * math.sin(7.3 * n * n)) * (1.16 if n >= 30 else 1.0) for n in range(35)]
    facts = [made_runs.record(n, f"f-{k}", one, better=None) for k in range(100) for n, one in enumerate(wave(30))]
    still = [made_runs.record(n, f"s-{k}", 0.0) for k in range(100) for n in range(30)]

    among = {one.series.metric: one for one in trends(gather([*records(doubtful), *facts, *still]))}

    assert among[METRIC].state == "regression"
    assert among["s-0"].said == "steady over 30 runs, always 0 s"


def test_arms_of_a_comparison_are_no_part_of_a_trend() -> None:
    arms = [made_runs.record(n, METRIC, 2.0, arm="old", repeat=1) for n in range(9)]

    assert gather(arms) == []


def test_order_is_by_time_and_not_by_reading() -> None:
    found = records(wave(30) + wave(8, 2.5))

    assert trends(gather(found[::-1])) == trends(gather(found))


def test_a_run_of_an_old_schema_stands_by_the_time_in_its_id() -> None:
    found = records(wave(12))
    found[4] = found[4].model_copy(update={"started": None})

    assert [one.run for one in gather(found)[0].points] == [made_runs.run_id(n) for n in range(12)]


def test_another_unit_is_a_gap_and_not_a_jump() -> None:
    found = records(wave(20))
    found[:6] = [one.model_copy(update={"unit": "B"}) for one in found[:6]]

    trend = trend_of(found)

    assert (trend.tested, trend.gaps) == (14, 6)
    assert trend.series.points[0].gap == "in B"
