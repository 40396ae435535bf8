"""Pools as AKS counts them, and what of a spec it does not know."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_telescope.cluster.clouds.azure_words import words
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec

SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class AksPool:
    """One pool with every default filled in; `most` is its nodes at most."""

    name: str
    machine: str
    most: int
    zones: tuple[str, ...]
    disk_type: str
    spot: bool


def pools(spec: ClusterSpec) -> list[AksPool]:
    """Return the pools of a spec, and the system pool that the module makes where the spec has none."""
    asked = [_pool(name, pool, spec) for name, pool in spec.pools.items()]
    return asked if SYSTEM in spec.pools else [_pool(SYSTEM, PoolSpec(count=1), spec), *asked]


def _pool(name: str, pool: PoolSpec, spec: ClusterSpec) -> AksPool:
    given = words()["defaults"]
    return AksPool(
        name=name,
        machine=pool.machine or given["system_machine" if name == SYSTEM else "machine"],
        most=pool.max if pool.max is not None else 1 if pool.count is None else pool.count,
        zones=pool.zones or spec.zones,
        disk_type=pool.os_disk_type or "Managed",
        spot=pool.spot,
    )


def objections(spec: ClusterSpec) -> list[str]:
    """Return values that AKS does not know; what hangs together is left to the module's checks."""
    known = words()
    found = [*_unknown("network", [spec.network], known["networks"]), *_unknown("tier", [spec.tier], known["tiers"])]
    found += _unknown("zone", spec.zones, known["zone_names"])
    return found + [f"pool {name}: {text}" for name, pool in spec.pools.items() for text in _of_pool(name, pool)]


def _of_pool(name: str, pool: PoolSpec) -> Iterator[str]:
    known = words()
    yield from _unknown("os", [pool.os], known["systems"])
    yield from _unknown("os_disk_type", [pool.os_disk_type], known["disk_types"])
    yield from _unknown("zone", pool.zones, known["zone_names"])
    yield from _unknown("kubelet setting", pool.kubelet, known["kubelet_fields"])
    yield from _unknown("sysctl", pool.sysctls, known["sysctl_names"])
    least, most = known["pods"]["min"], known["pods"]["max"]
    if not least <= pool.max_pods <= most:
        yield f"max_pods {pool.max_pods} is not on offer, but {least} to {most}"
    if name == SYSTEM and pool.spot:
        yield "it is AKS' own and cannot be spot"


def _unknown(what: str, asked: Iterable[str | None], known: Iterable[str]) -> list[str]:
    return [f"{what} {one} is not on offer, but {', '.join(known)}" for one in asked if one and one not in known]
