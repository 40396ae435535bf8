"""The text under a verdict, as a person reads it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.report.failure_text import is_quiet
from pytest_telescope.report.verdicts import details
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Verdict
from tests.report.busy_node import evictions
from tests.report.busy_node import judged
from tests.report.busy_node import latency

EXPECTED = Path(__file__).parent / "texts"
"""Whole texts; the message, queries and what is checked are left out, they belong to the judge."""


def head(judgement: Judgement) -> str:
    """Return the verdict and everything below its line and above the guards that found nothing."""
    text = f"{judgement.verdict}\n{details(judgement)}"
    return text.partition("\nchecked ")[0].partition("\nqueries ")[0] + "\n"


def plain(**fields: object) -> Judgement:
    given: dict[str, object] = {
        "slo": "running",
        "verdict": Verdict.FAIL,
        "message": "running p99 6 s > 5 s",
        "unit": "s",
        "bound": Bound(operator="max", values=(5.0,), unit="s", text="5s"),
        "value": 6.0,
        "margin": -0.2,
        **fields,
    }
    return Judgement(**given)  # type: ignore[arg-type]  # fields of tests


CASES: dict[str, Callable[[Prometheus], Judgement]] = {
    "regression": lambda prom: judged(prom, latency()),
    "invalid": lambda prom: judged(prom, latency(), kubelet=4),
    "no-data": lambda prom: judged(prom, replace(latency(), metrics=("sandbox_waits_seconds",))),
    "green": lambda prom: judged(prom, latency(5.0)),
    "counter": lambda prom: judged(prom, evictions()),
}


@pytest.mark.parametrize("name", CASES)
def test_a_text_is_as_it_was_agreed(busy: Prometheus, name: str) -> None:
    text = head(CASES[name](busy))

    assert text == (EXPECTED / f"{name}.txt").read_text(encoding="utf-8")


def test_every_line_of_a_section_stands_in_the_same_column(busy: Prometheus) -> None:
    for line in details(judged(busy, latency())).splitlines():
        assert line[:12].strip() == "" or line[11] in {" ", "?"}, line
        assert line[12] != " " or line[:12].strip() == ""


def test_what_says_something_comes_before_what_does_not() -> None:
    text = details(plain(guards={"coverage": "min up 1.00 over 3 targets", "close call": "98.9 % within the bound"}))

    assert text.index("close call: 98.9 %") < text.index("coverage: min up 1.00")
    assert "with care" in text
    assert text.splitlines()[text.splitlines().index("checked     coverage: min up 1.00 over 3 targets") :]


@pytest.mark.parametrize(
    ("name", "finding", "quiet"),
    [
        ("coverage", "min up 1.00 over 3 targets", True),
        ("coverage", "min up 0.97 over 3 targets", False),
        ("resets", "none", True),
        ("resets", "kubelet n1 (about 22:13:45 UTC)", False),
        ("pods", "20 of 20 have a time", True),
        ("pods", "19 of 20 have a time", False),
        ("node clocks", "at most 3 ms off their time servers'", True),
        ("node clocks", "at most 3 ms off their time servers'; some are not synchronised", False),
        ("close call", "anything", False),
        ("never heard of", "anything", False),
    ],
)
def test_a_guard_is_quiet_only_where_it_found_nothing(name: str, finding: str, *, quiet: bool) -> None:
    assert is_quiet(name, finding) is quiet


def test_a_value_in_the_last_bucket_is_at_least() -> None:
    open_one = Element(labels={"node": "n1"}, verdict=Verdict.FAIL, value=10.0, bucket=(10.0, math.inf), good=0.4)

    text = details(plain(value=10.0, bucket=(10.0, math.inf), labels={"node": "n1"}, elements=(open_one,)))

    assert "at least 10 s, asked <= 5 s" in text
    assert "above 10 s" in text
    assert "> 10 s" in text


def test_a_share_near_one_keeps_the_digits_that_tell_it_from_one() -> None:
    one = Element(labels={}, verdict=Verdict.FAIL, value=6.0, good=0.99949, count=20_000.0)

    assert "99.949 % of its 20000 observations" in details(plain(elements=(one,)))


def test_long_labels_and_many_elements_stay_readable() -> None:
    many = tuple(
        Element(labels={"resource": "x" * 80, "verb": f"V{number}"}, verdict=Verdict.FAIL, value=6.0, count=10.0)
        for number in range(12)
    )

    text = details(plain(elements=many))

    assert max(len(line) for line in text.splitlines()) < 130
    assert "and 7 more" in text


def test_an_error_says_that_it_says_nothing_about_the_cluster() -> None:
    text = details(plain(verdict=Verdict.ERROR, value=None, margin=None, message="Prometheus is gone"))

    assert "no verdict: Prometheus could not be asked" in text
    assert "value       none, asked <= 5 s" in text


def test_an_outvoted_element_is_in_the_table_and_the_value_is_of_the_next_one() -> None:
    some = (
        Element(labels={"node": "n1"}, verdict=Verdict.FAIL, value=9.0, good=0.5, count=10.0),
        Element(labels={"node": "n2"}, verdict=Verdict.PASS, value=4.0, good=0.99, count=20.0),
    )

    text = details(plain(verdict=Verdict.PASS, value=4.0, margin=0.2, labels={"node": "n2"}, elements=some))

    assert "4 s, asked <= 5 s: 20 % to spare" in text
    assert "99 % of its 20 observations" in text
    assert "n1" in text


def test_a_query_that_is_too_long_is_cut_and_says_so() -> None:
    text = details(plain(queries=("a" * 5000,), time=100.0))

    assert len(text) < 2600
    assert "... (cut)" in text


def test_the_text_holds_no_colour() -> None:
    assert "\x1b" not in details(plain(look_at="x"))
