"""What Terraform did and how long each resource took, read off its log; addresses and times only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime

from pytest_telescope.report.allure_shape import Step
from pytest_telescope.report.allure_shape import limited

_COMMAND = re.compile(r"\$ terraform (\S+)  # (\S+)$")
_BEGUN = re.compile(r"(\S+): (?:Creating|Destroying|Modifying)\.\.\.")
_DONE = re.compile(r"(\S+): (?:Creation|Destruction|Modifications) complete after ((?:\d+h)?(?:\d+m)?(?:\d+s)?)")
_FAILED = re.compile(r"[│ ]*with ([^\s,]+),$")
"""Below `Error:`, the resource it is about."""
_LENGTH = re.compile(r"(\d+)([hms])")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}


@dataclass(slots=True)
class Command:
    """One command of a log: when it began (unix seconds, whole), and the resources that it changed."""

    name: str
    began: float
    begun: dict[str, float] = field(default_factory=dict)
    done: dict[str, float] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    clock: float = 0.0

    def take(self, line: str) -> None:
        """Take in one line.

        The log has lengths but no times of day. A resource begins when what was told before has happened, and ends its
        own length later: right to about a second, as Terraform tells the lines at once and the lengths in seconds.
        """
        if found := _BEGUN.match(line):
            self.begun[found[1]] = self.clock
        elif found := _DONE.match(line):
            end = self.begun.setdefault(found[1], self.clock) + seconds(found[2])
            self.clock = self.done[found[1]] = max(self.clock, end)
        elif found := _FAILED.match(line):
            self.failed.add(found[1])

    def steps(self, stop: float) -> tuple[Step, ...]:
        """Return a step a resource, none later than `stop`."""
        return limited([self._step(address, start, stop) for address, start in self.begun.items()])

    def _step(self, address: str, start: float, stop: float) -> Step:
        end = self.done.get(address)
        is_broken = end is None or address in self.failed
        return Step(
            name=address,
            start=min(start, stop),
            stop=min(stop if end is None else end, stop),
            status="broken" if is_broken else "passed",
            message="it did not come to its end" if is_broken else "",
        )


def commands(lines: Iterable[str]) -> list[Command]:
    """Return the commands of a log in their order."""
    found: list[Command] = []
    for line in lines:
        if match := _COMMAND.match(line):
            began = _time(match[2])
            if began is not None:
                found.append(Command(name=match[1], began=began, clock=began))
        elif found:
            found[-1].take(line)
    return found


def seconds(text: str) -> float:
    """Return Terraform's `1m30s` in seconds."""
    return sum(int(number) * _SECONDS[unit] for number, unit in _LENGTH.findall(text))


def _time(text: str) -> float | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError:
        return None
