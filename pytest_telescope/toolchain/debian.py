"""Files out of Debian packages, without installing anything: a private apt state, then `dpkg -x`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path

from pytest_telescope.errors import ToolError
from pytest_telescope.toolchain import overrides
from pytest_telescope.toolchain.recipes import Recipe

Step = Callable[[Sequence[str], Path, str], None]
"""Runs a command in a folder, or raises a ToolError that begins with the given sentence."""


def distribution() -> str:
    """Return which distribution this machine runs, as `id version`."""
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    facts = dict(line.split("=", 1) for line in lines if "=" in line)
    return f"{facts.get('ID', '')} {facts.get('VERSION_ID', '')}".replace('"', "").strip()


def unpack(recipe: Recipe, work: Path, step: Step) -> Path:
    """Fetch the packages of `recipe` with apt's own verification and unpack them below `work`.

    Raises:
        ToolError: There is no apt here, or it could not fetch a package.
    """
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise ToolError(
            f"{recipe.name} comes from the Debian packages {', '.join(recipe.debian)}, and this machine has no apt: "
            f"{_alternative(recipe)}"
        )
    apt = ["apt-get", "-o", "APT::Sandbox::User=root", *_private(work / "apt")]
    step([*apt, "update", "-qq"], work, "apt-get could not read the package lists")
    step([*apt, "download", "-qq", *recipe.debian], work, f"apt-get could not fetch {', '.join(recipe.debian)}")
    tree = work / "tree"
    for package in sorted(work.glob("*.deb")):
        step(["dpkg", "-x", str(package), str(tree)], work, f"dpkg could not unpack {package.name}")
    return tree


def make(recipe: Recipe, work: Path, output: Path, step: Step) -> None:
    """Put what `recipe` takes from its packages at `output`: one file, or a root tree.

    Raises:
        ToolError: See `unpack`; or the packages do not hold what is wanted.
    """
    tree = unpack(recipe, work, step)
    found = [path for pattern in recipe.take for path in sorted(_both_roots(tree, pattern))]
    if not found:
        raise ToolError(
            f"{', '.join(recipe.debian)} hold none of {', '.join(recipe.take)}; {overrides.way_out(recipe.name)}"
        )
    if not recipe.folder:
        _copy(tree, found[0], output)
    for path in found if recipe.folder else ():
        _copy(tree, path, output / _without_usr(path.relative_to(tree)))


def _private(folder: Path) -> list[str]:
    lists, cache = folder / "lists", folder / "cache"
    (lists / "partial").mkdir(parents=True)
    (cache / "archives" / "partial").mkdir(parents=True)
    return ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}"]


def _both_roots(tree: Path, pattern: str) -> list[Path]:
    # Newer releases ship in /usr what older ones ship in /.
    return [*tree.glob(pattern), *(() if pattern.startswith("usr/") else tree.glob(f"usr/{pattern}"))]


def _without_usr(path: Path) -> Path:
    # The loader is asked for by its path in /lib*, where merged systems have a link that the tree has not.
    return path.relative_to("usr") if path.parts[0] == "usr" and path.parts[1].startswith("lib") else path


def _copy(tree: Path, path: Path, target: Path) -> None:
    source = path
    while source.is_symlink():  # absolute links mean the tree, not this machine
        link = source.readlink()
        source = tree / link.relative_to("/") if link.is_absolute() else source.parent / link
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    target.chmod(0o755)


def _alternative(recipe: Recipe) -> str:
    if recipe.libraries:
        return (
            f"install the development package of lib{next(iter(recipe.libraries))}, or {overrides.way_out(recipe.name)}"
        )
    return overrides.way_out(recipe.name)
