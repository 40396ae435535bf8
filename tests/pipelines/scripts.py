"""A script step as the Bash task runs it: its output read line by line, its signals, its end.

Cancelling, as in azure-pipelines-agent (ProcessInvoker) and azure-pipelines-tasks (BashV3, CmdLineV2): the agent sends
SIGINT to the task, which sends SIGTERM to the shell it started and to nothing else; when `PROCESS_SIGINT_TIMEOUT` is
over, the process tree is killed.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Seconds: until a step is timed out, from the first signal to the kill, and for output after the end."""

    step: float
    interrupt: float
    output: float = 10.0


@dataclass(frozen=True, kw_only=True)
class Script:
    """What is run where."""

    file: Path
    folder: Path
    environment: Mapping[str, str]
    signal: signal.Signals = signal.SIGTERM
    """What the shell gets first: SIGTERM by the tasks of today."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a script ended; `killed` where it did not end by itself after the first signal."""

    code: int
    stopped: bool
    killed: bool


def run(script: Script, patience: Patience, hear: Callable[[str], None], cancelled: threading.Event) -> Ended:
    """Run a script to its end, or until it is cancelled or over its time."""
    process = subprocess.Popen(
        ["bash", str(script.file)],
        cwd=script.folder,
        env=dict(script.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    reader = threading.Thread(target=_read, args=(process, hear), daemon=True)
    reader.start()
    with _no_survivor(process):
        stopped = not _ends(process, patience.step, cancelled)
        killed = stopped and not _stopped(process, script.signal, patience.interrupt)
        if killed:
            _kill_tree(process.pid)
        code = process.wait(timeout=30)
        reader.join(timeout=patience.output)  # an orphan that keeps the pipe open is not waited for, as in the task
    return Ended(code=code, stopped=stopped, killed=killed)


def _read(process: subprocess.Popen[str], hear: Callable[[str], None]) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            hear(line.rstrip("\n"))


def _ends(process: subprocess.Popen[str], seconds: float, cancelled: threading.Event) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not cancelled.is_set():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
            return True
    return False


def _stopped(process: subprocess.Popen[str], first: signal.Signals, seconds: float) -> bool:
    process.send_signal(first)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill_tree(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for one in [*root.children(recursive=True), root]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


@contextlib.contextmanager
def _no_survivor(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leave no process behind where the test itself is interrupted."""
    try:
        yield
    finally:
        if process.poll() is None:
            _kill_tree(process.pid)
