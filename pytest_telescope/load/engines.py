"""The engines by name."""

from __future__ import annotations

from pytest_telescope.errors import UsageError
from pytest_telescope.load.model import Engine


def engine(name: str, *, allow_exec: bool = False) -> Engine:
    """Return a new engine `name`; one serves one cell, from its check to its clean-up.

    Args:
        name: as in scenario.yaml.
        allow_exec: ClusterLoader2's configs may run commands of their own on this machine.

    Raises:
        UsageError: there is none of that name.
    """
    if name == "resource-consumer":
        from pytest_telescope.load.resource_consumer import ResourceConsumer

        return ResourceConsumer()
    if name == "clusterloader2":
        from pytest_telescope.load.clusterloader2.engine import ClusterLoader2

        return ClusterLoader2(allow_exec=allow_exec)
    raise UsageError(f"engine {name!r} does not exist; engines: resource-consumer, clusterloader2")


def tools_of(name: str) -> tuple[str, ...]:
    """Return the names of the pinned tools that an engine starts on this machine."""
    return ("clusterloader2",) if name == "clusterloader2" else ()
