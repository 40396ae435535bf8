"""`--set name=value` and `--set path.to.key=value`: what a user changes for one run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.document import Node
from pytest_telescope.scenario.document import of_text
from pytest_telescope.scenario.merge import mapping
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.names import Scalar
from pytest_telescope.scenario.names import suggest
from pytest_telescope.scenario.problems import Problems
from pytest_telescope.scenario.written import SETTABLE


def paths(sets: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return those of `sets` that address a key by its path, sorted."""
    return tuple(sorted((key, text) for key, text in sets.items() if "." in key))


def values(sets: Mapping[str, str], row: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return the values of `row` with `sets` applied, each read as the type that it has in the row.

    Raises:
        UsageError: a name that the row does not have, or a text that is not of the value's type.
    """
    changed = dict(row)
    for name, text in sets.items():
        if "." in name:
            continue
        if name not in row:
            raise UsageError(f"--set {name}={text}: {suggest('value', name, tuple(row))}; or a path such as {_EXAMPLE}")
        changed[name] = _typed(name, text, row[name])
    return changed


def overlay(document: Node, path: str, text: str, problems: Problems) -> Node:
    """Return an overlay that sets the key at the dotted `path` of `document`."""
    place = Place(Path(f"--set {path}={text}"), 0)
    steps = path.split(".")
    if steps[0] not in SETTABLE or "" in steps:
        problems.add(place, "", f"{suggest('key', steps[0], SETTABLE)}; write e.g. {_EXAMPLE}")
        return Node({}, place)
    _require_named(document, steps, place, problems)
    node = of_text(text, place)
    for step in reversed(steps):
        node = Node({step: node}, place)
    return node


_EXAMPLE = "load.resource-consumer.rate=20/s"


def _require_named(document: Node, steps: list[str], place: Place, problems: Problems) -> None:
    depth = {"load": 1, "cluster": 2}.get(steps[0], 0)
    if not depth or len(steps) <= depth or (depth == 2 and steps[1] != "pools"):
        return
    kind = "pool" if depth == 2 else "key of load"
    known = mapping(document)
    for step in steps[:depth]:
        known = mapping(known.get(step))
    if steps[depth] not in known:
        problems.add(place, "", suggest(kind, steps[depth], tuple(known)))


def _typed(name: str, text: str, like: Scalar) -> Scalar:
    if isinstance(like, str):
        return text
    value = of_text(text, Place(Path("--set"), 0)).content
    if isinstance(like, bool) and isinstance(value, bool):
        return value
    if isinstance(like, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(like, int) and not isinstance(like, bool) and isinstance(value, int) and not isinstance(value, bool):
        return value
    kind = {bool: "true or false", int: "a whole number", float: "a number"}[type(like)]
    raise UsageError(f"--set {name}={text}: {text!r} is not {kind} as in the row ({like}); write e.g. {name}={like}")
