"""The resources of a Terraform plan, as the price rules look at them."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One resource that will be there.

    Attributes:
        index: its key of `count` or `for_each`, else None.
        values: as planned; what is not known yet is left out.
    """

    address: str
    type: str
    name: str
    index: str | int | None
    values: Mapping[str, Any]

    def block(self, name: str) -> Mapping[str, Any]:
        """Return the first block `name`; {} where there is none."""
        return first(self.values.get(name))


def first(value: Any) -> Mapping[str, Any]:
    """Return a nested block, which the JSON has as a list of one or as an object; {} where there is none."""
    found = value[0] if isinstance(value, list) and value else value
    return found if isinstance(found, Mapping) else {}


def resources(document: Mapping[str, Any]) -> list[Planned]:
    """Return what the plan makes or keeps, of all modules; data sources are no resources."""
    return list(_of(document.get("planned_values", {}).get("root_module", {})))


def _of(module: Mapping[str, Any]) -> Iterator[Planned]:
    for one in module.get("resources", ()):
        if one.get("mode", "managed") == "managed":
            yield Planned(
                address=one["address"],
                type=one["type"],
                name=one["name"],
                index=one.get("index"),
                values=one.get("values") or {},
            )
    for child in module.get("child_modules", ()):
        yield from _of(child)
