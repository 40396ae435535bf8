"""What the harness knows of EKS beforehand, as `eks.yaml` has it, and what a setting of a pipeline means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pytest_telescope.cluster.clouds.settings import setting

TABLE = Path(__file__).with_name("eks.yaml")


@cache
def words() -> dict[str, Any]:
    """Return the whole table."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return found


def is_code(what: str, code: str) -> bool:
    """Tell whether an error's code is one of `gone`, `in_use`, `throttled`, `broken`, `no_login`, `capacity`."""
    return re.fullmatch(words()[what], code) is not None


def region_of(environ: Mapping[str, str]) -> str:
    """Return the region that the environment names, else the default."""
    named = setting(environ, "AWS_REGION") or setting(environ, "AWS_DEFAULT_REGION")
    return named or str(words()["defaults"]["region"])


def home(region: str) -> str:
    """Return the region that answers questions about all regions of the partition of `region`."""
    found: dict[str, str] = words()["homes"]
    return next(name for prefix, name in found.items() if region.startswith(prefix))
