"""Install the npm packages of a lock file into the cache: no scripts of theirs run, every hash is checked."""

from __future__ import annotations

import shutil
from pathlib import Path

from pytest_telescope.errors import ToolError
from pytest_telescope.toolchain import debian
from pytest_telescope.toolchain import nodejs
from pytest_telescope.toolchain import process
from pytest_telescope.toolchain.recipes import Recipe

OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--omit=optional", "--no-update-notifier")
"""Nothing is run that a package brings, and nobody is told what is installed."""
SECONDS = 600.0
"""Fifty megabytes take seconds; what takes this long hangs."""


def make(recipe: Recipe, node: Path, output: Path, step: debian.Step, beat: process.Beat) -> None:
    """Make `output` a folder with the `node_modules` that the pins of `recipe` name.

    Raises:
        ToolError: There is no npm, or it could not install them.
    """
    output.mkdir()
    for name in recipe.pins:
        shutil.copy(recipe.module_folder / name, output / name)
    command = nodejs.npm_of(node) or nodejs.npm_of(nodejs.fetch(beat))
    if command is None:
        raise ToolError(
            f"{recipe.name} is installed by npm, and {node} came without: name another by TELESCOPE_TOOL_NODE"
        )
    step([*command, "ci", *OPTIONS], output, f"{recipe.name} cannot be installed by npm")
