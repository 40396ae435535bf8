"""What `aks.yaml` says, and settings as a pipeline leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pytest_telescope.cluster.clouds.settings import setting


@cache
def words() -> dict[str, Any]:
    """Return what `aks.yaml` says."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("aks.yaml").read_text(encoding="utf-8"))
    return found


def first_setting(environ: Mapping[str, str], what: str) -> str:
    """Return the first variable of `variables.<what>` that is set, or ""."""
    return next((found for name in words()["variables"][what] if (found := setting(environ, name))), "")
