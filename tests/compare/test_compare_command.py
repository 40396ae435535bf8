"""`telescope compare` as a person calls it."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import pytest

from pytest_telescope.compare import command
from pytest_telescope.compare.closing import closing_comparison
from pytest_telescope.compare.closing import store_noise
from pytest_telescope.compare.options import margin_of
from pytest_telescope.errors import UsageError
from pytest_telescope.statistics import noise
from tests.compare.synthetic_runs import arms
from tests.compare.synthetic_runs import record
from tests.compare.synthetic_runs import runs
from tests.compare.synthetic_runs import written

FAST, SLOW = [1.00, 1.02, 0.98, 1.01, 0.99], [1.30, 1.33, 1.29, 1.31, 1.28]
A, B = ",".join(f"a-{n}" for n in range(5)), ",".join(f"b-{n}" for n in range(5))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Five fast runs, five slow ones, and a session of both as arms."""
    written(tmp_path, [*runs("a", FAST), *runs("b", SLOW), *arms(FAST, SLOW)])
    return tmp_path


def compare(base: Path, *arguments: str) -> tuple[int, str]:
    parser, out = argparse.ArgumentParser(), io.StringIO()
    command.arguments(parser)
    code = command.run(parser.parse_args([f"--telescope-dir={base}", *arguments]), out)
    return code, out.getvalue()


def line_of(text: str, metric: str = "running") -> str:
    return " ".join(next(line for line in text.splitlines() if line.strip().startswith(metric)).split())


def test_repeats_of_both_sides_are_compared(base: Path) -> None:
    code, text = compare(base, A, B)

    assert code == 0
    assert line_of(text).startswith("running 1 s 1.3 s +30.2 % +27.3 % to +33.1 % 5 worse")
    assert "nothing that counts differs" in text


def test_the_arms_of_one_session_are_compared_by_its_name_alone(base: Path) -> None:
    _, text = compare(base, "run-ab")

    assert text.startswith("A: arm a-old\nB: arm b-new\n")
    assert "5 pairs worse" in line_of(text)
    assert "what differs is not known" in text


def test_what_differs_is_read_from_the_runs(base: Path) -> None:
    for arm, rate in (("a-old", 5), ("b-new", 10)):
        cell = base / "runs" / "run-ab" / "publish" / "cells" / f"aks-cri--p300--ab-{arm}-5"
        cell.mkdir(parents=True)
        (cell / "cell.json").write_text(json.dumps({"parts": {"load.rate": rate, "kernel": "6.6"}}))

    _, text = compare(base, "run-ab")

    assert "differs: load.rate 5 -> 10\n" in text


@pytest.mark.parametrize(("sides", "code"), [((A, B), 1), ((B, A), 0), (("run-ab",), 1), (("a-0", "b-0"), 0)])
def test_fail_is_exit_1_only_where_something_is_worse(base: Path, sides: tuple[str, ...], code: int) -> None:
    assert compare(base, *sides, "--fail")[0] == code
    assert compare(base, *sides)[0] == 0


def test_fail_is_exit_1_where_a_number_was_lost(base: Path) -> None:
    written(base, runs("c", [None], verdict="INVALID", message="not recorded"))

    code, text = compare(base, "a-0", "c-0", "--fail")

    assert code == 1
    assert "1 of 1 in B left out: INVALID: not recorded" in text


def test_json_says_the_same(base: Path) -> None:
    _, text = compare(base, A, B, "--format=json", "--margin=0.1")

    document = json.loads(text)
    (cell,) = document["cells"]
    (metric,) = cell["metrics"]
    assert (document["schema"], document["margin"], document["red"]) == (1, 0.1, True)
    assert (cell["cell"], cell["functional"], cell["differs"]) == ("aks-cri--p300", False, [])
    assert (metric["outcome"], metric["scale"], metric["paired"]) == ("worse", "ratio", False)
    assert metric["low"] < metric["effect"] < metric["high"]
    assert metric["effect"] == pytest.approx(1.302, abs=0.001)
    assert metric["b"]["values"] == SLOW


def test_patterns_choose_cells_and_metrics(base: Path) -> None:
    written(base, [*runs("d", FAST[:2]), *runs("d", FAST[:2], metric="other")])

    _, text = compare(base, "a-0,a-1", "d-0,d-1", "--metric=run*", "--cell=aks-*")

    assert "running" in text
    assert "other" not in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nothing", "a-0"), "nothing: no such run"),
        (("a-0",), "no arms of --ab or --aa"),
        (("a-0", "a-1", "a-2"), "put commas between the repeats"),
        (("a-0", "a-0"), "is in A and in B"),
        (("a-0", "b-0", "--margin=none"), "--margin none"),
        (("a-0", "b-0", "--margin=100%"), "--margin 100%"),
        (("a-0", "b-0", "--cell=eks-*"), "it has aks-cri--p300"),
        (("a-0", "b-0", "--providers=aks,local"), "functional"),
        (("a-0", "b-0", "--providers=aks"), "expected two"),
        (("a-0", "b-0", "--providers=aks,ekss"), "did you mean 'eks'"),
        (("a-0", "--calibrate"), "nothing was stored"),
        (("a-0", "b-0", "--noise=nothing.json"), "no such file"),
    ],
)
def test_bad_input_is_told(base: Path, arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        compare(base, *arguments)


@pytest.mark.parametrize(("text", "share"), [("5%", 0.05), ("5 %", 0.05), ("0.05", 0.05), ("12.5%", 0.125)])
def test_a_margin_is_a_share(text: str, share: float) -> None:
    assert margin_of(text) == pytest.approx(share)


def test_a_calibration_is_stored_and_used(base: Path) -> None:
    code, text = compare(base, A, "--calibrate")

    assert code == 0
    assert text.startswith("aks-cri--p300 running: CV 1.58 % (0.947 % to")
    assert noise.read_noise(base / noise.FILE)[("aks-cri--p300", "running")] == pytest.approx(0.016, abs=0.001)
    _, text = compare(base, "a-0", "b-0")
    assert "worse (1)" in line_of(text)
    assert "interval from the noise floor: 5 runs of 5 sessions" in text


def test_a_session_of_arms_ends_with_their_table() -> None:
    text = closing_comparison(arms(FAST, SLOW), width=100)

    assert "worse" in line_of(text)
    assert max(map(len, text.splitlines()[:-1])) <= 100
    assert "\x1b" not in text


def test_numbers_that_never_vary_are_one_line_together() -> None:
    records = [*arms(FAST, SLOW), *arms([7.0] * 5, [7.0] * 5, metric="pods", unit="count")]

    text = closing_comparison([*records, *arms([0.0] * 5, [0.0] * 5, metric="failed", unit="count")])

    assert "the same in every run: pods 7, failed 0\n" in text
    assert "1 worse, 2 equivalent\nnumbers tested: 1" in text


def test_a_session_without_arms_ends_without_a_table() -> None:
    assert closing_comparison([record(1.0)]) == ""


def test_a_calibrating_session_stores_what_it_found(tmp_path: Path) -> None:
    lines = store_noise(arms(FAST, SLOW[1:] + SLOW[:1], fingerprint="same"), tmp_path / noise.FILE)

    assert "correlation within pairs" in lines[0]
    assert lines[-1] == f"noise floor stored in {tmp_path / noise.FILE}; numbers: 1"
    assert len(noise.read(tmp_path / noise.FILE)) == 1
