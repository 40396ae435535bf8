"""What is wrong with a CL2 config that CL2 would not say, or only once the cluster is built; pure over files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path

from pytest_telescope.load.clusterloader2.lint_measurements import wrong_calls
from pytest_telescope.load.clusterloader2.lint_objects import may_make_pods
from pytest_telescope.load.clusterloader2.lint_objects import unreadable
from pytest_telescope.load.clusterloader2.lint_schema import unknown_keys
from pytest_telescope.load.clusterloader2.lint_thresholds import dead_thresholds
from pytest_telescope.load.clusterloader2.lint_variables import lint_variables
from pytest_telescope.load.clusterloader2.lint_walk import File
from pytest_telescope.load.clusterloader2.lint_walk import Reach
from pytest_telescope.load.clusterloader2.lint_walk import Unread
from pytest_telescope.load.clusterloader2.lint_walk import walk
from pytest_telescope.load.clusterloader2.model import Hint
from pytest_telescope.load.clusterloader2.source import Node
from pytest_telescope.load.clusterloader2.source import Source
from pytest_telescope.load.clusterloader2.source import is_suite
from pytest_telescope.load.clusterloader2.source import read
from pytest_telescope.scenario.names import Scalar


def lint(config: Path, overrides: Mapping[str, Scalar], environment: Mapping[str, str]) -> tuple[Hint, ...]:
    """Return what is wrong with a config and all that it reaches, or with a suite itself, by file and line.

    Args:
        config: a test config or a suite; the configs of a suite are linted one by one, each with its own overrides.
        overrides: all that CL2 will get, the last one where several set the same.
        environment: of this process, which CL2 will not get.

    Raises:
        OSError: the config cannot be read.
    """
    hints = _lint_suite(read(config)) if is_suite(config) else _lint_config(walk(config), overrides, environment)
    return tuple(sorted(dict.fromkeys(hints), key=lambda hint: (hint.file != config, str(hint.file), hint.line)))


def makes_pods(config: Path) -> bool:
    """Return whether a config may make pods; False only where everything it reaches is literal and makes none.

    Raises:
        OSError: the config cannot be read.
    """
    return may_make_pods(walk(config))


def _lint_config(reach: Reach, overrides: Mapping[str, Scalar], environment: Mapping[str, str]) -> Iterator[Hint]:
    for file in reach.files.values():
        yield from _lint_file(file)
    for unread in reach.unread.values():
        yield from _missing(unread)
    calls = list(reach.calls())
    for call in calls:
        yield from wrong_calls(call)
    yield from dead_thresholds(calls, whole=reach.whole)
    yield from lint_variables(reach, overrides, environment)


def _lint_file(file: File) -> Iterator[Hint]:
    source = file.source
    if file.role == "template":
        yield from unreadable(source.path)
        return
    if source.root is None:
        text = f"not checked: it cannot be read without rendering it ({source.tree.problem})"
        yield Hint(level="warning", file=source.path, line=source.tree.line, text=text)
        return
    yield from unknown_keys(source, file.role)
    yield from _name(source, source.root) if file.role == "config" else ()


def _name(source: Source, root: Node) -> Iterator[Hint]:
    for node in root.fields("name"):
        if "_" in node.text and not node.templated:
            text = f"name {node.text}: the _ breaks the names of summary files apart: write - instead"
            yield Hint(level="warning", file=source.path, line=node.line, text=text)


def _missing(unread: Unread) -> Iterator[Hint]:
    if unread.missing:
        text = f"{unread.text} is not there; CL2 looks for it in the folder of the config"
        yield Hint(level="warning" if unread.conditional else "error", file=unread.file, line=unread.line, text=text)


def _lint_suite(suite: Source) -> Iterator[Hint]:
    yield from unknown_keys(suite, "suite")
    items = suite.root.items if suite.root else ()
    names = [(node.text, node.line) for item in items for node in item.fields("identifier")]
    often = Counter(name for name, _ in names)
    for name, line in names:
        if "_" in name:
            text = f"identifier {name}: CL2 refuses a suite with a _ in an identifier: write - instead"
            yield Hint(level="error", file=suite.path, line=line, text=text)
        if often[name] > 1:
            text = f"identifier {name} is there {often[name]} times: the files of one overwrite those of the other"
            yield Hint(level="warning", file=suite.path, line=line, text=text)
