"""What EKS does not know of a spec, told without asking anybody; the module refuses the same at plan time."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

from pytest_telescope.cluster.clouds.aws_words import words
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec


def objections(spec: ClusterSpec) -> list[str]:
    """Return what speaks against a spec."""
    found = [
        *_unknown("network", spec.network, words()["networks"]),
        *_unknown("tier", spec.tier, words()["tiers"]),
        *([] if len(set(spec.zones)) == len(spec.zones) else ["zones names a zone twice"]),
    ]
    found += [f"pool {name} {text}" for name, pool in spec.pools.items() for text in _pool(pool)]
    if not any(_open(spec, name) for name in spec.pools):
        found.append(
            "every pool has a taint NoSchedule or NoExecute or none has a node, but coredns needs a pool without: "
            "add a pool system"
        )
    return found


def _unknown(what: str, value: str | None, offered: Iterable[str]) -> list[str]:
    if value is None or value in offered:
        return []
    return [f"{what} is {value}, but only {', '.join(offered)} are on offer"]


def _pool(pool: PoolSpec) -> Iterator[str]:
    yield from _unlike("os", pool.os, words()["os"])
    yield from _unlike("os_disk_type", pool.os_disk_type, words()["disk_types"])
    if pool.min is not None and pool.max is not None and pool.min > pool.max:
        yield f"has min {pool.min} above max {pool.max}"
    if len(set(pool.zones)) < len(pool.zones):
        yield "names a zone twice"
    if pool.os_disk_gb is not None and not 20 <= pool.os_disk_gb <= 16384:
        yield f"has os_disk_gb {pool.os_disk_gb}, but 20 to 16384 are on offer"
    if pool.max_pods > 250:
        yield f"has max_pods {pool.max_pods}, but managed nodes take 250 at most"


def _unlike(what: str, value: str | None, offered: Iterable[str]) -> Iterator[str]:
    if value is not None and value not in offered:
        yield f"has {what} {value}, but only {' and '.join(offered)} are on offer"


def _open(spec: ClusterSpec, name: str) -> bool:
    """Tell whether the cluster's own pods can run on a pool."""
    pool = spec.pools[name]
    hard = [taint for taint in pool.taints if not taint.endswith(":PreferNoSchedule")]
    nodes = pool.max if pool.max is not None else 1 if pool.count is None else pool.count
    return nodes > 0 and not hard and name != spec.prometheus_pool
