"""How far an apply or a destroy is, read off Terraform's own log while it runs."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from pytest_telescope.cluster.progress import Line
from pytest_telescope.cluster.progress import counted

_PLAN = re.compile(r"Plan: (?:\d+ to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy")
_ADDRESS = r"([^\s()]+(?: \(deposed object \w+\))?)"
_BEGUN = re.compile(_ADDRESS + r": (?:Creating|Destroying|Modifying)\.\.\.")
_DONE = re.compile(_ADDRESS + r": (?:Creation|Destruction|Modifications) complete after ")
_STEP = re.compile(_ADDRESS + r" \(local-exec\): step (\d+)/(\d+) done: (\S+)")
"""What the local provider's own program prints."""
_READ_AT_MOST = 1 << 20
LOOK = 1.0
"""Seconds between two looks at how far Terraform is."""


@dataclass(slots=True)
class Changes:
    """What Terraform told so far.

    Attributes:
        planned: changes in all, a replacement is two; 0 as long as it is not known.
        running: address -> number in the order of their beginning.
    """

    planned: int = 0
    done: int = 0
    running: dict[str, int] = field(default_factory=dict)
    step: tuple[int, int, str] | None = None
    """(done, in all, name of the last) where a resource tells of steps of its own."""
    _begun: int = 0

    def take(self, line: str) -> bool:
        """Take in one line of the log; return whether it told of a change."""
        if found := _PLAN.match(line):
            self.planned = sum(map(int, found.groups()))
        elif found := _BEGUN.match(line):
            self._begun += 1
            self.running[found[1]] = self._begun
        elif found := _DONE.match(line):
            self.running.pop(found[1], None)
            self.done, self.step = self.done + 1, None
        elif found := _STEP.match(line):
            self.step = (int(found[2]), int(found[3]), found[4])
        return found is not None

    def line(self, command: str) -> Line | None:
        """Return `terraform apply: 3 of 12 resources, now azurerm_subnet.this`; None before any is begun."""
        if not self._begun:
            return None
        of = f" of {self.planned}" if self.planned else ""
        longest = next(iter(self.running), "")
        more = f" and {len(self.running) - 1} more" if len(self.running) > 1 else ""
        text = f"terraform {command}: {self.done}{of} resources" + (f", now {longest}{more}" if longest else "")
        if self.step is not None:
            done, total, name = self.step
            return counted(f"{text}: {name} is done, {done} of {total} steps", done, total, "steps", even=False)
        return counted(text, self.done, self.planned, "resources", even=False) if self.planned else Line(text)


def planned(document: Mapping[str, Any]) -> int:
    """Return how many changes a plan (`terraform show -json`) asks for; a replacement is two."""
    changes = (change["change"]["actions"] for change in document.get("resource_changes", ()))
    return sum(action not in {"no-op", "read"} for actions in changes for action in actions)


class LogProgress:
    """Reads what is new in a log and says how far Terraform is."""

    def __init__(self, log: Path, begun: int, command: str, say: Callable[[str], None], total: int = 0) -> None:
        self._log, self._position, self._command, self._say = log, begun, command, say
        self._changes = Changes(planned=total)
        self._rest = b""

    def look(self) -> None:
        """Read on, and say so where something changed; a log that cannot be read says nothing."""
        try:
            with self._log.open("rb") as file:
                file.seek(self._position)
                new = file.read(_READ_AT_MOST)
        except OSError:
            return
        self._position += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        changed = [self._changes.take(line.decode(errors="replace")) for line in lines]
        if any(changed) and (text := self._changes.line(self._command)) is not None:
            self._say(text)


def wait_looking(process: subprocess.Popen[bytes], deadline: float, look: Callable[[], None]) -> int:
    """Wait for the end, at most `deadline` seconds, with a look now and then and one at the end.

    Raises:
        subprocess.TimeoutExpired: the time is up.
    """
    end = time.monotonic() + deadline
    while (left := end - time.monotonic()) > LOOK:
        try:
            code = process.wait(LOOK)
        except subprocess.TimeoutExpired:
            look()
        else:
            look()
            return code
    return process.wait(max(left, 0.0))
