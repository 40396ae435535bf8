"""The one override file of a run, free of the traps of its types.

CL2 reads the file through JSON, so every number becomes a float64, and Go's templates print those from a million on,
and those under 0.0001, as `1e+06`: such a number is written as text. CL2 counts with it where a variable gets its value
(`{{$n := MultiplyInt .X 2}}`) or in a condition; where the result is printed at once (`{{MultiplyInt .X 2}}`), its dry
run refuses it (`cannot cast baseline to float64`). Lines are JSON scalars: a quoted text stays a text whatever it looks
like, and a quoted name (`N`) is no boolean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from pytest_telescope.scenario.names import Scalar

EXPONENT_FROM = 1_000_000
EXPONENT_UNDER = 1e-4
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
"""Line breaks to YAML, or not allowed in it, though JSON takes them as they are."""


def override_text(values: Mapping[str, Scalar]) -> str:
    """Return the file: one `NAME: value` a line, sorted."""
    return "".join(f"{_quoted(name)}: {_quoted(_safe(value))}\n" for name, value in sorted(values.items()))


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
    """Return a number to its last digit, without an exponent."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _quoted(value: Scalar) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
