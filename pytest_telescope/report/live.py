"""Live lines: what happens in a stage that takes minutes, while pytest captures everything else."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from pathlib import Path

from pytest_telescope.report import folding
from pytest_telescope.report.progress_board import Board
from pytest_telescope.report.progress_board import Event
from pytest_telescope.report.progress_board import read

Write = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Live:
    """Prints what cells say, as far as it is worth a line.

    Attributes:
        write: prints one line.
        uncaptured: opens the terminal while pytest captures.
        started: monotonic seconds of the run's start, the same in every process of it.
        hand_on: what cells say goes to `write` as it is, for another process to print.
        fold: service whose log folds the lines of a stage; `command` prints what it reads.
        show: draws the status line.
        mask: takes out of a text what must not be shown.
    """

    write: Write
    uncaptured: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
    started: float = 0.0
    quiet: bool = False
    hand_on: bool = False
    board: Board = field(default_factory=Board)
    fold: folding.Service | None = None
    command: Write = lambda _text: None
    show: Callable[[Callable[[int], str]], None] = lambda _status: None
    mask: Callable[[str], str] = str
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _open: str = ""

    def say(self, cell: str, stage: str, text: str) -> None:
        """Print `<seconds since start>  <cell>  <stage>  <text>`, now or, where it only counts on, a little later."""
        if self.quiet:
            return
        event = Event.of(time.monotonic() - self.started, cell, stage, text)
        event = replace(event, text=self.mask(event.text))
        if not self.hand_on:
            self.take(event)
        elif stage != "slo" or event.mark == "brief":  # of an SLO's result the controller hears from pytest-xdist
            self.write(event.dumps())

    def receive(self, text: str) -> None:
        """Print what another process handed on."""
        event = read(text)
        if event is not None:
            self.take(event)

    def take(self, event: Event) -> None:
        """Take in what a cell says."""
        with self._lock:
            lines = self.board.take(event)
            if self._open and (event.mark in {"begin", "end"} or event.stage == "signal"):
                self._unfold()
            if self.fold is not None and event.mark == "begin":
                self._fold(event, *lines)
            else:
                self._print(lines)
            self._show()

    def tick(self) -> None:
        """Let time pass: tell of stages that have said nothing for long, and how long they take."""
        with self._lock:
            self._print(self.board.tick(time.monotonic() - self.started))
            self._show()

    def judged(self) -> None:
        """No item is left: what is judged has no end of its own."""
        with self._lock:
            for cell in [cell for cell, one in self.board.running.items() if one.stage == "slo"]:
                del self.board.running[cell]
            self._show()

    def close(self) -> None:
        """End what is open; nothing is under way any more."""
        with self._lock:
            if self._open:
                self._unfold()
            self.board.running.clear()
            self._show()

    def _show(self) -> None:
        now = time.monotonic() - self.started
        self.show(lambda width: self.board.status(now, width))

    def _print(self, lines: list[str]) -> None:
        if lines:
            with self.uncaptured():
                for text in lines:
                    self.write(text)

    def _fold(self, event: Event, title: str) -> None:
        assert self.fold is not None
        with self.uncaptured():
            self.command(folding.group(self.fold, title.strip()))
        self._open = f"{event.cell} {event.stage}"

    def _unfold(self) -> None:
        assert self.fold is not None
        with self.uncaptured():
            self.command(folding.end_group(self.fold))
        self._open = ""


class Ticker:
    """Lets time pass for live lines, from a thread of its own."""

    def __init__(self, live: Live, interval: float) -> None:
        self._live, self._interval = live, interval
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telescope-ticker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._done.wait(self._interval):
            try:
                self._live.tick()
            except OSError:  # the terminal is gone; whoever writes next hears of it
                return


@dataclass(frozen=True, slots=True)
class FileWriter:
    """Appends lines to a file: how a process without a terminal speaks."""

    file: Path

    def __call__(self, text: str) -> None:
        """Append one line."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")


class Follower:
    """Hands on the lines that others append to a file, from a thread of its own."""

    def __init__(self, file: Path, write: Write, interval: float = 0.3) -> None:
        self._file, self._write, self._interval = file, write, interval
        self._position = 0
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
        while True:
            last = self._done.wait(self._interval)
            for text in self._new():
                self._write(text)
            if last:
                return

    def _new(self) -> Iterator[str]:
        """Yield each whole line that was not yielded before; one that is being written waits."""
        if not self._file.exists():
            return
        with self._file.open("rb") as stream:
            stream.seek(self._position)
            for text in stream:
                if not text.endswith(b"\n"):
                    return
                self._position += len(text)
                yield text.decode(errors="replace").rstrip("\n")
