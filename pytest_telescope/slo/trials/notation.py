"""Series as `promtool test rules` writes them: `0+10x24 _x3 5`."""

from __future__ import annotations

import re

from pytest_telescope.errors import UsageError

MOST = 100_000
"""Samples that one series may have."""
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?Inf|NaN"
_GAP = re.compile(r"_(?:x(?P<times>\d+))?")
_RUN = re.compile(rf"(?P<first>{_NUMBER})(?:(?P<step>[-+](?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))?(?:x(?P<times>\d+))?")


def expand(text: str) -> list[float | None]:
    """Return the values of one series, a scrape each; None where there is no sample.

    `a+bxn` and `a-bxn` are a and n more, each b further; `axn` is a and n more of it; `_` and `_xn` are gaps.

    Raises:
        UsageError: not of that notation, or more than 100,000 samples.
    """
    values: list[float | None] = []
    for word in text.split():
        values += _word(word)
        if len(values) > MOST:
            raise UsageError(f"{text[:40]!r} has more than {MOST:,} samples")
    if not values:
        raise UsageError("a series without values; write e.g. 0+10x24")
    return values


def _word(word: str) -> list[float | None]:
    if gap := _GAP.fullmatch(word):
        return [None] * min(int(gap["times"] or 1), MOST + 1)
    found = _RUN.fullmatch(word)
    if found is None or (found["step"] and not found["times"]):
        raise UsageError(f"{word!r} is no value; write 5, 5x3, 0+10x24, 100-2x5, _ or _x3")
    first, step = float(found["first"]), float(found["step"] or 0)
    return [first + step * number for number in range(min(int(found["times"] or 0), MOST) + 1)]
