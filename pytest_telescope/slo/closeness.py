"""Whether a verdict could be another one with other luck: told, never the verdict itself; pure."""

from __future__ import annotations

from pytest_telescope.slo.bounds import holds
from pytest_telescope.slo.confidence import wilson
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.text import interval


def close_call(slo: Slo, element: Element) -> str:
    """Return how the verdict would turn at the other end of the 95 % interval, nothing where it would not."""
    if element.verdict not in {Verdict.PASS, Verdict.FAIL} or element.slices is not None or element.interval is None:
        return ""
    if element.good is None or element.count is None or slo.p is None:
        return _of_value(slo, element.interval)
    low, high = wilson(element.good * element.count, element.count)
    if (low >= slo.p / 100) == (high >= slo.p / 100):
        return ""
    return f"{_share(element.good)} within the bound, 95 % {_share(low)} to {_share(high)}, {slo.p:g} % asked"


def _of_value(slo: Slo, ends: tuple[float, float]) -> str:
    if holds(slo.bound, ends[0]) == holds(slo.bound, ends[1]):
        return ""
    return f"95 % {interval(*ends, slo.bound.unit)} holds the bound"


def _share(value: float) -> str:
    """Return a share near 1 with the digits that tell it from 1."""
    return f"{100 * value:.4g} %" if value < 0.999 else f"{100 * value:.6g} %"
