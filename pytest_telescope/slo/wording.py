"""One line for people: what was measured, against what, by how much, where, on how much data."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_telescope.slo.bounds import SIGNS
from pytest_telescope.slo.bounds import holds
from pytest_telescope.slo.bounds import margin
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Operator
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.text import humanly
from pytest_telescope.slo.text import interval
from pytest_telescope.slo.text import labelled
from pytest_telescope.slo.text import short

_BROKEN: dict[Operator, str] = {"max": ">", "min": "<", "below": ">=", "above": "<=", "equals": "is not"}


def message(slo: Slo, elements: Sequence[Element], found: Sequence[str], text: str = "") -> str:
    """Return the judgement's line: problems first where there are any, then the worst element."""
    first = elements[0]
    head = text or _element(slo, first)
    others = sum(1 for one in elements if one.verdict is first.verdict) - 1
    if others and not text and first.verdict is not Verdict.PASS:
        head += f"; {others} more of {len(elements)} likewise"
    return f"{problems(slo, found)}; {head.removeprefix(slo.id).lstrip(': ')}" if found else head


def problems(slo: Slo, found: Sequence[str]) -> str:
    """Return what makes the SLO INVALID, the first three of it."""
    more = f"; {len(found) - 3} more" if len(found) > 3 else ""
    return f"{slo.id}: {'; '.join(found[:3])}{more}"


def title(slo: Slo) -> str:
    """Return the SLO as its line begins: `pod-startup p99`."""
    return f"{slo.id} p{slo.p:g}" if slo.form == "histogram" and slo.p is not None else slo.id


def _element(slo: Slo, element: Element) -> str:
    parts = [f"{title(slo)} {_against(slo, element)}"]
    if element.labels:
        parts.append(labelled(dict(element.labels)))
    if element.count is not None:
        parts.append(f"n={short(element.count)}")
    if element.bucket is not None:
        parts.append(f"bucket {interval(*element.bucket, slo.bound.unit)}")
    text = ", ".join(parts)
    if element.message:
        return f"{slo.id}: {element.message}; {text.removeprefix(f'{slo.id} ')}"
    return text


def _against(slo: Slo, element: Element) -> str:
    if element.value is None:
        return "has no value"
    overflow = element.bucket is not None and math.isinf(element.bucket[1])
    value = f"{'at least ' if overflow else ''}{humanly(element.value, slo.bound.unit)}"
    if element.good is None:
        is_good = holds(slo.bound, element.value)
    else:
        is_good = element.verdict is Verdict.PASS or element.good >= (slo.p or 0) / 100
    away = _by(slo.bound, element.value)
    if overflow and element.good is not None:
        away = f" ({humanly(element.good, 'ratio')} within it)"  # beyond the last bucket no distance is known
    return f"{value} {_sign(slo.bound, is_good)} {limit(slo.bound)}{away}"


def _sign(bound: Bound, is_good: bool) -> str:
    if bound.operator == "between":
        return "within" if is_good else "outside"
    return SIGNS[bound.operator] if is_good else _BROKEN[bound.operator]


def limit(bound: Bound) -> str:
    """Return the bound as people read it."""
    return " to ".join(humanly(value, bound.unit) for value in bound.values)


def _by(bound: Bound, value: float) -> str:
    inside = margin(bound, value)
    if inside is None or bound.operator == "equals":
        return ""
    if inside >= 0:
        return f" ({short(100 * inside)} % to spare)"
    away = value - (bound.values[0] if value < bound.values[0] else bound.values[-1])
    return f" ({'+' if away > 0 else '-'}{short(100 * -inside)} %)"
