"""How the API server reaches what does not listen for it: through one unix socket, by HTTP CONNECT.

The socket is served by the prometheus door (`door.py`) or, where there is a real node, by the node's keeper
(`relay.py`). Behind both stands the harness' Prometheus, at an address that exists only on that socket.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.cluster.local.components import Component
from pytest_telescope.cluster.local.layout import Layout

PROMETHEUS = ("198.18.255.1", 9090)
"""Address of a range for benchmarks (RFC 2544) that no host, node or pod of a local cluster has."""
DOOR = "prometheus-door"
SOCKET = "egress.sock"
"""Relative to the cluster's folder, where all components run: the path of a socket may have 107 bytes only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """Prometheus on loopback: its port, and what mutual TLS with it takes."""

    port: int
    ca: Path
    certificate: Path
    key: Path

    def words(self) -> tuple[str, ...]:
        """Return it as arguments of a command line."""
        return (str(self.port), str(self.ca), str(self.certificate), str(self.key))


def upstream_of(words: tuple[str, ...]) -> Upstream:
    """Read what `words` gave."""
    port, *files = words
    ca, certificate, key = map(Path, files)
    return Upstream(port=int(port), ca=ca, certificate=certificate, key=key)


def upstream(layout: Layout, ports: Mapping[str, int]) -> Upstream:
    """Return the cluster's own Prometheus, asked as the harness asks it."""
    return Upstream(
        port=ports["prometheus"],
        ca=layout.certificate("prometheus-ca"),
        certificate=layout.certificate("prometheus-client"),
        key=layout.key("prometheus-client"),
    )


def write_config(layout: Layout, socket: Path | str) -> Path:
    """Write the API server's egress configuration and return its path."""
    connection = {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": str(socket)}}}
    document = {
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": [{"name": "cluster", "connection": connection}],
    }
    return write_private(private_folder(layout.config) / "egress.yaml", json.dumps(document))


def door(layout: Layout, ports: Mapping[str, int]) -> Component:
    """Return the prometheus door: isolated and without site packages, for a start of a hundredth of a second."""
    script = Path(__file__).with_name("door_process.py")
    return Component(
        name=DOOR,
        tool=sys.executable,
        arguments=("-I", "-S", str(script), SOCKET, *upstream(layout, ports).words()),
    )
