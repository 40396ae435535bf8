"""The bounds of `telescope_pod_start_seconds`: fine, and with every number on them that people use as a bound."""

from __future__ import annotations

from decimal import Decimal

FIRST_DECADE = -2
DECADES = 5
LAST = Decimal(1000)
_MANTISSAS = tuple(
    Decimal(hundredths) / 100
    for first, last, step in ((100, 200, 5), (200, 500, 10), (500, 1000, 20))
    for hundredths in range(first, last, step)
)


def bounds() -> tuple[float, ...]:
    """Return the finite upper bounds, 10 ms to 1,000 s, each at most 5 % above the one before."""
    decades = (Decimal(10) ** (FIRST_DECADE + decade) for decade in range(DECADES))
    return (*(float(decade * mantissa) for decade in decades for mantissa in _MANTISSAS), float(LAST))
