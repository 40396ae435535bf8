"""Thresholds: from what is written to a number in the metric's base unit that a histogram can be asked about."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from typing import get_args

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.units import KINDS
from pytest_telescope.scenario.units import read_quantity
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Operator
from pytest_telescope.slo.text import short

OPERATORS: tuple[Operator, ...] = get_args(Operator)
SIGNS: Mapping[Operator, str] = {
    "max": "<=",
    "min": ">=",
    "below": "<",
    "above": ">",
    "equals": "=",
    "between": "between",
}
SUFFIXES = {"_seconds": "s", "_bytes": "B", "_ratio": "ratio"}
SNAP = 0.005
"""How far, relatively, a bound may be from the bucket it means."""
_SHORT_FORM = re.compile(r"p(?P<p>\d+(?:\.\d+)?)\s*<=\s*(?P<bound>\S.*)")


def unit_of(metric: str) -> str | None:
    """Return the base unit that a metric's name fixes by its suffix, None where it fixes none.

    Raises:
        UsageError: the name says milliseconds, in which no bound can be written.
    """
    bare = re.sub(r"_(bucket|sum|count|total)$", "", metric)
    if bare.endswith(("_milliseconds", "_microseconds", "_nanoseconds")):
        raise UsageError(f"{metric} is not in seconds: use the query form and divide")
    return next((unit for suffix, unit in SUFFIXES.items() if bare.endswith(suffix)), None)


def short_form(text: object) -> tuple[float, str] | None:
    """Read `p99 <= 5s` as (99.0, "5s"); None for anything else."""
    found = _SHORT_FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    return (float(found["p"]), found["bound"]) if found else None


def read_bound(operator: Operator, written: Any, unit: str, of: str) -> Bound:
    """Read a bound in base unit `unit`; `of` names what it bounds.

    Raises:
        UsageError: not a number, of another unit, or without the unit it needs.
    """
    parts = list(written) if operator == "between" else [written]
    values = tuple(_value(part, unit, of) for part in parts)
    if operator == "between" and values[0] > values[1]:
        raise UsageError(f"between: {parts[0]} is more than {parts[1]}")
    return Bound(operator=operator, values=values, unit=unit, text=" and ".join(str(part) for part in parts))


def _value(written: Any, unit: str, of: str) -> float:
    value, found = read_quantity(written)
    if found == unit or (found == "count" and (value == 0 or unit == "ratio")):
        return value
    wanted, example = KINDS[unit]
    said = "has no unit" if found == "count" else f"is {KINDS[found][0]}"
    raise UsageError(f"{written!r} {said}, but {of} wants {wanted}: write e.g. {example}")


def snap(bound: Bound, buckets: Sequence[float], of: str) -> Bound:
    """Return the bound moved to the bucket bound it means, with a note where that is another number.

    Raises:
        UsageError: no bucket within 0.5 %, or above the last finite one; the message lists the neighbours.
    """
    value = bound.values[0]
    finite = sorted(edge for edge in buckets if math.isfinite(edge))
    if not finite:
        raise UsageError(f"{of} has no finite bucket")
    nearest = min(finite, key=lambda edge: abs(edge - value))
    if abs(nearest - value) <= SNAP * abs(nearest):
        note = "" if nearest == value else f"{bound.text} is judged at the bucket {nearest:.10g} {bound.unit}"
        return replace(bound, values=(nearest,), note=note)
    if value > finite[-1]:
        raise UsageError(
            f"{bound.text} is above the last bucket of {of}, {_edge(finite[-1], bound.unit)}: "
            "nothing beyond it can be told apart"
        )
    around = [max((e for e in finite if e < value), default=None), min(e for e in finite if e > value)]
    names = " and ".join(_edge(edge, bound.unit) for edge in around if edge is not None)
    raise UsageError(f"{bound.text} is no bucket of {of} (within 0.5 %): the nearest are {names}")


def _edge(value: float, unit: str) -> str:
    return f"{value:.6g}{unit}" if unit in {"s", "B"} else short(value)


def holds(bound: Bound, value: float) -> bool:
    """Return whether `value` keeps the bound."""
    first = bound.values[0]
    match bound.operator:
        case "max":
            return value <= first
        case "min":
            return value >= first
        case "below":
            return value < first
        case "above":
            return value > first
        case "equals":
            return value == first
        case "between":
            return first <= value <= bound.values[1]


def margin(bound: Bound, value: float) -> float | None:
    """Return how far inside the bound `value` is, as a share of it; negative is outside; None for a bound of 0."""
    first = bound.values[0]
    edge = bound.values[-1] if bound.operator == "between" and value > sum(bound.values) / 2 else first
    if edge == 0 or not math.isfinite(value):
        return None
    if bound.operator == "equals":
        return -abs(value - edge) / abs(edge)
    rising = bound.operator in {"min", "above"} or (bound.operator == "between" and edge == first)
    return (value - edge if rising else edge - value) / abs(edge)
