"""What the harness knows of GKE beforehand, as `gke.yaml` has it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pytest_telescope.cluster.clouds.settings import setting

TABLE = Path(__file__).with_name("gke.yaml")


@cache
def words() -> dict[str, Any]:
    """Return the whole table."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return found


def first_setting(environ: Mapping[str, str], what: str) -> str:
    """Return the first that is set of the variables for `what`: project, region, credentials."""
    return next((found for name in words()["variables"][what] if (found := setting(environ, name))), "")


def default_zone(region: str) -> str:
    """Return the letter of the zone that is taken where a spec names none."""
    defaults = words()["defaults"]
    return str(defaults["zones"].get(region, defaults["zone"]))
