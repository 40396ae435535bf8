"""The judge against worlds whose answer is known without any query (tests/slo/corpus)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.slo.corpus.compare import by_judge
from tests.slo.corpus.compare import by_plain
from tests.slo.corpus.compare import counts
from tests.slo.corpus.compare import page
from tests.slo.corpus.every import CASES
from tests.slo.corpus.model import Case
from tests.slo.corpus.plain import form
from tests.slo.corpus.scoring import Scored
from tests.slo.corpus.scoring import scored

pytestmark = pytest.mark.e2e

PAGE = Path(__file__).parents[2] / "docs" / "verdicts-compared.md"
ROWS = {str(number) for number in range(1, 31)}
UNPROVEN = {"19"}
"""Native histograms: backfilled text has none, and the corpus' remote write sends plain samples alone."""


@pytest.fixture(scope="module")
def answers() -> Mapping[str, Scored]:
    return {one.case.name: one for one in scored(CASES)}


def named(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", [case for case in CASES if not case.truth.refused], ids=named)
def test_judge_says_what_is_true(answers: Mapping[str, Scored], case: Case) -> None:
    found = answers[case.name]

    assert found.judgement is not None, found.refusal
    assert (found.judgement.verdict, found.judgement.message) == (case.truth.verdict, found.judgement.message)
    if case.truth.range is not None:
        low, high = case.truth.range
        assert found.judgement.value is not None
        assert low <= found.judgement.value <= high or math.isclose(found.judgement.value, high, rel_tol=1e-9)
    if case.truth.count is not None:
        assert found.judgement.count == case.truth.count


@pytest.mark.parametrize("case", [case for case in CASES if case.truth.refused], ids=named)
def test_question_that_would_miss_it_is_refused_before_anything_is_built(
    answers: Mapping[str, Scored], case: Case
) -> None:
    found = answers[case.name]

    assert found.judgement is None, found.judgement
    assert case.truth.refused in found.refusal


def test_corpus_is_large_and_names_each_case_once() -> None:
    names = Counter(case.name for case in CASES)

    assert len(CASES) >= 80
    assert not [name for name, count in names.items() if count > 1]
    assert {form(case) for case in CASES} == {"histogram", "ratio", "counter", "query"}


def test_every_pitfall_has_a_case() -> None:
    covered = {row for case in CASES for row in case.pitfalls}

    assert ROWS - covered == UNPROVEN


def test_every_query_says_what_is_asked_plainly() -> None:
    assert not [case.name for case in CASES if (form(case) == "query") != bool(case.plain)]


def test_plain_queries_are_wrong_where_the_judge_is_not(answers: Mapping[str, Scored]) -> None:
    plain, judge = counts(by_plain(answers.values())), counts(by_judge(answers.values()))

    assert judge[1:] == (0, 0, 0, 0)
    assert all(number > 0 for number in plain[1:])


def test_page_of_the_docs_is_what_the_script_prints(answers: Mapping[str, Scored]) -> None:
    found = page(list(answers.values()))

    assert PAGE.read_text(encoding="utf-8") == found, (
        "run: python -m tests.slo.corpus.compare > docs/verdicts-compared.md"
    )
