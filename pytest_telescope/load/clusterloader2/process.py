"""One CL2 process: started, followed line by line, bounded, and gone when this returns.

When the harness itself is killed, the kernel ends CL2 (Linux). Elsewhere the pipe breaks, so CL2's next line of log
ends it, which may be minutes later; its mark (the lease) lets `telescope reap` find it before that.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pytest_telescope.errors import LoadError
from pytest_telescope.load.clusterloader2.tied import tied

TICK = 0.25
KILL_WITHIN = 10.0
TAIL = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended.

    Attributes:
        code: exit code; negative: the signal that ended it.
        timed_out: it was ended because its time was over.
        cpu: seconds of CPU it used, user and system.
        memory: bytes of its largest resident set, as seen a few times a second; 0 if it ended before it was looked at.
        tail: its last lines.
    """

    code: int
    timed_out: bool
    seconds: float
    cpu: float
    memory: int
    tail: tuple[str, ...]


def run(
    command: list[str],
    *,
    environment: Mapping[str, str],
    cwd: Path,
    log: Path,
    timeout: float,
    on_line: Callable[[str], None],
    on_tick: Callable[[], None] = lambda: None,
) -> Ended:
    """Run `command` to its end, at most `timeout` seconds; what ends this call ends the process and its children too.

    Args:
        command: the program and its arguments.
        environment: all that it sees.
        cwd: where it runs, and where it writes what it has no flag for.
        log: where its log is kept.
        timeout: seconds.
        on_line: told every line of its log, in another thread.
        on_tick: called a few times a second.

    Raises:
        LoadError: it cannot be started, or its log cannot be followed to its end.
    """
    cwd.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    process = _start(command, environment, cwd)
    assert process.stderr is not None
    follower, waiter = Follower(process.stderr, log, on_line), Waiter(process)
    try:
        timed_out = not _wait(waiter, started + timeout, on_tick)
    finally:
        waiter.kill()
        follower.join()
    if follower.error is not None:
        raise LoadError(f"the log of {command[0]} cannot be followed: {follower.error}") from follower.error
    return Ended(
        code=waiter.code,
        timed_out=timed_out,
        seconds=time.monotonic() - started,
        cpu=waiter.cpu,
        memory=waiter.memory,
        tail=tuple(follower.tail),
    )


def _start(command: list[str], environment: Mapping[str, str], cwd: Path) -> subprocess.Popen[bytes]:
    if not (Path(command[0]).is_file() and os.access(command[0], os.X_OK)):
        raise LoadError(f"{command[0]} cannot be started: there is no such program")
    try:
        return subprocess.Popen(
            tied(command),
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise LoadError(f"{command[0]} cannot be started: {error}") from error


def _wait(waiter: Waiter, deadline: float, on_tick: Callable[[], None]) -> bool:
    """Wait for the end; say whether it came in time."""
    while not waiter.ended.wait(max(min(TICK, deadline - time.monotonic()), 0.0)):
        if time.monotonic() >= deadline:
            return False
        waiter.look()
        on_tick()
    return True


class Waiter:
    """Waits for one child in a thread of its own, which alone learns what that child used."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.ended = threading.Event()
        self.code = 0
        self.cpu = 0.0
        self.memory = 0
        threading.Thread(target=self._run, name="clusterloader2-wait", daemon=True).start()

    def _run(self) -> None:
        self._see_children_gone()
        _, status, usage = os.wait4(self._process.pid, 0)
        self.code = self._process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime
        if sys.platform == "darwin":
            self.memory = usage.ru_maxrss
        self.ended.set()

    def look(self) -> None:
        """Note its largest resident set so far; `ru_maxrss` of Linux begins with that of the harness at the fork."""
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii", errors="replace")
            if found := re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE):
                self.memory = max(self.memory, int(found[1]) * 1024)

    def _see_children_gone(self) -> None:
        """Wait for the end, then end what it started (`Exec`): its group, a number nobody else has until `wait4`."""
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """See the process gone. CL2 handles no signal, so a gentler one would end it just as suddenly.

        Raises:
            LoadError: it does not go.
        """
        if self.ended.is_set():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)
        if not self.ended.wait(KILL_WITHIN):
            raise LoadError(f"clusterloader2 (pid {self._process.pid}) does not end after SIGKILL")


class Follower:
    """Reads a log to its end in a thread of its own: into a file, and line by line to a listener."""

    def __init__(self, stream: IO[bytes], log: Path, on_line: Callable[[str], None]) -> None:
        self._stream, self._log, self._on_line = stream, log, on_line
        self.tail: deque[str] = deque(maxlen=TAIL)
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="clusterloader2-log", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait until the log has ended."""
        self._thread.join(timeout=KILL_WITHIN)

    def _run(self) -> None:
        """Follow the log; where that fails the pipe breaks, and with it the process."""
        try:
            with self._stream, self._log.open("wb") as file:
                for raw in self._stream:
                    file.write(raw)
                    file.flush()
                    self._take(raw)
        except Exception as error:  # of the listener, or of the disk: told by `run`
            self.error = error

    def _take(self, raw: bytes) -> None:
        line = raw.decode(errors="replace").rstrip("\r\n")
        self.tail.append(line)
        self._on_line(line)
