"""A line of characters: how a value went over time, and on which side of its bound it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from pytest_telescope.slo.model import Bound

LEVELS = "▁▂▃▄▅▆▇█"
GAP = "·"
"""Stands where there is no value."""
_PLAIN = str.maketrans({**dict(zip(LEVELS, "_-~=+*#@", strict=True)), GAP: ".", "─": "-", "━": "-", "…": "."})
HALF = len(LEVELS) // 2
SAYS = f"{LEVELS[0]} to {LEVELS[HALF - 1]} up to the bound, {LEVELS[HALF]} to {LEVELS[-1]} above it, {GAP} no value"


def sparkline(values: Sequence[float | None], bound: Bound | float | None = None, width: int = 24) -> str:
    """Return at most `width` characters; NaN, infinite and missing values are gaps.

    With a bound (its upper end, where it has two) the lower four levels are up to it and the upper four above it, each
    half with a scale of its own: from the least value or zero to the bound, and from the bound to the largest value.
    Where several values share a character it shows the largest one, the smallest one under a lower bound.
    """
    cells = _cells([_number(one) for one in values], width, lowest=_is_lower(bound))
    known = [one for one in cells if one is not None]
    if not known:
        return GAP * len(cells)
    edge = _edge(bound)
    low, high = min(known), max(known)
    return "".join(GAP if one is None else LEVELS[_level(one, low, high, edge)] for one in cells)


def plain(text: str) -> str:
    """Return a text with the characters of sparklines and tables in ASCII, for a terminal without UTF-8."""
    return text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")


def is_unicode(encoding: str | None) -> bool:
    """Return whether a terminal of this encoding can show sparklines."""
    try:
        LEVELS.encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _level(value: float, low: float, high: float, edge: float | None) -> int:
    if edge is None:
        return _step(value, low, high, len(LEVELS)) if high > low else HALF - 1
    if value > edge:
        return HALF + _step(value, edge, high, HALF)
    return _step(value, min(low, 0.0 if edge > 0 else low), edge, HALF)


def _step(value: float, low: float, high: float, levels: int) -> int:
    """Return which of `levels` equal parts of low to high holds a value; all of no range is the topmost."""
    share = (value - low) / (high - low) if high > low else 1.0
    return min(levels - 1, math.floor(share * levels))


def _cells(values: list[float | None], width: int, *, lowest: bool) -> list[float | None]:
    if len(values) <= width:
        return values
    edges = [round(number * len(values) / width) for number in range(width + 1)]
    return [_shown(values[start:end], lowest) for start, end in pairwise(edges)]


def _shown(values: list[float | None], lowest: bool) -> float | None:
    known = [one for one in values if one is not None]
    return (min(known) if lowest else max(known)) if known else None


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _edge(bound: Bound | float | None) -> float | None:
    return bound.values[-1] if isinstance(bound, Bound) else bound


def _is_lower(bound: Bound | float | None) -> bool:
    return isinstance(bound, Bound) and bound.operator in {"min", "above"}
