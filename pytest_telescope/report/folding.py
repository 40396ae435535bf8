"""What Azure Pipelines and GitHub Actions read in a log: groups that fold, and errors for the run's summary page.

Sources: "Logging commands" (Azure Pipelines documentation) and the agent's own escapes (CommandStringConvertor: % as
%AZP25, CR, LF, and in properties ; and ]); "Workflow commands" (GitHub Actions documentation) and the runner's own
(ActionCommand: a line that begins with `::` after blanks, or has `##[` anywhere).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Literal

Service = Literal["azure", "github"]
_ANSI = r"(?:\x1b\[[0-9;]*[A-Za-z])"
_COMMAND = re.compile(rf"((?:^|[\r\n])(?:[^\S\r\n]|{_ANSI})*):(?=:)")
_BLANK = re.compile(rf"^(?:[^\S\r\n]|{_ANSI})*")
_OPEN = re.compile(r":?(?:\x1b(?:\[[0-9;]*)?)?")
_AZURE = {"%": "%AZP25", "\r": "%0D", "\n": "%0A"}
_GITHUB = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_GITHUB_PROPERTY = {**_GITHUB, ":": "%3A", ",": "%2C"}


def service(environ: Mapping[str, str]) -> Service | None:
    """Return whose log standard output goes to, None for any other place."""
    if environ.get("TF_BUILD", "").lower() == "true":
        return "azure"
    if environ.get("GITHUB_ACTIONS", "").lower() == "true":
        return "github"
    return None


def group(kind: Service, title: str) -> str:
    """Return the line that begins a group."""
    return f"##[group]{title}" if kind == "azure" else f"::group::{_escaped(title, _GITHUB)}"


def end_group(kind: Service) -> str:
    """Return the line that ends it."""
    return "##[endgroup]" if kind == "azure" else "::endgroup::"


def error(kind: Service, message: str, title: str) -> str:
    """Return the line that puts an error on the run's summary page; `title` is shown where there is a place for it."""
    if kind == "azure":
        return f"##vso[task.logissue type=error]{_escaped(f'{title}: {message}', _AZURE)}"
    return f"::error title={_escaped(title, _GITHUB_PROPERTY)}::{_escaped(message, _GITHUB)}"


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)


@dataclass(slots=True)
class Shield:
    """Takes the force out of commands in text that others wrote, piece by piece as it is printed.

    No two `#` stay beside each other, and no line begins with `::`: one blank is put between them.
    """

    _line: str = field(default="", init=False)
    """What follows the blanks of the line so far, as long as it may become a command; else `x`."""
    _hash: bool = field(default=False, init=False)

    def __call__(self, text: str) -> str:
        """Return the next piece of a text without commands."""
        if not text:
            return text
        safe = self._split_hashes(text)
        return self._split_colons(safe)

    def _split_hashes(self, text: str) -> str:
        safe = text if "##" not in text else re.sub(r"#(?=#)", "# ", text)
        if self._hash and safe.startswith("#"):
            safe = f" {safe}"
        self._hash = safe.endswith("#")
        return safe

    def _split_colons(self, text: str) -> str:
        whole = self._line + text
        safe = _COMMAND.sub(r"\1: ", whole)[len(self._line) :]
        last = re.split(r"[\r\n]", self._line + safe)[-1]
        rest = _BLANK.sub("", last, count=1)
        self._line = rest if _OPEN.fullmatch(rest) else "x"
        return safe
