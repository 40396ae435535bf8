"""What is said of two sides: the effect, how sure it is, and what cannot be told."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from pytest_telescope.compare import comparing
from pytest_telescope.compare.judging import judge
from pytest_telescope.compare.model import Finding
from pytest_telescope.compare.model import Report
from pytest_telescope.compare.sides import of_arms
from pytest_telescope.compare.sides import of_runs
from pytest_telescope.report.record import Record
from pytest_telescope.statistics import variation
from pytest_telescope.statistics.noise import Noise
from tests.compare.synthetic_runs import CELL
from tests.compare.synthetic_runs import arms
from tests.compare.synthetic_runs import record
from tests.compare.synthetic_runs import runs

FAST, SLOW = [1.00, 1.02, 0.98, 1.01, 0.99], [1.30, 1.33, 1.29, 1.31, 1.28]


def only(records: Sequence[Record], **options: object) -> Finding:
    (finding,) = judge(of_arms(records), margin=0.05, **options)  # type: ignore[arg-type]  # options by name
    return finding


def between(a: Sequence[Record], b: Sequence[Record], **options: object) -> Finding:
    (finding,) = judge(of_runs(a, b), margin=0.05, **options)  # type: ignore[arg-type]  # options by name
    return finding


def floor(spread: float = 0.02, **changed: object) -> dict[tuple[str, str], Noise]:
    source = random.Random(3)
    values = [math.exp(source.gauss(0, spread)) for _ in range(40)]
    varies = variation.of_pairs(values[:20], values[20:])
    assert varies is not None
    fields = {"cell": CELL, "metric": "running", "unit": "s", "fingerprint": "same", "sessions": ("one", "two")}
    return {(CELL, "running"): Noise(**{**fields, "variation": varies, **changed})}  # type: ignore[arg-type]  # by name


def test_a_slower_arm_is_worse_and_its_effect_is_within_the_interval() -> None:
    finding = only(arms(FAST, SLOW))

    assert finding.outcome == "worse"
    assert finding.effect is not None
    assert finding.effect.low < math.log(1.3) < finding.effect.high
    assert (finding.a, finding.b) == pytest.approx((1.0, 1.302), abs=0.005)
    assert finding.counts == (5, 5)


@pytest.mark.parametrize(
    ("better", "values", "outcome"),
    [
        ("lower", (SLOW, FAST), "better"),
        ("higher", (FAST, SLOW), "better"),
        ("higher", (SLOW, FAST), "worse"),
        (None, (FAST, SLOW), "changed"),
    ],
)
def test_better_is_what_the_metric_says(
    better: str | None, values: tuple[list[float], list[float]], outcome: str
) -> None:
    assert only(arms(*values, better=better)).outcome == outcome


def test_arms_as_good_as_the_same_are_equivalent_within_the_margin() -> None:
    finding = only(arms(FAST, [x * 1.002 for x in FAST[1:] + FAST[:1]]))

    assert finding.outcome == "equivalent"


def test_a_sure_but_small_difference_is_equivalent_and_told() -> None:
    finding = only(arms(FAST, [x * y for x, y in zip(FAST, [1.010, 1.011, 1.009, 1.010, 1.010], strict=True)]))

    assert finding.outcome == "equivalent"
    assert finding.notes == ("a difference is sure, and within the margin",)


def test_noise_larger_than_the_effect_cannot_tell_and_says_how_many_more_pairs_would() -> None:
    finding = only(arms([1.0, 1.4, 0.8], [1.2, 1.0, 1.1]))

    assert finding.outcome == "cannot tell"
    assert finding.more is not None
    assert finding.more > 10


def test_one_run_each_cannot_tell_and_has_no_interval() -> None:
    finding = between(runs("a", [1.0]), runs("b", [2.0]))

    assert (finding.outcome, finding.effect, finding.more) == ("cannot tell", None, None)
    assert "how much runs vary is not known" in finding.notes[0]


def test_one_run_each_is_told_by_a_noise_floor() -> None:
    finding = between(runs("a", [1.0]), runs("b", [1.5]), floor=floor())

    assert finding.outcome == "worse"
    assert finding.notes == ("interval from the noise floor: 40 runs of 2 sessions",)


def test_what_a_noise_floor_does_not_know_is_told() -> None:
    other = floor(fingerprint="other", sessions=("one",))

    finding = between(runs("a", [1.0]), runs("b", [1.5]), floor=other)

    assert "days differ" in finding.notes[1]
    assert "another fingerprint" in finding.notes[2]


def test_a_noise_floor_of_another_unit_is_not_used() -> None:
    assert between(runs("a", [1.0]), runs("b", [1.5]), floor=floor(unit="B")).effect is None


def test_runs_that_vary_by_themselves_need_no_floor() -> None:
    assert between(runs("a", FAST), runs("b", SLOW), floor=floor(0.5)).outcome == "worse"


def test_unfit_values_are_left_out_with_a_word_and_their_pair_too() -> None:
    records = arms(FAST, SLOW)
    records[1] = record(
        1.02, run="run-ab", arm="a-old", repeat=2, fingerprint="of a-old", verdict="INVALID", message="thin"
    )
    records[9] = record(None, run="run-ab", arm="b-new", repeat=5, fingerprint="of b-new", verdict=None)

    finding = only(records)

    assert finding.counts == (3, 3)
    assert finding.notes == (
        "1 of 5 pairs left out: INVALID: thin in A",
        "1 of 5 pairs left out: no value in B",
    )


def test_a_number_that_one_side_lost_is_shown_and_red() -> None:
    report = comparing.of_runs(
        runs("a", FAST), runs("b", [None] * 5, verdict="INVALID", message="not recorded"), lambda _: None
    )

    (finding,) = report.findings
    assert finding.outcome == "not comparable"
    assert finding.notes == ("5 of 5 in B left out: INVALID: not recorded",)
    assert finding.a == pytest.approx(1.0, abs=0.01)
    assert report.is_red


def test_a_metric_of_one_side_only_is_shown() -> None:
    found = judge(of_runs(runs("a", FAST), runs("b", FAST, metric="new")), margin=0.05)

    assert [(one.series.metric, one.outcome, one.notes) for one in found] == [
        ("running", "not comparable", ("only in A",)),
        ("new", "not comparable", ("only in B",)),
    ]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"unit": "B"}, "the unit differs: s in A, B in B"),
        ({"better": "higher"}, "which way is good differs: lower in A, higher in B"),
        ({"functional": True}, "functional"),
    ],
)
def test_numbers_of_different_kinds_are_never_compared(changed: dict[str, object], says: str) -> None:
    finding = between(runs("a", FAST), runs("b", SLOW, **changed))

    assert finding.outcome == "not comparable"
    assert says in finding.notes[0]


def test_runs_of_different_fingerprints_are_no_repeats() -> None:
    mixed = [*runs("b", SLOW[:3]), record(1.2, run="b-9", fingerprint="other")]

    finding = between(runs("a", FAST), mixed)

    assert finding.outcome == "not comparable"
    assert finding.notes == ("the runs of B are no repeats of one thing: fingerprints same, other",)


def test_a_pair_with_one_half_on_a_fresh_cluster_is_left_out() -> None:
    records = [
        one.model_copy(update={"reused": (one.arm, one.repeat) != ("a-old", 1), "fingerprint": f"{one.arm} used"})
        for one in arms(FAST, SLOW)
    ]

    finding = only(records)

    assert finding.counts == (4, 4)
    assert finding.notes == ("1 of 5 pairs left out: one had the cluster fresh, the other after others",)


def test_values_that_never_vary_are_equivalent_only_when_there_are_three_of_them() -> None:
    assert only(arms([0.0] * 3, [0.0] * 3)).outcome == "equivalent"
    assert only(arms([0.0] * 2, [0.0] * 2)).outcome == "cannot tell"
    assert only(arms([5.0] * 3, [7.0] * 3)).outcome == "worse"


def test_counts_that_can_be_zero_are_compared_by_difference() -> None:
    finding = only(arms([0.0, 1.0, 0.0, 1.0], [20.0, 22.0, 21.0, 23.0], unit="count"))

    assert finding.outcome == "worse"
    assert finding.effect is not None
    assert finding.effect.scale == "linear"
    assert finding.effect.estimate == pytest.approx(21.0)


def test_among_many_metrics_a_lucky_one_is_not_called_a_change() -> None:
    alone = arms([1.0, 1.1, 0.95, 1.05], [1.2, 1.28, 1.02, 1.31], metric="lucky")
    source = random.Random(4)
    rest = [
        one
        for number in range(40)
        for one in arms(*[[math.exp(source.gauss(0, 0.1)) for _ in range(4)] for _ in "ab"], metric=f"m{number}")
    ]

    assert only(alone).outcome == "worse"
    lucky, *_ = judge(of_arms([*alone, *rest]), margin=0.05)

    assert lucky.outcome == "cannot tell"
    assert "on its own it would count as a change" in lucky.notes[0]


def test_a_bound_that_only_one_side_misses_is_told() -> None:
    records = [
        one.model_copy(update={"verdict": "FAIL"}) if one.repeat == 3 and one.arm == "b-new" else one
        for one in arms(FAST, SLOW)
    ]

    assert only(records).notes == ("the bound is missed by 0 of 5 in A and 1 of 5 in B",)
    assert only(arms(FAST, SLOW, verdict="FAIL")).notes == ()


def test_several_values_of_one_session_are_told_to_share_it() -> None:
    a = [record(x, run="a", arm="a", repeat=n) for n, x in enumerate(FAST, start=1)]
    b = [record(x, run="b", arm="a", repeat=n) for n, x in enumerate(SLOW, start=1)]

    finding = between(a, b)

    assert finding.outcome == "worse"
    assert "of one session" in finding.notes[0]


def test_runs_are_paired_in_their_order_if_asked() -> None:
    series = of_runs(runs("a", [1.0, 2.0, 4.0]), runs("b", [1.1, 2.2, 4.41]), paired=True)

    (finding,) = judge(series, margin=0.05)

    assert finding.outcome == "worse"
    assert finding.counts == (3, 3)


def test_the_cells_of_two_providers_are_compared_by_row_and_engine() -> None:
    eks = "eks-cri--p300"

    report = comparing.of_runs(
        [*runs("a", FAST), *runs("a", SLOW, cell=eks)],
        [*runs("a", FAST), *runs("a", SLOW, cell=eks)],
        lambda _: None,
        across=("aks", "eks"),
    )

    assert [cell.id for cell in report.cells] == ["aks|eks-cri--p300"]
    assert report.findings[0].outcome == "worse"


def whole(before: dict[str, object] | None, after: dict[str, object] | None) -> Report:
    documents = {"a-old": before, "b-new": after}
    return comparing.of_arms(arms(FAST, SLOW), lambda one: documents[str(one.arm)])


def test_what_differs_between_the_arms_is_named() -> None:
    (cell,) = whole({"parts": {"rate": 5, "x": 1}}, {"parts": {"rate": 10, "x": 1}}).cells

    assert cell.differs == ("rate 5 -> 10",)


def test_without_what_the_runs_wrote_down_it_is_not_known_what_differs() -> None:
    (cell,) = whole(None, {"parts": {}}).cells

    assert cell.differs is None


def test_nothing_to_compare_is_red() -> None:
    assert Report(a="", b="", margin=0.05, cells=()).is_red
    assert not comparing.of_arms(arms(SLOW, FAST), lambda _: None).is_red
