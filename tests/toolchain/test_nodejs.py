"""Node.js is the machine's where it is new enough, else PyPI's; npm packages come by their lock, all or none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_telescope import paths
from pytest_telescope import toolchain
from pytest_telescope.errors import ToolError
from pytest_telescope.errors import UsageError
from pytest_telescope.toolchain import nodejs
from pytest_telescope.toolchain import recipes
from pytest_telescope.toolchain import registry

LOCK = paths.modules() / "report" / "package-lock.json"
NPM = """\
#!/bin/sh
case "$1" in
  --version) echo {version};;
  *) {line};;
esac
"""


def script(path: Path, line: str = "exit 0", version: str = "v24.0.0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(NPM.format(version=version, line=line))
    path.chmod(0o755)
    return path


def node_that(folder: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make npm, which that Node.js would run, a line of shell."""
    (folder / nodejs.CLI).parent.mkdir(parents=True)
    (folder / nodejs.CLI).write_text("")
    monkeypatch.setenv("TELESCOPE_TOOL_NODE", str(script(folder / "bin" / "node", line)))
    nodejs.version_of.cache_clear()


def test_the_lock_names_no_host_and_has_a_hash_for_every_package() -> None:
    packages = json.loads(LOCK.read_text())["packages"]

    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [
        name for name, entry in packages.items() if name and not entry.get("integrity", "").startswith("sha512-")
    ] == []
    assert "registry" not in LOCK.read_text()


def test_the_pinned_allure_is_the_one_that_package_json_asks_for() -> None:
    asked = json.loads((paths.modules() / "report" / "package.json").read_text())["dependencies"]["allure"]

    assert recipes.recipe("allure").version == asked


def test_the_node_of_pypi_is_new_enough() -> None:
    assert tuple(map(int, nodejs.WHEEL.version.split("."))) >= nodejs.NEEDED
    assert "--hash=sha256:" in nodejs.WHEEL.requirements.read_text()


@pytest.mark.usefixtures("cache")
def test_a_node_on_path_that_is_new_enough_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = script(tmp_path / "bin" / "node")
    monkeypatch.setenv("PATH", str(own.parent))

    assert nodejs.find() == own


@pytest.mark.usefixtures("cache")
def test_a_node_that_is_too_old_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "bin" / "node", version="v20.20.2")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    assert nodejs.find() is None


@pytest.mark.usefixtures("cache")
def test_the_users_own_node_wins_whatever_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = script(tmp_path / "own", version="v20.0.0")
    monkeypatch.setenv("TELESCOPE_TOOL_NODE", str(own))

    assert nodejs.find() == own


@pytest.mark.usefixtures("cache")
def test_an_own_node_that_is_not_there_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELESCOPE_TOOL_NODE", str(tmp_path / "nothing"))

    with pytest.raises(UsageError, match=r"TELESCOPE_TOOL_NODE: node is .*nothing, which is not a file"):
        toolchain.tool("allure")


@pytest.mark.usefixtures("cache")
def test_allure_is_listed_but_built_only_when_it_is_asked_for() -> None:
    state = next(info.state for info in toolchain.tools() if info.name == "allure")

    assert state == "missing"
    assert "allure" not in registry.for_tests()


@pytest.mark.usefixtures("cache")
def test_what_npm_installs_appears_whole_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = tmp_path / "calls"
    node_that(tmp_path / "node", f'echo "$*" >>{calls}; mkdir -p node_modules/allure', monkeypatch)

    first = toolchain.tool("allure")
    second = toolchain.tool("allure")

    assert first == second
    assert (first / "node_modules" / "allure").is_dir()
    assert (first / "package-lock.json").read_bytes() == LOCK.read_bytes()
    assert calls.read_text().splitlines() == [
        f"{tmp_path}/node/{nodejs.CLI} ci --ignore-scripts --no-audit --no-fund --omit=dev --omit=optional "
        "--no-update-notifier"
    ]


def test_an_install_that_fails_leaves_nothing_and_says_what_npm_said(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node_that(tmp_path / "node", 'mkdir half; echo "npm error code E404"; exit 1', monkeypatch)

    with pytest.raises(ToolError) as caught:
        toolchain.tool("allure")

    message = str(caught.value)
    assert message.startswith("allure cannot be installed by npm (exit code 1)")
    assert "npm error code E404" in message
    assert "The npm registry did not serve what is needed" in message
    assert "TELESCOPE_TOOL_ALLURE=PATH" in message
    assert [path for path in cache.glob("toolchain/allure/*") if path.suffix != ".log"] == []


@pytest.mark.usefixtures("cache")
def test_an_install_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_telescope.toolchain.npm.SECONDS", 0.3)
    node_that(tmp_path / "node", f"echo $$ >{tmp_path}/pid; exec sleep 300", monkeypatch)

    with pytest.raises(ToolError, match=r"cannot be installed by npm: still running after 0 s"):
        toolchain.tool("allure")

    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


@pytest.mark.usefixtures("cache")
def test_two_processes_install_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = tmp_path / "calls"
    node_that(tmp_path / "node", f"echo x >>{calls}; sleep 1; mkdir node_modules", monkeypatch)
    command = [sys.executable, "-m", "pytest_telescope.toolchain", "allure"]

    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) for _ in range(2)]
    found = {child.communicate(timeout=60)[0].strip() for child in children}

    assert calls.read_text().split() == ["x"]
    assert len(found) == 1
    assert re.search(r"/toolchain/allure/\w+/allure$", found.pop())


@pytest.mark.usefixtures("cache")
def test_a_changed_lock_is_another_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_telescope.toolchain import store

    recipe = recipes.recipe("allure")
    before = store.key(recipe, go_version="", platform="linux/x86_64", distribution="")
    monkeypatch.setattr(paths, "modules", lambda: tmp_path)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "package.json").write_bytes((LOCK.parent / "package.json").read_bytes())
    (tmp_path / "report" / "package-lock.json").write_bytes(LOCK.read_bytes() + b"\n")

    after = store.key(recipe, go_version="", platform="linux/x86_64", distribution="")

    assert after != before
