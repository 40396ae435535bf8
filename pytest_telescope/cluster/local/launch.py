"""Start the processes of a cluster, each on its own, and notice when one dies."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.cluster.local.components import Component
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.processes import LEASE
from pytest_telescope.cluster.processes import ROLE
from pytest_telescope.cluster.processes import start_of
from pytest_telescope.errors import ProvisionError

TAIL = 15
_BIND = ("address already in use", "only one usage of each socket address")


class PortTakenError(ProvisionError):
    """A component died because another process took its port; other ports may do."""


@dataclass(slots=True)
class Fleet:
    """The processes started for one cluster so far.

    Attributes:
        resolve: tool name -> path of its binary.
        deadline: `time.monotonic()` at which every wait gives up.
    """

    lease: str
    layout: Layout
    resolve: Callable[[str], Path]
    deadline: float
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, component: Component) -> None:
        """Start a component in its own session, with its own log, and write down who it is."""
        command = [self._program(component), *component.arguments]
        private_folder(self.layout.logs)
        with _appending(self.layout.log(component.name)) as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.layout.folder,
                env={**_environment(), LEASE: self.lease, ROLE: component.name},
                start_new_session=True,
            )
        self.running[component.name] = process
        self._record(component.name, process.pid)

    def _program(self, component: Component) -> str:
        return component.tool if Path(component.tool).is_absolute() else str(self.resolve(component.tool))

    def _record(self, name: str, pid: int) -> None:
        record = {"name": name, "pid": pid, "start": start_of(pid), "started": time.time()}
        write_private(private_folder(self.layout.processes) / f"{name}.json", json.dumps(record))

    def wait(self, what: str, condition: Callable[[], bool], poll: float = 0.02) -> None:
        """Wait until `condition` holds.

        Raises:
            PortTakenError: a component died because its port was taken.
            ProvisionError: a component died, or the deadline passed.
        """
        while not condition():
            self.check()
            if time.monotonic() > self.deadline:
                raise ProvisionError(f"{what} did not happen in time; logs: {self.layout.logs}")
            time.sleep(poll)

    def check(self) -> None:
        """Raise if a component is dead (errors as in `wait`)."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise _death(name, process.returncode, self.layout.log(name))


@contextlib.contextmanager
def _appending(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _environment() -> dict[str, str]:
    """Nothing of the caller's environment that could change what a component does."""
    kept = ("PATH", "HOME", "TMPDIR", "LANG", "TZ", "GOMAXPROCS")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _death(name: str, code: int, log: Path) -> ProvisionError:
    lines = tail(log)
    text = "\n".join(lines)
    kind = PortTakenError if any(phrase in text.lower() for phrase in _BIND) else ProvisionError
    return kind(f"{name} ended with code {code} while the cluster came up; last lines of {log}:\n{text}")


def tail(path: Path, lines: int = TAIL, limit: int = 16384) -> list[str]:
    """Return the last lines of a file, [] if it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - limit))
            return file.read().decode(errors="replace").splitlines()[-lines:]
    except OSError:
        return []
