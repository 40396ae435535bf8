"""notes.jsonl: what a cell said while it ran, in an amount that a person can read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pytest_telescope.cluster.progress import mark_of
from pytest_telescope.report.folder import CellFolder
from pytest_telescope.report.progress_allowance import Allowance
from pytest_telescope.report.progress_allowance import gap
from pytest_telescope.report.progress_allowance import what

FILE = "notes.jsonl"
BURST, EVERY = 400, 8.0
"""Lines at once, and seconds a line afterwards: at most 1,750 in three hours."""


class Notes:
    """Writes one line a note, `{"time", "stage", "text"}`; called by any thread.

    What only counts on is written ever more seldom, and how far it came when something else begins.
    """

    def __init__(self, folder: CellFolder, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._clock = folder, clock
        self._lock = threading.Lock()
        self._allowance = Allowance(BURST, EVERY)
        self._last: dict[str, tuple[str, float, float]] = {}
        self._held: dict[str, tuple[float, str]] = {}

    def take(self, stage: str, text: str) -> None:
        """Take one note in."""
        with self._lock:
            self._take(stage, text, self._clock())

    def _take(self, stage: str, text: str, now: float) -> None:
        said, written, since = self._last.get(stage, ("", float("-inf"), now))
        if what(text) == what(said) and now - written < gap(now - since):
            self._held[stage] = (now, text)
            return
        if (held := self._held.pop(stage, None)) is not None and what(held[1]) != what(text):
            self._write(stage, held[1], held[0])
        since = since if what(text) == what(said) else now
        self._last[stage] = (text, now, since)
        self._write(stage, text, now, always=mark_of(text) in {"begin", "end"})

    def _write(self, stage: str, text: str, when: float, *, always: bool = False) -> None:
        if self._allowance.take(when) or always:
            self._folder.append(FILE, {"time": round(when, 3), "stage": stage, "text": text})
