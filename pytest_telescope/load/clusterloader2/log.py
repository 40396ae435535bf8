"""CL2's log, line by line, as events; pure.

A line that is none of klog's belongs to the message before it. Nothing here raises on any input.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cache

from pytest_telescope.load.clusterloader2.summary_numbers import duration_text
from pytest_telescope.load.clusterloader2.tables import table

LONGEST = 4096
"""Characters of a message that are kept."""
_HEADER = re.compile(r"([IWEF])(\d{2})(\d{2}) (\d{2}):(\d{2}):(\d{2})\.(\d{6})\s+\d+ [^\s:\]]+:\d+\] ?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message.

    Attributes:
        time: unix seconds on CL2's clock, to the microsecond.
        level: `I`, `W`, `E` or `F`.
        event: what it means (see log.yaml), empty for the many that mean nothing to us.
        fields: of the event.
    """

    time: float
    level: str
    text: str
    event: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, re.compile(pattern, re.DOTALL)) for name, pattern in table("log").items())


def parse(lines: Iterable[str], *, now: float) -> Iterator[Line]:
    """Yield the messages of a log in UTC; `now` (unix seconds) tells the year, which klog leaves out."""
    head: re.Match[str] | None = None
    rest: list[str] = []
    for line in lines:
        text = line.rstrip("\r\n")
        if (found := _HEADER.fullmatch(text)) is None:
            if len(rest) < LONGEST:
                rest.append(text)
            continue
        if head is not None:
            yield _line(head, rest, now)
        head, rest = found, []
    if head is not None:
        yield _line(head, rest, now)


def parse_line(text: str, *, now: float) -> Line | None:
    """Return the message that begins with this line, None if it only goes on with the one before."""
    found = _HEADER.fullmatch(text.rstrip("\r\n"))
    return _line(found, [], now) if found else None


def _line(head: re.Match[str], rest: list[str], now: float) -> Line:
    level, month, day, hour, minute, second, micro, text = head.groups()
    text = "\n".join([text, *rest])[:LONGEST]
    event, fields = _event(text)
    stamp = (int(month), int(day), int(hour), int(minute), int(second))
    return Line(
        time=_unix(stamp, now) + int(micro) / 1e6,
        level=level,
        text=text,
        event=event,
        fields=fields,
    )


def _unix(stamp: tuple[int, int, int, int, int], now: float) -> float:
    """Return unix seconds of a time without its year: of all years the one that brings it nearest to `now`."""
    year = time.gmtime(now).tm_year
    month, day, hour, minute, second = stamp
    times = [
        calendar.timegm((each, min(max(month, 1), 12), day, hour, minute, second, 0, 1, 0))
        for each in (year - 1, year, year + 1)
    ]
    return float(min(times, key=lambda each: abs(each - now)))


def _event(text: str) -> tuple[str, Mapping[str, str]]:
    for name, pattern in _patterns():
        if (found := pattern.match(text)) is not None:
            return name, {key: value or "" for key, value in found.groupdict().items()}
    return "", {}


def delay_seconds(text: str) -> float:
    """Return a Go duration in seconds, 0 for anything else."""
    try:
        return max(float(duration_text(text)), 0.0)
    except ValueError:
        return 0.0


@dataclass(slots=True)
class Steps:
    """The steps of one run as its log tells them: `name -> (start, end)`, unix seconds, in their order.

    Names are made into ids (`Create pods` -> `create-pods`); one that comes again gets its number (`create-pods-2`).
    """

    windows: dict[str, tuple[float, float]] = field(default_factory=dict)
    running: tuple[int, str, float] | None = None
    """Number, id and start of the step that has not ended."""

    def take(self, line: Line) -> None:
        """Take in one message."""
        if line.event == "step-started":
            self.running = (int(line.fields["number"]), self._fresh(line.fields["name"]), line.time)
        elif line.event == "step-ended" and self.running is not None:
            _, name, start = self.running
            self.windows[name] = (start, max(line.time, start))
            self.running = None

    def stop(self, when: float) -> None:
        """End the step under way: the run is over."""
        if self.running is not None:
            _, name, start = self.running
            self.windows[name] = (start, max(when, start))

    def _fresh(self, name: str) -> str:
        plain = step_id(name)
        taken, number = plain, 2
        while taken in self.windows:
            taken, number = f"{plain}-{number}", number + 1
        return taken


def step_id(name: str) -> str:
    """Return a step's name as an id: lower case, dashes between the words; `step` where nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "step"
