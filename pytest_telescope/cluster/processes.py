"""Processes by identity: pid and start time, found by the lease they carry in their environment."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LEASE = "TELESCOPE_LEASE"
ROLE = "TELESCOPE_ROLE"
"""What a process of a lease is: `terraform`, or else part of the cluster."""

_POLL = 0.01


@dataclass(frozen=True, slots=True)
class Identity:
    """One process for ever: a pid alone is used again.

    Attributes:
        start: boot and start time as the operating system tells them; equal only for the same process.
    """

    pid: int
    start: str

    def alive(self) -> bool:
        """Say whether this very process still runs; a zombie does not."""
        return start_of(self.pid) == self.start

    def signal(self, number: int) -> bool:
        """Send a signal unless the process is gone; say whether it was sent."""
        if not self.alive():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Marked:
    """A process that carries a lease in its environment."""

    identity: Identity
    name: str
    lease: str
    role: str


def identity_of(pid: int) -> Identity | None:
    """Return the identity of a living process, or None."""
    start = start_of(pid)
    return Identity(pid, start) if start else None


def own_identity() -> Identity:
    """Return the identity of this process."""
    return Identity(os.getpid(), start_of(os.getpid()) or "")


def start_of(pid: int) -> str | None:
    """Return when a process started, as a string to be compared only; None if there is none or it is a zombie."""
    if sys.platform == "linux":
        return _start_on_linux(pid)
    return _start_by_psutil(pid)


def _start_on_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    if fields[0] in {"Z", "X"}:
        return None
    return f"{_boot()}:{fields[19]}"


def _boot() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
    return "boot"


def _start_by_psutil(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"{process.create_time():.2f}"
    except psutil.Error:
        return None


def marked(lease: str | None = None) -> list[Marked]:
    """List the living processes that carry `lease` (or any lease), without this one and its ancestors."""
    family = _ancestry()
    found = []
    for pid, name, environment in _environments():
        owner = environment.get(LEASE)
        if owner is None or (lease is not None and owner != lease) or pid in family:
            continue
        if (identity := identity_of(pid)) is not None:
            found.append(Marked(identity, name, owner, environment.get(ROLE, "")))
    return found


def _ancestry() -> set[int]:
    import psutil

    family = {os.getpid()}
    with contextlib.suppress(psutil.Error):
        family.update(parent.pid for parent in psutil.Process().parents())
    return family


def _environments() -> Iterator[tuple[int, str, dict[str, str]]]:
    if sys.platform == "linux":
        yield from _environments_on_linux()
        return
    import psutil

    for process in psutil.process_iter(["name", "environ"]):
        if environment := process.info["environ"]:
            yield process.pid, process.info["name"] or "?", environment


def _environments_on_linux() -> Iterator[tuple[int, str, dict[str, str]]]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            raw = (folder / "environ").read_bytes()
            if LEASE.encode() not in raw:
                continue
            name = _name(folder)
        except OSError:
            continue
        yield int(folder.name), name, _parse(raw)


def _name(folder: Path) -> str:
    command = (folder / "cmdline").read_bytes().split(b"\0")
    if len(command) > 2 and command[1] == b"-m":
        return f"python -m {command[2].decode(errors='replace')}"
    return Path(command[0].decode(errors="replace")).name or (folder / "comm").read_text(encoding="utf-8").strip()


def _parse(raw: bytes) -> dict[str, str]:
    pairs = (entry.partition(b"=") for entry in raw.split(b"\0") if b"=" in entry)
    return {key.decode(errors="replace"): value.decode(errors="replace") for key, _, value in pairs}


def stop(processes: Iterable[Identity], grace: float = 0.5, limit: float = 5.0) -> list[Identity]:
    """End processes: SIGTERM, `grace` seconds, SIGKILL; return those alive `limit` seconds after that."""
    targets = [process for process in processes if process.signal(signal.SIGTERM)]
    stubborn = wait_gone(targets, grace)
    for process in stubborn:
        process.signal(signal.SIGKILL)
    return wait_gone(stubborn, limit)


def wait_gone(processes: list[Identity], seconds: float) -> list[Identity]:
    """Wait until none of `processes` lives, at most `seconds`; return those that do."""
    left = processes

    def gone() -> bool:
        nonlocal left
        left = [process for process in left if process.alive()]
        return not left

    wait_until(gone, seconds)
    return left


def wait_until(condition: Callable[[], bool], seconds: float, poll: float = _POLL) -> bool:
    """Ask `condition` until it holds or `seconds` have passed; say whether it held."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(poll)
    return True
