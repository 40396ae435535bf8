"""From numbers to verdicts, one label set at a time; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace

from pytest_telescope.slo.bounds import holds
from pytest_telescope.slo.buckets import ROUNDING
from pytest_telescope.slo.buckets import Buckets
from pytest_telescope.slo.buckets import Key
from pytest_telescope.slo.buckets import histograms
from pytest_telescope.slo.buckets import total_of
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict

__all__ = (
    "POOLED",
    "WORST",
    "Buckets",
    "Key",
    "badness",
    "histograms",
    "judge_histogram",
    "judge_ratio",
    "judge_value",
    "labels_of",
    "pooled",
    "unseen",
    "worst",
    "worst_first",
)

WORST = (Verdict.ERROR, Verdict.INVALID, Verdict.FAIL, Verdict.PASS, Verdict.SKIP)
POOLED = "(pooled)"
"""Label value of the series that were too thin to be judged alone."""


def pooled(slo: Slo, found: Mapping[Key, Buckets]) -> dict[Key, Buckets]:
    """Apply `sparse` to the elements below `min_count`; elements in which nothing happened are left out.

    `skip` leaves them out while another element is left; `merge` judges them as one, together with all others where
    they are too few even so, so that no observation goes unjudged. Without `sparse` they stay, to be INVALID.
    """
    alive = {key: one for key, one in found.items() if one.broken() or one.total > 0}
    thin = {key: one for key, one in alive.items() if not one.broken() and one.total < slo.min_count}
    thick = {key: one for key, one in alive.items() if key not in thin}
    if not thin or slo.sparse in {None, "fail"}:
        return alive
    if slo.sparse == "skip":
        return thick or alive
    together = total_of(thin.values())
    if together.total < slo.min_count:
        together = total_of(alive.values())
    return {**thick, (POOLED,) * max(1, len(slo.by)): together}


def judge_histogram(slo: Slo, key: Key, buckets: Buckets) -> Element:
    """Judge one histogram: the share of observations up to the bound against p; the quantile is only reported."""
    labels = labels_of(slo, key)
    if problem := buckets.broken():
        return Element(labels=labels, verdict=Verdict.INVALID, value=None, message=problem)
    if buckets.total <= 0:
        return Element(labels=labels, verdict=Verdict.INVALID, value=None, count=0.0, message="no observations")
    percentile = slo.p if slo.p is not None else 50.0
    value, bucket = buckets.quantile(percentile)
    within = buckets.upto(slo.bound.values[0])
    if within is None:
        good, verdict, text = None, Verdict.INVALID, "the bound is no bucket of this series"
    else:
        good = within / buckets.total
        verdict = Verdict.PASS if good >= percentile / 100 - ROUNDING else Verdict.FAIL
        text = _few(slo, buckets.total)
    return Element(
        labels=labels,
        verdict=Verdict.INVALID if text else verdict,
        value=value,
        count=buckets.total,
        bucket=bucket,
        good=good,
        message=text,
    )


def judge_ratio(slo: Slo, key: Key, bad: float | None, total: float) -> Element:
    """Judge bad / total; an absent `bad` is zero only where the SLO says so."""
    labels = labels_of(slo, key)
    if bad is None and not slo.absent_zero:
        return Element(labels=labels, verdict=Verdict.INVALID, value=None, count=total, message=f"{slo.bad} is absent")
    share = (bad or 0.0) / total if total else math.nan
    element = judge_value(slo, key, share)
    few = "" if total <= 0 or element.verdict is Verdict.INVALID else _few(slo, total)
    if few:
        return replace(element, count=total, verdict=Verdict.INVALID, message=few)
    return element if total <= 0 else replace(element, count=total)


def judge_value(slo: Slo, key: Key, value: float) -> Element:
    """Judge a plain number; NaN and infinities are INVALID."""
    labels = labels_of(slo, key)
    if not math.isfinite(value):
        what = "NaN" if math.isnan(value) else "infinite"
        return Element(labels=labels, verdict=Verdict.INVALID, value=None, message=f"the value is {what}")
    verdict = Verdict.PASS if holds(slo.bound, value) else Verdict.FAIL
    return Element(labels=labels, verdict=verdict, value=value)


def unseen(expected: Mapping[str, Sequence[str]], seen: Iterable[Element]) -> list[str]:
    """Return what `expect` asks for and no element with observations shows, as `node n2`."""
    shown = {pair for one in seen if one.count != 0 for pair in one.labels.items()}
    return [f"{label} {value}" for label, values in expected.items() for value in values if (label, value) not in shown]


def badness(slo: Slo, value: float) -> float:
    """Return a number that grows as `value` gets worse for the bound."""
    if slo.bound.operator in {"min", "above"}:
        return -value
    if slo.bound.operator in {"equals", "between"}:
        return max(slo.bound.values[0] - value, value - slo.bound.values[-1])
    return value


def worst_first(elements: Iterable[Element], slo: Slo) -> tuple[Element, ...]:
    """Sort by verdict, then by distance from the bound; without a value is worst."""

    def rank(element: Element) -> tuple[int, float]:
        bad = math.inf if element.value is None else badness(slo, element.value)
        return WORST.index(element.verdict), -bad

    return tuple(sorted(elements, key=rank))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of some verdicts: ERROR, INVALID, FAIL, PASS; of none INVALID, for nothing was judged."""
    return min(verdicts, key=WORST.index, default=Verdict.INVALID)


def labels_of(slo: Slo, key: Key) -> dict[str, str]:
    """Return the element's labels by name."""
    return dict(zip(slo.by, key, strict=False))


def _few(slo: Slo, count: float) -> str:
    return f"too few samples: {count:.0f} of at least {slo.min_count}" if count < slo.min_count else ""
