"""Price rules for resources of Terraform's aws provider."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from pytest_telescope.cluster.cost.bill import Bill
from pytest_telescope.cluster.cost.bill import Nodes
from pytest_telescope.cluster.cost.planned import Planned
from pytest_telescope.cluster.cost.planned import first

Rule = Callable[[Bill, Planned, list[Planned]], None]
LEAST_DISK_GB = 20
"""GB of a node group's disk where nothing is said. https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html"""


def _cluster(bill: Bill, one: Planned, _found: list[Planned]) -> None:
    tier = one.block("control_plane_scaling_config").get("tier") or "standard"
    bill.control_plane(tier)


def _group(bill: Bill, one: Planned, found: list[Planned]) -> None:
    """Price a node group; what it does not say itself, its launch template does."""
    template = _template(one, found)
    scaling = one.block("scaling_config")
    fixed = scaling.get("min_size") == scaling.get("max_size")
    least = scaling.get("desired_size") if fixed else scaling.get("min_size")
    disk = first(first(template.get("block_device_mappings")).get("ebs"))
    types = one.values.get("instance_types") or [template.get("instance_type")]
    if least is None or scaling.get("max_size") is None:
        bill.without_price(f"{one.address}: number of nodes")
        return
    bill.nodes(
        Nodes(
            name=f"pool {_pool_name(one)}",
            machine=_dearest(bill, types),
            least=least,
            most=least if fixed else scaling["max_size"],
            disk_gb=_number(disk.get("volume_size")) or one.values.get("disk_size") or LEAST_DISK_GB,
            disk_type=disk.get("volume_type") or "gp2",
            public_ip=_public(found),
        )
    )


def _dearest(bill: Bill, types: list[str | None]) -> str | None:
    """Return the type that costs most, as AWS takes any of them; one without a price before all others."""
    if None in types:
        return None
    return max(filter(None, types), key=lambda name: bill.prices.machine(name, bill.region) or float("inf"))


def _template(group: Planned, found: list[Planned]) -> Mapping[str, Any]:
    """Return the launch template of a group: the one of the same key, as its id is not known in a plan."""
    templates = [one for one in found if one.type == "aws_launch_template"]
    same = [one for one in templates if one.index == group.index]
    chosen = same if len(same) == 1 else templates
    return chosen[0].values if len(chosen) == 1 else {}


def _pool_name(one: Planned) -> str:
    return str(one.index if one.index is not None else one.values.get("node_group_name") or one.name)


def _public(found: list[Planned]) -> bool:
    """Return whether nodes get public addresses: subnets give them, and there is no NAT gateway to hide behind."""
    kinds = {one.type for one in found}
    gives = any(one.type == "aws_subnet" and one.values.get("map_public_ip_on_launch") for one in found)
    return gives and "aws_nat_gateway" not in kinds


def _number(value: Any) -> float | None:
    return float(value) if value else None


def _disk(bill: Bill, one: Planned, _found: list[Planned]) -> None:
    bill.disk(one.address, one.values.get("type") or "gp2", one.values.get("size"))


def _instance(bill: Bill, one: Planned, _found: list[Planned]) -> None:
    disk = one.block("root_block_device")
    bill.nodes(
        Nodes(
            name=one.address,
            machine=one.values.get("instance_type"),
            least=1,
            most=1,
            disk_gb=disk.get("volume_size"),
            disk_type=disk.get("volume_type"),
        )
    )


def _fixed(kind: str) -> Rule:
    return lambda bill, one, _found: bill.fixed(kind, name=one.address)


PRICED: Mapping[str, Rule] = {
    "aws_eks_cluster": _cluster,
    "aws_eks_node_group": _group,
    "aws_instance": _instance,
    "aws_ebs_volume": _disk,
    "aws_eip": _fixed("public_ip"),
    "aws_nat_gateway": _fixed("nat_gateway"),
    "aws_lb": _fixed("load_balancer"),
    "aws_elb": _fixed("load_balancer"),
}
"""Type -> its rule."""
