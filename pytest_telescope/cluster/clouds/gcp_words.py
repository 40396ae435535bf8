"""What the harness knows of GKE beforehand, as `gke.yaml` has it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("gke.yaml")


@cache
def words() -> dict[str, Any]:
    """Return the whole table."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return found


def setting(environ: Mapping[str, str], name: str) -> str:
    """Return an environment variable; "" where it is not set, or holds what a pipeline did not expand, `$(NAME)`."""
    value = environ.get(name, "").strip()
    return "" if unexpanded(value) else value


def unexpanded(value: str) -> bool:
    """Tell whether a value is the name of a pipeline variable that does not exist."""
    return value.startswith("$(") and value.endswith(")")


def first_setting(environ: Mapping[str, str], what: str) -> str:
    """Return the first that is set of the variables for `what`: project, region, credentials."""
    return next((found for name in words()["variables"][what] if (found := setting(environ, name))), "")


def default_zone(region: str) -> str:
    """Return the letter of the zone that is taken where a spec names none."""
    defaults = words()["defaults"]
    return str(defaults["zones"].get(region, defaults["zone"]))
