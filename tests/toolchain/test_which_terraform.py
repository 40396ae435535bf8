"""Terraform comes from PATH where it is new enough, else OpenTofu takes its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_telescope import toolchain

Speaking = Callable[[str, str], Path]


@pytest.fixture
def speaking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Speaking:  # noqa: ARG001 - no overrides
    """Put a program on an otherwise empty PATH, which says that it has a version."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def make(name: str, version: str) -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho 'a warning'\necho '{json.dumps({'terraform_version': version})}'\n")
        path.chmod(0o755)
        return path

    return make


@pytest.mark.parametrize("version", ["1.4.0", "1.11.4", "2.0.0-beta1"])
def test_a_new_enough_terraform_on_path_is_used(version: str, speaking: Speaking) -> None:
    own = speaking("terraform", version)

    assert toolchain.tool("terraform") == own


@pytest.mark.parametrize("version", ["1.3.9", "0.15.5", "nonsense"])
def test_an_old_or_broken_terraform_gives_way_to_opentofu(version: str, speaking: Speaking) -> None:
    speaking("terraform", version)
    tofu = speaking("my-tofu", "1.12.6")
    toolchain.override("tofu", tofu)

    assert toolchain.tool("terraform") == tofu


def test_the_list_names_what_stands_in_for_terraform(speaking: Speaking) -> None:
    toolchain.override("tofu", speaking("my-tofu", "1.12.6"))

    info = next(info for info in toolchain.tools() if info.name == "terraform")

    assert info.version.startswith("OpenTofu")
    assert info.path is not None
    assert info.path.name == "my-tofu"
