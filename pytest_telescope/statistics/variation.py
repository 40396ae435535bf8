"""How much runs of one thing vary: between runs, and within pairs that ran one after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_telescope.statistics.paired import Scale
from pytest_telescope.statistics.paired import scale_of
from pytest_telescope.statistics.paired import scaled

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """What an A/A calibration finds of one number.

    Attributes:
        spread, df: standard deviation of one run on `scale`, and its degrees of freedom.
        cv, cv_low, cv_high: coefficient of variation of a run with its 95 % interval, as a share; None on the linear
            scale where the mean is 0.
        correlation, correlation_low, correlation_high: of the two runs of a pair (intraclass) with its 95 % interval.
        pair_spread, pair_df: standard deviation of a pair's difference; None where nothing was paired.
        pairs: how many.
        runs: values in all.
    """

    scale: Scale
    spread: float
    df: float
    cv: float | None
    cv_low: float | None
    cv_high: float | None
    runs: int
    pairs: int = 0
    correlation: float | None = None
    correlation_low: float | None = None
    correlation_high: float | None = None
    pair_spread: float | None = None
    pair_df: float | None = None


def of_pairs(a: Sequence[float], b: Sequence[float]) -> Variation | None:
    """Return how values vary that come in pairs, `a[i]` with `b[i]`, of one thing; None below two pairs.

    One-way analysis of variance with the pair as group: the mean squares between (B) and within (W) pairs give the
    variance of a run, (B + W) / 2, and of a pair's difference, 2 W; the intraclass correlation is (B - W) / (B + W)
    (Shrout and Fleiss, Psychol. Bull. 86 (1979), 420-428).
    """
    if len(a) != len(b) or len(a) < 2:
        return None
    scale = scale_of(a, b)
    x, y = scaled(a, scale), scaled(b, scale)
    count = len(x)
    within = math.fsum((one - other) ** 2 for one, other in zip(x, y, strict=True)) / 2 / count
    between = 2 * _variance([(one + other) / 2 for one, other in zip(x, y, strict=True)])
    variance = (between + within) / 2
    df = (between + within) ** 2 / (between**2 / (count - 1) + within**2 / count) if variance else 2.0 * count - 1
    low, middle, high = _correlation(between, within, count)
    mean = math.fsum((*a, *b)) / (2 * count)
    cv = _cv_with_ends(scale, math.sqrt(variance), df, mean)
    return Variation(
        scale=scale,
        spread=math.sqrt(variance),
        df=df,
        cv=cv[0],
        cv_low=cv[1],
        cv_high=cv[2],
        runs=2 * count,
        pairs=count,
        correlation=middle,
        correlation_low=low,
        correlation_high=high,
        pair_spread=math.sqrt(2 * within),
        pair_df=float(count),
    )


def of_runs(values: Sequence[float]) -> Variation | None:
    """Return how the values of single runs of one thing vary; None below two."""
    if len(values) < 2:
        return None
    scale = scale_of(values, values)
    spread, df = math.sqrt(_variance(scaled(values, scale))), float(len(values) - 1)
    cv = _cv_with_ends(scale, spread, df, math.fsum(values) / len(values))
    return Variation(scale=scale, spread=spread, df=df, cv=cv[0], cv_low=cv[1], cv_high=cv[2], runs=len(values))


def _cv_with_ends(
    scale: Scale, spread: float, df: float, mean: float
) -> tuple[float, float, float] | tuple[None, None, None]:
    """Return CV and its interval by the chi-square of the spread."""
    from scipy import special

    if scale == "linear" and mean == 0:
        return (None, None, None)
    tail = (1 - CONFIDENCE) / 2
    ends = [math.sqrt(df / float(special.chdtri(df, share))) for share in (tail, 1 - tail)]
    return tuple(_cv(scale, spread * factor, mean) for factor in (1.0, *ends))  # type: ignore[return-value]  # three


def _cv(scale: Scale, spread: float, mean: float) -> float:
    """Return the coefficient of variation: of a log-normal by the spread of its logarithm, else spread over mean."""
    return math.sqrt(math.expm1(min(spread**2, 500.0))) if scale == "log" else spread / abs(mean)


def _correlation(between: float, within: float, count: int) -> tuple[float, float, float] | tuple[None, None, None]:
    """Return the intraclass correlation between the ends of its interval, by the F of the two mean squares."""
    from scipy import special

    if between + within == 0:
        return (None, None, None)
    middle = (between - within) / (between + within)
    if within == 0:
        return (1.0, 1.0, 1.0)
    ratio, tail = between / within, (1 - CONFIDENCE) / 2
    low = ratio / float(special.fdtri(count - 1, count, 1 - tail))
    high = ratio / float(special.fdtri(count - 1, count, tail))
    return ((low - 1) / (low + 1), middle, (high - 1) / (high + 1))


def _variance(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
