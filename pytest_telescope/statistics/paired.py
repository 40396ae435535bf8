"""The effect between two arms of a few runs each, with its interval, and how many runs would tell more.

All on the log scale (ratios) where every value is above 0, else on the linear one (differences).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

Scale = Literal["log", "linear"]
CONFIDENCE = 0.95
POWER = 0.8
MOST = 1000
"""Pairs beyond which nobody needs to know how many exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How much B differs from A.

    Attributes:
        estimate: mean of ln(B/A) or of B - A, by `scale`.
        low, high: ends of its 95 % interval.
        error: standard error of the estimate; 0 where no value differs from its like.
        df: degrees of freedom of `error`.
        p: of no effect, two-sided.
        spread: standard deviation of one pair's difference, or of one run where runs are not paired.
        paired: whether `spread` is of pairs.
    """

    scale: Scale
    estimate: float
    low: float
    high: float
    error: float
    df: float
    p: float
    spread: float
    paired: bool

    def shown(self, value: float) -> float:
        """Return a value of this scale as people read it: the ratio, or the difference."""
        return math.exp(value) if self.scale == "log" else value


def scale_of(a: Sequence[float], b: Sequence[float]) -> Scale:
    """Return the scale on which values are compared: differences where one is 0 or less."""
    return "log" if min(chain(a, b)) > 0 else "linear"


def scaled(values: Sequence[float], scale: Scale) -> list[float]:
    """Return values on their scale."""
    return [math.log(value) for value in values] if scale == "log" else list(values)


def of_pairs(a: Sequence[float], b: Sequence[float]) -> Effect | None:
    """Return the effect over pairs, `a[i]` with `b[i]`: a t interval over their differences; None below two pairs.

    Raises:
        ValueError: not as many values in both arms.
    """
    if len(a) != len(b):
        raise ValueError(f"pairs need as many values in both arms, found {len(a)} and {len(b)}")
    if len(a) < 2:
        return None
    scale = scale_of(a, b)
    differences = [y - x for x, y in zip(scaled(a, scale), scaled(b, scale), strict=True)]
    mean, spread = _mean(differences), _deviation(differences)
    return _effect(scale, mean, spread / math.sqrt(len(a)), len(a) - 1, spread, paired=True)


def of_runs(a: Sequence[float], b: Sequence[float]) -> Effect | None:
    """Return the effect between runs that are not paired, by Welch's t; None where both arms have one value at most.

    An arm with a single value is taken to vary as the other one does.
    """
    if not a or not b or len(a) + len(b) < 3:
        return None
    scale = scale_of(a, b)
    x, y = scaled(a, scale), scaled(b, scale)
    estimate = _mean(y) - _mean(x)
    if min(len(x), len(y)) == 1:
        spread, df = _deviation(max(x, y, key=len)), max(len(x), len(y)) - 1.0
        return _effect(scale, estimate, spread * math.sqrt(1 / len(x) + 1 / len(y)), df, spread, paired=False)
    parts = [_deviation(one) ** 2 / len(one) for one in (x, y)]
    spread = math.sqrt((_deviation(x) ** 2 + _deviation(y) ** 2) / 2)
    return _effect(scale, estimate, math.sqrt(sum(parts)), _welch_df(parts, (len(x), len(y))), spread, paired=False)


def of_known(
    a: Sequence[float], b: Sequence[float], *, spread: float, df: float, paired: bool, scale: Scale
) -> Effect | None:
    """Return the effect where the spread is known from elsewhere, a calibration; None where that is of another scale.

    Args:
        a: values of arm A, one at least.
        b: values of arm B.
        spread: standard deviation of one pair's difference (`paired`) or of one run, on `scale`.
        df: degrees of freedom of the spread.
        paired: whether `a[i]` goes with `b[i]`.
        scale: of the spread.
    """
    if not a or not b or scale_of(a, b) != scale:
        return None
    estimate = _mean(scaled(b, scale)) - _mean(scaled(a, scale))
    runs = 1 / len(a) if paired else 1 / len(a) + 1 / len(b)
    return _effect(scale, estimate, spread * math.sqrt(runs), df, spread, paired=paired)


def p_equivalent(effect: Effect, margin: float) -> float:
    """Return the p value of an effect of `margin` or more, either way (two one-sided t tests).

    After Schuirmann, J. Pharmacokinet. Biopharm. 15 (1987), 657-680. Below 0.05 the 90 % interval lies within
    -margin and margin.

    Args:
        effect: what was found.
        margin: above 0, on the effect's scale: ln(1.05) for 5 %.
    """
    if effect.error == 0:
        return 0.0 if abs(effect.estimate) < margin else 1.0
    return max(
        _upper((effect.estimate + margin) / effect.error, effect.df),
        _upper((margin - effect.estimate) / effect.error, effect.df),
    )


def pairs_needed(spread: float, effect: float, *, power: float = POWER) -> int:
    """Return the pairs by which a t test at 5 % finds `effect` with `power`; `MOST` stands for that many or more.

    Args:
        spread: standard deviation of one pair's difference.
        effect: other than 0, on the same scale.
        power: from 0 to 1.
    """
    return _first(lambda n: _power(effect / spread * math.sqrt(n), n - 1) >= power) if spread > 0 else 2


def runs_needed(spread: float, effect: float, *, power: float = POWER) -> int:
    """Return the runs an arm, not paired, by which a t test at 5 % finds `effect` with `power`.

    Args:
        spread: standard deviation of one run.
        effect: other than 0, on the same scale.
        power: from 0 to 1.
    """
    return _first(lambda n: _power(effect / spread * math.sqrt(n / 2), 2 * n - 2) >= power) if spread > 0 else 2


def needed_for_equivalence(effect: Effect, margin: float, *, power: float = POWER) -> int:
    """Return the pairs, or runs an arm, that show equivalence within `margin` with `power` where there is no effect."""
    if effect.spread == 0:
        return 2
    ratio = margin / effect.spread

    def enough(n: int) -> bool:
        noncentral, df = (ratio * math.sqrt(n), n - 1) if effect.paired else (ratio * math.sqrt(n / 2), 2 * n - 2)
        return 2 * _beyond(noncentral, df, 0.95) - 1 >= power

    return _first(enough)


def _first(enough: Callable[[int], bool]) -> int:
    """Return the least count from 2 to `MOST` that is enough, by halving: more is never less."""
    from bisect import bisect_left

    return 2 + bisect_left(range(2, MOST), True, key=enough)


def _power(noncentral: float, df: float) -> float:
    return _beyond(noncentral, df, 0.975) + _beyond(-noncentral, df, 0.975)


def _beyond(noncentral: float, df: float, quantile: float) -> float:
    """Return how likely a t of that noncentrality lies above the quantile of the central one."""
    from scipy import special

    edge = special.stdtrit(df, quantile)
    if noncentral - edge > 12:  # nctdtr loses its digits far out in the tail, where the answer is 1
        return 1.0
    return float(1 - special.nctdtr(df, noncentral, edge))


def _effect(scale: Scale, estimate: float, error: float, df: float, spread: float, *, paired: bool) -> Effect:
    from scipy import special

    reach = float(special.stdtrit(df, (1 + CONFIDENCE) / 2)) * error
    p = 2 * _upper(abs(estimate) / error, df) if error > 0 else float(estimate == 0)
    return Effect(
        scale=scale,
        estimate=estimate,
        low=estimate - reach,
        high=estimate + reach,
        error=error,
        df=df,
        p=min(1.0, p),
        spread=spread,
        paired=paired,
    )


def _upper(t: float, df: float) -> float:
    from scipy import special

    return float(special.stdtr(df, -t))


def _welch_df(parts: Sequence[float], counts: Sequence[int]) -> float:
    """Return Satterthwaite's degrees of freedom (Biometrics Bulletin 2 (1946), 110-114)."""
    if not any(parts):
        return float(sum(counts) - len(counts))
    return sum(parts) ** 2 / sum(part**2 / (count - 1) for part, count in zip(parts, counts, strict=True))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _deviation(values: Sequence[float]) -> float:
    """Return the standard deviation; exactly 0 where all values are the same."""
    if min(values) == max(values):
        return 0.0
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
