"""Binaries that the user names instead of the pinned ones: by `--tool name=path` or `TELESCOPE_TOOL_<NAME>`."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_telescope.errors import UsageError
from pytest_telescope.toolchain.recipes import recipe

SPECIAL = ("go", "node", "terraform")
"""Programs that are taken from PATH where they are good enough; they can be overridden like tools."""

_given: dict[str, Path] = {}


def variable(name: str) -> str:
    """Return the environment variable that overrides `name`."""
    return f"TELESCOPE_TOOL_{name.upper().replace('-', '_')}"


def override(name: str, path: str | os.PathLike[str]) -> None:
    """Use `path` for the tool `name` for the rest of this process (the option `--tool name=path`).

    Raises:
        UsageError: There is no such tool, or `path` cannot be run.
    """
    _given[name] = _checked(name, Path(path), "--tool")


def overridden(name: str) -> Path | None:
    """Return the user's own binary for `name`, or None; the option is stronger than the environment.

    Raises:
        UsageError: What the environment names cannot be run.
    """
    if name in _given:
        return _given[name]
    value = os.environ.get(variable(name))
    return _checked(name, Path(value), variable(name)) if value else None


def forget() -> None:
    """Drop every override given by option; tests and embedding programs use it."""
    _given.clear()


def way_out(name: str) -> str:
    """Return the sentence that tells how to use another binary for `name`."""
    return f"give your own with --tool {name}=PATH or {variable(name)}=PATH"


def _checked(name: str, path: Path, origin: str) -> Path:
    wants_folder = name not in SPECIAL and recipe(name).folder
    path = path.expanduser().absolute()
    if wants_folder and not path.is_dir():
        raise UsageError(f"{origin}: {name} is {path}, which is not a folder; the tool {name} is a folder tree")
    if not wants_folder and not path.is_file():
        raise UsageError(f"{origin}: {name} is {path}, which is not a file; give the path of the binary")
    if not os.access(path, os.X_OK):
        raise UsageError(f"{origin}: {name} is {path}, which is not executable; run chmod +x {path}")
    return path
