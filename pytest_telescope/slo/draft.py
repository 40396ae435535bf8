"""One SLO's keys with the library's defaults below them, on the way to being resolved."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.model import SloSpec
from pytest_telescope.slo import library
from pytest_telescope.slo.bounds import OPERATORS
from pytest_telescope.slo.bounds import short_form

MEASURED = ("histogram", "bad", "total", "counter", "query", "unit")
"""Keys that say what is measured; where the library says it, nobody else does."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one key of an SLO, and where that key is."""

    place: Place | None
    text: str


class MistakesError(UsageError):
    """What is wrong with one SLO."""

    def __init__(self, found: Iterable[Mistake]) -> None:
        self.found = tuple(found)
        super().__init__("; ".join(one.text for one in self.found))


@dataclass(slots=True, kw_only=True)
class Draft:
    """One SLO's keys, and what was found wrong with them so far.

    Attributes:
        own: the keys that the scenario wrote; the others are the library's.
        version: Kubernetes version of the cell, None where it is the provider's choice.
    """

    id: str
    keys: dict[str, Any]
    own: frozenset[str]
    spec: SloSpec | None
    entry: library.Entry | None
    provider: str
    version: str | None
    found: list[Mistake] = field(default_factory=list)

    def wrong(self, key: str, text: str) -> None:
        """Note a mistake of a key; one that the library wrote is told at the `use:` that took it from there."""
        inherited = self.entry is not None and key in self.keys and key not in self.own
        told = f"{text} (so {self.entry.name} in the library)" if inherited and self.entry else text
        place = self.spec.place_of("use" if inherited else key) if self.spec else None
        self.found.append(Mistake(place, told))


def draft(spec: SloSpec | None, entry: library.Entry | None, cell: Cell) -> Draft:
    """Lay an SLO as written over its library entry."""
    own: dict[str, Any] = {}
    if spec is not None:
        own = {key: value for key in spec.model_fields_set if (value := getattr(spec, key)) is not None}
    own.pop("use", None)
    made = Draft(
        id=own.pop("id", None) or (entry.name.partition("/")[2] if entry else ""),
        keys={},
        own=frozenset(own),
        spec=spec,
        entry=entry,
        provider=cell.provider,
        version=cell.cluster.kubernetes_version,
    )
    _short(made, own)
    if entry is not None:
        for key in MEASURED:
            if key in own:
                made.wrong(key, f"{key} beside use: the library entry {entry.name} says what is measured")
    made.keys = {**_inherited(entry, own), **own}
    return made


def _short(made: Draft, own: dict[str, Any]) -> None:
    """Split `max: p99 <= 5s` into p and max."""
    found = short_form(own.get("max"))
    if found is None:
        return
    if own.get("p", found[0]) != found[0]:
        made.wrong("max", f"p{found[0]:g} in max, and p: {own['p']} beside it")
    own["p"], own["max"] = found
    made.own |= {"p"}


def _inherited(entry: library.Entry | None, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry's keys that the scenario leaves standing: a bound replaces all bounds, a p its min_count."""
    if entry is None:
        return {}
    gone: set[str] = set(OPERATORS) if any(key in own for key in OPERATORS) else set()
    if "p" in own:
        gone.add("min_count")
    return {key: value for key, value in entry.keys.items() if key not in gone}
