"""The engines by name."""

from __future__ import annotations

from pytest_telescope.errors import UsageError
from pytest_telescope.load.model import Engine


def engine(name: str) -> Engine:
    """Return the engine `name`.

    Raises:
        UsageError: there is none of that name, or not yet.
    """
    if name == "resource-consumer":
        from pytest_telescope.load.resource_consumer import ResourceConsumer

        return ResourceConsumer()
    if name == "clusterloader2":
        raise UsageError("engine clusterloader2 is not built in yet; engines: resource-consumer")
    raise UsageError(f"engine {name!r} does not exist; engines: resource-consumer")
