"""The providers by name."""

from __future__ import annotations

from pytest_telescope.cluster.model import Provider
from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import PROVIDERS


def provider(name: str) -> Provider:
    """Return the provider called `name`.

    Raises:
        UsageError: there is none of this name.
    """
    if name == "local":
        from pytest_telescope.cluster.local.provider import LocalProvider

        return LocalProvider()
    if name in PROVIDERS:
        from pytest_telescope.cluster.managed import PlannedProvider

        return PlannedProvider(name)
    raise UsageError(f"unknown provider {name!r}; there are {', '.join(PROVIDERS)}")
