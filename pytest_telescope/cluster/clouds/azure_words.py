"""What `aks.yaml` says, and settings as a pipeline leaves them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_UNEXPANDED = re.compile(r"^\$\([^)]*\)$")


@cache
def words() -> dict[str, Any]:
    """Return what `aks.yaml` says."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("aks.yaml").read_text(encoding="utf-8"))
    return found


def unexpanded(value: str) -> bool:
    """Tell whether a value is the literal `$(NAME)` that Azure Pipelines leaves for a variable that is not set."""
    return bool(_UNEXPANDED.match(value.strip()))


def setting(environ: Mapping[str, str], name: str) -> str:
    """Return a variable, or "" where it is not set."""
    value = environ.get(name, "").strip()
    return "" if unexpanded(value) else value


def first_setting(environ: Mapping[str, str], what: str) -> str:
    """Return the first variable of `variables.<what>` that is set, or ""."""
    return next((found for name in words()["variables"][what] if (found := setting(environ, name))), "")
