"""What was meant by a mistyped word; pure."""

from __future__ import annotations

from collections.abc import Iterable

CLOSE = 0.8


def near(word: str, options: Iterable[str], cutoff: float = CLOSE) -> str | None:
    """Return the option that `word` is a typo of, compared without case; None where none is that close."""
    import difflib

    spelled = {option.lower(): option for option in options}
    found = difflib.get_close_matches(word.lower(), spelled, 1, cutoff)
    return spelled[found[0]] if found else None
