"""More images for a real node that already runs; nothing of it costs a cluster that does not ask."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from pytest_telescope.cluster.local.node_plan import CONTAINERD_SOCKET
from pytest_telescope.cluster.local.node_plan import record_file
from pytest_telescope.errors import ProvisionError

LOAD_WITHIN = 60.0


def load(node: Path, archive: Path) -> None:
    """Import an OCI archive into the containerd of the running node whose folder is `node` (`Layout.node`).

    containerd's socket is reached through the root of the node's process 1, so root is needed.

    Raises:
        ProvisionError: no node runs there, or containerd refused the archive; `ctr`'s words are told.
        ToolError: `ctr` cannot be had.
    """
    from pytest_telescope.toolchain import tool

    socket = _root(node) / CONTAINERD_SOCKET.lstrip("/")
    command = [str(tool("ctr")), "-a", str(socket), "-n", "k8s.io", "images", "import", str(archive)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_WITHIN, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProvisionError(f"{archive.name} could not be imported into the node of {node}: {error}") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-500:]
        raise ProvisionError(f"ctr could not import {archive.name} into the node of {node}: {said}")


def _root(node: Path) -> Path:
    record = record_file(node, "init")
    try:
        pid = int(json.loads(record.read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError, KeyError) as error:
        raise ProvisionError(f"no node runs in {node}: {record} cannot be read ({error})") from error
    return Path("/proc", str(pid), "root")
