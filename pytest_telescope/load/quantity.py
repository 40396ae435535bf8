"""Kubernetes quantities (`500m`, `1.5Gi`, `12e6`) as exact numbers."""

from __future__ import annotations

import re
from decimal import Decimal

from pytest_telescope.errors import UsageError

_BINARY = {suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SCALES = _BINARY | {suffix: Decimal(10) ** power for suffix, power in _DECIMAL.items()}
_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([A-Za-z]*))")


def parse_quantity(text: str | float) -> Decimal:
    """Return a quantity in its base unit (cores, bytes, pieces); numbers are taken as they are.

    Raises:
        UsageError: it is not a Kubernetes quantity.
    """
    match = _FORM.fullmatch(str(text).strip())
    if match is None or (match[3] or "") not in _SCALES:
        raise UsageError(f"{text!r} is not a Kubernetes quantity (expected e.g. 500m, 2, 64Mi, 1.5Gi, 12e6)")
    if match[2]:
        return Decimal(match[1] + match[2])
    return Decimal(match[1]) * _SCALES[match[3] or ""]
