"""What clusters of each managed service can show."""

from __future__ import annotations

from functools import cache
from pathlib import Path

DECLARED = Path(__file__).with_name("managed.yaml")


@cache
def declared() -> dict[str, frozenset[str]]:
    """Return provider -> capabilities, as `managed.yaml` declares them."""
    import yaml

    return {name: frozenset(found) for name, found in yaml.safe_load(DECLARED.read_text()).items()}
