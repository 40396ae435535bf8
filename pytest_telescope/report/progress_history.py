"""How long the stages of a cell took in earlier runs below the same folder."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from pytest_telescope.report.folder import CellFolder
from pytest_telescope.report.folder import RunFolder
from pytest_telescope.report.progress import LAST
from pytest_telescope.report.progress import expected

LOOKED_AT = 200
"""Run folders that are looked at, the latest; a cell that is not in them has no history worth telling."""


class History:
    """Answers with the median of the last five durations; a cell's id names its provider, so no other one is mixed in.

    Args:
        run: the run under way, whose neighbours are read; it is itself no history.
    """

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._known: dict[str, dict[str, float]] = {}

    def __call__(self, cell: str, stage: str) -> float | None:
        """Return the seconds that a stage usually takes, None where that is not known."""
        if cell not in self._known:
            self._known[cell] = durations(self._earlier, cell)
        return self._known[cell].get(stage)

    @cached_property
    def _earlier(self) -> list[Path]:
        """The run folders before this one, the latest first: their names are sortable."""
        try:
            with os.scandir(self._run.path.parent) as found:
                names = sorted((one.name for one in found if one.name < self._run.run_id), reverse=True)
        except OSError:
            return []
        return [self._run.path.parent / name for name in names[:LOOKED_AT]]


def durations(runs: list[Path], cell: str) -> dict[str, float]:
    """Return stage -> seconds, from the stages of `runs` (latest first) that came to a good end."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for stage, seconds in _of_run(RunFolder(run).cell(cell)).items():
            found.setdefault(stage, []).append(seconds)
        if found and min(map(len, found.values())) >= LAST:
            break
    usual = {stage: expected(seconds[:LAST]) for stage, seconds in found.items()}
    return {stage: seconds for stage, seconds in usual.items() if seconds is not None}


def _of_run(folder: CellFolder) -> dict[str, float]:
    """Return the durations of one run; a file of another shape has none."""
    try:
        return {
            record["stage"]: float(record["ended"]) - float(record["started"])
            for record in folder.records("status.jsonl")
            if record["outcome"] == "done"
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}
