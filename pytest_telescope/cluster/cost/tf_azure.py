"""Price rules for resources of Terraform's azurerm provider."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from pytest_telescope.cluster.cost.bill import Bill
from pytest_telescope.cluster.cost.bill import Nodes
from pytest_telescope.cluster.cost.planned import Planned
from pytest_telescope.cluster.cost.planned import first

Rule = Callable[[Bill, Planned, list[Planned]], None]


def _cluster(bill: Bill, one: Planned, found: list[Planned]) -> None:
    """Price the control plane, its first pool, and the way out of the network that AKS makes by itself."""
    bill.control_plane(one.values.get("sku_tier") or "free")
    pool = one.block("default_node_pool")
    bill.nodes(_nodes(f"pool {pool.get('name', 'default')}", pool))
    network = one.block("network_profile")
    outbound = network.get("outbound_type") or "loadBalancer"
    if outbound == "loadBalancer":
        bill.fixed("load_balancer")
        count = first(network.get("load_balancer_profile")).get("managed_outbound_ip_count")
        own = any(other.type == "azurerm_public_ip" for other in found)
        bill.fixed("public_ip", count=count or (0 if own else 1))
    elif outbound == "managedNATGateway":
        bill.fixed("nat_gateway")
        bill.fixed("public_ip")


def _pool(bill: Bill, one: Planned, _found: list[Planned]) -> None:
    bill.nodes(_nodes(f"pool {one.values.get('name') or one.name}", one.values))


def _nodes(name: str, values: Mapping[str, Any]) -> Nodes:
    scaled = values.get("max_count")
    count = values.get("node_count")
    return Nodes(
        name=name,
        machine=values.get("vm_size"),
        least=values.get("min_count") or 0 if scaled else 1 if count is None else count,
        most=scaled or (1 if count is None else count),
        disk_gb=values.get("os_disk_size_gb"),
        disk_type=values.get("os_disk_type") or "Managed",
        public_ip=bool(values.get("node_public_ip_enabled")),
    )


def _disk(bill: Bill, one: Planned, _found: list[Planned]) -> None:
    premium = one.values.get("storage_account_type") == "Premium_LRS"
    if premium:
        bill.disk(one.address, "Managed", one.values.get("disk_size_gb"))
    else:
        bill.without_price(one.address)


def _fixed(kind: str) -> Rule:
    return lambda bill, one, _found: bill.fixed(kind, name=one.address)


PRICED: Mapping[str, Rule] = {
    "azurerm_kubernetes_cluster": _cluster,
    "azurerm_kubernetes_cluster_node_pool": _pool,
    "azurerm_managed_disk": _disk,
    "azurerm_public_ip": _fixed("public_ip"),
    "azurerm_lb": _fixed("load_balancer"),
    "azurerm_nat_gateway": _fixed("nat_gateway"),
}
"""Type -> its rule."""
