"""The noise floor of runs of one thing."""

from __future__ import annotations

import pytest

from pytest_telescope.compare.calibrating import calibrated
from tests.compare.synthetic_runs import arms
from tests.compare.synthetic_runs import record
from tests.compare.synthetic_runs import runs

A, B = [1.0, 1.2, 0.9, 1.1], [1.02, 1.19, 0.93, 1.08]


def test_pairs_of_one_thing_give_spread_and_correlation() -> None:
    (found,), left = calibrated(arms(A, B, fingerprint="same"))

    assert left == []
    assert (found.variation.pairs, found.variation.runs, found.sessions) == (4, 8, ("run-ab",))
    assert found.variation.correlation == pytest.approx(0.98, abs=0.02)


def test_single_runs_give_a_spread() -> None:
    (found,), _ = calibrated(runs("r", A))

    assert (found.variation.pairs, found.variation.runs, len(found.sessions)) == (0, 4, 4)


def test_arms_that_differ_are_never_taken_for_noise() -> None:
    (found,), left = calibrated(arms(A, [10 * x for x in B]))

    assert found.variation.runs == 4
    assert found.fingerprint == "of a-old"
    assert left == ["aks-cri--p300: 4 values of other fingerprints left out (running)"]


def test_unfit_values_are_left_out_with_a_word() -> None:
    records = [*runs("r", A), record(9.0, run="r-x", verdict="INVALID"), record(None, run="r-y")]

    (found,), left = calibrated(records)

    assert found.variation.runs == 4
    assert left == ["aks-cri--p300: 2 of 6 values are missing or unfit (running)"]


def test_one_value_is_not_enough() -> None:
    found, left = calibrated([record(1.0)])

    assert found == []
    assert left == ["aks-cri--p300: 1 value to go by, expected 2 or more pairs or runs (running)"]
