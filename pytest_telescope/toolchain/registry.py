"""Names of tools to paths: the user's own, the cached, or freshly built ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_telescope.errors import ToolError
from pytest_telescope.toolchain import build
from pytest_telescope.toolchain import overrides
from pytest_telescope.toolchain import recipes
from pytest_telescope.toolchain import store
from pytest_telescope.toolchain import terraform

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolInfo:
    """What is known of one tool without building it."""

    name: str
    version: str
    state: Literal["built", "override", "path", "missing", "unsupported"]
    path: Path | None


def tool(name: str) -> Path:
    """Return the path of a tool, building it if it is neither overridden nor cached.

    `terraform` is the one on PATH (>= 1.4) or the pinned OpenTofu; `stress` is a folder (a small root tree).

    Raises:
        UsageError: There is no such tool, or its override cannot be run.
        ToolError: It cannot be built; the message says the ways out.
    """
    return ensure([name])[name]


def ensure(names: Iterable[str], progress: Progress | None = None) -> dict[str, Path]:
    """Return the paths of the tools `names`, building what is missing; `progress` gets a line now and then.

    One that cannot be built does not keep the others from being built.

    Raises:
        UsageError: There is no such tool, or an override cannot be run; nothing was built.
        ToolError: Some cannot be built; the message says which, why, and the ways out.
    """
    wrong: list[str] = []
    say = progress or _silent
    found = {name: ready(name) for name in dict.fromkeys(names)}
    missing = [name for name, path in found.items() if path is None]
    started = time.monotonic()
    for number, name in enumerate(missing, start=1):
        recipe = recipes.recipe(_pinned(name))
        so_far = span(time.monotonic() - started)
        left = f"{len(missing) - number} more after it, {so_far} so far"
        say(f"[{number}/{len(missing)}] building {recipe.name} {recipe.version}, {left}")
        try:
            found[name] = _build(recipe, _Numbered(say=say, prefix=f"[{number}/{len(missing)}]"))
        except ToolError as error:
            wrong.append(str(error))
    if wrong:
        raise ToolError("\n".join(wrong))
    return {name: path for name, path in found.items() if path is not None}


def ready(name: str) -> Path | None:
    """Return the path of a tool that needs no building, or None.

    Raises:
        UsageError: There is no such tool, or its override cannot be run.
    """
    if name == "terraform":
        return terraform.find() or ready("tofu")
    recipe = recipes.recipe(name)
    return overrides.overridden(name) or store.built(recipe, build.slot(recipe))


def tools() -> list[ToolInfo]:
    """Return every pinned tool and Terraform with its version, state and path; builds nothing."""
    return [*(_info(recipe) for recipe in recipes.recipes().values()), _terraform()]


def for_tests() -> list[str]:
    """Return the tools that runs and the test suite need on this machine; what is optional is built on demand."""
    wanted = [recipe for recipe in recipes.recipes().values() if recipe.supported and not recipe.optional]
    return [*(recipe.name for recipe in wanted), "terraform"]


def span(seconds: float) -> str:
    """Return a duration for people: `42 s`, `3 min 05 s`."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbered:
    say: Progress
    prefix: str

    def __call__(self, line: str) -> None:
        self.say(f"{self.prefix} {line}")


def _build(recipe: recipes.Recipe, say: Progress) -> Path:
    begun = time.monotonic()
    path = build.build(recipe, say)
    say(f"{recipe.name} is ready after {span(time.monotonic() - begun)}")
    return path


def _silent(line: str) -> None:
    """Say nothing."""


def _pinned(name: str) -> str:
    return "tofu" if name == "terraform" else name


def _info(recipe: recipes.Recipe) -> ToolInfo:
    if own := overrides.overridden(recipe.name):
        return ToolInfo(name=recipe.name, version="own", state="override", path=own)
    place = build.slot(recipe)
    path = store.built(recipe, place)
    about = store.read_about(place)
    version = about.version if path and about else recipe.version
    state: Literal["missing", "unsupported"] = "missing" if recipe.supported else "unsupported"
    return ToolInfo(name=recipe.name, version=version, state="built" if path else state, path=path)


def _terraform() -> ToolInfo:
    if own := overrides.overridden("terraform"):
        return ToolInfo(name="terraform", version="own", state="override", path=own)
    found = terraform.find()
    if found:
        return ToolInfo(name="terraform", version=version_text(found), state="path", path=found)
    tofu = ready("tofu")
    version = f"OpenTofu {recipes.recipe('tofu').version}"
    return ToolInfo(name="terraform", version=version, state="built" if tofu else "missing", path=tofu)


def version_text(path: Path) -> str:
    """Return the version of a Terraform as text."""
    return ".".join(map(str, terraform.version_of(path))) or "unknown"
