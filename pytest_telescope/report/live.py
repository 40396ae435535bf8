"""Live lines: what happens in a stage that takes minutes, while pytest captures everything else."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

Write = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Live:
    """Prints one line an event; `uncaptured` opens the terminal while pytest captures."""

    write: Write
    uncaptured: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
    started: float = 0.0
    quiet: bool = False

    def say(self, cell: str, stage: str, text: str) -> None:
        """Print `<seconds since start>  <cell>  <stage>  <text>`."""
        if self.quiet:
            return
        with self.uncaptured():
            self.write(line(time.monotonic() - self.started, cell, stage, text))


def line(seconds: float, cell: str, stage: str, text: str) -> str:
    """Return one live line; only the first line of `text` is shown."""
    return f"{seconds:7.1f}s  {cell}  {stage:<9}  {text.partition(chr(10))[0]}"


@dataclass(frozen=True, slots=True)
class FileWriter:
    """Appends lines to a file: how a process without a terminal speaks."""

    file: Path

    def __call__(self, text: str) -> None:
        """Append one line."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a") as stream:
            stream.write(text + "\n")


class Follower:
    """Hands on the lines that others append to a file, from a thread of its own."""

    def __init__(self, file: Path, write: Write, interval: float = 0.3) -> None:
        self._file, self._write, self._interval = file, write, interval
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="telescope-live", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Hand on what is there and end the thread."""
        self._done.set()
        self._thread.join(timeout=5)

    def _follow(self) -> None:
        position = 0
        while True:
            last = self._done.wait(self._interval)
            position = self._hand_on(position)
            if last:
                return

    def _hand_on(self, position: int) -> int:
        if not self._file.exists():
            return position
        with self._file.open() as stream:
            stream.seek(position)
            for text in stream:
                self._write(text.rstrip("\n"))
            return stream.tell()
