"""tools.yaml and the pins say the same, and everything that decides a binary is in its key."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_telescope.toolchain import golang
from pytest_telescope.toolchain import recipes
from pytest_telescope.toolchain import store
from pytest_telescope.toolchain.recipes import Recipe

GO_TOOLS = [recipe for recipe in recipes.recipes().values() if recipe.source and recipe.recipe != "npm"]


def key(recipe: Recipe, *, go: str = "1.26.6", platform: str = "linux/x86_64", distribution: str = "debian 12") -> str:
    return store.key(recipe, go_version=go, platform=platform, distribution=distribution)


@pytest.mark.parametrize("recipe", GO_TOOLS, ids=lambda recipe: recipe.name)
def test_every_version_comes_from_a_go_mod(recipe: Recipe) -> None:
    assert recipe.version.startswith("v")


@pytest.mark.parametrize("recipe", GO_TOOLS, ids=lambda recipe: recipe.name)
def test_every_module_pins_by_hash(recipe: Recipe) -> None:
    sums = (recipe.module_folder / "go.sum").read_text()

    assert f"{recipe.source} {recipe.version} h1:" in sums


def test_kubernetes_is_told_its_version() -> None:
    recipe = recipes.recipe("kubelet")

    flags = recipe.fill(recipe.ldflags)

    major, minor = recipe.version.lstrip("v").split(".")[:2]
    assert f"gitVersion={recipe.version} " in flags
    assert f"gitMajor={major} " in flags
    assert flags.endswith(f"gitMinor={minor}")


def test_a_changed_sum_makes_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(recipes.folder() / "cni", tmp_path / "cni")
    monkeypatch.setattr(recipes, "folder", lambda: tmp_path)
    recipe = replace(recipes.recipe("loopback"))
    before = key(recipe)

    with (tmp_path / "cni" / "go.sum").open("a") as sums:
        sums.write("example.org/x v1.0.0 h1:AAAA=\n")

    assert key(recipe) != before


@pytest.mark.parametrize("change", [{"go": "1.27.0"}, {"platform": "linux/aarch64"}])
def test_another_compiler_or_platform_makes_another_key(change: dict[str, str]) -> None:
    recipe = recipes.recipe("loopback")

    assert key(recipe, **change) != key(recipe)


def test_other_flags_make_another_key() -> None:
    recipe = recipes.recipe("prometheus")

    assert key(replace(recipe, tags=("netgo",))) != key(recipe)


def test_only_what_links_the_distribution_depends_on_it() -> None:
    other = "debian 13"

    assert key(recipes.recipe("etcd"), distribution=other) == key(recipes.recipe("etcd"))
    assert key(recipes.recipe("runc"), distribution=other) != key(recipes.recipe("runc"))


def test_the_go_of_pypi_is_new_enough_for_the_pins() -> None:
    assert tuple(map(int, golang.pinned_version().split("."))) >= golang.needed()


def test_importing_the_room_is_cheap() -> None:
    heavy = {"yaml", "filelock", "platformdirs", "subprocess"}
    code = f"import sys, pytest_telescope.toolchain; print({heavy} & {{*sys.modules}})"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
