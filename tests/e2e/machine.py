"""What a run could leave on the machine beyond its own folder. Listening sockets end with their processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from pytest_telescope.cluster import processes
from pytest_telescope.cluster.local import cgroup
from pytest_telescope.cluster.local import host

AS_THEY_WERE = ("links", "routes", "addresses", "rules", "cgroups", "sysctls")
SOON = 5.0
_LEASE = re.compile(r"(/\S*?)/leases/([0-9a-f]{8})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A look at the machine; another run may be at work on it meanwhile, and its things are not ours."""

    root: Path
    marked: frozenset[processes.Identity]
    cgroups: frozenset[Path]
    host: dict[str, Any]

    @classmethod
    def seen(cls, root: Path) -> Machine:
        """Look, for a run whose folders are all below `root`."""
        return cls(
            root=root,
            marked=frozenset(member.identity for member in processes.marked()),
            cgroups=frozenset(_cgroups()),
            host=host.snapshot(),
        )

    def left(self) -> list[str]:
        """List what was not there before, once it had a moment to go."""
        processes.wait_until(lambda: not self._left(), SOON, poll=0.1)
        return self._left()

    def _left(self) -> list[str]:
        now, foreign = Machine.seen(self.root), _foreign_leases(self.root)
        running = [
            f"process {member.identity.pid} {member.name} of lease {member.lease}"
            for member in processes.marked()
            if member.identity not in self.marked and member.lease not in foreign
        ]
        named = [f"process {one.pid} {' '.join(one.cmdline())[:80]}" for one in _naming(self.root)]
        groups = [f"cgroup {path}" for path in now.cgroups - self.cgroups if path.name not in foreign]
        mounts = [f"mount {point}" for point in now.host["mounts"] if point.startswith(str(self.root))]
        changed = [
            f"{what}: {self.host[what]} became {now.host[what]}"
            for what in AS_THEY_WERE
            if self.host[what] != now.host[what]
        ]
        return [*running, *named, *groups, *mounts, *changed]


def _cgroups() -> Iterator[Path]:
    for tree in cgroup.hierarchies():
        yield from (path for path in (tree.mount / cgroup.PARENT).glob("*") if path.is_dir())


def _foreign_leases(root: Path) -> set[str]:
    """Return the leases whose processes name a state folder that is not below `root`."""
    found = set()
    for process in psutil.process_iter(["cmdline"]):
        for folder, lease in _LEASE.findall(" ".join(process.info["cmdline"] or [])):
            if not Path(folder.rpartition("=")[2]).is_relative_to(root):
                found.add(lease)
    return found


def _naming(root: Path) -> Iterator[psutil.Process]:
    own = psutil.Process().pid
    for process in psutil.process_iter(["cmdline"]):
        if process.pid != own and f"{root}/" in " ".join(process.info["cmdline"] or []):
            yield process
