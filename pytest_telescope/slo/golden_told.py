"""Golden signals in words: what stands out in the window, what is calm, what was not recorded; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from pytest_telescope.slo.golden import SCRAPED
from pytest_telescope.slo.golden import Signal
from pytest_telescope.slo.golden import golden
from pytest_telescope.slo.model import Trace
from pytest_telescope.slo.text import clock
from pytest_telescope.slo.text import humanly


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the lines of a node say, in words."""

    node: str
    unusual: tuple[str, ...]
    calm: tuple[str, ...]
    missing: tuple[str, ...]
    scraped: str = ""


def told(found: Sequence[Trace], window: tuple[float, float] | None) -> Told | None:
    """Return what stands out in the window, what is calm and what was not recorded; None without any line."""
    by_name = {signal.name: signal for signal in golden().signals}
    node, unusual, calm, missing, about_scrapes = "", [], [], [], ""
    for trace in found:
        if trace.name.startswith(SCRAPED):
            about_scrapes = _of_scrapes(trace)
            continue
        name = next((one for one in by_name if trace.name.startswith(f"{one} ")), None)
        if name is None:
            continue
        node = trace.name.removeprefix(f"{name} ")
        inside = known(trace, window)
        if not inside:
            missing.append(name)
        elif by_name[name].is_unusual(by_name[name].worst(inside)[1]):
            unusual.append(_unusual(by_name[name], trace, inside, window))
        else:
            calm.append(f"{name} {humanly(by_name[name].worst(inside)[1], trace.unit)}")
    if not (node or about_scrapes):
        return None
    return Told(node=node, unusual=tuple(unusual), calm=tuple(calm), missing=tuple(missing), scraped=about_scrapes)


def stands_out(trace: Trace, window: tuple[float, float] | None) -> bool:
    """Return whether a line of a signal leaves what is usual within the window."""
    signal = next((one for one in golden().signals if trace.name.startswith(f"{one.name} ")), None)
    inside = known(trace, window)
    return signal is not None and bool(inside) and signal.is_unusual(signal.worst(inside)[1])


def known(trace: Trace, window: tuple[float, float] | None) -> list[tuple[float, float]]:
    """Return the points that have a value, within a window (unix seconds) where there is one."""
    start, end = window or (-math.inf, math.inf)
    return [(when, value) for when, value in trace.points if value is not None and start < when <= end + 1e-3]


def _unusual(
    signal: Signal, trace: Trace, inside: Sequence[tuple[float, float]], window: tuple[float, float] | None
) -> str:
    when, value = signal.worst(inside)
    before = [one for at, one in known(trace, None) if window is not None and at <= window[0]]
    usual = f", {humanly(median(before), trace.unit)} before" if before else ""
    upto = "up to" if signal.above is not None else "down to"
    why = f": {signal.because}" if signal.because else ""
    return f"{signal.name} {upto} {humanly(value, trace.unit)} at {clock(when)}{usual}{why}"


def _of_scrapes(trace: Trace) -> str:
    values = [(value or 0.0, when) for when, value in trace.points]
    if not values:
        return ""
    (fewest, when), most = min(values), max(values)[0]
    job = trace.name.removeprefix(f"{SCRAPED} ")
    if fewest == most:
        return f"{most:.0f} targets of job {job} throughout the window"
    return f"{fewest:.0f} to {most:.0f} targets of job {job}, the fewest first at {clock(when)}"
