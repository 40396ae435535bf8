"""The kinds of summary files as data: summary_kinds.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from decimal import Decimal
from functools import cache
from typing import Any
from typing import Literal

from pytest_telescope.load.clusterloader2.tables import table

Shape = Literal["perf-data", "data-item", "values", "text"]


@dataclass(frozen=True, slots=True)
class Base:
    """A base unit, and by what a number is multiplied to be in it."""

    unit: str
    factor: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Where numbers of one sort are in a file; see the head of summary_kinds.yaml."""

    path: str
    metric: str = ""
    stat: str = "value"
    unit: str = "count"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of summary file; see the head of summary_kinds.yaml."""

    key: str
    source: str
    shape: Shape
    name: str | None = None
    extension: str = "json"
    labels: frozenset[str] = frozenset()
    keys: Literal["stats", "metrics", ""] = ""
    metric: str = ""
    counts: frozenset[str] = frozenset()
    units: Mapping[str, Base] = field(default_factory=dict)
    signed: bool = False
    raw: bool = False
    values: tuple[Value, ...] = ()

    def is_named(self, name: str, extension: str) -> bool:
        """Tell whether a summary of this name and extension is of this kind."""
        named = self.name is not None and re.fullmatch(self.name, name, re.DOTALL) is not None
        return named and extension == self.extension


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """All that summary_kinds.yaml says."""

    units: Mapping[str, Base]
    by_name: tuple[tuple[str, str], ...]
    kinds: tuple[Kind, ...]

    def find(self, name: str, extension: str, content: Any) -> Kind | None:
        """Return the kind of a summary by its name, else by what it holds; None where it is unknown."""
        for kind in self.kinds:
            if kind.is_named(name, extension):
                return kind
        if not isinstance(content, dict) or "dataItems" not in content:
            return None
        labels = _labels_of_first(content["dataItems"])
        return next((one for one in self.kinds if one.labels and one.labels <= labels), self.get("PerfData"))

    def get(self, key: str) -> Kind:
        """Return the kind of that key."""
        return next(kind for kind in self.kinds if kind.key == key)

    def base(self, kind: Kind, word: str) -> Base:
        """Return the base unit of a word of CL2; a word that is unknown is its own base unit."""
        return kind.units.get(word) or self.units.get(word) or Base(word)

    def base_by_name(self, metric: str) -> Base:
        """Return the base unit of a Prometheus metric; an empty one where its name does not tell."""
        for pattern, word in self.by_name:
            if re.search(pattern, metric):
                return self.units[word]
        return Base("")


@cache
def kinds() -> Kinds:
    """Read summary_kinds.yaml once."""
    document = table("summary_kinds")
    return Kinds(
        units=_bases(document["units"]),
        by_name=tuple((pattern, word) for pattern, word in document["by_name"]),
        kinds=tuple(_kind(key, entry) for key, entry in document["kinds"].items()),
    )


def _kind(key: str, entry: dict[str, Any]) -> Kind:
    entry = dict(entry)
    for name in ("labels", "counts"):
        entry[name] = frozenset(entry.get(name, ()))
    entry["units"] = _bases(entry.get("units", {}))
    entry["values"] = tuple(Value(**value) for value in entry.get("values", ()))
    return Kind(key=key, **entry)


def _bases(entries: Mapping[str, tuple[str, str]]) -> dict[str, Base]:
    return {word: Base(unit, Decimal(factor)) for word, (unit, factor) in entries.items()}


def _labels_of_first(items: Any) -> frozenset[str]:
    first = items[0] if isinstance(items, list) and items else None
    labels = first.get("labels") if isinstance(first, dict) else None
    return frozenset(labels) if isinstance(labels, dict) else frozenset()
