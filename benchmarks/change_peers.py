"""Runs in the peers' own environment: `python change_peers.py ASKED.npz ANSWERS.json`.

ASKED.npz holds arrays of series, shape (series, runs); ANSWERS.json gets for each array and detector the changes of
each series: a list of [index of the first new value, 1 up or -1 down]. Both detectors run with their defaults.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np

THRESHOLD = 0.05
"""asv's `regressions_thresholds` where none is configured (asv/plugins/regressions.py)."""

Changes = list[tuple[int, int]]


def otava(values: list[float]) -> Changes:
    module = import_module("otava.series")
    metric = {"m": module.Metric(-1, 1.0)}
    series = module.Series("test", None, list(range(len(values))), metric, {"m": values}, {})
    found = series.analyze(module.AnalysisOptions()).change_points["m"]
    return [(int(one.index), 1 if one.stats.mean_2 > one.stats.mean_1 else -1) for one in found]


def asv(values: list[float]) -> Changes:
    """Return the regressions; asv tells of no improvement."""
    module = import_module("asv.step_detect")
    regressions = module.detect_regressions(module.detect_steps(values), threshold=THRESHOLD)[2]
    return [(int(after), 1) for _, after, *_ in regressions or () if after is not None]


def main(asked: str, answers: str) -> None:
    found = {
        name: {peer.__name__: [peer(list(map(float, one))) for one in series] for peer in (otava, asv)}
        for name, series in np.load(asked).items()
    }
    Path(answers).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
