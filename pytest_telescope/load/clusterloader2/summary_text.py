"""JSON of files that nobody vouches for; pure.

Every number is a Decimal, as written; NaN and the infinities, which JSON has not, become the Decimals of that name.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from decimal import InvalidOperation
from typing import Any

LARGEST = 64 * 1024 * 1024
"""Bytes; what CL2 writes is a tenth of it at most."""

Pairs = list[tuple[str, Any]]

_HALF_A_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


def load(content: bytes) -> Any:
    """Return the value that `content` holds.

    Raises:
        ValueError: it is not JSON in UTF-8, has a key twice, or is nested too deep.
    """
    text = _decoded(content)
    surrogates = _HALF_A_CHARACTER.search(text) is not None
    try:
        return json.loads(
            text,
            object_pairs_hook=_checked if surrogates else _unique,
            parse_float=_decimal,
            parse_int=_decimal,
            parse_constant=_decimal,
        )
    except RecursionError as error:
        raise ValueError("not JSON of CL2: nested too deep") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from error


def _decoded(content: bytes) -> str:
    if not content.strip():
        raise ValueError("empty")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: {error.reason} at byte {error.start}") from error


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"not a number that can be: {text[:40]}") from error


def _unique(pairs: Pairs) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"key {_first_twice(pairs)!r} twice in one object")
    return found


def _first_twice(pairs: Pairs) -> str:
    seen: set[str] = set()
    return next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]


def _checked(pairs: Pairs) -> dict[str, Any]:
    """Refuse halves of characters in all that becomes a name or a label."""
    for key, value in pairs:
        for text in (key, value):
            if isinstance(text, str):
                _encodable(text)
    return _unique(pairs)


def _encodable(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"not UTF-8: half a character in {text[:40]!a}") from error
