"""One number of a summary file: checked, and in its base unit; pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from collections.abc import Mapping
from decimal import Decimal
from decimal import InvalidOperation
from typing import Any

from pytest_telescope.load.clusterloader2.summary_kinds import Base

_GO_PARTS = {"h": "3600", "m": "60", "s": "1", "ms": "1e-3", "us": "1e-6", "µs": "1e-6", "μs": "1e-6", "ns": "1e-9"}
_GO_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ms|us|µs|μs|ns|h|m|s)", re.ASCII)
_LONGEST_DURATION = 40
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|NaN|[-+]?Inf", re.ASCII)


def checked(value: Any) -> Decimal:
    """Return a number of JSON.

    Raises:
        ValueError: it is none; the message ends a sentence that begins with its name.
    """
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str):
        raise ValueError(f"is the text {value[:40]!a}, not a number")
    raise ValueError(f"is {_kind(value)}, not a number")


def converted(value: Decimal, base: Base, *, negative: bool = False) -> float:
    """Return a number in the base unit, finite.

    Raises:
        ValueError: NaN, infinite, negative (unless that is allowed), or beyond a float.
    """
    if not value.is_finite():
        raise ValueError(f"is {value}")
    if value < 0 and not negative:
        raise ValueError(f"is negative: {_short(value)}")
    try:
        result = float(value * base.factor if base.factor != 1 else value)
    except ArithmeticError:
        result = math.inf
    if math.isinf(result) or (result == 0 and value != 0):
        raise ValueError(f"is beyond a float: {_short(value)}")
    return result or 0.0


def number_text(value: Any) -> Decimal:
    """Return the number that a text spells as Prometheus does.

    Raises:
        ValueError: it spells none.
    """
    if not isinstance(value, str):
        raise ValueError(f"is {_kind(value)}, not a number as text")
    try:
        if _NUMBER.fullmatch(value):
            return Decimal(value)
    except InvalidOperation:
        pass
    raise ValueError(f"is the text {value[:40]!a}, not a number")


def duration_text(value: Any) -> Decimal:
    """Return the seconds that a text spells as Go does (`1m30.5s`, `0s`).

    Raises:
        ValueError: it spells none.
    """
    text = value if isinstance(value, str) and len(value) <= _LONGEST_DURATION else ""
    parts = _GO_PART.findall(text.removeprefix("-"))
    if not parts or "".join(number + unit for number, unit in parts) != text.removeprefix("-"):
        raise ValueError(f"is {ascii(value)[:42]}, not a duration")
    total = sum((Decimal(number) * Decimal(_GO_PARTS[unit]) for number, unit in parts), Decimal(0))
    return -total if text.startswith("-") else total


READERS: Mapping[str, Callable[[Any], Decimal]] = {
    "": checked,
    "number": number_text,
    "duration": duration_text,
}
"""By the word `text` of a value in summary_kinds.yaml."""


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return {dict: "an object", list: "a list", Decimal: "a number"}.get(type(value), type(value).__name__)


def _short(value: Decimal) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{value:.6e}"
