"""The user's own binaries win, and what cannot be one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_telescope import toolchain
from pytest_telescope.errors import UsageError


def executable(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.usefixtures("cache")
def test_a_binary_named_by_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = executable(tmp_path / "own")
    monkeypatch.setenv("TELESCOPE_TOOL_KUBE_APISERVER", str(own))

    found = toolchain.tool("kube-apiserver")

    assert found == own


@pytest.mark.usefixtures("cache")
def test_a_binary_named_by_option_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELESCOPE_TOOL_ETCD", str(executable(tmp_path / "environment")))
    option = executable(tmp_path / "option")

    toolchain.override("etcd", option)

    assert toolchain.tool("etcd") == option


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", ["terraform", "tofu"])
def test_either_terraform_can_be_overridden(name: str, tmp_path: Path) -> None:
    own = executable(tmp_path / name)

    toolchain.override(name, own)

    assert toolchain.tool(name) == own


@pytest.mark.usefixtures("cache")
def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--tool: etcd is .*/nothing, which is not a file"):
        toolchain.override("etcd", tmp_path / "nothing")


@pytest.mark.usefixtures("cache")
def test_a_file_that_is_not_executable_is_refused_with_the_command_that_mends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    monkeypatch.setenv("TELESCOPE_TOOL_ETCD", str(plain))

    with pytest.raises(UsageError, match=f"TELESCOPE_TOOL_ETCD: .* not executable; run chmod \\+x {plain}"):
        toolchain.tool("etcd")


@pytest.mark.usefixtures("cache")
def test_a_folder_tool_wants_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"stress is .* not a folder"):
        toolchain.override("stress", executable(tmp_path / "stress"))


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(("asked", "meant"), [("kube-api-server", "kube-apiserver"), ("teraform", "terraform")])
def test_an_unknown_name_suggests_the_nearest(asked: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"unknown tool '{asked}': did you mean .*{meant}"):
        toolchain.tool(asked)


@pytest.mark.usefixtures("cache")
def test_an_unknown_name_in_an_override_suggests_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean etcd"):
        toolchain.override("etdc", executable(tmp_path / "etcd"))
