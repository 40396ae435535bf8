"""How sure a share or a percentile is, from the number of observations alone; pure."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_telescope.slo.buckets import Buckets

Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""
TAIL = 0.025
_EXACT_UP_TO = 50.0
"""Expected count in the smaller tail up to which the binomial is summed; above it is normal to within one rank."""


def wilson(hits: float, total: float) -> tuple[float, float]:
    """Return the 95 % interval of a share of which `hits` of `total` were seen (Wilson 1927, score interval)."""
    if total <= 0:
        return 0.0, 1.0
    share = min(1.0, max(0.0, hits / total))
    spread = Z * math.sqrt(share * (1 - share) / total + Z * Z / (4 * total * total))
    middle, scale = share + Z * Z / (2 * total), 1 + Z * Z / total
    low, high = (middle - spread) / scale, (middle + spread) / scale
    return 0.0 if share <= 0 else low, 1.0 if share >= 1 else high


@lru_cache(maxsize=4096)
def ranks(count: int, share: float) -> tuple[int, int]:
    """Return the ranks (from 1) of `count` ordered observations between which the `share` quantile lies in 95 of 100.

    Binomial order statistics (David and Nagaraja, Order Statistics, 7.1): at most 2.5 % on either side. 0 and
    `count + 1` stand for "before the first" and "after the last".
    """
    if share < 0.5:
        low, high = _tails(count, share)
        return low + 1, high + 1
    low, high = _tails(count, 1 - share)
    return count - high, count - low


def quantile_interval(buckets: Buckets, p: float) -> tuple[float, float]:
    """Return the 95 % interval of the p-th percentile, widened to the buckets of both ranks; +Inf where it is open."""
    low, high = ranks(math.floor(buckets.total + 1e-6), p / 100)
    edges = buckets.edges
    slack = 1e-9 * buckets.total
    below = [edge for edge in edges if buckets.counts[edge] < low - slack]
    upto = next((edge for edge in edges if buckets.counts[edge] >= high - slack), math.inf)
    return below[-1] if below else min(0.0, edges[0]), upto


def _tails(count: int, share: float) -> tuple[int, int]:
    """Return the largest j with P(B <= j) <= 2.5 % (-1 for none) and the least i with P(B <= i) >= 97.5 %."""
    mean = count * share
    if mean > _EXACT_UP_TO:
        reach = Z * math.sqrt(mean * (1 - share)) + 1
        return max(-1, math.floor(mean - reach)), min(count, math.ceil(mean + reach))
    chance = math.exp(count * math.log1p(-share)) if share < 1 else 0.0
    total, low, number = chance, -1, 0
    while total < 1 - TAIL and number < count:
        low = number if total <= TAIL else low
        chance *= (count - number) / (number + 1) * share / (1 - share)
        number += 1
        total += chance
    return low, number
