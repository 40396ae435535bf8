"""What `modules/toolchain/tools.yaml` says about each tool, as data."""

from __future__ import annotations

import difflib
import json
import re
import sys
from dataclasses import dataclass
from dataclasses import field
from functools import lru_cache
from pathlib import Path
from typing import Any
from typing import Literal

from pytest_telescope import paths
from pytest_telescope.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one tool is made; see the head of tools.yaml for the meaning of each field."""

    name: str
    recipe: Literal["go", "c", "debian", "npm"]
    module: str = ""
    source: str = ""
    package: str = ""
    file: str = ""
    tags: tuple[str, ...] = ()
    ldflags: str = ""
    cflags: str = ""
    cgo: bool = False
    libraries: dict[str, str] = field(default_factory=dict)
    """C library -> header that proves it is there."""
    debian: tuple[str, ...] = ()
    take: tuple[str, ...] = ()
    folder: bool = False
    os: tuple[str, ...] = ()
    optional: bool = False
    """Whether a run does without it: it is built when it is asked for, and not by `telescope tools build`."""

    @property
    def module_folder(self) -> Path:
        """The folder with the files that pin this tool."""
        return paths.modules() / self.module if self.recipe == "npm" else folder() / self.module

    @property
    def pins(self) -> tuple[str, ...]:
        """The names of the files that pin this tool, in `module_folder`."""
        if self.recipe == "npm":
            return ("package.json", "package-lock.json")
        return ("go.mod", "go.sum") if self.module else ()

    @property
    def supported(self) -> bool:
        """Whether the tool can be built on this operating system."""
        return not self.os or sys.platform in self.os

    @property
    def uses_debian(self) -> bool:
        """Whether what is made depends on this machine's distribution."""
        return bool(self.debian) or self.recipe == "c"

    @property
    def version(self) -> str:
        """The pinned version of `source`, or the distribution for tools that come from its packages."""
        if self.recipe == "npm":
            return _locked(self.module_folder / "package-lock.json", self.source)
        return _pins(self.module_folder / "go.mod")[self.source] if self.source else "distribution"

    def fill(self, text: str) -> str:
        """Replace {version}, {major} and {minor} in build flags."""
        major, minor = ([*re.findall(r"\d+", self.version), "0", "0"])[:2]
        return text.format(version=self.version, major=major, minor=minor)


def folder() -> Path:
    """Return the folder that holds the pins of all tools."""
    return paths.modules() / "toolchain"


@lru_cache
def recipes() -> dict[str, Recipe]:
    """Return the recipe of every tool, by name, in the order of tools.yaml."""
    import yaml  # lazy: collection imports this module

    data: dict[str, Any] = yaml.safe_load((folder() / "tools.yaml").read_text(encoding="utf-8"))
    return {name: _recipe(name, data["defaults"] | entry) for name, entry in data["tools"].items()}


def recipe(name: str) -> Recipe:
    """Return the recipe of `name`.

    Raises:
        UsageError: There is no such tool; the nearest names are suggested.
    """
    known = recipes()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, [*known, "terraform"], n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
    raise UsageError(f"unknown tool {name!r}: {hint}")


def _recipe(name: str, entry: dict[str, Any]) -> Recipe:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Recipe(name=name, **fields)


@lru_cache
def _pins(go_mod: Path) -> dict[str, str]:
    required = re.findall(r"^(?:require)?\s+(\S+)\s+(v\S+)", go_mod.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(required)


@lru_cache
def _locked(lock: Path, package: str) -> str:
    version: str = json.loads(lock.read_text(encoding="utf-8"))["packages"][f"node_modules/{package}"]["version"]
    return version
