"""The pinned Prometheus over a recording: the one place where every judgement is made."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.recording import blocks

START_TIMEOUT = 30.0
STOP_TIMEOUT = 10.0
POLL = 0.02
LISTENING = re.compile(r'msg="?Listening on"? .*?address="?127\.0\.0\.1:(\d+)')
FOREVER = "100y"


@contextmanager
def serve(recording: Recording) -> Iterator[Prometheus]:
    """Start the pinned Prometheus over a scratch copy of the recording's blocks; it ends with the context.

    Blocks are hard-linked where the file system allows, so the recording itself is never written to. Nothing is
    scraped, nothing expires, and only loopback is listened on, at a port that the system picks.

    Raises:
        MetricsError: the recording has no blocks, or Prometheus does not become ready (its last words are told).
        ToolError: Prometheus cannot be had.
    """
    found = blocks(recording.path)
    if not found:
        raise MetricsError(f"{recording.path} holds no Prometheus block: there is nothing to judge")
    with scratch_folder(recording.path) as scratch:
        for block in found:
            _link(block, scratch / "data" / block.name)
        with running(scratch, scrape_interval=recording.scrape_interval) as prom:
            yield prom


@contextmanager
def running(scratch: Path, *flags: str, scrape_interval: float) -> Iterator[Prometheus]:
    """Run the pinned Prometheus over `<scratch>/data` until the context ends; nothing is scraped, nothing expires.

    Raises:
        MetricsError: it does not become ready (its last words are told).
        ToolError: it cannot be had.
    """
    from pytest_telescope.toolchain import tool

    data = scratch / "data"
    with _process(tool("prometheus"), scratch, *flags) as (process, log):
        endpoint = Endpoint(url=_address(process, log), scrape_interval=scrape_interval, data=data)
        with Prometheus(endpoint) as prom:
            _await(process, log, prom.ready)
            yield prom


@contextmanager
def scratch_folder(recording: Path) -> Iterator[Path]:
    """Make a folder beside the recording (hard links need the same file system), else where temporary files go."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=".serving-", dir=recording.resolve().parent))
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="telescope-serving-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _link(source: Path, destination: Path) -> None:
    def link_or_copy(one: str, other: str) -> None:
        try:
            os.link(one, other)
        except OSError:
            shutil.copy2(one, other)

    shutil.copytree(source, destination, copy_function=link_or_copy)


@contextmanager
def _process(binary: Path, scratch: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    config = scratch / "prometheus.yml"
    config.write_text("global: {}\n", encoding="utf-8")
    log = scratch / "prometheus.log"
    command = [
        str(binary),
        f"--config.file={config}",
        f"--storage.tsdb.path={scratch / 'data'}",
        f"--storage.tsdb.retention.time={FOREVER}",
        "--web.listen-address=127.0.0.1:0",
        "--web.external-url=http://127.0.0.1/",
        *flags,
    ]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=scratch,
            start_new_session=True,  # a Ctrl-C of the terminal must not end it under our hands
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 - one system call, nothing is allocated in the child
        )
    try:
        yield process, log
    finally:
        _stop(process)


def _die_with_parent() -> Callable[[], None] | None:
    """Return what makes the child end when this process is killed; Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # loaded before the fork: nothing is imported in the child
    return lambda: prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_TIMEOUT)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the URL with the port that the system picked, which Prometheus writes to its log."""
    _await(process, log, lambda: LISTENING.search(_read(log)) is not None)
    match = LISTENING.search(_read(log))
    return f"http://127.0.0.1:{match[1] if match else 0}"


def _await(process: subprocess.Popen[bytes], log: Path, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not condition():
        if process.poll() is not None:
            raise MetricsError(f"the judging Prometheus ended with {process.returncode}: {_read(log)[-600:].strip()}")
        if time.monotonic() > deadline:
            raise MetricsError(
                f"the judging Prometheus was not ready in {START_TIMEOUT:g} s: {_read(log)[-600:].strip()}"
            )
        time.sleep(POLL)


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")
