"""Numbers as people read them."""

from __future__ import annotations

import math
from datetime import UTC
from datetime import datetime


def short(value: float) -> str:
    """Return up to three significant digits (more in front of the point), without exponent where it can be."""
    if not math.isfinite(value):
        return {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, "NaN")
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    digits = 2 - math.floor(math.log10(abs(value)))
    text = f"{value:.{max(0, digits)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def humanly(value: float, unit: str) -> str:
    """Return a number in a base unit as people read it: `320 ms`, `6.3 s`, `1.5 GiB`, `0.1 %`."""
    if unit == "s":
        return _scaled(value, ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")), "s")
    if unit == "B":
        return _scaled(value, ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B")), "B")
    if unit == "bit/s":
        return _scaled(value, ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1.0, "bit/s")), "bit/s")
    if unit == "ratio":
        return f"{short(value * 100)} %"
    if unit == "count":
        return short(value)
    return f"{short(value)}/s" if unit == "/s" else f"{short(value)} {unit}"


def interval(low: float, high: float, unit: str) -> str:
    """Return a bucket, `6-8 s`; an open one is `above 10 s`."""
    if math.isinf(high):
        return f"above {humanly(low, unit)}"
    left, right = humanly(low, unit), humanly(high, unit)
    number, _, tail = left.partition(" ")
    if low == 0 or tail == right.partition(" ")[2]:
        return f"{number}-{right}"
    return f"{left}-{right}"


def clock(unix: float) -> str:
    """Return a moment as `22:13:45 UTC`."""
    return f"{datetime.fromtimestamp(unix, UTC):%H:%M:%S} UTC"


def lasting(seconds: float) -> str:
    """Return a length as it is written in an SLO: `5m`, `90s`, `1h`."""
    for size, name in ((3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f}{name}"
    return f"{seconds:.6g}s"


def labelled(labels: dict[str, str]) -> str:
    """Return `node n1, verb POST`."""
    return ", ".join(f"{name} {value or '(none)'}" for name, value in labels.items())


def _scaled(value: float, steps: tuple[tuple[float, str], ...], base: str) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{short(value)} {base}"
    for factor, name in steps:
        if abs(value) >= 0.9995 * factor:  # what is rounded to 1024 MiB reads 1 GiB
            return f"{short(value / factor)} {name}"
    factor, name = steps[-1]
    return f"{short(value / factor)} {name}"
