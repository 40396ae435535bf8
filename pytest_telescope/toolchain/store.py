"""The cache of built tools: one folder a tool and content, appearing whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_telescope import paths
from pytest_telescope.errors import ToolError
from pytest_telescope.toolchain.recipes import Recipe

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK_SECONDS = 3600.0
_STAGING = ".building-"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is written beside a built tool."""

    version: str
    bytes: int
    seconds: float


def root() -> Path:
    """Return the folder of all built tools."""
    return paths.cache() / "toolchain"


def key(recipe: Recipe, *, go_version: str, platform: str, distribution: str) -> str:
    """Return the hash of everything that decides what the built tool is."""
    digest = hashlib.sha256()
    for name in recipe.pins:
        digest.update((recipe.module_folder / name).read_bytes())
    compiler = go_version if recipe.recipe == "go" else ""
    made = {name: value for name, value in asdict(recipe).items() if name != "optional"}  # says when, not what
    digest.update(json.dumps([made, compiler, platform, distribution if recipe.uses_debian else ""]).encode())
    return digest.hexdigest()[:20]


def slot(recipe: Recipe, key: str) -> Path:
    """Return the folder in which the built tool stands or will stand."""
    return root() / recipe.name / key


def built(recipe: Recipe, slot: Path) -> Path | None:
    """Return the tool in `slot`, or None if it is absent or not what was built."""
    path = slot / recipe.name
    about = read_about(slot)
    if about is None or not os.access(path, os.X_OK):
        return None
    return path if size(path) == about.bytes else None


def read_about(slot: Path) -> About | None:
    """Return what was written beside a built tool."""
    try:
        return About(**json.loads((slot / "about.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    if path.is_file():
        return path.stat().st_size
    files = (os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)  # noqa: PTH118 - thousands
    return sum(os.stat(file).st_size for file in files if os.path.isfile(file))  # noqa: PTH113, PTH116 - likewise


@contextmanager
def lock(module: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a module's builds; `waiting` is called once if another process or xdist worker has it.

    Raises:
        ToolError: Another process held it for `LOCK_SECONDS`.
    """
    from filelock import FileLock  # lazy: collection imports this module
    from filelock import Timeout

    folder = root() / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    guard = FileLock(folder / f"{module}.lock")
    try:
        guard.acquire(timeout=0)
    except Timeout:
        waiting()
        _acquire(guard, module)
    try:
        yield
    finally:
        guard.release()


@contextmanager
def staging(slot: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `slot`; call under the lock, for what killed builds left is removed first."""
    slot.parent.mkdir(parents=True, exist_ok=True)
    for stale in slot.parent.glob(f"{_STAGING}*"):
        shutil.rmtree(stale, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_STAGING}{os.getpid()}-", dir=slot.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(made: Path, slot: Path, about: About) -> None:
    """Make the folder `made` the `slot`, at once and durably."""
    (made / "about.json").write_text(json.dumps(asdict(about)), encoding="utf-8")
    made.chmod(0o755)
    for entry in made.rglob("*"):
        if entry.is_file():
            _sync(entry)
    if slot.exists():  # not what was built there: see `built`
        shutil.rmtree(slot)
    made.replace(slot)
    _sync(slot.parent)


def _acquire(guard: BaseFileLock, module: str) -> None:
    from filelock import Timeout

    try:
        guard.acquire(timeout=LOCK_SECONDS)
    except Timeout as error:
        raise ToolError(
            f"another process has been building {module} for over {LOCK_SECONDS:.0f} s and holds {guard.lock_file}; "
            "end it, or wait and try again"
        ) from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
