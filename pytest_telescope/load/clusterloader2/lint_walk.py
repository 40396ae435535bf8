"""Everything a config reaches: its modules, object templates and measurement calls; pure but for the reading."""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Literal
from typing import NamedTuple

from pytest_telescope.load.clusterloader2.source import Node
from pytest_telescope.load.clusterloader2.source import Source
from pytest_telescope.load.clusterloader2.source import read

Role = Literal["config", "module", "template"]
Pairs = tuple[tuple[Node, Node], ...]

GIVEN = frozenset({"Nodes", "ImageRegistry"})
"""Variables that CL2 always sets."""
_OF_OBJECTS = frozenset({"Name", "BaseName", "Index", "Namespace"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a measurement; an instance of a wrapper is a call of its own, its params over the wrapper's.

    Attributes:
        conditional: it, or the module that holds it, stands within an `{{if}}` or `{{range}}`.
        certain: its params are all there to read.
    """

    file: Path
    line: int
    method: Node | None
    identifier: Node | None
    params: Pairs
    conditional: bool
    certain: bool

    def named(self, name: str, *, any_case: bool = False) -> list[Node]:
        """Return the values of a param; several where branches repeat it."""
        wanted = name.lower() if any_case else name
        return [value for key, value in self.params if (key.text.lower() if any_case else key.text) == wanted]


class Unread(NamedTuple):
    """A path that was not followed: made by a template, or to a file that is not there."""

    file: Path
    line: int
    text: str
    missing: bool
    conditional: bool


@dataclass(slots=True)
class File:
    """One file that was reached.

    Attributes:
        sets: variables that those who use it set; None where that is not known.
        conditional: nobody uses it outside of an `{{if}}` or `{{range}}`.
    """

    source: Source
    role: Role
    sets: set[str] | None
    conditional: bool


@dataclass(slots=True)
class Reach:
    """What was reached, by path, in the order of reading; and what was not."""

    files: dict[Path, File] = field(default_factory=dict)
    unread: dict[tuple[Path, int], Unread] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Return whether nothing is hidden: every path is literal, every file was read, none is filled in whole."""
        sources = [file.source for file in self.files.values() if file.role != "template"]
        return not self.unread and all(source.root is not None and not source.tree.opaque for source in sources)

    def calls(self) -> Iterator[Call]:
        """Yield the measurement calls of the config and its modules."""
        for file in self.files.values():
            if file.role != "template" and file.source.root is not None:
                yield from _calls(file)


def walk(config: Path) -> Reach:
    """Follow a config.

    Raises:
        OSError: the config itself cannot be read.
    """
    reach = Reach()
    reach.files[config] = File(read(config), "config", set(), conditional=False)
    _steps(reach, config, reach.files[config])
    return reach


def _steps(reach: Reach, config: Path, file: File) -> None:
    source = file.source
    for step in source.root.entries("steps") if source.root else ():
        doubtful = file.conditional or step.line in source.conditional
        for module in step.fields("module"):
            sets = _names(module, "params", source)
            for path in module.fields("path"):
                _follow(reach, config, path, _Target(source, "module", sets, doubtful))
        for bundle in (bundle for phase in step.entries("phases") for bundle in phase.entries("objectBundle")):
            filled = _names(bundle, "templateFillMap", source)
            sets = None if filled is None else filled | _OF_OBJECTS
            unsure = doubtful or bundle.line in source.conditional
            for path in bundle.fields("objectTemplatePath"):
                _follow(reach, config, path, _Target(source, "template", sets, unsure))


class _Target(NamedTuple):
    source: Source
    role: Role
    sets: set[str] | None
    doubtful: bool


def _follow(reach: Reach, config: Path, path: Node, target: _Target) -> None:
    source, role, sets, doubtful = target
    there = Path(os.path.normpath(f"{config.parent}/{path.text}"))
    if known := reach.files.get(there):
        known.sets = None if known.sets is None or sets is None else known.sets | sets
        if known.conditional and not doubtful:
            known.conditional = False
            _steps(reach, config, known)
    elif path.templated or not there.is_file():
        unread = Unread(source.path, path.line, path.text, not path.templated, doubtful)
        reach.unread[source.path, path.line] = unread
    else:
        reach.files[there] = File(read(there), role, sets, doubtful)
        if role == "module":
            _steps(reach, config, reach.files[there])


def _names(node: Node, field_name: str, source: Source) -> set[str] | None:
    """Return the names that a map sets; None where they are not all there to read."""
    found: set[str] = set()
    for value in node.fields(field_name):
        if value.templated or any(key.templated for key, _ in value.pairs) or source.tree.opaque:
            return None
        found.update(key.text for key, _ in value.pairs)
    return found


def _calls(file: File) -> Iterator[Call]:
    source = file.source
    assert source.root is not None
    for step in source.root.entries("steps"):
        for measurement in step.entries("measurements"):
            doubtful = file.conditional or not source.conditional.isdisjoint((step.line, measurement.line))
            yield from _calls_of(source, measurement, doubtful)


def _calls_of(source: Source, measurement: Node, doubtful: bool) -> Iterator[Call]:
    method = next(measurement.fields("method"), None)
    instances = list(measurement.entries("instances"))
    for one in instances or [measurement]:
        shared = _params(measurement) if instances else ()
        own = _params(one)
        names = {key.text for key, _ in own}
        params = (*own, *((key, value) for key, value in shared if key.text not in names))
        yield Call(
            file=source.path,
            line=one.line,
            method=method,
            identifier=next(one.fields("identifier"), None),
            params=params,
            conditional=doubtful or one.line in source.conditional,
            certain=not source.tree.opaque and not any(key.templated for key, _ in params),
        )


def _params(node: Node) -> Pairs:
    return tuple(pair for value in node.fields("params") for pair in value.pairs)
