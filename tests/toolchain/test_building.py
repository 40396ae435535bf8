"""Tools are built once, whole or not at all, and a failure says the way out."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pytest_telescope import toolchain
from pytest_telescope.errors import ToolError
from pytest_telescope.errors import UsageError
from pytest_telescope.toolchain import command
from pytest_telescope.toolchain import process

GoThat = Callable[[str], Path]
Session = Callable[..., subprocess.Popen[str]]

WRITE_HALF = 'echo half >"$(echo "$*" | sed "s/.*-o \\([^ ]*\\).*/\\1/")"'
"""Shell that writes something to the file after -o."""


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not so after {seconds} s"
        time.sleep(0.02)


def state(name: str) -> str:
    return next(info.state for info in toolchain.tools() if info.name == name)


def staged(cache: Path) -> list[Path]:
    return list(cache.glob("toolchain/*/.building-*"))


@pytest.mark.usefixtures("cache")
def test_a_missing_tool_is_built_once_and_then_found(go_that: GoThat) -> None:
    calls = go_that(":")

    first = toolchain.tool("loopback")
    second = toolchain.tool("loopback")

    assert first == second
    assert len(calls.read_text().split()) == 1
    assert "CNI loopback plugin v" in subprocess.run([first], capture_output=True, text=True, check=False).stderr


@pytest.mark.usefixtures("cache")
def test_progress_says_what_is_built_how_many_are_left_and_how_long_it_took(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    toolchain.override("etcd", own)
    lines: list[str] = []

    toolchain.ensure(["loopback", "etcd", "ptp"], lines.append)

    assert [re.sub(r"\d+ s", "N s", re.sub(r"v\S+", "V", line)) for line in lines] == [
        "[1/2] building loopback V 1 more after it, N s so far",
        "[1/2] loopback is ready after N s",
        "[2/2] building ptp V 0 more after it, N s so far",
        "[2/2] ptp is ready after N s",
    ]


@pytest.mark.usefixtures("cache")
def test_a_long_build_gives_a_sign_of_life(go_that: GoThat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "BEAT_SECONDS", 0.2)
    go_that("sleep 0.5")
    lines: list[str] = []

    toolchain.ensure(["loopback"], lines.append)

    assert any(line.startswith("[1/1] loopback: still at it after") for line in lines)


@pytest.mark.usefixtures("cache")
def test_two_processes_that_want_the_same_tool_build_it_once(go_that: GoThat, session: Session) -> None:
    calls = go_that("sleep 1")

    outputs = [child.communicate(timeout=60)[0] for child in [session("loopback"), session("loopback")]]

    assert len(calls.read_text().split()) == 1
    assert len({line for output in outputs for line in output.splitlines() if line.startswith("PATH")}) == 1
    assert sum("another process builds it, waiting" in output for output in outputs) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_an_interrupted_build_leaves_nothing_half_made(
    number: signal.Signals, cache: Path, go_that: GoThat, session: Session
) -> None:
    calls = go_that(f"{WRITE_HALF}; exec sleep 300")
    child = session("loopback")
    until(lambda: bool(list(cache.glob("toolchain/loopback/.b*/made/loopback"))))

    child.send_signal(number)
    child.wait(timeout=10)

    builder = int(calls.read_text())
    until(lambda: not psutil.pid_exists(builder) or psutil.Process(builder).status() == psutil.STATUS_ZOMBIE)
    assert state("loopback") == "missing"
    go_that(":")
    assert os.access(toolchain.tool("loopback"), os.X_OK)
    assert staged(cache) == []


@pytest.mark.usefixtures("cache")
def test_a_truncated_binary_is_built_again() -> None:
    path = toolchain.tool("loopback")
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])

    again = toolchain.tool("loopback")

    assert again == path
    assert again.read_bytes() == whole


def test_a_compiler_error_is_shown_with_its_log_and_the_way_out(cache: Path, go_that: GoThat) -> None:
    go_that('echo "x.go:1:1: syntax error: unexpected name"; exit 2')

    with pytest.raises(ToolError) as caught:
        toolchain.tool("loopback")

    message = str(caught.value)
    assert message.startswith("loopback cannot be built (exit code 2)")
    assert "syntax error: unexpected name" in message
    assert "--tool loopback=PATH or TELESCOPE_TOOL_LOOPBACK=PATH" in message
    log = re.search(r"whole output: (\S+)", message)
    assert log
    assert Path(log[1]).is_relative_to(cache)
    assert "syntax error" in Path(log[1]).read_text()


@pytest.mark.usefixtures("cache")
def test_a_refusing_proxy_is_named_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", "https://user:secret@127.0.0.1:9")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    monkeypatch.setenv("GOFLAGS", "-modcacherw")

    with pytest.raises(ToolError) as caught:
        toolchain.tool("loopback")

    assert "GOPROXY=https://***@127.0.0.1:9" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.usefixtures("cache")
def test_without_a_c_compiler_the_error_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")

    with pytest.raises(ToolError, match=r"pause needs a C compiler, .*apt-get install gcc"):
        toolchain.tool("pause")


@pytest.mark.usefixtures("cache")
def test_without_apt_the_error_names_the_override(
    tmp_path: Path, real_go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELESCOPE_TOOL_GO", str(real_go))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolError, match=r"busybox-static, and this machine has no apt: .*TELESCOPE_TOOL_BUSYBOX=PATH"):
        toolchain.tool("busybox")


@pytest.mark.usefixtures("cache")
def test_nothing_is_built_when_one_name_is_wrong(go_that: GoThat) -> None:
    calls = go_that(":")

    with pytest.raises(UsageError, match="did you mean ptp"):
        toolchain.ensure(["loopback", "ptpp"])

    assert not calls.exists()


@pytest.mark.usefixtures("cache")
def test_the_list_shows_every_tool_with_its_state() -> None:
    toolchain.tool("loopback")
    stream = io.StringIO()

    code = command.list_tools(stream)

    lines = {line.split()[0]: line for line in stream.getvalue().splitlines() if line and line[0].isalpha()}
    assert code == 0
    assert re.search(r"v\S+ +built +\S+/loopback$", lines["loopback"])
    assert lines["etcd"].endswith("missing")
    assert "terraform" in lines


@pytest.mark.usefixtures("cache")
def test_build_reports_progress_and_a_sum() -> None:
    stream = io.StringIO()

    code = command.build_tools(["loopback"], stream)

    assert code == 0
    assert re.search(r"^1 tools are ready \(3 MB, \d+ s\)$", stream.getvalue(), re.MULTILINE)
