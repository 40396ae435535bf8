"""Noise of the kinds that runs show, for calibration and for measuring how often a detector is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Literal
from typing import get_args

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Kind = Literal["normal", "log-normal", "t3"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LOWEST = 0.01
"""Least value of a simulated series whose level is 1: a duration is never negative."""


def remembering(
    rng: np.random.Generator, series: int, runs: int, rho: float, kind: Kind = "normal"
) -> npt.NDArray[np.float64]:
    """Return AR(1) noise of mean 0 and standard deviation 1, shape (series, runs).

    Args:
        rng: source of randomness.
        series: how many.
        runs: their length.
        rho: correlation of neighbouring runs.
        kind: what the innovations are; `log-normal` is `normal` here and becomes skewed in `series_of`.
    """
    import numpy as np

    shape = (series, runs)
    noise = rng.standard_t(3, shape) / np.sqrt(3) if kind == "t3" else rng.standard_normal(shape)
    noise[:, 1:] *= np.sqrt(1 - rho**2)
    for run in range(1, runs):
        noise[:, run] += rho * noise[:, run - 1]
    return noise


def series_of(
    noise: npt.NDArray[np.float64], kind: Kind, *, cv: float, step: float, at: int
) -> npt.NDArray[np.float64]:
    """Return series about 1 that go up by `step` (0.2 = 20 %) from index `at` on; `cv` is the noise of a single run."""
    import numpy as np

    if kind == "log-normal":
        sigma = np.sqrt(np.log1p(cv**2))
        values = np.exp(sigma * noise - sigma**2 / 2)
    else:
        values = np.maximum(LOWEST, 1 + cv * noise)
    values[:, at:] *= 1 + step
    return np.asarray(values)
