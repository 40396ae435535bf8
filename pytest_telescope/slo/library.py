"""The library of SLOs: `library/<file>.yaml`, each entry used as `<file>/<entry>`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any

from pytest_telescope.errors import UsageError

FOLDER = Path(__file__).resolve().parent / "library"
_OWN_KEYS = frozenset({"available_on", "buckets", "look_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One library entry.

    Attributes:
        name: `<file>/<entry>`.
        keys: the keys of an SLO as in scenario.yaml, defaults that a scenario overrides.
        available_on: providers or capabilities, one of which must be there; empty for everywhere.
        buckets: Kubernetes version (`default` for all others) -> finite upper bounds; empty where unknown.
        look_at: what to look at next when it is red.
    """

    name: str
    keys: Mapping[str, Any]
    available_on: tuple[str, ...] = ()
    buckets: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    look_at: str = ""

    def buckets_of(self, version: str | None) -> tuple[float, ...]:
        """Return the bounds in Kubernetes `version`: those of the newest version listed that is not newer than it."""
        older = [key for key in self.buckets if key != "default" and version and _version(key) <= _version(version)]
        return self.buckets.get(max(older, key=_version, default="default"), ())


@cache
def entries() -> Mapping[str, Entry]:
    """Read the library once.

    Raises:
        UsageError: a file of the library cannot be read.
    """
    found: dict[str, Entry] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        found.update({one.name: one for one in _read(file)})
    return found


def entry(name: str) -> Entry:
    """Return an entry by `<file>/<entry>`.

    Raises:
        UsageError: there is none; the message suggests the nearest, or lists those of the file.
    """
    known = entries()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, 1)
    same = [one for one in known if one.startswith(name.partition("/")[0] + "/")]
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(same or sorted(known))}"
    raise UsageError(f"use: {name} is not in the library: {hint}")


@cache
def known_buckets(metric: str, version: str | None) -> tuple[float, ...]:
    """Return what the library knows of a histogram's bounds, empty when nothing."""
    of_metric = (one for one in entries().values() if one.keys.get("histogram") == metric)
    return next((one.buckets_of(version) for one in of_metric if one.buckets), ())


def _read(file: Path) -> list[Entry]:
    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a tenth of the time where libyaml is there
        document = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)
        return [_entry(f"{file.stem}/{name}", body) for name, body in document.items()]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise UsageError(f"{file} is no library of SLOs: {error}") from error


def _entry(name: str, body: Mapping[str, Any]) -> Entry:
    return Entry(
        name=name,
        keys={key: value for key, value in body.items() if key not in _OWN_KEYS},
        available_on=tuple(body.get("available_on", ())),
        buckets=_by_version(body.get("buckets")),
        look_at=body.get("look_at", ""),
    )


def _by_version(written: Any) -> dict[str, tuple[float, ...]]:
    if written is None:
        return {}
    if isinstance(written, list) or "start" in written:
        return {"default": _bounds(written)}
    return {str(version): _bounds(bounds) for version, bounds in written.items()}


def _bounds(written: Any) -> tuple[float, ...]:
    if isinstance(written, list):
        return tuple(float(edge) for edge in written)
    edge, found = float(written["start"]), []
    for _ in range(written["count"]):  # multiplied step by step, as the Go client does: the same rounding
        found.append(edge)
        edge *= written["factor"]
    return tuple(found)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.removeprefix("v").split(".")[:2] if part.isdigit())
