"""Providers whose clusters cannot be built yet: their scenarios can be listed, validated and planned."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.model import Leftover
from pytest_telescope.errors import DestroyError
from pytest_telescope.errors import PreflightError
from pytest_telescope.scenario.model import ClusterSpec

DECLARED = Path(__file__).with_name("managed.yaml")


@cache
def declared() -> dict[str, frozenset[str]]:
    """Return provider -> capabilities, as `managed.yaml` declares them."""
    import yaml

    return {name: frozenset(found) for name, found in yaml.safe_load(DECLARED.read_text()).items()}


class PlannedProvider:
    """A managed service that this version can plan for, but not build."""

    def __init__(self, name: str) -> None:
        self.name = name

    def capabilities_of(self, spec: ClusterSpec) -> frozenset[str]:  # noqa: ARG002 - the protocol's shape
        """Return what its clusters can show, whatever the spec."""
        return declared()[self.name]

    def tools_of(self, spec: ClusterSpec) -> tuple[str, ...]:  # noqa: ARG002 - the protocol's shape
        """Return no tools: nothing is built."""
        return ()

    def unavailable(self, spec: ClusterSpec) -> str | None:  # noqa: ARG002 - the protocol's shape
        """Return None: a plan can be made anywhere."""
        return None

    def preflight(self, spec: ClusterSpec) -> None:
        """Refuse.

        Raises:
            PreflightError: always, with what there is instead.
        """
        where = f"{spec.place}: " if spec.place else ""
        raise PreflightError(f"{where}clusters on {self.name} cannot be built yet; -m local can, and --plan works here")

    def provision(self, spec: ClusterSpec, lease: Lease) -> Cluster:  # noqa: ARG002 - the protocol's shape
        """Refuse, as `preflight` does."""
        self.preflight(spec)
        raise AssertionError("preflight refuses")

    def destroy(self, lease: Lease) -> None:
        """Refuse: a lease that nobody here can look after must stay open.

        Raises:
            DestroyError: always.
        """
        raise DestroyError(f"this version cannot destroy clusters on {self.name}; lease {lease.id} stays open")

    def leftovers(self, lease: Lease) -> list[Leftover]:
        """Refuse, as `destroy` does: not having looked is not having found nothing."""
        raise DestroyError(f"this version cannot look for what is left on {self.name} of lease {lease.id}")

    def renew(self, lease: Lease) -> None:
        """Do nothing."""
