"""Single runs that are far off must not look like a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

WINDOW = 5
"""Runs whose median a run is held against; at the ends the first or last five, so that three runs make a new level."""
REACH = 3.5
"""How far from that median a value counts, in robust standard deviations of all such distances."""
MAD = 1.4826
"""Median absolute deviation -> standard deviation, for a normal distribution."""


def pulled_in(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the values with what is far from the median of its neighbours pulled towards it.

    A level that lasts three runs is kept as it is; one or two runs that are off are taken for outliers.

    Args:
        values: shape (series, runs), at least `WINDOW` runs.
    """
    import numpy as np

    runs = values.shape[1]
    window = np.clip(np.arange(runs) - WINDOW // 2, 0, runs - WINDOW)[:, None] + np.arange(WINDOW)
    median = np.median(values[:, window], axis=2)
    spread = MAD * np.median(np.abs(values - median), axis=1, keepdims=True)
    reach = REACH * spread
    pulled: npt.NDArray[np.float64] = np.clip(values, median - reach, median + reach)
    return pulled
