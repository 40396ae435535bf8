"""Histograms as Prometheus keeps them: cumulative counts by upper bound; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from itertools import pairwise
from typing import TypeVar

from pytest_telescope.metrics.model import Series

ROUNDING = 1e-9
Key = tuple[str, ...]
"""Values of the labels of `by`, in order."""
_Key = TypeVar("_Key")


@dataclass(slots=True)
class Buckets:
    """Cumulative counts of one histogram by upper bound; made once, never changed.

    Attributes:
        edges: upper bounds, rising.
        total: all observations; NaN without a `+Inf` bucket.
    """

    counts: Mapping[float, float]
    edges: tuple[float, ...] = field(init=False, compare=False)
    total: float = field(init=False, compare=False)
    _broken: str | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Work out once what every judge asks for."""
        self.edges = tuple(sorted(self.counts))
        self.total = self.counts.get(math.inf, math.nan)
        self._broken = _why_broken([self.counts[edge] for edge in self.edges], is_closed=math.inf in self.counts)

    def plus(self, other: Buckets) -> Buckets:
        """Add another histogram of the same bounds; bounds of one alone are dropped, so that nothing is guessed."""
        shared = self.counts.keys() & other.counts.keys()
        return Buckets({edge: self.counts[edge] + other.counts[edge] for edge in shared})

    def broken(self) -> str | None:
        """Say why this is no histogram, None when it is one."""
        return self._broken

    def beyond(self) -> tuple[float, float]:
        """Return how many observations lie above the last finite bound, and that bound."""
        finite = [edge for edge in self.edges[-2:] if math.isfinite(edge)]
        return (self.total - self.counts[finite[-1]], finite[-1]) if finite else (0.0, math.inf)

    def lowest(self) -> float:
        """Return how many observations the first bucket holds."""
        return self.counts[self.edges[0]]

    def upto(self, bound: float) -> float | None:
        """Return how many observations lie up to `bound`, None where it is no bucket."""
        if bound in self.counts:
            return self.counts[bound]
        return next((self.counts[edge] for edge in self.edges if math.isclose(edge, bound, rel_tol=1e-9)), None)

    def quantile(self, p: float) -> tuple[float, tuple[float, float]]:
        """Return the p-th percentile, interpolated in its bucket, and that bucket; in the last one its lower end."""
        edges = self.edges
        rank = p / 100 * self.total
        index = next(i for i, edge in enumerate(edges) if self.counts[edge] >= rank - ROUNDING * self.total)
        high = edges[index]
        low = edges[index - 1] if index else min(0.0, high)
        if math.isinf(high):
            return low, (low, high)
        below = self.counts[edges[index - 1]] if index else 0.0
        inside = self.counts[high] - below
        share = min(1.0, max(0.0, (rank - below) / inside)) if inside > 0 else 1.0
        return low + (high - low) * share, (low, high)


def _why_broken(values: list[float], *, is_closed: bool) -> str | None:
    if not is_closed:
        return "has no +Inf bucket"
    if not math.isfinite(sum(values)):
        return "holds a count that is no number"
    if values[0] >= 0 and values == sorted(values):
        return None
    slack = ROUNDING * max(1.0, abs(values[-1]))
    if values[0] < -slack:
        return "holds a negative count: a counter was reset unseen"
    if any(later < earlier - slack for earlier, later in pairwise(values)):
        return "counts less in a wider bucket: a counter was reset unseen"
    return None


def key_of(labels: Mapping[str, str], by: Sequence[str]) -> Key:
    """Return the values of the labels in `by`; an absent label is the empty text."""
    return tuple([labels.get(name, "") for name in by])  # a list is half the time of a generator


def histograms(series: Iterable[Series], by: Sequence[str]) -> dict[Key, Buckets]:
    """Group bucket series by the labels in `by`; a bound spelt in two ways (1 and 1.0) is one bucket."""
    found: dict[Key, dict[float, float]] = {}
    for one in series:
        counts = found.setdefault(key_of(one.labels, by), {})
        edge = float(one.labels.get("le", "nan"))
        counts[edge] = counts.get(edge, 0.0) + one.value
    return {key: Buckets(counts) for key, counts in found.items()}


def add(found: dict[_Key, Buckets], more: Mapping[_Key, Buckets]) -> None:
    """Add histograms to others of the same keys, in place."""
    for key, buckets in more.items():
        found[key] = found[key].plus(buckets) if key in found else buckets


def total_of(parts: Iterable[Buckets]) -> Buckets:
    """Return the sum of at least one histogram."""
    first, *rest = parts
    for other in rest:
        first = first.plus(other)
    return first
