"""Pools as GKE counts them: nodes by zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_telescope.cluster.clouds.gcp_words import default_zone
from pytest_telescope.cluster.clouds.gcp_words import words
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec

SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class GkePool:
    """One pool with every default filled in; `zones` are whole names, `disk_gb` is gigabytes a node."""

    name: str
    machine: str
    least: int
    most: int
    zones: tuple[str, ...]
    image: str
    disk_gb: int
    disk_type: str
    spot: bool


def letters(spec: ClusterSpec, region: str) -> tuple[str, ...]:
    """Return the letters of the cluster's zones: as asked, else of the pools that ask, else the region's default."""
    if spec.zones:
        return spec.zones
    asked = sorted({letter for pool in spec.pools.values() for letter in pool.zones})
    return (asked[0],) if asked else (default_zone(region),)


def pools(spec: ClusterSpec, region: str) -> list[GkePool]:
    """Return the pools of a spec."""
    usual = letters(spec, region)
    return [_pool(name, pool, region, pool.zones or usual) for name, pool in spec.pools.items()]


def _pool(name: str, pool: PoolSpec, region: str, zones: tuple[str, ...]) -> GkePool:
    given = words()["defaults"]
    machine = pool.machine or (given["system_machine"] if name == SYSTEM else given["machine"])
    fixed = 1 if pool.count is None else pool.count
    return GkePool(
        name=name,
        machine=machine,
        least=fixed if pool.max is None else pool.min or 0,
        most=fixed if pool.max is None else pool.max,
        zones=tuple(f"{region}-{letter}" for letter in zones),
        image=pool.os or given["os"],
        disk_gb=pool.os_disk_gb or given["os_disk_gb"],
        disk_type=pool.os_disk_type or ("hyperdisk-balanced" if _hyperdisk_only(machine) else "pd-balanced"),
        spot=pool.spot,
    )


def _hyperdisk_only(machine: str) -> bool:
    return re.match(words()["hyperdisk_only"], machine) is not None


def objections(spec: ClusterSpec, region: str) -> list[str]:
    """Return what GKE does not know, without asking; the module refuses the same."""
    known = words()
    found = [
        *_unknown("network is", spec.network, known["networks"]),
        *_unknown("tier is", spec.tier, known["tiers"]),
        *([] if len(set(spec.zones)) == len(spec.zones) else ["zones names a zone twice"]),
    ]
    found += [
        f"pool {pool.name} {text}"
        for pool in pools(spec, region)
        for text in _pool_objections(pool, spec.pools[pool.name])
    ]
    if not any(pool.most and _open(spec, pool.name) for pool in pools(spec, region)):
        found.append(
            "every pool has a taint NoSchedule or NoExecute or none has a node, "
            "but GKE's own pods need a pool without: add a pool system"
        )
    return found


def _unknown(what: str, value: str | None, offered: list[str]) -> list[str]:
    if value is None or value in offered:
        return []
    return [f"{what} {value}, but only {' and '.join(offered)} {'are' if len(offered) > 1 else 'is'} on offer"]


def _open(spec: ClusterSpec, name: str) -> bool:
    hard = [taint for taint in spec.pools[name].taints if not taint.endswith(":PreferNoSchedule")]
    return not hard and name != spec.prometheus_pool


def _pool_objections(pool: GkePool, asked: PoolSpec) -> Iterator[str]:
    known = words()
    yield from _unknown("has os", pool.image, known["images"])
    yield from _unknown("has os_disk_type", pool.disk_type, known["disk_types"])
    if _hyperdisk_only(pool.machine) and pool.disk_type != "hyperdisk-balanced":
        yield f"has os_disk_type {pool.disk_type}, but {pool.machine} boots from hyperdisk-balanced only"
    if pool.disk_gb < 12:
        yield f"has os_disk_gb {pool.disk_gb}, but GKE's images need 12"
    if pool.least > pool.most:
        yield f"has min {pool.least} above max {pool.most}"
    if len(set(asked.zones)) < len(asked.zones):
        yield "names a zone twice"
    if pool.least % len(pool.zones):
        what = "count" if asked.max is None else "min"
        yield f"has {what} {pool.least}, which {len(pool.zones)} zones cannot share equally"
    if not known["pods"]["min"] <= asked.max_pods <= known["pods"]["max"]:
        yield f"has max_pods {asked.max_pods}, but {known['pods']['min']} to {known['pods']['max']} are on offer"
    for what, key in [*(("label", one) for one in asked.labels), *(("taint", one) for one in asked.taints)]:
        if key.startswith("telescope/"):
            yield f"has {what} {key}, which the harness sets itself"
    for key in sorted(set(asked.kubelet) - set(known["kubelet_fields"])):
        yield f"has kubelet.{key}, which GKE does not let one set; it lets {', '.join(known['kubelet_fields'])}"
    for key in asked.sysctls:
        if not re.match(known["sysctl_pattern"], key):
            yield f"has sysctl {key}, which GKE does not let one set"
