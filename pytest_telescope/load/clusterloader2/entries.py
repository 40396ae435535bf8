"""What a cell's `config:` stands for: one test config, or a suite of several, each a process of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_telescope.errors import UsageError
from pytest_telescope.load.clusterloader2.model import Entry
from pytest_telescope.load.namespaces import namespace_of
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterLoader2Spec

MAIN = "main"
PREFIX_LONGEST = 50
"""CL2 adds `-<number>` to make the names of its namespaces, which may have 63 characters."""
_HASH = 8


def spec_of(cell: Cell) -> ClusterLoader2Spec:
    """Return the cell's load.

    Raises:
        UsageError: it is not one of this engine.
    """
    if not isinstance(cell.load, ClusterLoader2Spec):
        raise UsageError(f"{cell.place}: cell {cell.id} has no clusterloader2 load")
    return cell.load


def entries_of(cell: Cell) -> tuple[Entry, ...]:
    """Return what CL2 is started with, in order.

    Raises:
        UsageError: a suite names a file that is not there, or an identifier twice; with file:line.
    """
    config = cell.folder / spec_of(cell).config
    suite = _suite(config)
    if suite is None:
        return (Entry(name=MAIN, config=config),)
    entries = tuple(_entry(scenario, number, config, cell.folder) for number, scenario in enumerate(suite, start=1))
    names = [entry.name for entry in entries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{config}: the identifier {twice[0]!r} is there twice; give each scenario its own")
    return entries


def prefix_of(cell: Cell, entry: Entry, number: int = 1) -> str:
    """Return the prefix of the namespaces of one entry: `telescope-<cell>`, with `-e<number>` after the first."""
    tail = "" if number == 1 else f"-e{number}"
    name = namespace_of(cell.id)
    room = PREFIX_LONGEST - len(tail)
    if len(name) > room:
        digest = hashlib.sha256(f"{cell.id} {entry.name}".encode()).hexdigest()[:_HASH]
        name = f"{name[: room - _HASH - 1].rstrip('-')}-{digest}"
    return name + tail


def _suite(config: Path) -> list[Any] | None:
    """Return the scenarios of a suite, None for a test config (a template, which is rarely YAML)."""
    text = config.read_text(encoding="utf-8", errors="replace")
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and line != "---" and not line.startswith("#")), "")
    if not first.startswith(("- ", "-\t")) and first != "-":
        return None
    import yaml

    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2026-99-99
        raise UsageError(f"{config}: a suite that is not YAML: {error}") from error
    return content if isinstance(content, list) else None


def _entry(scenario: Any, number: int, suite: Path, folder: Path) -> Entry:
    keys = {str(key).lower(): value for key, value in scenario.items()} if isinstance(scenario, dict) else {}
    path = keys.get("configpath")
    if not path:
        raise UsageError(f"{suite}: scenario {number} of the suite has no configPath")
    name = str(keys.get("identifier") or f"scenario-{number}")
    if "/" in name or name in {".", ".."}:
        raise UsageError(f"{suite}: the identifier {name!r} of scenario {number} cannot be the name of a folder")
    overrides = keys.get("overridepaths") or []
    if not isinstance(overrides, list):
        raise UsageError(f"{suite}: overridePaths of scenario {number} is not a list")
    return Entry(
        name=name,
        config=_found(str(path), suite, folder),
        overrides=tuple(_found(str(each), suite, folder) for each in overrides),
    )


def _found(path: str, suite: Path, folder: Path) -> Path:
    """Find a path of a suite: upstream means the working directory, here the suite's folder and those above it."""
    for base in _bases(suite, folder):
        if (base / path).is_file():
            return (base / path).resolve()
    raise UsageError(f"{suite}: no file {path!r} in the suite's folder or above it, up to {folder}")


def _bases(suite: Path, folder: Path) -> Iterator[Path]:
    yield suite.parent
    for parent in suite.parent.parents:
        if parent.is_relative_to(folder):
            yield parent
