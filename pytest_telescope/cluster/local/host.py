"""The machine under a real node: whether it can carry one, what it has, and what it looked like before."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from pytest_telescope.cluster.local import cgroup
from pytest_telescope.cluster.local.host_state import compare
from pytest_telescope.cluster.local.host_state import mounts_below
from pytest_telescope.cluster.local.host_state import snapshot
from pytest_telescope.cluster.local.node_config import Capacity

__all__ = ["available_memory", "capacity", "compare", "default_limits", "mounts_below", "snapshot", "why_no_real_node"]

CAPABILITIES: Mapping[str, int] = {
    "CAP_CHOWN": 0,
    "CAP_DAC_OVERRIDE": 1,
    "CAP_FOWNER": 3,
    "CAP_KILL": 5,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
    "CAP_SETPCAP": 8,
    "CAP_NET_ADMIN": 12,
    "CAP_NET_RAW": 13,
    "CAP_SYS_CHROOT": 18,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
    "CAP_MKNOD": 27,
}
"""What namespaces, mounts, links and containers need; bit numbers of capabilities(7)."""
_WHOLE = "0 0 4294967295"


def why_no_real_node(
    proc: Path = Path("/proc"), *, system: str = sys.platform, trees: Sequence[cgroup.Hierarchy] | None = None
) -> str | None:
    """Return in one sentence why this machine cannot carry a real node and what would mend it, or None if it can."""
    if system != "linux":
        return f"a kubelet node needs Linux, this is {system}; use kwok nodes, or a Linux machine"
    if os.geteuid() != 0:
        return "a kubelet node needs root, this is another user; run as root (sudo -E)"
    return (
        _why_not_whole_root(proc)
        or _why_no_namespaces(proc)
        or _why_no_programs()
        or _why_no_cgroups(cgroup.hierarchies(proc / "self/mountinfo") if trees is None else trees)
    )


def _why_not_whole_root(proc: Path) -> str | None:
    if " ".join((proc / "self/uid_map").read_text(encoding="ascii").split()) != _WHOLE:
        return "root is only root of a user namespace here; run outside the rootless container"
    fields = (line.split(":\t") for line in (proc / "self/status").read_text(encoding="ascii").splitlines())
    held = next((int(pair[1], 16) for pair in fields if pair[0] == "CapEff"), 0)
    missing = [name for name, bit in CAPABILITIES.items() if not held >> bit & 1]
    if missing:
        return f"root lacks {', '.join(missing)} here; run outside the container, or give it --privileged"
    return None


def _why_no_namespaces(proc: Path) -> str | None:
    for kind in ("net", "mnt", "pid", "ipc", "uts"):
        limit = proc / "sys/user" / f"max_{kind}_namespaces"
        if not (proc / "self/ns" / kind).exists():
            return f"the kernel has no {kind} namespaces; a kernel with all namespaces is needed"
        if limit.exists() and limit.read_text(encoding="ascii").strip() == "0":
            name = f"user.max_{kind}_namespaces"
            return f"{name} is 0, so no {kind} namespace can be made; sysctl -w {name}=1000 allows them"
    return None


def _why_no_programs() -> str | None:
    folders = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")
    for name in ("mount", "umount"):
        if not any(os.access(f"{folder}/{name}", os.X_OK) for folder in folders):
            return f"kubelet calls {name}, which is not in {', '.join(folders)}; install util-linux"
    return None


def _why_no_cgroups(trees: Sequence[cgroup.Hierarchy]) -> str | None:
    offered = frozenset[str]().union(*(tree.controllers for tree in trees))
    missing = [name for name in cgroup.NEEDED if name not in offered]
    if missing:
        return f"no cgroup hierarchy offers {', '.join(missing)}; mount them below /sys/fs/cgroup, or boot with them on"
    for tree in trees:
        if not tree.writable or not os.access(tree.mount, os.W_OK):
            return f"{tree.mount} is mounted read-only; run outside the container, or give it --privileged"
        if tree.version == 2 and (reason := _why_not_handed_down(tree)):
            return reason
    return None


def _why_not_handed_down(tree: cgroup.Hierarchy) -> str | None:
    """A cgroup that is not the real root hands nothing down while it holds processes itself."""
    if not tree.controllers or not (tree.mount / "cgroup.type").exists():
        return None
    on = (tree.mount / "cgroup.subtree_control").read_text(encoding="ascii").split()
    missing = [name for name in cgroup.NEEDED if name not in on]
    if missing and (tree.mount / "cgroup.procs").read_text(encoding="ascii").strip():
        return (
            f"{tree.mount} holds processes itself, so it cannot hand down {', '.join(missing)}; "
            "move them into a child cgroup first, or share the host's cgroup namespace"
        )
    return None


def capacity(proc: Path = Path("/proc")) -> Capacity:
    """Return what kubelet takes for the machine's size."""
    return Capacity(cpus=os.cpu_count() or 1, memory=_meminfo(proc, "MemTotal"))


def default_limits(proc: Path = Path("/proc")) -> cgroup.Limits:
    """Return half the memory that is available now and all but one of the cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    return cgroup.Limits(cpu=max(cores - 1, 1), memory=available_memory(proc) // 2)


def available_memory(proc: Path = Path("/proc")) -> int:
    """Return the bytes that this process's machine, or the narrower cgroup it is in, has to give."""
    return min([_meminfo(proc, "MemAvailable"), *_room_in_own_cgroups(proc)])


def _meminfo(proc: Path, name: str) -> int:
    for line in (proc / "meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{proc / 'meminfo'} has no {name}")


def _room_in_own_cgroups(proc: Path) -> list[int]:
    names = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes"), 2: ("memory.max", "memory.current")}
    rooms = []
    for tree in cgroup.hierarchies(proc / "self/mountinfo"):
        if "memory" not in tree.controllers:
            continue
        own = Path(_own_cgroup(proc, tree))
        for path in (own, *own.parents):
            folder = tree.mount / str(path).lstrip("/")
            limit, used = (_number(folder / name) for name in names[tree.version])
            if limit is not None and used is not None:
                rooms.append(max(limit - used, 0))
    return rooms


def _own_cgroup(proc: Path, tree: cgroup.Hierarchy) -> str:
    for line in (proc / "self/cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        if (tree.version == 2 and not controllers) or (tree.version == 1 and "memory" in controllers.split(",")):
            return path
    return "/"


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
