"""From numbers to verdicts, one label set at a time; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from itertools import pairwise

from pytest_telescope.metrics.model import Series
from pytest_telescope.slo.bounds import holds
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict

WORST = (Verdict.ERROR, Verdict.INVALID, Verdict.FAIL, Verdict.PASS, Verdict.SKIP)
POOLED = "(pooled)"
"""Label value of the series that were too thin to be judged alone."""
_ROUNDING = 1e-9

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Buckets:
    """Cumulative counts of one histogram by upper bound."""

    counts: Mapping[float, float]

    @property
    def total(self) -> float:
        """All observations; NaN without a `+Inf` bucket."""
        return self.counts.get(math.inf, math.nan)

    def plus(self, other: Buckets) -> Buckets:
        """Add another histogram of the same bounds; bounds of one alone are dropped, so that nothing is guessed."""
        shared = self.counts.keys() & other.counts.keys()
        return Buckets({edge: self.counts[edge] + other.counts[edge] for edge in shared})

    def broken(self) -> str | None:
        """Say why this is no histogram, None when it is one."""
        if math.inf not in self.counts:
            return "has no +Inf bucket"
        values = [self.counts[edge] for edge in sorted(self.counts)]
        if not all(math.isfinite(value) for value in values):
            return "holds a count that is no number"
        slack = _ROUNDING * max(1.0, abs(values[-1]))
        if values[0] < -slack:
            return "holds a negative count: a counter was reset unseen"
        if any(later < earlier - slack for earlier, later in pairwise(values)):
            return "counts less in a wider bucket: a counter was reset unseen"
        return None

    def quantile(self, p: float) -> tuple[float, tuple[float, float]]:
        """Return the p-th percentile, interpolated in its bucket, and that bucket; in the last one its lower end."""
        edges = sorted(self.counts)
        rank = p / 100 * self.total
        index = next(i for i, edge in enumerate(edges) if self.counts[edge] >= rank - _ROUNDING * self.total)
        high = edges[index]
        low = edges[index - 1] if index else min(0.0, high)
        if math.isinf(high):
            return low, (low, high)
        below = self.counts[edges[index - 1]] if index else 0.0
        inside = self.counts[high] - below
        share = min(1.0, max(0.0, (rank - below) / inside)) if inside > 0 else 1.0
        return low + (high - low) * share, (low, high)


def key_of(series: Series, by: Sequence[str]) -> Key:
    """Return the series' values of the labels in `by`; an absent label is the empty text."""
    return tuple(series.labels.get(name, "") for name in by)


def histograms(series: Iterable[Series], by: Sequence[str]) -> dict[Key, Buckets]:
    """Group bucket series by the labels in `by`."""
    found: dict[Key, dict[float, float]] = {}
    for one in series:
        found.setdefault(key_of(one, by), {})[float(one.labels.get("le", "nan"))] = one.value
    return {key: Buckets(counts) for key, counts in found.items()}


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
    together = _sum(thin.values())
    if together.total < slo.min_count:
        together = _sum(alive.values())
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
    within = next(
        (count for edge, count in buckets.counts.items() if math.isclose(edge, slo.bound.values[0], rel_tol=1e-9)), None
    )
    element = Element(labels=labels, verdict=Verdict.PASS, value=value, count=buckets.total, bucket=bucket)
    if within is None:
        return replace(element, verdict=Verdict.INVALID, message="the bound is no bucket of this series")
    good = within / buckets.total
    element = replace(
        element, good=good, verdict=Verdict.PASS if good >= percentile / 100 - _ROUNDING else Verdict.FAIL
    )
    return _enough(slo, element)


def judge_ratio(slo: Slo, key: Key, bad: float | None, total: float) -> Element:
    """Judge bad / total; an absent `bad` is zero only where the SLO says so."""
    labels = labels_of(slo, key)
    if bad is None and not slo.absent_zero:
        return Element(labels=labels, verdict=Verdict.INVALID, value=None, count=total, message=f"{slo.bad} is absent")
    share = (bad or 0.0) / total if total else math.nan
    element = judge_value(slo, key, share)
    return element if total <= 0 else _enough(slo, replace(element, count=total))


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
    shown = list(seen)
    return [
        f"{label} {value}"
        for label, values in expected.items()
        for value in values
        if not any(one.labels.get(label) == value and one.count != 0 for one in shown)
    ]


def worst_first(elements: Iterable[Element], slo: Slo) -> tuple[Element, ...]:
    """Sort by verdict, then by distance from the bound."""
    rising = slo.bound.operator in {"min", "above"}

    def badness(element: Element) -> tuple[int, float]:
        value = element.value if element.value is not None else math.inf
        return WORST.index(element.verdict), value if rising else -value

    return tuple(sorted(elements, key=badness))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of some verdicts: ERROR, INVALID, FAIL, PASS; of none INVALID, for nothing was judged."""
    return min(verdicts, key=WORST.index, default=Verdict.INVALID)


def labels_of(slo: Slo, key: Key) -> dict[str, str]:
    """Return the element's labels by name."""
    return dict(zip(slo.by, key, strict=False))


def _enough(slo: Slo, element: Element) -> Element:
    if element.count is not None and element.count < slo.min_count and element.verdict is not Verdict.INVALID:
        few = f"too few samples: {element.count:.0f} of at least {slo.min_count}"
        return replace(element, verdict=Verdict.INVALID, message=few)
    return element


def _sum(parts: Iterable[Buckets]) -> Buckets:
    first, *rest = parts
    for other in rest:
        first = first.plus(other)
    return first
