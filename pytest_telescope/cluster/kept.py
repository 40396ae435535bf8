"""Clusters that outlive their run (`--keep`): what is written down of them, and what a person is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pytest_telescope.cluster.durable import write_durably
from pytest_telescope.cluster.ledger import Entry
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.scenario.model import ClusterSpec

CLUSTER = "cluster.json"
ENDPOINT_PATHS = ("ca", "certificate", "key", "data")
Price = Callable[[str, ClusterSpec], str]
"""(provider, spec) -> e.g. `2.77 USD/h`."""


def remember(cluster: Cluster, lease: Lease) -> None:
    """Write down in the lease's folder how the cluster is reached, for a later `--attach` on this machine.

    A Prometheus that is asked with a token is not remembered: a new one is put beside it.
    """
    if cluster.prometheus.authorization is None:
        write_durably(lease.folder / CLUSTER, _plain(cluster))


def _plain(cluster: Cluster) -> dict[str, Any]:
    document = asdict(cluster)
    document["capabilities"] = sorted(cluster.capabilities)
    document["facts"], document["targets"] = dict(cluster.facts), dict(cluster.targets)
    found: dict[str, Any] = json.loads(json.dumps(document, default=str))
    return found


def remembered(kubeconfig: Path) -> Cluster | None:
    """Return the kept cluster of which `kubeconfig` is the own one, None for any other kubeconfig."""
    file = kubeconfig.resolve().parent / CLUSTER
    if not file.exists():
        return None
    told = json.loads(file.read_text(encoding="utf-8"))
    if Path(told["kubeconfig"]).resolve() != kubeconfig.resolve():
        return None
    return _cluster(told)


def _cluster(told: dict[str, Any]) -> Cluster:
    paths = {name: Path(told["prometheus"][name]) for name in ENDPOINT_PATHS if told["prometheus"][name]}
    address = told["prometheus_from_apiserver"]
    return Cluster(
        **{
            **told,
            "kubeconfig": Path(told["kubeconfig"]),
            "prometheus": Endpoint(**{**told["prometheus"], **paths}),
            "nodes": tuple(told["nodes"]),
            "capabilities": frozenset(told["capabilities"]),
            "logs": tuple(map(Path, told["logs"])),
            "prometheus_from_apiserver": (address[0], address[1]) if address else None,
        }
    )


def price(provider: str, spec: ClusterSpec) -> str:
    """Return what a cluster of `spec` costs while it is kept."""
    if provider == "local":
        return "costs nothing"
    from pytest_telescope.cluster.cost.spec import of_spec

    return f"costs {of_spec(provider, spec).text()}"


def lines(entries: Iterable[Entry], told: Price = price) -> list[str]:
    """Return what is said at the end of a run of each lease that it left open on purpose, a line each."""
    return [_line(entry, told) for entry in entries]


def _line(entry: Entry, told: Price) -> str:
    lease = entry.lease
    cost = told(lease.provider, ClusterSpec.model_validate(entry.spec)) if entry.spec is not None else "price unknown"
    kubeconfig = lease.folder / "kubeconfig"
    reached = f"KUBECONFIG={kubeconfig}" if kubeconfig.exists() else "no kubeconfig: it did not come up"
    return f"kept: {lease.cell}, lease {lease.id}; {cost}; {_due(lease)}; {reached}; `telescope reap --run {lease.run}`"


def _due(lease: Lease) -> str:
    if lease.due is None:
        return "stays until reaped"
    return "a sweeper may delete it after " + time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(lease.due))
