"""Doubles that keep the protocols."""

# ruff: noqa: ARG002 - the shapes are the protocols'

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.model import Leftover
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import LoadSpec


class Silent:
    """A provider that makes nothing and has nothing left."""

    def __init__(self, name: str = "aks", on_renew: Callable[[Lease], None] = print) -> None:
        self.name = name
        self.on_renew = on_renew
        self.say: Callable[[str], None] = print
        self.approve: Callable[[Mapping[str, Any]], None] = print

    def lasting(self, loads: Iterable[LoadSpec]) -> float | None:
        return None

    def capabilities_of(self, spec: ClusterSpec) -> frozenset[str]:
        return frozenset()

    def tools_of(self, spec: ClusterSpec) -> tuple[str, ...]:
        return ()

    def preflight(self, spec: ClusterSpec) -> None:
        pass

    def unavailable(self, spec: ClusterSpec) -> str | None:
        return None

    def provision(self, spec: ClusterSpec, lease: Lease) -> Cluster:
        raise NotImplementedError

    def destroy(self, lease: Lease) -> None:
        pass

    def leftovers(self, lease: Lease) -> list[Leftover]:
        return []

    def renew(self, lease: Lease) -> None:
        self.on_renew(lease)
