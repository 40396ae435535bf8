"""What the name of a summary file says: `<summary>_<config>[_<identifier>]_<RFC 3339>.<extension>`; pure.

Summary, config and identifier may hold blanks, colons and underscores, so only known configs tell where one ends.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

_END = re.compile(r"_[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:Z|[+-][0-9]{2}:[0-9]{2})\.(\w+)")
_CONFIG = re.compile(r"generatedConfig_(.+)\.yaml", re.DOTALL)
_NO_SUMMARIES = frozenset({"pprof"})


@dataclass(frozen=True, slots=True)
class FileName:
    """A file name, taken apart; `config` is empty where no known config ends it."""

    summary: str
    config: str
    extension: str


def parse(name: str, configs: Collection[str]) -> FileName | None:
    """Return what a file name says, or None where it is not that of a summary.

    Args:
        name: of the file, without folder.
        configs: names of the test configs, with `_<identifier>` where the run has one; the longest that fits wins.
    """
    ends = list(_END.finditer(name))
    if not ends or ends[-1].end() != len(name) or ends[-1][1] in _NO_SUMMARIES or _CONFIG.fullmatch(name):
        return None
    stem = name[: ends[-1].start()]
    fitting = [config for config in configs if config and stem.endswith(f"_{config}") and len(stem) > len(config) + 1]
    config = max(fitting, key=len, default="")
    return FileName(stem[: -len(config) - 1] if config else stem, config, ends[-1][1])


def config_of(name: str) -> str | None:
    """Return the config (and `_<identifier>`) of a `generatedConfig_….yaml`, or None for any other name."""
    match = _CONFIG.fullmatch(name)
    return match[1] if match else None
