"""Price rules for resources of Terraform's google provider."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from pytest_telescope.cluster.cost.bill import Bill
from pytest_telescope.cluster.cost.bill import Nodes
from pytest_telescope.cluster.cost.planned import Planned
from pytest_telescope.cluster.cost.planned import first

Rule = Callable[[Bill, Planned, list[Planned]], None]
CLUSTER = "google_container_cluster"
REGION_ZONES = 3
"""Zones over which GKE spreads a regional cluster that names none.
https://cloud.google.com/kubernetes-engine/docs/concepts/regional-clusters"""


def _cluster(bill: Bill, one: Planned, _found: list[Planned]) -> None:
    bill.control_plane("standard")
    if not one.values.get("remove_default_node_pool"):
        count = (one.values.get("initial_node_count") or 1) * _zones({}, one.values)
        config = one.block("node_config")
        bill.nodes(_nodes("default pool", config, (count, count), public=_public({}, one.values)))


def _pool(bill: Bill, one: Planned, found: list[Planned]) -> None:
    cluster = next((other.values for other in found if other.type == CLUSTER), {})
    name = str(one.index if one.index is not None else one.values.get("name") or one.name)
    counts = _counts(one.values, _zones(one.values, cluster))
    if counts is None:
        bill.without_price(f"{one.address}: number of nodes")
        return
    public = _public(one.values, cluster)
    bill.nodes(_nodes(f"pool {name}", one.block("node_config"), counts, public=public))


def _counts(values: Mapping[str, Any], zones: int) -> tuple[int, int] | None:
    """Return fewest and most nodes: totals where the autoscaler has them, else a zone's times the zones."""
    scaled = first(values.get("autoscaling"))
    if scaled.get("total_max_node_count"):
        return scaled.get("total_min_node_count") or 0, scaled["total_max_node_count"]
    if scaled.get("max_node_count"):
        return (scaled.get("min_node_count") or 0) * zones, scaled["max_node_count"] * zones
    count = values.get("node_count")
    count = values.get("initial_node_count") if count is None else count
    return None if count is None else (count * zones, count * zones)


def _zones(values: Mapping[str, Any], cluster: Mapping[str, Any]) -> int:
    """Return over how many zones a pool is spread."""
    named = values.get("node_locations") or cluster.get("node_locations")
    location = str(values.get("location") or cluster.get("location") or "")
    zonal = re.search(r"-[a-z]$", location) is not None
    if zonal and not values.get("node_locations"):
        return 1 + len(set(named or ()) - {location})  # a zonal cluster names the zones beside its own
    return len(named) if named else REGION_ZONES


def _nodes(name: str, config: Mapping[str, Any], counts: tuple[int, int], *, public: bool) -> Nodes:
    return Nodes(
        name=name,
        machine=config.get("machine_type"),
        least=counts[0],
        most=counts[1],
        disk_gb=config.get("disk_size_gb"),
        disk_type=config.get("disk_type"),
        public_ip=public,
    )


def _public(values: Mapping[str, Any], cluster: Mapping[str, Any]) -> bool:
    private = [
        first(values.get("network_config")).get("enable_private_nodes"),
        first(values.get("private_cluster_config")).get("enable_private_nodes"),
        first(cluster.get("private_cluster_config")).get("enable_private_nodes"),
    ]
    return not any(private)


def _disk(bill: Bill, one: Planned, _found: list[Planned]) -> None:
    bill.disk(one.address, one.values.get("type") or "pd-standard", one.values.get("size"))


def _address(bill: Bill, one: Planned, _found: list[Planned]) -> None:
    if one.values.get("address_type") != "INTERNAL":
        bill.fixed("public_ip", name=one.address)


def _fixed(kind: str) -> Rule:
    return lambda bill, one, _found: bill.fixed(kind, name=one.address)


PRICED: Mapping[str, Rule] = {
    CLUSTER: _cluster,
    "google_container_node_pool": _pool,
    "google_compute_disk": _disk,
    "google_compute_address": _address,
    "google_compute_global_address": _address,
    "google_compute_forwarding_rule": _fixed("load_balancer"),
    "google_compute_global_forwarding_rule": _fixed("load_balancer"),
    "google_compute_router_nat": _fixed("nat_gateway"),
}
"""Type -> its rule."""
