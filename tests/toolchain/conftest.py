"""A cache of its own for each test, and a Go whose calls can be watched, held up or broken."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope import toolchain
from pytest_telescope.toolchain import fetch
from pytest_telescope.toolchain import golang

SCRIPT = """\
import sys
from pytest_telescope import toolchain
for path in toolchain.ensure(sys.argv[1:], lambda line: print(line, flush=True)).values():
    print("PATH", path, flush=True)
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder, no overrides."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("TELESCOPE_CACHE_DIR", str(folder))
    for name in [name for name in os.environ if name.startswith("TELESCOPE_TOOL_")]:
        monkeypatch.delenv(name)
    toolchain.forget()
    yield folder
    toolchain.forget()


@pytest.fixture(scope="session")
def real_go() -> Path:
    """The Go that builds here."""
    return golang.find().path or fetch.go(lambda _seconds: None)


@pytest.fixture
def go_that(tmp_path: Path, real_go: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Make `go build` run a line of shell first; return the file in which its calls are counted."""

    def make(line: str) -> Path:
        calls = tmp_path / "calls"
        script = tmp_path / "go"
        build = f'if [ "$1" = build ]; then echo $$ >>{calls}; {line}; fi'
        script.write_text(f'#!/bin/sh\n{build}\nexec {real_go} "$@"\n')
        script.chmod(0o755)
        monkeypatch.setenv("TELESCOPE_TOOL_GO", str(script))
        golang.version_of.cache_clear()
        return calls

    return make


@pytest.fixture
def session() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start other processes that ask for tools; they end with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*names: str) -> subprocess.Popen[str]:
        child = subprocess.Popen([sys.executable, "-c", SCRIPT, *names], stdout=subprocess.PIPE, text=True)
        started.append(child)
        return child

    yield start
    for child in started:
        if child.poll() is None:
            child.kill()
        child.communicate(timeout=10)
