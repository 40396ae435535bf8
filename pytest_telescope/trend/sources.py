"""Which runs a trend reads, and what their cells were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from pytest_telescope.errors import UsageError
from pytest_telescope.report.reading import BASE
from pytest_telescope.report.reading import find_run
from pytest_telescope.report.reading import read_runs
from pytest_telescope.report.record import Record

FOLDER_DEPTH = "runs/*/publish/results.jsonl"
"""Where results are below a base folder; replays lie deeper, so they are not among them."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The results of some runs.

    Attributes:
        files: one results.jsonl a run.
        is_named: the user named the runs; what cannot be read is then an error.
        refused: what could not be read, a line each; filled while `records` is read.
    """

    files: tuple[Path, ...]
    is_named: bool
    refused: list[str] = field(default_factory=list)

    def records(self) -> Iterator[Record]:
        """Yield every record.

        Raises:
            UsageError: a run that was named cannot be read; of a whole folder such runs are told in `refused`.
        """
        return read_runs(self.files, refused=None if self.is_named else self._refuse)

    def _refuse(self, error: UsageError) -> None:
        self.refused.append(str(error))


def sources(runs: Sequence[str], base: Path | None) -> Sources:
    """Return the results of the runs named, of all below `base` if none is.

    Raises:
        UsageError: there are none.
    """
    folder = base or BASE
    if runs:
        return Sources(tuple(find_run(run, folder) for run in runs), is_named=True)
    files = tuple(sorted(folder.glob(FOLDER_DEPTH)))
    if not files:
        raise UsageError(f"{folder}/runs: no run with results in it: run a scenario, name runs, or --telescope-dir DIR")
    return Sources(files, is_named=False)


class Abouts:
    """What the cells of some runs were, read where it is asked for."""

    def __init__(self, files: Sequence[Path], runs: Sequence[str]) -> None:
        """Take the files of results, and the ids of the runs in them."""
        named = {file.parent.parent.name: file.parent for file in files if file.parent.name == "publish"}
        self._folders = {run: named[run] for run in runs if run in named}
        self._read: dict[tuple[str, str], dict[str, Any] | None] = {}

    def differences(self, cell: str, metric: str, before: str, behind: str) -> list[str]:
        """Return what changed between two runs of a cell; says so where that cannot be told."""
        from pytest_telescope.report.fingerprint import changes

        first, second = self._about(before, cell), self._about(behind, cell)
        if first is None or second is None:
            missing = before if first is None else behind
            return [f"cell.json of {missing} is not there to say what"]
        try:
            return changes(first, second, metric) or ["something that cell.json does not name"]
        except (KeyError, TypeError, AttributeError):
            return ["cell.json of one of the two cannot be read"]

    def _about(self, run: str, cell: str) -> dict[str, Any] | None:
        if (run, cell) not in self._read:
            self._read[run, cell] = self._load(run, cell)
        return self._read[run, cell]

    def _load(self, run: str, cell: str) -> dict[str, Any] | None:
        folder = self._folders.get(run)
        if folder is None:
            return None
        try:
            document = json.loads((folder / "cells" / cell / "cell.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return document if isinstance(document, dict) else None
