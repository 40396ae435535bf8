"""Imports go the data's way, and only the edges know pytest."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "pytest_telescope"
ORDER = [
    "errors",
    "paths",
    "toolchain",
    "scenario",
    "metrics",
    "cluster",
    "load",
    "slo",
    "statistics",
    "report",
    "trend",
    "compare",
    "cells",
]
ABOVE = len(ORDER)
PYTEST_ALLOWED = {
    "plugin.py",
    "fixtures.py",
    "cells.py",
    "scheduling.py",
    "options.py",
    "benchmark.py",
    "closing.py",
    "terminal.py",
    "sharding.py",
    "arms.py",
    "report/allure_results.py",
    "report/outcomes.py",
}
FILES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> int:
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return ORDER.index(name) if name in ORDER else ABOVE


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_a_room_imports_only_rooms_before_it(file: Path) -> None:
    own = room(file)

    names = [
        name.split(".")[1] for name in imported(ast.parse(file.read_text())) if name.startswith("pytest_telescope.")
    ]

    late = [name for name in names if name in ORDER and ORDER.index(name) > own]
    assert not late, f"{file.relative_to(PACKAGE)} imports {late}, which come after it"


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_only_the_edges_import_pytest(file: Path) -> None:
    relative = str(file.relative_to(PACKAGE))

    names = {name.split(".")[0] for name in imported(ast.parse(file.read_text()))}

    assert relative in PYTEST_ALLOWED or not names & {"pytest", "_pytest", "xdist"}
