"""What is going on in every cell, and which lines of it are worth printing. No clock, no terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field

from pytest_telescope.cluster.progress import Line
from pytest_telescope.cluster.progress import Mark
from pytest_telescope.cluster.progress import Progress
from pytest_telescope.cluster.progress import mark_of
from pytest_telescope.cluster.progress import progress_of
from pytest_telescope.report.progress import Counter
from pytest_telescope.report.progress import how_far
from pytest_telescope.report.progress import roughly
from pytest_telescope.report.progress_allowance import Allowance
from pytest_telescope.report.progress_allowance import gap
from pytest_telescope.report.progress_allowance import what

HEARTBEAT = 30.0
"""Seconds after which a stage that says nothing is told to be at it still."""
BURST, EVERY = 60, 2.0
"""New lines that may come at once, and seconds a line afterwards."""

Usual = Callable[[str, str], float | None]
"""(cell, stage) -> seconds that it took in earlier runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that a cell said; `at` is in seconds since the run began."""

    at: float
    cell: str
    stage: str
    text: str
    progress: Progress | None = None
    mark: Mark = ""

    @classmethod
    def of(cls, at: float, cell: str, stage: str, text: str) -> Event:
        """Return what a line said with what it carries."""
        first = text.partition("\n")[0]
        return cls(at=at, cell=cell, stage=stage, text=first, progress=progress_of(text), mark=mark_of(text))

    def dumps(self) -> str:
        """Return one line of JSON."""
        count = self.progress
        counted = [count.done, count.total, count.unit, count.even] if count is not None else None
        return json.dumps([round(self.at, 3), self.cell, self.stage, self.text, counted, self.mark])

    @classmethod
    def loads(cls, text: str) -> Event:
        """Return the event of a line.

        Raises:
            ValueError: it is none.
        """
        at, cell, stage, said, counted, mark = json.loads(text)
        progress = Progress(**dict(zip(("done", "total", "unit", "even"), counted, strict=True))) if counted else None
        return cls.of(at, cell, stage, Line(said, progress, mark))


@dataclass(slots=True, kw_only=True)
class Running:
    """A stage under way."""

    stage: str
    began: float
    text: str = ""
    counter: Counter | None = None
    counting_since: float = 0.0
    printed: float = 0.0
    printed_text: str = ""

    def take(self, event: Event) -> None:
        """Note what the stage says now."""
        self.text = event.text
        if event.progress is None:
            self.counter = None
        elif self.counter is not None and self.counter.continues(event.progress):
            self.counter.latest = event.progress
        else:
            self.counter = Counter.seen(event.progress, event.at)

    def is_due(self, event: Event) -> bool:
        """Return whether a line that counts on has been silent for long enough, or is at its end."""
        count = event.progress
        if count is not None and count.unit != "s" and count.done >= count.total:
            return event.text != self.printed_text
        return event.at - self.printed >= gap(event.at - self.counting_since)


@dataclass(slots=True)
class Board:
    """Takes events and returns the lines to print.

    Attributes:
        in_place: a status line shows what counts on, so that only news are printed.
    """

    usual: Usual = lambda _cell, _stage: None
    in_place: bool = False
    running: dict[str, Running] = field(default_factory=dict)
    _news: Allowance = field(default_factory=lambda: Allowance(BURST, EVERY))

    def take(self, event: Event) -> list[str]:
        """Take one event in."""
        if event.mark == "begin":
            return self._begin(event)
        if event.mark == "end":
            self.running.pop(event.cell, None)
            return [line(event.at, event.cell, event.stage, event.text)]
        if event.mark == "brief":
            self._brief(event)
            return []
        running = self.running.get(event.cell)
        if running is None or running.stage != event.stage or event.stage == "slo":
            self._judged(event)
            return [line(event.at, event.cell, event.stage, event.text)]
        running.take(event)
        return [self._said(event.cell, running, event.at)] if self._is_worth(running, event) else []

    def _begin(self, event: Event) -> list[str]:
        usual = self.usual(event.cell, event.stage)
        self.running[event.cell] = Running(
            stage=event.stage, began=event.at, printed=event.at, text=event.text, counting_since=event.at
        )
        told = f", usually {roughly(usual)}" if usual is not None else ""
        return [line(event.at, event.cell, event.stage, event.text + told)]

    def _brief(self, event: Event) -> None:
        running = self.running.get(event.cell)
        if running is None or running.stage != event.stage:
            running = Running(stage=event.stage, began=event.at, printed=event.at)
            self.running[event.cell] = running
        running.take(event)

    def _judged(self, event: Event) -> None:
        """Note a result: the stage that has no end of its own ends with the last of them."""
        running = self.running.get(event.cell)
        if running is None or running.stage != event.stage:
            return
        running.printed = event.at
        count = running.counter.latest if running.counter is not None else None
        if count is None or count.done + 1 >= count.total:
            del self.running[event.cell]

    def _is_worth(self, running: Running, event: Event) -> bool:
        """Return whether to print what a stage says, and note that it is printed."""
        if what(event.text) != what(running.printed_text):
            running.counting_since = event.at
            if not self._news.take(event.at):
                return False
        elif self.in_place or not running.is_due(event):
            return False
        running.printed, running.printed_text = event.at, event.text
        return True

    def tick(self, now: float) -> list[str]:
        """Return a line for every stage that has said nothing for long."""
        if self.in_place:
            return []
        silent = {cell: one for cell, one in self.running.items() if now - one.printed >= HEARTBEAT}
        for one in silent.values():
            one.printed = now
        return [self._said(cell, one, now, always=True) for cell, one in silent.items()]

    def _said(self, cell: str, running: Running, now: float, *, always: bool = False) -> str:
        far = self._far(cell, running, now) if always or running.counter is not None else ""
        return line(now, cell, running.stage, f"{running.text}  ({far})" if far else running.text)

    def _far(self, cell: str, running: Running, now: float) -> str:
        usual = self.usual(cell, running.stage)
        return how_far(running.counter, began=running.began, usual=usual, now=now)

    def status(self, now: float, width: int) -> str:
        """Return what is going on in one line of at most `width` columns; empty where nothing is."""
        last_first = sorted(self.running.items(), key=lambda pair: pair[1].printed, reverse=True)
        if len(last_first) == 1:
            return cut(self._said(*last_first[0], now, always=True), width)
        parts = [f"{cell} {one.stage} {self._far(cell, one, now)}" for cell, one in last_first]
        return cut(f"{now:7.1f}s  " + "; ".join(parts), width) if parts else ""


def line(seconds: float, cell: str, stage: str, text: str) -> str:
    """Return one live line; only the first line of `text` is shown."""
    return f"{seconds:7.1f}s  {cell}  {stage:<9}  {text.partition(chr(10))[0]}"


def cut(text: str, width: int) -> str:
    """Return a text that fits, with dots for what is left out."""
    return text if len(text) <= width else text[: max(width - 3, 0)] + "..."


def read(text: str) -> Event | None:
    """Return the event of a line of a worker's file; None for what is none."""
    try:
        return Event.loads(text)
    except (ValueError, TypeError):
        return None
