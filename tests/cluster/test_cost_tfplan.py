"""What a Terraform plan costs, on documents in the shape of `terraform show -json`."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_telescope.cluster.cost.model import Estimate
from pytest_telescope.cluster.cost.spec import of_spec
from pytest_telescope.cluster.cost.tfplan import of_plan
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec


def resource(kind: str, label: str = "this", index: str | None = None, **values: Any) -> dict[str, Any]:
    address = f"{kind}.{label}" + (f'["{index}"]' if index else "")
    keyed = {} if index is None else {"index": index}
    return {"address": address, "mode": "managed", "type": kind, "name": label, **keyed, "values": values}


def document(*resources: dict[str, Any], region: str | None = None) -> dict[str, Any]:
    variables = {"region": {"value": region}} if region else {}
    return {"variables": variables, "planned_values": {"root_module": {"resources": list(resources)}}}


def same(planned: Estimate, told: Estimate) -> bool:
    """Tell whether both have the same parts, in whatever order."""
    return set(planned.parts) == set(told.parts) and planned.unknown == told.unknown == ()


def named(estimate: Estimate) -> dict[str, float]:
    return {part.name: part.high for part in estimate.parts}


AKS = resource(
    "azurerm_kubernetes_cluster",
    location="East US 2",
    sku_tier="Standard",
    default_node_pool=[{"name": "system", "vm_size": "Standard_D4s_v5", "node_count": 3}],
    network_profile=[{"network_plugin": "azure"}],
)
USER = resource(
    "azurerm_kubernetes_cluster_node_pool",
    "user",
    "user",
    name="user",
    vm_size="Standard_D16s_v5",
    min_count=1,
    max_count=10,
)


def test_a_plan_for_aks_costs_what_its_spec_costs() -> None:
    spec = ClusterSpec(
        pools={"system": PoolSpec(count=3), "user": PoolSpec(min=1, max=10, machine="Standard_D16s_v5")},
        region="eastus2",
    )

    planned = of_plan("aks", document(resource("azurerm_resource_group", location="eastus2"), AKS, USER))

    assert same(planned, of_spec("aks", spec))


def test_aks_has_no_load_balancer_of_its_own_behind_a_gateway() -> None:
    values = {**AKS["values"], "network_profile": [{"outbound_type": "userAssignedNATGateway"}]}
    found = named(of_plan("aks", document({**AKS, "values": values}, resource("azurerm_nat_gateway"))))

    assert "load balancer" not in found
    assert found["azurerm_nat_gateway.this"] == 0.045


TEMPLATE = [{"device_name": "/dev/xvda", "ebs": [{"volume_size": 100, "volume_type": "gp3"}]}]


def group(name: str, least: int, most: int, **values: Any) -> dict[str, Any]:
    scaling = [{"min_size": least, "max_size": most, "desired_size": least}]
    return resource("aws_eks_node_group", "this", name, scaling_config=scaling, launch_template=[{}], **values)


def test_a_plan_for_eks_costs_what_its_spec_costs() -> None:
    spec = ClusterSpec(pools={"system": PoolSpec(count=3), "user": PoolSpec(min=1, max=10, machine="m6i.4xlarge")})

    planned = of_plan(
        "eks",
        document(
            resource("aws_vpc"),
            resource("aws_subnet", "public", "a", map_public_ip_on_launch=True),
            resource("aws_eks_cluster", version="1.34"),
            resource(
                "aws_launch_template", "this", "system", block_device_mappings=TEMPLATE, instance_type="m6i.xlarge"
            ),
            resource("aws_launch_template", "this", "user", block_device_mappings=TEMPLATE),
            group("system", 3, 3),
            group("user", 1, 10, instance_types=["m6i.4xlarge"]),
            region="us-east-1",
        ),
    )

    assert same(planned, of_spec("eks", spec))


def test_of_several_types_the_dearest_counts_and_one_without_a_price_before_all() -> None:
    dear = of_plan("eks", document(group("user", 1, 1, instance_types=["m6i.large", "m6i.8xlarge", "m6i.xlarge"])))
    unknown = of_plan("eks", document(group("user", 1, 1, instance_types=["m6i.large", "x9.large"])))

    assert named(dear)["pool user: 1 x m6i.8xlarge"] == pytest.approx(1.536)
    assert unknown.unknown == ("pool user: 1 x x9.large in us-east-1",)


def test_a_type_that_only_the_apply_tells_is_unknown() -> None:
    estimate = of_plan("eks", document(group("user", 2, 2)))

    assert estimate.unknown == ("pool user: 2 x machines not known yet in us-east-1",)


def test_a_fixed_pool_that_nobody_uses_costs_nothing_though_it_may_grow() -> None:
    empty = resource(
        "aws_eks_node_group", "this", "user", scaling_config=[{"min_size": 0, "max_size": 1, "desired_size": 0}]
    )
    estimate = of_plan("eks", document({**empty, "values": {**empty["values"], "instance_types": ["m6i.large"]}}))

    assert (estimate.low, estimate.high > 0) == (0, True)


def test_nodes_behind_a_nat_gateway_have_no_addresses_of_their_own() -> None:
    subnet = resource("aws_subnet", "public", "a", map_public_ip_on_launch=True)
    node = group("user", 2, 2, instance_types=["m6i.large"])

    found = named(of_plan("eks", document(subnet, node, resource("aws_nat_gateway"), resource("aws_eip"))))

    assert found["aws_nat_gateway.this"] == 0.045
    assert found["aws_eip.this"] == 0.005
    assert not any("public addresses" in name for name in found)


def test_a_provisioned_control_plane_is_unknown() -> None:
    cluster = resource("aws_eks_cluster", control_plane_scaling_config=[{"tier": "tier-xl"}])

    assert of_plan("eks", document(cluster)).unknown == ("control plane tier-xl in us-east-1",)


GKE = resource(
    "google_container_cluster",
    location="us-central1-a",
    remove_default_node_pool=True,
    initial_node_count=1,
    node_config=[{"machine_type": "e2-medium"}],
)


def pool(name: str, **values: Any) -> dict[str, Any]:
    config = [{"machine_type": "n2-standard-4", "disk_size_gb": 100, "disk_type": "pd-balanced"}]
    return resource("google_container_node_pool", "this", name, name=name, **{"node_config": config, **values})


def test_a_plan_for_gke_costs_what_its_spec_costs() -> None:
    machine = "n2-standard-4"
    spec = ClusterSpec(
        pools={"system": PoolSpec(count=3, machine=machine), "user": PoolSpec(min=0, max=10, machine=machine)}
    )
    scaled = [{"total_min_node_count": 0, "total_max_node_count": 10}]

    planned = of_plan(
        "gke", document(GKE, pool("system", node_count=3), pool("user", autoscaling=scaled), region="us-central1")
    )

    assert same(planned, of_spec("gke", spec))


@pytest.mark.parametrize(
    ("location", "cluster_zones", "pool_zones", "nodes"),
    [
        ("us-central1", None, None, 6),
        ("us-central1", ["us-central1-a", "us-central1-b"], None, 4),
        ("us-central1", ["us-central1-a", "us-central1-b"], ["us-central1-a"], 2),
        ("us-central1", None, [], 6),
        ("us-central1-a", None, None, 2),
        ("us-central1-a", ["us-central1-b"], None, 4),
        ("us-central1-a", None, ["us-central1-a", "us-central1-b", "us-central1-c"], 6),
    ],
)
def test_nodes_of_gke_are_counted_in_every_zone(
    location: str, cluster_zones: list[str] | None, pool_zones: list[str] | None, nodes: int
) -> None:
    cluster = {**GKE, "values": {**GKE["values"], "location": location, "node_locations": cluster_zones}}
    own = pool("user", node_count=2, location=location, node_locations=pool_zones)

    found = named(of_plan("gke", document(cluster, own, region="us-central1")))

    assert f"pool user: {nodes} x n2-standard-4" in found


def test_an_autoscaler_s_limits_of_a_zone_count_in_every_zone() -> None:
    scaled = [{"min_node_count": 1, "max_node_count": 2}]
    cluster = {**GKE, "values": {**GKE["values"], "location": "us-central1"}}

    found = named(of_plan("gke", document(cluster, pool("user", autoscaling=scaled), region="us-central1")))

    assert "pool user: 3..6 x n2-standard-4" in found


def test_private_nodes_have_no_addresses_and_internal_ones_are_free() -> None:
    cluster = {**GKE, "values": {**GKE["values"], "private_cluster_config": [{"enable_private_nodes": True}]}}
    internal = resource("google_compute_address", address_type="INTERNAL")

    found = named(of_plan("gke", document(cluster, pool("user", node_count=2), internal, region="us-central1")))

    assert not any("address" in name for name in found)


@pytest.mark.parametrize(
    ("provider", "kind"),
    [
        ("aks", "azurerm_log_analytics_workspace"),
        ("aks", "azurerm_firewall"),
        ("eks", "aws_cloudwatch_log_group"),
        ("eks", "aws_rds_cluster"),
        ("gke", "google_filestore_instance"),
    ],
)
def test_a_resource_that_is_neither_priced_nor_known_to_be_free_is_unknown(provider: str, kind: str) -> None:
    estimate = of_plan(provider, document(resource(kind)))

    assert estimate.unknown == (f"{kind}.this",)
    assert estimate.text() == "unknown"


def test_resources_of_child_modules_count_and_data_sources_do_not() -> None:
    data = {**resource("aws_eks_cluster"), "mode": "data"}
    nested = {
        "resources": [resource("aws_eip", "deep")],
        "child_modules": [{"resources": [resource("aws_eip", "deeper")]}],
    }
    plan = {"planned_values": {"root_module": {"resources": [data], "child_modules": [nested]}}}

    assert set(named(of_plan("eks", plan))) == {"aws_eip.deep", "aws_eip.deeper"}


@pytest.mark.parametrize("provider", ["aks", "eks", "gke", "local"])
def test_a_plan_of_nothing_costs_nothing(provider: str) -> None:
    estimate = of_plan(provider, {"planned_values": {"root_module": {}}})

    assert (estimate.high, estimate.unknown) == (0, ())
