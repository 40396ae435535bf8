"""What a failure in CL2's junit.xml says: single lines, told apart by violations.yaml; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pytest_telescope.load.clusterloader2.tables import table

LOOKED_AT = 2000
"""Characters of an error that are compared; a violation says so at its beginning."""

_BEFORE = ":0\n"
_AFTER = "\n:0"


@dataclass(frozen=True, slots=True)
class Patterns:
    """The patterns of violations.yaml, each sort as one."""

    violations: re.Pattern[str]
    wrappers: re.Pattern[str]
    errors: re.Pattern[str]
    go_on: re.Pattern[str]

    def is_violation(self, line: str) -> bool:
        """Tell whether a line says that a threshold was missed."""
        start = self.body(line)
        return self.violations.match(line, start, start + LOOKED_AT) is not None

    def body(self, line: str) -> int:
        """Return where the text of an error begins, behind all that stands before it."""
        start = 0
        while match := self.wrappers.match(line, start):
            start = match.end()
        return start


@cache
def patterns() -> Patterns:
    """Read violations.yaml once."""
    document: dict[str, Any] = table("violations")
    return Patterns(
        violations=_any_of([*document["junit_violations"], *document["plain_violations"]]),
        wrappers=_any_of(document["wrappers"]),
        errors=_any_of(document["errors"]),
        go_on=_any_of(document["go_on"]),
    )


def cleaned(message: str) -> str:
    """Return CL2's own words: without the code locations that ginkgo puts around them."""
    return message.removeprefix(_BEFORE).removesuffix(_AFTER)


def lines(failure: str) -> tuple[str, ...]:
    """Return the errors of a cleaned failure, each as one line.

    A list in an error (`measurement call TestMetrics - id error: [… … ]`) becomes a line an item, each with what
    stands before the list.
    """
    splitter = _Splitter(patterns())
    for line in _unwrapped(failure).split("\n"):
        splitter.add(line)
    splitter.end_list()
    joined = (_one_line(item) for item in splitter.items)
    return tuple(text for text in joined if text)


def told_apart(found: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (violations, errors)."""
    violations: list[str] = []
    errors: list[str] = []
    for line in found:
        (violations if patterns().is_violation(line) else errors).append(line)
    return tuple(violations), tuple(errors)


def _any_of(entries: Iterable[dict[str, str]]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{entry['text']})" for entry in entries), re.DOTALL)


def _one_line(parts: Iterable[str]) -> str:
    pieces = (piece.strip() for part in parts for piece in part.splitlines())
    return " ".join(piece for piece in pieces if piece)


def _unwrapped(failure: str) -> str:
    return failure[1:-1] if failure.startswith("[") and failure.endswith("]") else failure


class _Splitter:
    """Puts lines together to errors: an error may have line breaks, and may be a list itself.

    Attributes:
        items: the lines of each error.
    """

    def __init__(self, known: Patterns) -> None:
        self.items: list[list[str]] = []
        self._known = known
        self._head = ""
        self._violation = False

    def add(self, line: str) -> None:
        """Take the next line of the outermost list."""
        if self._known.errors.match(line):
            self.end_list()
            self._begin(self._head_taken(line))
        elif self.items and self._goes_on(line):
            self.items[-1].append(line)
        else:
            self._begin(self._head + line)

    def end_list(self) -> None:
        """Take the closing bracket off the last item of an inner list."""
        if self._head:
            self.items[-1][-1] = self.items[-1][-1].removesuffix("]")
        self._head = ""

    def _begin(self, line: str) -> None:
        self.items.append([line])
        self._violation = self._known.is_violation(line)

    def _head_taken(self, line: str) -> str:
        """Return an error without the opening bracket of its inner list, and remember what stands before it."""
        head = self._known.wrappers.match(line)
        if head is None or not line.startswith("[", head.end()):
            return line
        self._head = head[0]
        return head[0] + line[head.end() + 1 :]

    def _goes_on(self, line: str) -> bool:
        """Tell whether a line belongs to the error before; a violation takes nothing but its own."""
        if self._violation:
            return self._known.go_on.search(self.items[-1][-1]) is not None
        return not self._head or not (self._known.wrappers.match(line) or self._known.is_violation(line))
