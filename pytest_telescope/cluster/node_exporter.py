"""node_exporter: what every cluster's nodes are asked, whoever runs it there."""

from __future__ import annotations

from typing import Any

from pytest_telescope.cluster.monitoring_jobs import MANIFESTS

SETTINGS = MANIFESTS / "node_exporter.yaml"


def arguments(address: str, rootfs: str = "/") -> tuple[str, ...]:
    """Return the command line of node_exporter without its program.

    Args:
        address: `host:port` at which it serves plain HTTP.
        rootfs: where the root of the node is to be seen.
    """
    import yaml

    found: dict[str, Any] = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    return (
        f"--web.listen-address={address}",
        f"--path.rootfs={rootfs}",
        "--collector.disable-defaults",
        *(f"--collector.{name}" for name in found["collectors"]),
        *(f"--{name}={value}" for name, value in found["flags"].items()),
    )
