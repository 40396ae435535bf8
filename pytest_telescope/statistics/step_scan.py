"""Where a series most likely stepped, and how much better a step explains it than none, where noise remembers.

Model: `y[t] = level + shift * (t >= at) + u[t]`, `u[t] = rho * u[t - 1] + e[t]`. For every split and each rho of a
grid the series is made white (Prais and Winsten 1954: the first value keeps its weight) and the shift fitted by least
squares. The likelihood carries a prior on rho, for few runs tell little of it and an estimate from them is too small; a
detector that takes runs for independent sees a step in every slow wave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

RHOS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""The grid of autocorrelations between neighbouring runs."""
PRIOR_MEAN, PRIOR_SD = 0.5, 0.15
"""Normal prior on rho; chosen by simulation among six (docs/trends.md)."""
NO_NOISE = 1e-9
"""Share of the sum of squares below which a fit counts as exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The most likely step of each series; arrays of shape (series,)."""

    ratio: Floats
    """Twice the gain in log-likelihood over no step; 0 where a series never moves."""
    at: npt.NDArray[np.intp]
    """Index of the first value of the new level."""
    shift: Floats
    error: Floats
    """Standard error of the shift, at the split and rho found."""
    rho: Floats
    sd: Floats
    """Standard deviation of a single run about its level, memory included."""


def scan(values: Floats, splits: npt.NDArray[np.intp]) -> Scan:
    """Return the most likely step of each series among some splits.

    Args:
        values: shape (series, runs), finite.
        splits: indices at which the new level may begin, each from 1 to runs - 1.
    """
    import numpy as np

    series, runs = values.shape
    rho = np.asarray(RHOS)[:, None]
    prior = 0.5 * np.log(1 - rho**2) - 0.5 * ((rho - PRIOR_MEAN) / PRIOR_SD) ** 2
    left, gain, shift, weight = _fits(values, splits, rho)
    still = left.max(axis=1) <= 0
    floor = NO_NOISE * np.where(still, 1.0, left.max(axis=1))[:, None, None]
    without = (prior[:, 0] - 0.5 * runs * np.log(np.maximum(left, floor[..., 0]))).max(axis=1)
    rest = np.maximum(left[..., None] - gain, floor)
    with_step = (prior - 0.5 * runs * np.log(rest)).reshape(series, -1)
    best = with_step.argmax(axis=1)
    every = np.arange(series)
    place, split = np.divmod(best, len(splits))
    found = rho[place, 0]
    innovation = rest[every, place, split] / max(1, runs - 2)
    return Scan(
        ratio=np.where(still, 0.0, np.maximum(0.0, 2 * (with_step[every, best] - without))),
        at=splits[split],
        shift=shift[every, place, split],
        error=np.where(still, 0.0, np.sqrt(innovation / weight[place, split])),
        rho=found,
        sd=np.where(still, 0.0, np.sqrt(innovation / (1 - found**2))),
    )


def _fits(values: Floats, splits: npt.NDArray[np.intp], rho: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return what is left without a step, what a step at each split takes off that, its shift and that one's weight.

    Shapes: (series, rhos), (series, rhos, splits), (series, rhos, splits), (rhos, splits).
    """
    import numpy as np

    series, runs = values.shape
    y = values - values.mean(axis=1, keepdims=True)
    white = np.empty((series, len(rho), runs))
    white[:, :, 0] = np.sqrt(1 - rho[:, 0] ** 2) * y[:, :1]
    white[:, :, 1:] = y[:, None, 1:] - rho * y[:, None, :-1]
    ones = np.concatenate([np.sqrt(1 - rho**2), np.repeat(1 - rho, runs - 1, axis=1)], axis=1)
    one_one, one_y = (ones**2).sum(axis=1), (white * ones).sum(axis=2)
    left = np.maximum(0.0, (white**2).sum(axis=2) - one_y**2 / one_one)
    after = np.zeros((series, len(rho), runs + 1))
    after[:, :, :-1] = np.cumsum(white[:, :, ::-1], axis=2)[:, :, ::-1]
    rest = (1 - rho) * (runs - 1 - splits)
    step_y = white[:, :, splits] + (1 - rho) * after[:, :, splits + 1]
    step_one = (1 - rho) * (1 + rest)
    weight = 1 + (1 - rho) * rest - step_one**2 / one_one[:, None]
    moment = step_y - step_one * (one_y / one_one)[..., None]
    return left, moment**2 / weight, moment / weight, weight
