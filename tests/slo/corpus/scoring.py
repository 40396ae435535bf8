"""Answers held against the truth: whether the colour is right, and the number."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pytest_telescope.errors import UsageError
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Verdict
from tests.slo.corpus import plain
from tests.slo.corpus.judging import judged
from tests.slo.corpus.judging import served
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import Truth

SLACK = 0.05
"""How far, relatively, a number may be off; one from a histogram lies in the true bucket, or as near to it."""


class Colour(StrEnum):
    """What is wrong with a verdict."""

    RIGHT = "right"
    GREEN_THOUGH_MISSED = "green, though the bound was missed"
    GREEN_THOUGH_UNKNOWN = "green, though nothing can be said"
    RED_THOUGH_KEPT = "red, though the bound was kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One case with both answers; `refusal` is what the linter said of the SLO, then there is no judgement."""

    case: Case
    plain: plain.Plain
    judgement: Judgement | None
    refusal: str = ""


def scored(cases: Iterable[Case]) -> list[Scored]:
    """Ask both over all cases."""
    every = tuple(cases)
    found = []
    memories: dict[str, dict[str, Any]] = {}
    with served(every) as proms:
        for case in every:
            prom, judgement, refusal = proms[case.name], None, ""
            try:
                judgement = judged(case, prom, memories.setdefault(prom.endpoint.url, {}))
            except UsageError as error:
                refusal = str(error)
            asked = plain.answered(case, prom)
            found.append(Scored(case=case, plain=asked, judgement=judgement, refusal=refusal))
    return found


def colour(truth: Truth, verdict: Verdict) -> Colour:
    """Return whether a verdict is as green or red as it should be; nothing else about it is looked at."""
    if verdict is Verdict.PASS:
        if truth.verdict is Verdict.PASS:
            return Colour.RIGHT
        return Colour.GREEN_THOUGH_MISSED if truth.verdict is Verdict.FAIL else Colour.GREEN_THOUGH_UNKNOWN
    return Colour.RED_THOUGH_KEPT if truth.verdict is Verdict.PASS else Colour.RIGHT


def is_off(truth: Truth, value: float | None) -> bool:
    """Return whether a value that is there to be had was not found, to 5 %."""
    if truth.range is None:
        return False
    if value is None or math.isnan(value):
        return True
    low, high = truth.range
    return not low - SLACK * abs(low) <= value <= high + SLACK * abs(high)
