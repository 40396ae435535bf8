"""How large the gain of the best step becomes in series without any.

`python -m pytest_telescope.statistics.calibration` prints chance.yaml. The noise is normal AR(1) with rho = 0.5, which
is what the detector is promised for; with less memory it raises fewer alarms than it promises, with more it raises more
(docs/trends.md says how many).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from typing import TextIO

from pytest_telescope.statistics.outliers import pulled_in
from pytest_telescope.statistics.simulated import remembering
from pytest_telescope.statistics.step_scan import scan

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

RHO = 0.5
SEED = 20_260_101
CHANCES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
LENGTHS = (6, 7, 8, 9, 10, 12, 14, 17, 20, 25, 30, 40, 50, 70, 100, 150, 200, 400, 1000)
LEAST = 3
"""Runs that a level has at least; fewer at the end are the tail."""
_BATCH = 250_000
"""Numbers worked on at once: what stays in the processor's cache."""
_HEAD = """\
# Gain of the best step (twice the log-likelihood) that a series without a step exceeds with a given chance.
# Source: simulation, AR(1) with rho = 0.5, normal; printed by `python -m pytest_telescope.statistics.calibration`.
# step: the new level lasts at least 3 runs; tail: it lasts 1 or 2 runs, the last ones.
"""


def step_gains(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return each series' gain of its best step of at least `LEAST` runs on both sides; shape (series, runs)."""
    import numpy as np

    return scan(pulled_in(values), np.arange(LEAST, values.shape[1] - LEAST + 1)).ratio


def tail_gains(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return each series' gain of the best step in its last two runs, which are taken as they are."""
    import numpy as np

    runs = values.shape[1]
    return scan(values, np.arange(runs - LEAST + 1, runs)).ratio


def main(stream: TextIO = sys.stdout, series: int = 400_000) -> int:
    """Print the table; takes some ten minutes."""
    import numpy as np

    print(_HEAD + f"series: {series}  # fewer where they are long: 100 million values at most a length", file=stream)
    print(f"chances: [{', '.join(map(str, CHANCES))}]", file=stream)
    for name, gains in (("step", step_gains), ("tail", tail_gains)):
        print(f"{name}:", file=stream)
        for runs in LENGTHS:
            rng = np.random.default_rng([SEED, runs])
            found = _found(rng, gains, min(series, 100_000_000 // runs), runs)
            told = ", ".join(f"{one:.2f}" for one in np.quantile(found, 1 - np.asarray(CHANCES)))
            print(f"  {runs}: [{told}]", file=stream, flush=True)
    return 0


def _found(rng: np.random.Generator, gains: object, series: int, runs: int) -> npt.NDArray[np.float64]:
    import numpy as np

    assert callable(gains)
    batch = max(1, min(series, _BATCH // (runs * 10)))
    parts = [gains(remembering(rng, batch, runs, RHO)) for _ in range(-(-series // batch))]
    return np.concatenate(parts)[:series]


if __name__ == "__main__":
    sys.exit(main())
