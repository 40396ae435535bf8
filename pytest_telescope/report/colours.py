"""How the text under a red item is coloured on a terminal; elsewhere it is plain."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_telescope.report.failure_text import INDENT

VERDICTS = {"PASS": "green", "FAIL": "red", "INVALID": "purple", "ERROR": "yellow"}
"""Verdict -> markup of pytest's terminal writer."""
_WORD = re.compile(r"\b(PASS|FAIL|INVALID|ERROR)\b")


def parts(line: str, *, is_first: bool) -> Iterator[tuple[str, dict[str, bool]]]:
    """Yield (text, markup) of one line: the verdict's line, a section's name, verdicts in a table."""
    first = _WORD.match(line)
    if is_first and first:
        yield line, {VERDICTS[first[0]]: True, "bold": True}
        return
    name = line[:INDENT] if line[:1].strip() else ""
    if name:
        yield name, {"bold": True}
    rest, position = line[len(name) :], 0
    for found in _WORD.finditer(rest):
        yield rest[position : found.start()], {}
        yield found[0], {VERDICTS[found[0]]: True}
        position = found.end()
    yield rest[position:], {}
