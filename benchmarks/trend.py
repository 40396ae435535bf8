"""`telescope trend` over 1,000 runs of 200 metrics against merely reading the same records."""

from __future__ import annotations

import argparse
import io
import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.sidebyside import Pairs
from benchmarks.sidebyside import side_by_side
from pytest_telescope.report.reading import read_results
from pytest_telescope.report.record import Record
from pytest_telescope.statistics.simulated import remembering
from pytest_telescope.statistics.simulated import series_of
from pytest_telescope.trend import command

RUNS, CELLS, METRICS = 1000, 5, 40
STEP, FIRST, EVERY = 0.2, 300, 10
"""Every tenth series steps up by 20 % at a run of its own; all others are clean."""
FINGERPRINT_LASTS = 400
"""Runs after which the fingerprint changes."""
SEED = 3


def measure(pairs: int = 3) -> Iterator[Pairs]:
    """Yield the figure; both sides run in this process, so that no import is in it."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        _write(base)
        name = f"trend over {RUNS:,} runs x {CELLS * METRICS} metrics against reading the same records"
        yield side_by_side(name, lambda: _trend(base), lambda: _read(base), pairs=pairs, target=5.0)


def _trend(base: Path) -> None:
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    command.run(parser.parse_args(["--telescope-dir", str(base)]), io.StringIO())


def _read(base: Path) -> None:
    for file in sorted(base.glob("runs/*/publish/results.jsonl")):
        deque(read_results(file), maxlen=0)


def _write(base: Path) -> None:
    values = _values()
    for number in range(RUNS):
        run = f"2026{number // 28 % 12 + 1:02}{number % 28 + 1:02}-{number // 336:02}0000-{number:04x}"
        publish = base / "runs" / run / "publish"
        publish.mkdir(parents=True)
        lines = [_record(run, number, series, values[series, number]) for series in range(CELLS * METRICS)]
        (publish / "results.jsonl").write_text("".join(lines))


def _values() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    noise = remembering(np.random.default_rng(SEED), CELLS * METRICS, RUNS, 0.5)
    values = series_of(noise, "normal", cv=0.05, step=0.0, at=RUNS)
    for series in range(0, CELLS * METRICS, EVERY):
        values[series, FIRST + series :] *= 1 + STEP
    return values


def _record(run: str, number: int, series: int, value: float) -> str:
    found = Record(
        run=run,
        started=1.7e9 + 86400.0 * number,
        cell=f"aks-cri--p{series // METRICS}",
        provider="aks",
        scenario="cri",
        row=f"p{series // METRICS}",
        engine="resource-consumer",
        metric=f"metric-{series % METRICS}",
        slo=f"metric-{series % METRICS}",
        value=float(value),
        unit="s",
        n=300.0,
        low=float(value) * 0.97,
        high=float(value) * 1.03,
        better="lower",
        verdict="PASS",
        level="gate",
        operator="max",
        bound=2.0,
        margin=1 - float(value) / 2,
        message=f"metric-{series % METRICS}: {value:.3f} s, bound 2 s",
        fingerprint=f"{number // FINGERPRINT_LASTS:016x}",
        functional=False,
    )
    return found.model_dump_json(by_alias=True) + "\n"
