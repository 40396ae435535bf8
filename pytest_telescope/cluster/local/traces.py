"""What the real node may leave on the host, and whether it can be had here at all."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_telescope.cluster.durable import write_private
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.model import Leftover

_FILE = "host.json"


def why_no_real_node() -> str | None:
    """Return why this machine can have no real node, or None."""
    from pytest_telescope.cluster.local import host

    return host.why_no_real_node()


def node_tools() -> tuple[str, ...]:
    """Return the tools that a real node is made from."""
    from pytest_telescope.cluster.local import node

    return (*node.TOOLS, *node.IMAGE_TOOLS)


def remember(folder: Path) -> None:
    """Write down how the host looks before the real node comes; a second call keeps the first look."""
    from pytest_telescope.cluster.local import host

    if not (folder / _FILE).exists():
        write_private(folder / _FILE, json.dumps(host.snapshot()))


def leftovers(lease: Lease) -> list[Leftover]:
    """List what the real node of `lease` left, by its own marks and by comparing the host with before."""
    node = Layout(lease.folder / "cluster").node
    before = lease.folder / _FILE
    if not before.exists() and not node.exists():
        return []
    from pytest_telescope.cluster.local import host
    from pytest_telescope.cluster.local import node as real_node

    changed = host.compare(json.loads(before.read_text(encoding="utf-8"))) if before.exists() else []
    return [*real_node.leftovers(lease.id, node), *changed]
