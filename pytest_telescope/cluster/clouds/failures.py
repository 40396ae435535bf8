"""What an error of Terraform or of a cloud means: a table of patterns, and the word for the next step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

TABLE = Path(__file__).with_name("errors.yaml")

Kind = Literal["capacity", "refused", "transient", "unknown"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error means; `why` is one clause for a person, `code` the words of the cloud that told it."""

    kind: Kind
    why: str
    code: str = ""

    def __str__(self) -> str:
        return f"{self.why} ({self.code})" if self.code else self.why


UNKNOWN = Meaning("unknown", "an error that cluster/clouds/errors.yaml does not know")


def meaning(text: str) -> Meaning:
    """Return what an error text means; the kinds are tried in the order of the table."""
    for kind, pattern, why in _patterns():
        if found := pattern.search(text):
            return Meaning(kind, why, " ".join(found.group().split())[:80])
    return UNKNOWN


@cache
def _patterns() -> tuple[tuple[Kind, re.Pattern[str], str], ...]:
    import yaml

    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return tuple(
        (kind, re.compile(row["match"], re.IGNORECASE | re.DOTALL), row["why"])
        for kind in ("capacity", "refused", "transient")
        for row in table[kind]
    )
