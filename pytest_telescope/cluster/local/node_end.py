"""The end of a node: stop it, remove what it used, and say what is left, from the lease id alone if need be."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from pathlib import Path

from pytest_telescope.cluster import processes
from pytest_telescope.cluster.local import cgroup
from pytest_telescope.cluster.local import host
from pytest_telescope.cluster.local import node_plan
from pytest_telescope.cluster.model import Leftover

ROLE = "node"
"""What marks the processes of a node among those of its lease."""
STOP_TIMEOUT = 5.0


def stop(lease_id: str, folder: Path | None) -> None:
    """End the node and remove all but its logs; safe to call again, while it starts, and without its folder.

    What would not go is for `leftovers` to tell.
    """
    if sys.platform != "linux":
        return
    trees = cgroup.hierarchies()
    cgroup.lift_cpu(lease_id, trees)
    _stop_processes(lease_id, folder)
    cgroup.kill(lease_id, trees)
    _kill_marked(lease_id)
    cgroup.remove(lease_id, trees)
    shutil.rmtree(node_plan.short_folder(lease_id), ignore_errors=True)
    if folder is not None:
        _remove_files(folder)


def _stop_processes(lease_id: str, folder: Path | None) -> None:
    """Ask the keeper to stop the node in order; whoever ignores that is killed."""
    keeper, init = (_recorded(folder, name) for name in ("keeper", "init"))
    known = [process for process in (keeper, init) if process is not None]
    if keeper is not None and keeper.signal(signal.SIGTERM):
        processes.wait_gone(known, STOP_TIMEOUT)
    for process in known:
        process.signal(signal.SIGKILL)
    processes.wait_gone(known, STOP_TIMEOUT)
    _kill_marked(lease_id)
    if keeper is not None:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(keeper.pid, os.WNOHANG)  # its parent may be this process


def _recorded(folder: Path | None, name: str) -> processes.Identity | None:
    if folder is None:
        return None
    try:
        return processes.Identity(**json.loads(node_plan.record_file(folder, name).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _members(lease_id: str) -> list[processes.Marked]:
    return [process for process in processes.marked(lease_id) if process.role == ROLE]


def _kill_marked(lease_id: str) -> None:
    members = [member.identity for member in _members(lease_id)]
    for identity in members:
        identity.signal(signal.SIGKILL)
    processes.wait_gone(members, STOP_TIMEOUT)


def _remove_files(folder: Path) -> None:
    for name in ("etc", "var", "root", "shields", "processes"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("egress.sock", "plan.json", "phase"):
        (folder / name).unlink(missing_ok=True)


def leftovers(lease_id: str, folder: Path | None) -> list[Leftover]:
    """List what is left of the node: processes, cgroups, mounts, sockets."""
    if sys.platform != "linux":
        return []
    trees = cgroup.hierarchies()
    named = {member.identity.pid: member.name for member in _members(lease_id)}
    named |= {pid: "in its cgroup" for pid in cgroup.processes(lease_id, trees) if pid not in named}
    found = [Leftover(kind="process", name=str(pid), detail=name) for pid, name in sorted(named.items())]
    found += [Leftover(kind="cgroup", name=str(root)) for root in cgroup.roots(lease_id, trees)]
    found += [Leftover(kind="mount", name=str(mount)) for mount in host.mounts_below(folder)]
    sockets = {node_plan.short_folder(lease_id)} | ({folder / "egress.sock"} if folder else set())
    return found + [Leftover(kind="socket", name=str(path)) for path in sorted(sockets) if path.exists()]
