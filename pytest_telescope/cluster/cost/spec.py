"""What a cluster of a spec costs, told without asking anybody."""

from __future__ import annotations

import math
from typing import Any

from pytest_telescope.cluster.cost.bill import Bill
from pytest_telescope.cluster.cost.bill import Nodes
from pytest_telescope.cluster.cost.model import Estimate
from pytest_telescope.cluster.cost.prices import Prices
from pytest_telescope.cluster.cost.prices import prices
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec

SYSTEM = "system"
NODES_AN_ADDRESS = 1000
"""Nodes for which the module of AKS takes one outbound address: 64000 ports, 64 a node."""


def of_spec(provider: str, spec: ClusterSpec, *, region: str | None = None) -> Estimate:
    """Return what the cluster of `spec` costs in `region`, else in the spec's, else in the provider's default.

    `local` costs nothing.

    Raises:
        UsageError: the file that `TELESCOPE_PRICES` names cannot be read.
    """
    if provider == "local":
        return Estimate(provider=provider, region="")
    table = prices(provider)
    bill = Bill(table, region or spec.region or table.default("region"))
    bill.control_plane(spec.tier)
    for name, pool in spec.pools.items():
        bill.nodes(_nodes(table, name, pool))
    if provider == "aks":
        _azure(bill, table, spec)
    return bill.estimate()


def _nodes(table: Prices, name: str, pool: PoolSpec) -> Nodes:
    autoscaled = pool.max is not None
    count = 1 if pool.count is None else pool.count
    return Nodes(
        name=f"pool {name}",
        machine=pool.machine or _machine(table, name),
        least=(pool.min or 0) if autoscaled else count,
        most=pool.max if pool.max is not None else count,
        disk_gb=pool.os_disk_gb,
        disk_type=pool.os_disk_type,
        public_ip=bool(table.table.get("node_public_ip")),
    )


def _machine(table: Prices, pool: str) -> Any:
    return (table.default("system_machine") if pool == SYSTEM else None) or table.default("machine")


def _azure(bill: Bill, table: Prices, spec: ClusterSpec) -> None:
    """AKS needs a pool for its own pods, and goes out through a load balancer with an address a thousand nodes."""
    nodes = sum(_nodes(table, name, pool).most for name, pool in spec.pools.items())
    if SYSTEM not in spec.pools:
        nodes += 1
        bill.nodes(Nodes(name="pool system of its own", machine=_machine(table, SYSTEM), least=1, most=1))
    bill.fixed("load_balancer")
    bill.fixed("public_ip", count=max(1, math.ceil(nodes / NODES_AN_ADDRESS)))
