"""The tables beside the code: YAML files of this package, each read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


@cache
def table(name: str) -> Any:
    """Return the content of `<name>.yaml` of this folder."""
    import yaml  # lazy: collection imports this package

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(Path(__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8"), Loader=loader)
