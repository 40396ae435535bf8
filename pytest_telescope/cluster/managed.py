"""What clusters of each managed service can show."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

DECLARED = Path(__file__).with_name("managed.yaml")


@cache
def table() -> dict[str, dict[str, Any]]:
    """Return provider -> what `managed.yaml` declares of it."""
    import yaml

    found: dict[str, dict[str, Any]] = yaml.safe_load(DECLARED.read_text(encoding="utf-8"))
    return found


def declared(provider: str, network: str | None) -> frozenset[str]:
    """Return the capabilities of a provider's clusters that have `network`; None is the provider's default.

    A network that the provider does not have promises nothing: the preflight check refuses it.
    """
    told = table()[provider]
    more = told["network"].get(network or told["default"], ())
    return frozenset([*told["always"], *told["also"], *more])
