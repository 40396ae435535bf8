"""How the text under a red item is coloured on a terminal; elsewhere it is plain."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_telescope.report.failure_text import INDENT
from pytest_telescope.report.table import CODES

VERDICTS = {"PASS": "green", "FAIL": "red", "INVALID": "purple", "ERROR": "yellow"}
"""Verdict -> markup of pytest's terminal writer."""
_JUDGED = re.compile(r"(?<=  slo        )(PASS|FAIL|INVALID|ERROR|SKIP)\b")
_FAILED = re.compile(r"(?<=  )failed: .*")
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


def coloured(line: str) -> str:
    """Return a live line with its verdict, or what failed, in ANSI colours."""
    line = _JUDGED.sub(lambda found: f"\x1b[{CODES[found[0]]}m{found[0]}\x1b[0m", line, count=1)
    return _FAILED.sub(lambda found: f"\x1b[{CODES['FAIL']}m{found[0]}\x1b[0m", line, count=1)
