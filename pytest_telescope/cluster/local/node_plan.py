"""What `node.start` decides and the node's own processes read: one JSON file, the same on both sides."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_telescope.cluster.local.egress import Upstream
from pytest_telescope.cluster.local.egress import upstream_of

BIN = "/telescope/bin"
"""Where the node finds its tools: links into `TOOLS`, where each tool's folder is shown."""
TOOLS = "/telescope/tools"
IMAGES = "/telescope/images"
SOCKET_PATH_LIMIT = 107
"""Bytes that the kernel allows for the path of a unix socket."""
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """All that a node's keeper and init need.

    Attributes:
        folder: the node's folder on the host.
        api_port: port of the API server on the loopback addresses of both the host and the node.
        prometheus: the harness' Prometheus, which the API server reaches through the same socket.
        socket: unix socket on the host through which the API server reaches into the node's network.
        tools: name below `BIN` -> file on the host.
        images: OCI archives on the host.
        shields: file on the host -> entry below /proc/sys that it covers.
    """

    lease_id: str
    name: str
    folder: Path
    api_port: int
    prometheus: Upstream
    socket: Path
    tools: Mapping[str, Path]
    images: tuple[Path, ...]
    shields: Mapping[Path, str]
    containerd: tuple[str, ...]
    kubelet: tuple[str, ...]
    node_exporter: tuple[str, ...]

    @property
    def etc(self) -> Path:
        """The node's /etc."""
        return self.folder / "etc"

    @property
    def var(self) -> Path:
        """The node's /var."""
        return self.folder / "var"

    @property
    def root(self) -> Path:
        """Where the node's root is mounted, in its own mount namespace only."""
        return self.folder / "root"

    @property
    def phase(self) -> Path:
        """How far the node's processes have come, one word."""
        return self.folder / "phase"

    def log(self, name: str) -> Path:
        """Log file of one of the node's processes."""
        return log_file(self.folder, name)

    def record(self, name: str) -> Path:
        """Identity of one of the node's processes."""
        return record_file(self.folder, name)

    def dump(self) -> str:
        """Return the plan as JSON."""
        raw = asdict(self)
        raw["shields"] = {str(file): entry for file, entry in self.shields.items()}
        raw["prometheus"] = self.prometheus.words()
        return json.dumps(raw, default=str, indent=1)


def log_file(folder: Path, name: str) -> Path:
    """Log file of one of the processes of the node in `folder`."""
    return folder / "logs" / f"{name}.log"


def record_file(folder: Path, name: str) -> Path:
    """Identity of one of the processes of the node in `folder`."""
    return folder / "processes" / f"{name}.json"


def load(text: str) -> NodePlan:
    """Read a plan that `dump` wrote."""
    raw: dict[str, Any] = json.loads(text)
    return NodePlan(
        lease_id=raw["lease_id"],
        name=raw["name"],
        folder=Path(raw["folder"]),
        api_port=raw["api_port"],
        prometheus=upstream_of(tuple(raw["prometheus"])),
        socket=Path(raw["socket"]),
        tools={name: Path(file) for name, file in raw["tools"].items()},
        images=tuple(Path(file) for file in raw["images"]),
        shields={Path(file): entry for file, entry in raw["shields"].items()},
        containerd=tuple(raw["containerd"]),
        kubelet=tuple(raw["kubelet"]),
        node_exporter=tuple(raw["node_exporter"]),
    )


def egress_socket(lease_id: str, folder: Path) -> Path:
    """Return the unix socket through which the API server reaches into the node: below `folder` if its path fits."""
    near = folder / "egress.sock"
    if len(os.fsencode(near)) <= SOCKET_PATH_LIMIT:
        return near
    return short_folder(lease_id) / "egress.sock"


def short_folder(lease_id: str) -> Path:
    """Folder of a socket whose natural place has too long a path."""
    return Path(f"/run/telescope-{lease_id}")
