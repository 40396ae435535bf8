"""Run one build step: output to a log, a sign of life while it runs, nothing left running when it is interrupted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

Beat = Callable[[float], None]
"""Called with the seconds that a step has run, every `BEAT_SECONDS`."""

BEAT_SECONDS = 15.0
DEADLINE_SECONDS = 3600.0


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    beat: Beat,
    seconds: float = DEADLINE_SECONDS,
) -> int:
    """Run `command` to its end and return its exit code; its output is appended to `log`.

    Raises:
        TimeoutError: It ran longer than `seconds`; it was killed.
    """
    with log.open("ab") as sink:
        sink.write(f"+ {' '.join(command)}\n".encode())
        sink.flush()
        child = subprocess.Popen(
            _tied(command),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return _wait(child, beat, seconds)
        finally:
            _end(child)


def tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log, indented."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


def _tied(command: Sequence[str]) -> list[str]:
    # A build must not outlive a killed harness: Linux can send the signal that nobody is left to send.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", *command] if setpriv else list(command)


def _wait(child: subprocess.Popen[bytes], beat: Beat, seconds: float) -> int:
    started = time.monotonic()
    while (ran := time.monotonic() - started) < seconds:
        try:
            return child.wait(timeout=min(BEAT_SECONDS, seconds - ran))
        except subprocess.TimeoutExpired:
            beat(time.monotonic() - started)
    raise TimeoutError(f"still running after {seconds:.0f} s")


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
