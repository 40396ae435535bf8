"""The library of SLOs: `library/<file>.yaml`, each entry used as `<file>/<entry>`."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import SloSpec

FOLDER = Path(__file__).resolve().parent / "library"
_OWN_KEYS = frozenset({"available_on", "buckets", "look_at"})
_KEYS = (frozenset(SloSpec.model_fields) | _OWN_KEYS) - {"id", "use", "during"}
"""Keys of an entry; its name is the id, and which step of a load is meant only a scenario knows."""
_SCALARS: Mapping[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": {"true": True, "false": False}.__getitem__,
}
_NEEDED = ("description", "ref", "look_at", "job")


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
    """Read the whole library once.

    Raises:
        UsageError: a file of the library cannot be read, or an entry has a key that means nothing.
    """
    files = sorted(FOLDER.glob("*.yaml"))
    return {name: one for file in files for name, one in _file(file.stem).items()}


def entry(name: str) -> Entry:
    """Return an entry by `<file>/<entry>`; no other file is read.

    Raises:
        UsageError: there is none; the message suggests the nearest, or lists those of the file.
    """
    stem, _, last = name.partition("/")
    same = _file(stem)
    if name in same:
        return same[name]
    near = difflib.get_close_matches(last, [one.removeprefix(f"{stem}/") for one in same], 1)
    close = [f"{stem}/{one}" for one in near] if same else difflib.get_close_matches(name, entries(), 1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(same or sorted(entries()))}"
    raise UsageError(f"use: {name} is not in the library: {hint}")


@cache
def known_buckets(metric: str, version: str | None) -> tuple[float, ...]:
    """Return what the library knows of a histogram's bounds, empty when nothing."""
    files = [file for file in sorted(FOLDER.glob("*.yaml")) if metric in _text(file)]
    of_metric = (one for file in files for one in _file(file.stem).values() if metric in _histograms(one))
    return next((one.buckets_of(version) for one in of_metric if one.buckets), ())


def mistakes(entry: Entry) -> tuple[str, ...]:
    """Return what an entry of the library lacks to be of use to somebody on call, in words; empty when nothing.

    Needed are a description, a ref to the source or to the text of an SLO, a look_at and the job that is scraped;
    those on one line.
    """
    said = {**entry.keys, "look_at": entry.look_at}
    lacking = [f"{entry.name} has no {key}" for key in _NEEDED if not said.get(key)]
    return (*lacking, *(f"{entry.name}: {key} is not one line" for key in _NEEDED if "\n" in str(said.get(key, ""))))


def _histograms(entry: Entry) -> tuple[str, ...]:
    written = entry.keys.get("histogram", ())
    return (written,) if isinstance(written, str) else tuple(written)


@cache
def _file(stem: str) -> Mapping[str, Entry]:
    """Return the entries of one file; none where there is no such file."""
    file = FOLDER / f"{stem}.yaml"
    return {one.name: one for one in read(file)} if file.is_file() else {}


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def read(file: Path) -> list[Entry]:
    """Read one file of a library.

    Raises:
        UsageError: it cannot be read, a name is there twice, or an entry has a key that means nothing.
    """
    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a tenth of the time where libyaml is there
        document = _plain(yaml.compose(_text(file), Loader=loader))
        return [_entry(f"{file.stem}/{name}", body) for name, body in document.items()]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{file} is no library of SLOs: {error}") from error


def _plain(node: Any) -> Any:
    """Return what a YAML node says: in half the time of yaml's own constructor, which also takes a key twice.

    Raises:
        TypeError: a key is there twice, or a value is none that a library has (a date, a merge).
    """
    if node.id == "mapping":
        found = {key.value: _plain(value) for key, value in node.value}
        if len(found) < len(node.value):
            names = [key.value for key, _ in node.value]
            line = node.start_mark.line + 1
            raise TypeError(f"{max(names, key=names.count)} is there twice in the mapping that starts at line {line}")
        return found
    if node.id == "sequence":
        return [_plain(value) for value in node.value]
    kind = node.tag.rpartition(":")[2]
    if kind not in _SCALARS:
        raise TypeError(f"{node.value!r} at line {node.start_mark.line + 1} is a {kind}")
    return _SCALARS[kind](node.value)


def _entry(name: str, body: Mapping[str, Any]) -> Entry:
    if unknown := body.keys() - _KEYS:
        key = min(unknown)
        near = difflib.get_close_matches(key, _KEYS, 1)
        raise TypeError(f"{name} has the unknown key {key}: {f'did you mean {near[0]}?' if near else sorted(_KEYS)}")
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
