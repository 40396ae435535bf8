"""What `up` is asked for: plain data, read from JSON, without the weight of the scenario models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from pytest_telescope.errors import ProvisionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One pool of nodes; memory is a Kubernetes quantity, taints are `key=value:Effect`."""

    name: str
    count: int
    node: str = "kwok"
    cpu: float = 16
    memory: str = "64Gi"
    max_pods: int = 110
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[str, ...] = ()

    def node_names(self) -> list[str]:
        """Names of the pool's nodes, in order."""
        width = len(str(max(self.count - 1, 0)))
        return [f"{self.name}-{index:0{width}d}" for index in range(self.count)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSpec:
    """One local cluster.

    Attributes:
        lease: id that marks every process.
        folder: the cluster's own folder, `<lease folder>/cluster`.
        stages: file of kwok Stage objects, or None for kwok's own fast ones.
        timeout: seconds until the cluster must be ready.
    """

    lease: str
    name: str
    folder: Path
    pools: tuple[Pool, ...]
    stages: Path | None = None
    timeout: float = 120.0

    @property
    def real_pool(self) -> Pool | None:
        """The pool of the real node, or None."""
        return next((pool for pool in self.pools if pool.node == "containerd" and pool.count), None)

    @property
    def kwok_pools(self) -> tuple[Pool, ...]:
        """The pools of simulated nodes."""
        return tuple(pool for pool in self.pools if pool.node != "containerd")


def parse(text: str) -> LocalSpec:
    """Read a spec from JSON.

    Raises:
        ProvisionError: it is not one.
    """
    try:
        return _spec(json.loads(text))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProvisionError(f"the spec of the local cluster is not readable: {error!r}") from error


def _spec(raw: dict[str, Any]) -> LocalSpec:
    stages = raw.get("stages")
    return LocalSpec(
        lease=raw["lease"],
        name=raw["name"],
        folder=Path(raw["folder"]),
        pools=tuple(_pool(name, pool) for name, pool in sorted(raw["pools"].items())),
        stages=Path(stages) if stages else None,
        timeout=float(raw.get("timeout") or 120.0),
    )


def _pool(name: str, raw: dict[str, Any]) -> Pool:
    given = {key: value for key, value in raw.items() if value is not None and key in Pool.__dataclass_fields__}
    given["taints"] = tuple(_taint(taint) for taint in given.get("taints") or ())
    given["count"] = int(given.get("count", 1))
    given["max_pods"] = int(given.get("max_pods", 110))
    return Pool(**{**given, "name": name})


def _taint(raw: str | dict[str, str]) -> str:
    if isinstance(raw, str):
        return raw
    return f"{raw['key']}={raw.get('value') or ''}:{raw['effect']}"
