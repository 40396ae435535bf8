"""What a stage says while it runs: a line of text that also carries, where there is one, how far the stage is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from typing import Self

Mark = Literal["", "begin", "end", "brief"]
"""Of a stage: `begin` and `end` of it; `brief`: only worth showing while it lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far something countable is.

    Attributes:
        unit: what is counted, in the plural (`pods`, `resources`); `s` where time itself is.
        even: each of them takes about as long as any other, so that what is left can be estimated from what is done.
    """

    done: float
    total: float
    unit: str
    even: bool = True


class Line(str):
    """A line of text for everybody who takes text; those who know take `progress` and `mark` too."""

    __slots__ = ("mark", "progress")

    progress: Progress | None
    mark: Mark

    def __new__(cls, text: str, progress: Progress | None = None, mark: Mark = "") -> Self:
        """Return `text` with what it carries."""
        made = super().__new__(cls, text)
        made.progress, made.mark = progress, mark
        return made


def counted(text: str, done: float, total: float, unit: str, *, even: bool = True) -> Line:
    """Return a line that carries a count."""
    return Line(text, Progress(done=done, total=total, unit=unit, even=even))


def progress_of(text: str) -> Progress | None:
    """Return what a line carries; None for plain text."""
    return text.progress if isinstance(text, Line) else None


def mark_of(text: str) -> Mark:
    """Return the mark of a line; empty for plain text."""
    return text.mark if isinstance(text, Line) else ""
