"""One line for people: what was measured, against what, by how much, where, on how much data."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_telescope.slo.bounds import SIGNS
from pytest_telescope.slo.bounds import holds
from pytest_telescope.slo.bounds import margin
from pytest_telescope.slo.closeness import close_call
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Operator
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.quorum import allowed
from pytest_telescope.slo.text import clock
from pytest_telescope.slo.text import humanly
from pytest_telescope.slo.text import interval
from pytest_telescope.slo.text import labelled
from pytest_telescope.slo.text import lasting
from pytest_telescope.slo.text import short

_BROKEN: dict[Operator, str] = {"max": ">", "min": "<", "below": ">=", "above": "<=", "equals": "is not"}

MOST_TOLD = 3
"""Elements that one line names."""


def message(
    slo: Slo,
    elements: Sequence[Element],
    found: Sequence[str],
    text: str = "",
    *,
    outvoted: int = 0,
    ends: float | None = None,
) -> str:
    """Return the judgement's line: problems first where there are any, then the worst element.

    Args:
        slo: what was judged.
        elements: worst first.
        found: problems.
        text: the line of an SLO that has its own.
        outvoted: how many of the first elements miss the bound within the quorum; the line is of the next one.
        ends: unix seconds at which the worst slice of the worst element ends.
    """
    first = elements[min(outvoted, len(elements) - 1)]
    head = text or _element(slo, first, None if outvoted else ends)
    others = sum(1 for one in elements if one.verdict is first.verdict) - 1
    if others and not text and first.verdict is not Verdict.PASS:
        head += f"; {others} more of {len(elements)} likewise"
    if slo.quorum < 1 and not text:
        head += _quorum(slo, elements, outvoted)
    return f"{problems(slo, found)}; {head.removeprefix(slo.id).lstrip(': ')}" if found else head


def _quorum(slo: Slo, elements: Sequence[Element], outvoted: int) -> str:
    share = humanly(slo.quorum, "ratio")
    if not outvoted:
        may = allowed(slo, len(elements))
        failed = any(one.verdict is Verdict.FAIL for one in elements)
        return f"; quorum {share} allows {may or 'none'} of {len(elements)}" if failed else ""
    worst = ", ".join(_briefly(slo, one) for one in elements[: min(outvoted, MOST_TOLD)])
    more = f" and {outvoted - MOST_TOLD} more" if outvoted > MOST_TOLD else ""
    return f"; {outvoted} of {len(elements)} miss it, within the quorum of {share}: {worst}{more}"


def _briefly(slo: Slo, element: Element) -> str:
    value = "" if element.value is None else f" {humanly(element.value, slo.bound.unit)}"
    return f"{labelled(dict(element.labels))}{value}"


def problems(slo: Slo, found: Sequence[str]) -> str:
    """Return what makes the SLO INVALID, the first three of it."""
    more = f"; {len(found) - 3} more" if len(found) > 3 else ""
    return f"{slo.id}: {'; '.join(found[:3])}{more}"


def title(slo: Slo) -> str:
    """Return the SLO as its line begins: `pod-startup p99`."""
    return f"{slo.id} p{slo.p:g}" if slo.form == "histogram" and slo.p is not None else slo.id


def _element(slo: Slo, element: Element, ends: float | None = None) -> str:
    parts = [f"{title(slo)} {_against(slo, element)}"]
    if element.slices and element.good is not None and slo.slices is not None:
        parts.append(_slices(slo.slices, element, element.good, ends))
    if element.labels:
        parts.append(labelled(dict(element.labels)))
    if element.count is not None:
        parts.append(f"n={short(element.count)}")
    if element.interval is not None and _doubtful(slo, element):
        parts.append(f"95 % {interval(*element.interval, slo.bound.unit)}")
    if element.bucket is not None:
        parts.append(f"bucket {interval(*element.bucket, slo.bound.unit)}")
    text = ", ".join(parts)
    if element.message:
        return f"{slo.id}: {element.message}; {text.removeprefix(f'{slo.id} ')}"
    return text


def _doubtful(slo: Slo, element: Element) -> bool:
    """Return whether the interval says more than the bucket and the verdict do."""
    says_more = element.interval != element.bucket
    return says_more and (element.verdict is Verdict.FAIL or bool(close_call(slo, element)))


def _slices(slices: Slices, element: Element, good: float, ends: float | None) -> str:
    number = element.slices or 0
    missed = number - round(good * number)
    where = "" if ends is None else f", the worst ends at {clock(ends)}"
    if not missed:
        every = f"all {number} slices" if number > 1 else "the only slice"
        return f"{every} of {lasting(slices.length)} within it"
    asked = "" if slices.mode == "peak" else f" ({humanly(1 - slices.good, 'ratio')} may)"
    return f"{missed} of {number} slices of {lasting(slices.length)} miss it{asked}{where}"


def _against(slo: Slo, element: Element) -> str:
    if element.value is None:
        return "has no value"
    overflow = element.bucket is not None and math.isinf(element.bucket[1])
    value = f"{'at least ' if overflow else ''}{humanly(element.value, slo.bound.unit)}"
    if element.good is None:
        is_good = holds(slo.bound, element.value)
    elif element.slices is not None:
        is_good = element.verdict is Verdict.PASS
    else:
        is_good = element.verdict is Verdict.PASS or element.good >= (slo.p or 0) / 100
    away = _by(slo.bound, element.value)
    if overflow and element.slices is not None:
        away = ""  # beyond the last bucket no distance is known
    elif overflow and element.good is not None:
        away = f" ({humanly(element.good, 'ratio')} within it)"
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
