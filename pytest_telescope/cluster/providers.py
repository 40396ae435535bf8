"""The providers by name."""

from __future__ import annotations

from pytest_telescope.cluster.model import Provider
from pytest_telescope.errors import PreflightError
from pytest_telescope.scenario.model import PROVIDERS

BUILT = ("local",)


def provider(name: str) -> Provider:
    """Return the provider called `name`.

    Raises:
        PreflightError: there is none, or it is not built in yet.
    """
    if name == "local":
        from pytest_telescope.cluster.local.provider import LocalProvider

        return LocalProvider()
    state = "is not built in yet" if name in PROVIDERS else "is unknown"
    raise PreflightError(f"provider {name} {state}; on offer: {', '.join(BUILT)}")
