"""Numbers with units: read to floats in base units, exactly as decimal arithmetic gives them.

Base units are `s`, `B`, `ratio`, `count`, `cores`, `/s` and `bit/s`.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import Annotated
from typing import Any

from pydantic import BeforeValidator
from pydantic import ValidationInfo
from pydantic import WithJsonSchema

from pytest_telescope.errors import UsageError

_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?"
_PLAIN = r"[0-9]+(?:\.[0-9]+)?"
_WITH_UNIT = re.compile(rf"([-+]?{_NUMBER})\s*([A-Za-zµ%/]*)")

_SECONDS = {
    "h": Decimal(3600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("1e-3"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "ns": Decimal("1e-9"),
}
_PARTS = tuple(rf"(?:({_PLAIN}){unit})?" for unit in ("h", "m", "s", "ms", "(?:us|µs)", "ns"))
_COMPOUND = re.compile("".join(_PARTS))
_PER_SECOND = {"/s": Decimal(1), "/m": Decimal(60), "/h": Decimal(3600)}

_UNITS: dict[str, tuple[Decimal, str]] = {
    **{unit: (factor, "s") for unit, factor in _SECONDS.items()},
    **{unit: (Decimal(10) ** power, "B") for unit, power in (("B", 0), ("KB", 3), ("kB", 3), ("MB", 6), ("GB", 9))},
    **{unit: (Decimal(1024) ** power, "B") for unit, power in (("KiB", 1), ("MiB", 2), ("GiB", 3))},
    **{unit: (Decimal(10) ** power, "bit/s") for unit, power in (("bit/s", 0), ("kbit/s", 3), ("Mbit/s", 6))},
    "Gbit/s": (Decimal(10) ** 9, "bit/s"),
    "%": (Decimal("0.01"), "ratio"),
    "ratio": (Decimal(1), "ratio"),
    "/s": (Decimal(1), "/s"),
    "core": (Decimal(1), "cores"),
    "cores": (Decimal(1), "cores"),
    "count": (Decimal(1), "count"),
    "": (Decimal(1), "count"),
}

KINDS: dict[str, tuple[str, str]] = {
    "s": ("a duration", "5s"),
    "B": ("a size", "1GiB"),
    "ratio": ("a ratio", "0.1%"),
    "count": ("a count", "5"),
    "cores": ("a number of cores", "0.5 cores"),
    "/s": ("a rate", "10/s"),
    "bit/s": ("a bit rate", "10Gbit/s"),
}
"""Base unit -> what it is called, an example."""

_MONEY = re.compile(r"([0-9]+(?:\.[0-9]{1,2})?) ([A-Z]{3})")
_KUBERNETES = re.compile(r"([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([-+]?[0-9]{1,2}))?")
_SUFFIXES = {
    **{suffix: Decimal(10) ** power for suffix, power in zip("num", (-9, -6, -3), strict=True)},
    **{suffix: Decimal(10) ** (3 * power) for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}


class UnitError(UsageError, ValueError):
    """A text that is not the number with unit it should be; pydantic reports it as any other bad value."""


def read_quantity(text: object) -> tuple[float, str]:
    """Return the value in its base unit, and that unit: `s`, `B`, `ratio`, `count`, `cores`, `/s` or `bit/s`.

    A plain number is a `count`; `1m30s` is read as well as `90s`.

    Raises:
        UnitError: no number, or a unit nobody knows.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return _finite(float(text), text), "count"
    if not isinstance(text, str):
        raise UnitError(f"{text!r} is not a number with a unit: write e.g. 5s, 1GiB, 0.1%, 10/s or 5")
    return _read(text.strip())


def parse(text: object, unit: str, of: str = "") -> float:
    """Return `text` as a float in base unit `unit`; `of` names what wants it, e.g. `metric x_seconds`.

    A number without unit is read only as `count`, and 0 always.

    Raises:
        UnitError: the text is of another kind, lacks its unit or is no number.
    """
    wanted, example = KINDS[unit]
    asks = f"{of} wants {wanted}" if of else f"{wanted} is wanted"
    try:
        value, found = read_quantity(text)
    except UnitError as error:
        raise UnitError(f"{str(error).rpartition(': ')[0] or error}, but {asks}: write e.g. {example}") from None
    if found == unit or (found == "count" and value == 0):
        return value
    if found == "count":
        raise UnitError(f"{text!r} has no unit, but {asks}: write e.g. {example}")
    raise UnitError(f"{text!r} is {KINDS[found][0]}, but {asks}: write e.g. {example}")


def quantity(text: str) -> float:
    """Return a Kubernetes quantity (`500m`, `64Gi`, `1e3`) in cores or bytes.

    Raises:
        UnitError: not a Kubernetes quantity.
    """
    found = _KUBERNETES.fullmatch(text.strip())
    if not found:
        raise UnitError(f"{text!r} is not a Kubernetes quantity: write e.g. 500m, 2, 512Mi or 64Gi")
    number, suffix, exponent = found.groups()
    factor = _SUFFIXES[suffix] if suffix else Decimal(10) ** int(exponent or 0)
    return float(Decimal(number) * factor)


def seconds(text: str) -> float:
    """Return a duration (`10m`, `1m30s`, `250ms`) in seconds.

    Raises:
        UnitError: not a duration, or negative.
    """
    return _not_negative(parse(text, "s"), text)


def per_second(text: str) -> float:
    """Return a rate (`10/s`, `600/m`) per second; more than 0.

    Raises:
        UnitError: not a rate.
    """
    found = re.fullmatch(rf"({_NUMBER})\s*(/[smh])", text.strip())
    if not found:
        raise UnitError(f"{text!r} is not a rate: write e.g. 10/s or 600/m")
    return _positive(float(Decimal(found[1]) / _PER_SECOND[found[2]]), text)


def usd(text: str) -> float:
    """Return an amount of money (`40 USD`) in US dollars, the only currency in which prices are known.

    Raises:
        UnitError: not an amount, or another currency.
    """
    found = _MONEY.fullmatch(text)
    if not found:
        raise UnitError(f"{text!r} is not an amount with its currency; write e.g. 40 USD")
    if found[2] != "USD":
        raise UnitError(f"{text!r} is in {found[2]}, but prices are known in USD only; write e.g. 40 USD")
    return float(found[1])


@lru_cache(maxsize=1024)
def _read(text: str) -> tuple[float, str]:
    found = _WITH_UNIT.fullmatch(text)
    if found and found[2] in _UNITS:
        factor, unit = _UNITS[found[2]]
        return _finite(float(Decimal(found[1]) * factor), text), unit
    parts = _COMPOUND.fullmatch(text)
    if text and parts:
        factors = (_SECONDS[unit] for unit in ("h", "m", "s", "ms", "us", "ns"))
        return float(sum(Decimal(n or 0) * factor for n, factor in zip(parts.groups(), factors, strict=True))), "s"
    if found:
        known = ", ".join(unit for unit in _UNITS if unit)
        raise UnitError(f"{text!r} has an unknown unit {found[2]!r}: known are {known}")
    raise UnitError(f"{text!r} is not a number with a unit: write e.g. 5s, 1GiB, 0.1%, 10/s or 5")


def _finite(value: float, text: object) -> float:
    if not math.isfinite(value):
        raise UnitError(f"{text!r} is not a finite number")
    return value


def _not_negative(value: float, text: object) -> float:
    if value < 0:
        raise UnitError(f"{text!r} is negative: a duration is 0 or more")
    return value


def _positive(value: float, text: object) -> float:
    if value <= 0:
        raise UnitError(f"{text!r} is not more than 0: write e.g. 10/s")
    return _finite(value, text)


FROM_FILE = {"from": "file"}
"""Validation context of what a user wrote: a duration or rate must carry its unit there."""


def _read_duration(value: Any, info: ValidationInfo) -> float:
    if isinstance(value, str):
        return seconds(value)
    return _not_negative(_bare(value, info, "a duration", "{0}s, {0}m or {0}h"), value)


def _read_rate(value: Any, info: ValidationInfo) -> float:
    if isinstance(value, str):
        return per_second(value)
    return _positive(_bare(value, info, "a rate", "{0}/s or {0}/m"), value)


def _bare(value: Any, info: ValidationInfo, kind: str, example: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnitError(f"{value!r} is not {kind}: write e.g. {example.format(10)}")
    if value and info.context is not None and info.context.get("from") == "file":
        raise UnitError(f"{value!r} has no unit: write {example.format(value)}")
    return _finite(float(value), value)


_DURATION_PATTERN = rf"^\s*({_PLAIN}(h|m|s|ms|us|µs|ns))+\s*$"
_RATE_PATTERN = rf"^\s*{_PLAIN}\s*/[smh]\s*$"

Duration = Annotated[
    float,
    BeforeValidator(_read_duration),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": _DURATION_PATTERN}, {"const": 0}]}),
]
"""Seconds, read from `10m`, `1m30s`, `250ms`; a bare number is an error in a file (0 apart), seconds in code."""

Rate = Annotated[
    float,
    BeforeValidator(_read_rate),
    WithJsonSchema({"type": "string", "pattern": _RATE_PATTERN}),
]
"""Pods per second, read from `10/s`, `600/m`; a bare number is an error in a file, pods per second in code."""


def _checked(text: Any) -> str:
    if not isinstance(text, str):
        raise UnitError(f'{text!r} is not a Kubernetes quantity in quotes: write e.g. "512Mi"')
    if quantity(text) <= 0:
        raise UnitError(f"{text!r} is not more than 0: write e.g. 512Mi")
    return text


Quantity = Annotated[str, BeforeValidator(_checked)]
"""A Kubernetes quantity kept as written; `quantity()` reads it."""
