"""The one override file of a run, free of the traps of its types.

CL2 reads the file through JSON, so every number becomes a float64, and Go's templates print those from a million on as
`1e+06`. Its arithmetic reads numbers out of text just as well, so such a number is written as text. Lines are JSON
scalars: a quoted text stays a text whatever it looks like, and a quoted name (`N`) is no boolean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pytest_telescope.scenario.names import Scalar

EXPONENT_FROM = 1_000_000
EXPONENT_UNDER = 1e-4


def override_text(values: Mapping[str, Scalar]) -> str:
    """Return the file: one `NAME: value` a line, sorted."""
    return "".join(
        f"{json.dumps(name)}: {json.dumps(_safe(value), ensure_ascii=False)}\n"
        for name, value in sorted(values.items())
    )


def write_overrides(path: Path, values: Mapping[str, Scalar]) -> Path:
    """Write the override file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(override_text(values), encoding="utf-8")
    return path


def _safe(value: Scalar) -> Scalar:
    if isinstance(value, bool | str):
        return value
    small = value != 0 and abs(value) < EXPONENT_UNDER
    return _plain(value) if small or abs(value) >= EXPONENT_FROM else value


def _plain(value: float) -> str:
    return f"{value:d}" if isinstance(value, int) else f"{value:.20f}".rstrip("0").rstrip(".")
