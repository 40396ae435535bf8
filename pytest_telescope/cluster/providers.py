"""The providers by name."""

from __future__ import annotations

from pathlib import Path

from pytest_telescope.cluster.clouds.model import Cloud
from pytest_telescope.cluster.model import Provider
from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import PROVIDERS

ATTACHED = "attached"
"""Provider, in the ledger alone, of a lease on a cluster that the harness did not make."""


def provider(name: str) -> Provider:
    """Return the provider called `name`, as a scenario or a lease names it.

    Raises:
        UsageError: there is none of this name.
    """
    if name == "local":
        from pytest_telescope.cluster.local.provider import LocalProvider

        return LocalProvider()
    if name == ATTACHED:
        from pytest_telescope.cluster.attached import AttachedProvider

        return AttachedProvider()
    if name in PROVIDERS:
        from pytest_telescope.cluster.clouds.provider import ManagedProvider

        return ManagedProvider(cloud(name))
    raise UsageError(f"unknown provider {name!r}; there are {', '.join(PROVIDERS)}")


def cloud(name: str) -> Cloud:
    """Return the cloud behind a managed provider, with the credentials of the environment.

    Raises:
        UsageError: there is none of this name.
    """
    from pytest_telescope.cluster.clouds import pace

    if name == "aks":
        from pytest_telescope.cluster.clouds.aks import Aks

        return Aks(sleep=pace.sleep)
    if name == "eks":
        from pytest_telescope.cluster.clouds.eks import Eks

        return Eks(sleep=pace.sleep)
    if name == "gke":
        from pytest_telescope.cluster.clouds.gke import Gke

        return Gke(sleep=pace.sleep)
    raise UsageError(f"{name!r} is no cloud; there are aks, eks, gke")


def source(name: str, attach: Path | None) -> Provider:
    """Return where the cells of provider `name` get their cluster: made, or the existing one of a kubeconfig."""
    if attach is None:
        return provider(name)
    from pytest_telescope.cluster.attached import AttachedProvider

    return AttachedProvider(of=name, kubeconfig=attach)
