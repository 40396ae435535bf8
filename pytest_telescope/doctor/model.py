"""What one check of the machine found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "missing"]
"""`missing` stops every scenario, the simulated ones too; `warn` stops some, or may become a trouble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the report: the state, what was found, and the command that mends it."""

    name: str
    state: State
    found: str
    mend: str = ""


def ok(name: str, found: str) -> Check:
    """Return a check that found what is wanted."""
    return Check(name=name, state="ok", found=found)


def warn(name: str, found: str, mend: str = "") -> Check:
    """Return a check that found something a simulated cluster can do without."""
    return Check(name=name, state="warn", found=found, mend=mend)


def missing(name: str, found: str, mend: str) -> Check:
    """Return a check that found that nothing can run."""
    return Check(name=name, state="missing", found=found, mend=mend)
