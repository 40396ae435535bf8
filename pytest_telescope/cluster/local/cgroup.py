"""The cgroup subtree of a lease: made with hard limits, found, killed and removed by its path alone.

Every mounted hierarchy gets `/telescope/<lease id>`, on cgroup v1, v2 and hybrid machines alike, because kubelet takes
one path for all of them. All functions take the hierarchies, so that a folder can stand for a cgroup file system.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PARENT = "telescope"
DAEMONS = ("containerd", "kubelet", "node_exporter")
NEEDED = ("cpu", "memory", "pids")
PERIOD = 100_000
"""Microseconds of one CPU quota period; the kernel's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """One mounted cgroup tree; `controllers` of version 2 are those its root offers."""

    mount: Path
    version: int
    controllers: frozenset[str]
    writable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Hard limits of the subtree: cores, bytes, processes and threads."""

    cpu: float
    memory: int
    pids: int = 16_384


def path(lease_id: str) -> str:
    """Return the subtree's path as kubelet's `cgroupRoot` and /proc/<pid>/cgroup spell it."""
    return f"/{PARENT}/{lease_id}"


def hierarchies(mountinfo: Path = Path("/proc/self/mountinfo")) -> tuple[Hierarchy, ...]:
    """Read the mounted cgroup hierarchies, each once even when it is mounted at several places."""
    found: dict[str, Hierarchy] = {}
    for line in mountinfo.read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            fields = left.split()
            found.setdefault(fields[2], _hierarchy(Path(fields[4]), kind, fields[5], options))
    return tuple(found.values())


def _hierarchy(mount: Path, kind: str, flags: str, options: str) -> Hierarchy:
    writable = "rw" in flags.split(",")
    if kind == "cgroup2":
        offered = _read(mount / "cgroup.controllers").split()
        return Hierarchy(mount=mount, version=2, controllers=frozenset(offered), writable=writable)
    names = options.partition(" ")[2] or options
    known = frozenset(names.split(",")) - {"rw", "ro", "xattr", "clone_children", "noprefix"}
    return Hierarchy(mount=mount, version=1, controllers=known, writable=writable)


def version(trees: Sequence[Hierarchy]) -> int:
    """Return 2 when the unified hierarchy carries the controllers a node needs, else 1."""
    return 2 if any(tree.version == 2 and set(NEEDED) <= tree.controllers for tree in trees) else 1


def create(lease_id: str, limits: Limits, trees: Sequence[Hierarchy]) -> None:
    """Make the lease's subtree in every hierarchy and set its limits.

    Raises:
        OSError: the kernel refused a folder or a limit; what was made stays for `remove`.
    """
    for tree in trees:
        make = _create_v2 if tree.version == 2 else _create_v1
        make(tree, tree.mount / PARENT / lease_id, limits)
        for daemon in DAEMONS:
            (tree.mount / PARENT / lease_id / daemon).mkdir(exist_ok=True)
            _fill_cpuset(tree, tree.mount / PARENT / lease_id / daemon)


def _create_v1(tree: Hierarchy, folder: Path, limits: Limits) -> None:
    folder.parent.mkdir(exist_ok=True)
    _fill_cpuset(tree, folder.parent)
    folder.mkdir(exist_ok=True)
    _fill_cpuset(tree, folder)
    if "cpu" in tree.controllers:
        (folder / "cpu.cfs_period_us").write_text(str(PERIOD))
        (folder / "cpu.cfs_quota_us").write_text(str(round(limits.cpu * PERIOD)))
    if "memory" in tree.controllers:
        (folder / "memory.limit_in_bytes").write_text(str(limits.memory))
        _write_if_there(folder / "memory.memsw.limit_in_bytes", str(limits.memory))
    if "pids" in tree.controllers:
        (folder / "pids.max").write_text(str(limits.pids))


def _fill_cpuset(tree: Hierarchy, folder: Path) -> None:
    """Copy the parent's CPUs and memory nodes: an empty v1 cpuset takes no process."""
    if tree.version != 1 or "cpuset" not in tree.controllers:
        return
    for name in ("cpuset.cpus", "cpuset.mems"):
        if not _read(folder / name).strip():
            (folder / name).write_text(_read(folder.parent / name).strip())


def _create_v2(tree: Hierarchy, folder: Path, limits: Limits) -> None:
    _enable(tree, tree.mount)
    folder.parent.mkdir(exist_ok=True)
    _enable(tree, folder.parent)
    folder.mkdir(exist_ok=True)
    if "cpu" in tree.controllers:
        (folder / "cpu.max").write_text(f"{round(limits.cpu * PERIOD)} {PERIOD}")
    if "memory" in tree.controllers:
        (folder / "memory.max").write_text(str(limits.memory))
        _write_if_there(folder / "memory.swap.max", "0")
    if "pids" in tree.controllers:
        (folder / "pids.max").write_text(str(limits.pids))
    _enable(tree, folder)


def _enable(tree: Hierarchy, folder: Path) -> None:
    """Hand the offered controllers down to the children of `folder`; only those a node needs must succeed."""
    switch = folder / "cgroup.subtree_control"
    missing = tree.controllers - set(_read(switch).split())
    for name in sorted(missing):
        try:
            switch.write_text(f"+{name}")
        except OSError:
            if name in NEEDED:
                raise


def join(lease_id: str, daemon: str, trees: Sequence[Hierarchy]) -> None:
    """Move the calling process into the daemon's cgroup in every hierarchy."""
    for tree in trees:
        (tree.mount / PARENT / lease_id / daemon / "cgroup.procs").write_text("0")


def lift_cpu(lease_id: str, trees: Sequence[Hierarchy]) -> None:
    """Take the CPU limit off, because a subtree that is out of quota ends slowly."""
    for tree in trees:
        if "cpu" in tree.controllers:
            name, free = ("cpu.max", "max") if tree.version == 2 else ("cpu.cfs_quota_us", "-1")
            _write_if_there(tree.mount / PARENT / lease_id / name, free)


def processes(lease_id: str, trees: Sequence[Hierarchy]) -> set[int]:
    """Return the ids of all processes in the subtree, as the caller's PID namespace numbers them."""
    return {
        int(line)
        for folder in _folders(lease_id, trees)
        for line in _read(folder / "cgroup.procs").split()
        if line != "0"  # a process of a PID namespace that the caller cannot see
    }


def kill(
    lease_id: str,
    trees: Sequence[Hierarchy],
    *,
    timeout: float = 5.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> set[int]:
    """Kill every process of the subtree and wait until it is empty; return what survived `timeout` seconds."""
    deadline = clock() + timeout
    while (alive := processes(lease_id, trees) - {os.getpid()}) and clock() < deadline:
        _kill_once(lease_id, trees, alive)
        sleep(0.02)
    return alive


def _kill_once(lease_id: str, trees: Sequence[Hierarchy], alive: set[int]) -> None:
    with _frozen(lease_id, trees):
        for pid in alive | (processes(lease_id, trees) - {os.getpid()}):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    for tree in trees:
        if tree.version == 2:
            _write_if_there(tree.mount / PARENT / lease_id / "cgroup.kill", "1")


@contextlib.contextmanager
def _frozen(lease_id: str, trees: Sequence[Hierarchy]) -> Iterator[None]:
    """Hold the v1 subtree still, so that nothing forks between listing and killing."""
    switches = [t.mount / PARENT / lease_id / "freezer.state" for t in trees if "freezer" in t.controllers]
    for switch in switches:
        _write_if_there(switch, "FROZEN")
    try:
        yield
    finally:
        for switch in switches:
            _write_if_there(switch, "THAWED")


def remove(
    lease_id: str,
    trees: Sequence[Hierarchy],
    *,
    timeout: float = 3.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Path]:
    """Remove the subtree's folders, leaves first; return the roots that are still there after `timeout` seconds."""
    deadline = clock() + timeout
    while True:
        for folder in sorted(_folders(lease_id, trees), key=lambda path: len(path.parts), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()
        left = roots(lease_id, trees)
        if not left or clock() >= deadline:
            break
        sleep(0.05)
    for tree in trees:
        with contextlib.suppress(OSError):  # other leases may still have theirs below it
            (tree.mount / PARENT).rmdir()
    return left


def roots(lease_id: str, trees: Sequence[Hierarchy]) -> list[Path]:
    """Return the lease's top folder of each hierarchy where it exists."""
    return [folder for tree in trees if (folder := tree.mount / PARENT / lease_id).is_dir()]


def _folders(lease_id: str, trees: Sequence[Hierarchy]) -> list[Path]:
    return [Path(at) for root in roots(lease_id, trees) for at, _, _ in os.walk(root)]


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _write_if_there(file: Path, text: str) -> None:
    with contextlib.suppress(OSError):
        if file.exists():
            file.write_text(text)
