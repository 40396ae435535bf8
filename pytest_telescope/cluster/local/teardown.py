"""Take one local cluster away: processes first, found by what they carry, then its files."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.processes import Marked
from pytest_telescope.cluster.processes import marked
from pytest_telescope.cluster.processes import stop
from pytest_telescope.errors import DestroyError

GRACE = 0.3
"""Seconds for a clean exit; nothing of what these processes could still write is kept."""


def down(lease: str, folder: Path | None, timeout: float = 60.0) -> None:
    """End everything that carries `lease`, the real node included, and delete the cluster's files except its logs.

    Safe to call again, while `up` still runs, and without the folder.

    Raises:
        DestroyError: something would not go within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    _stop_all(lease, deadline, only="up")
    _stop_real_node(lease, folder)
    _stop_all(lease, deadline)
    if folder is not None:
        remove_files(folder)


def _stop_real_node(lease: str, folder: Path | None) -> None:
    """Stop the real node; a folder that is there and knows of none is the proof that there never was one."""
    if folder is not None and folder.exists() and not Layout(folder).node.exists():
        return
    from pytest_telescope.cluster.local import node

    if folder is None:
        node.stop(lease, None)
        return
    layout = Layout(folder)
    node.stop(lease, layout.node)
    for log in layout.node.glob("logs/*.log"):
        log.replace(private_folder(layout.logs) / f"node-{log.name}")


def _stop_all(lease: str, deadline: float, only: str | None = None) -> None:
    """Stop until a look finds nothing: `up` may start one more while it is being ended."""
    while members := cluster_processes(lease, only):
        if time.monotonic() > deadline:
            names = ", ".join(f"{member.name} (pid {member.identity.pid})" for member in members)
            raise DestroyError(f"these processes of lease {lease} do not end: {names}")
        stop([member.identity for member in members], GRACE)


def cluster_processes(lease: str, only: str | None = None) -> list[Marked]:
    """List the processes of a cluster, Terraform's own left out; `only` asks for one role."""
    return [member for member in marked(lease) if member.role != "terraform" and only in (None, member.role)]


def remove_files(folder: Path) -> None:
    """Delete all that is below `folder` except the logs."""
    for path in folder.iterdir() if folder.exists() else ():
        if path == Layout(folder).logs:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
