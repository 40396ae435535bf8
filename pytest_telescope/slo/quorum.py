"""How many elements may miss the bound without the SLO missing it; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.text import humanly


def allowed(slo: Slo, number: int) -> int:
    """Return how many of `number` elements may FAIL: the share beyond the quorum, rounded down."""
    return math.floor((1 - slo.quorum) * number + 1e-9)


def outvoted(slo: Slo, elements: Sequence[Element]) -> int:
    """Return how many FAILed elements the others outvote: all or none, and none beside one that is no verdict."""
    verdicts = [one.verdict for one in elements]
    failed = verdicts.count(Verdict.FAIL)
    sound = failed + verdicts.count(Verdict.PASS) == len(verdicts)
    return failed if sound and failed <= allowed(slo, len(elements)) else 0


def told(slo: Slo, elements: Sequence[Element]) -> str:
    """Return what the quorum allows of these elements, and what became of it; nothing without a quorum."""
    if slo.quorum >= 1:
        return ""
    number, failed = len(elements), sum(one.verdict is Verdict.FAIL for one in elements)
    may = allowed(slo, number)
    return f"{humanly(slo.quorum, 'ratio')} of {number}: {may or 'none'} may miss it, {failed or 'none'} {_do(failed)}"


def _do(number: int) -> str:
    return "does" if number <= 1 else "do"
