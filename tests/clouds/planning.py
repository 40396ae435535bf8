"""From a configuration to a plan, and from a plan to an object: what a provider does with values."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped] # ships no types
import yaml

from tests.clouds.schemas import Block
from tests.clouds.schemas import attributes
from tests.clouds.schemas import blocks
from tests.clouds.wire import UNKNOWN

Values = dict[str, Any]
FORCE_NEW: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("force_new.yaml").read_text())
EMPTY: dict[str, Any] = {"string": "", "number": 0, "bool": False, "dynamic": None}


def unknown(value: Any) -> bool:
    """Tell whether only the apply will tell this value."""
    return isinstance(value, msgpack.ExtType)


def planned(block: Block, proposed: Any, prior: Any) -> Any:
    """Return `proposed` with what the cloud decides: as it was before, or unknown where nothing was before."""
    if not isinstance(proposed, dict):
        return proposed
    before = prior if isinstance(prior, dict) else None
    for name, flags in attributes(block).items():
        if proposed.get(name) is None and flags.get("computed"):
            proposed[name] = UNKNOWN if before is None else before.get(name)
    for name, nested in blocks(block).items():
        for value, old in _pairs(nested, proposed.get(name), (before or {}).get(name)):
            planned(nested["block"], value, old)
    return proposed


def replacing(typ: str, prior: Any, plan: Any) -> list[str]:
    """Return the attributes whose change this cloud answers with a new object."""
    if prior is None or plan is None:
        return []
    names = {*FORCE_NEW["*"], *FORCE_NEW.get(typ, ())}
    return sorted(name for name in names if name in plan and plan[name] != prior.get(name))


def with_defaults(block: Block, plan: Any, provider: Mapping[str, Any]) -> Any:
    """Return `plan` with the place and the tags that the provider's configuration gives to all of its resources."""
    if not isinstance(plan, dict):
        return plan
    for name in ("region", "project", "zone"):
        if unknown(plan.get(name)) and isinstance(provider.get(name), str):
            plan[name] = provider[name]
    for effective, own, defaults in (
        ("tags_all", "tags", _default_tags(provider)),
        ("effective_labels", "labels", provider.get("default_labels") or {}),
        ("effective_labels", "resource_labels", provider.get("default_labels") or {}),
        ("terraform_labels", "labels", provider.get("default_labels") or {}),
        ("terraform_labels", "resource_labels", provider.get("default_labels") or {}),
    ):
        if effective in attributes(block) and own in attributes(block):
            plan[effective] = UNKNOWN if unknown(plan.get(own)) else {**defaults, **(plan.get(own) or {})}
    return plan


class Computed:
    """Fills in what was unknown.

    `given` holds values, or functions of the resource's other values, by `type.dotted.path`, then by `dotted.path`.
    """

    def __init__(self, given: Mapping[str, Any], typ: str, values: Values) -> None:
        self.given = given
        self.typ = typ
        self.values = values

    def filled(self, block: Block) -> Values:
        """Return the resource's values with nothing unknown; `id` last, as it is made of the others."""
        self._fill(block, self.values, "")
        return self.values

    def value(self, path: str, kind: Any) -> Any:
        """Return what the cloud puts at `path`: what was given, else something of the right type."""
        for key in (f"{self.typ}.{path}", path):
            if key in self.given:
                found = self.given[key]
                return found(self.values) if callable(found) else found
        return self._made_up(path, kind)

    def _fill(self, block: Block, values: Any, path: str) -> None:
        if not isinstance(values, dict):
            return
        for name in sorted(attributes(block), key=lambda one: (one == "id", one)):
            if unknown(values.get(name)):
                values[name] = self.value(f"{path}{name}", attributes(block)[name]["type"])
        for name, nested in blocks(block).items():
            for one, _ in _pairs(nested, values.get(name), None):
                self._fill(nested["block"], one, f"{path}{name}.")

    def _made_up(self, path: str, kind: Any) -> Any:
        if isinstance(kind, str):
            return f"{self.typ}-{path}-{uuid.uuid4().hex[:8]}" if kind == "string" else EMPTY[kind]
        outer, inner = kind
        if outer == "object":
            return {name: self.value(f"{path}.{name}", one) for name, one in inner.items()}
        if outer == "map":
            return {}
        return [self.value(path, inner)] if isinstance(inner, list) and inner[0] == "object" else []


def _default_tags(provider: Mapping[str, Any]) -> dict[str, str]:
    found = provider.get("default_tags") or [{}]
    return (found[0] if isinstance(found, list) else found).get("tags") or {}


def _pairs(nested: Mapping[str, Any], now: Any, before: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the elements of a nested block, each with what it was before or None."""
    mode = nested["nesting_mode"]
    if isinstance(now, dict):
        yield from ((one, (before or {}).get(key)) for key, one in now.items()) if mode == "map" else [(now, before)]
    elif isinstance(now, list):
        old = before if isinstance(before, list) else []
        for at, one in enumerate(now):
            yield one, _same(one, old) if mode == "set" else (old[at] if at < len(old) else None)


def _same(one: Any, old: list[Any]) -> Any:
    """Return the element of a set that has all that `one` says."""
    said = {name: value for name, value in one.items() if value is not None and not unknown(value)}
    for candidate in old:
        if all(json.dumps(candidate.get(name)) == json.dumps(value) for name, value in said.items()):
            return candidate
    return None
