"""Objects of the pretended Azure: ids, what a cluster brings along, and how Azure Resource Manager shows them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.clouds.fake import FakeCloud
from tests.clouds.fake import Thing

SUBSCRIPTION = "00000000-0000-0000-0000-00000000abcd"
GROUP = "azurerm_resource_group"
NODES = "azure_node_resource_group"
CLUSTER = "azurerm_kubernetes_cluster"
POOL = "azurerm_kubernetes_cluster_node_pool"
CORES = {
    "Standard_D2s_v5": 2,
    "Standard_D4s_v5": 4,
    "Standard_D8s_v5": 8,
    "Standard_D16s_v5": 16,
    "Standard_D16_v3": 16,
}
FAMILIES = {name: "standardDv3Family" if name.endswith("v3") else "standardDSv5Family" for name in CORES}
VERSIONS = {
    "1.30": ["AKSLongTermSupport"],
    "1.33": ["KubernetesOfficial", "AKSLongTermSupport"],
    "1.34": ["KubernetesOfficial", "AKSLongTermSupport"],
}
TYPES = {
    CLUSTER: "Microsoft.ContainerService/managedClusters",
    "azure_scale_set": "Microsoft.Compute/virtualMachineScaleSets",
    "azure_disk": "Microsoft.Compute/disks",
    "azure_load_balancer": "Microsoft.Network/loadBalancers",
    "azure_public_ip": "Microsoft.Network/publicIPAddresses",
    "azure_network": "Microsoft.Network/virtualNetworks",
    "azure_security_group": "Microsoft.Network/networkSecurityGroups",
    "azure_network_interface": "Microsoft.Network/networkInterfaces",
    "azure_identity": "Microsoft.ManagedIdentity/userAssignedIdentities",
    "azure_data_collection_rule": "Microsoft.Insights/dataCollectionRules",
    "azure_vault": "Microsoft.KeyVault/vaults",
}
"""Type here -> Azure's own; pools are no resources of their own there."""
BESIDE = {
    "azure_network": "aks-vnet-1",
    "azure_security_group": "aks-agentpool-1-nsg",
    "azure_load_balancer": "kubernetes",
    "azure_public_ip": "outbound-1",
    "azure_identity": "agentpool",
}
Values = Mapping[str, Any]


def group_id(name: str) -> str:
    """Return the ARM id of a resource group."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"


def cluster_id(name: str) -> str:
    """Return the ARM id of a lease's cluster."""
    return f"{group_id(name)}/providers/{TYPES[CLUSTER]}/{name}"


def put(cloud: FakeCloud, kind: str, name: str, group: str, **settings: Any) -> Thing:
    """Put something into a resource group that is there."""
    owner = next(one for one in cloud.things.values() if one.type in (GROUP, NODES) and one.name == group)
    made = f"{owner.id}/providers/{TYPES[kind]}/{name}"
    parent = settings.pop("parent", owner.key)
    return cloud.add(kind, id=made, name=name, region=owner.region, parent=parent, **settings)


def teach(cloud: FakeCloud, kubeconfig: Path | None) -> None:
    """Teach the cloud Azure's ids and versions, what a cluster brings along, and how many cores machines have."""
    text = kubeconfig.read_text() if kubeconfig else "apiVersion: v1\nkind: Config\n"
    cloud.computed.update(
        {
            f"{GROUP}.id": lambda v: group_id(v["name"]),
            f"{CLUSTER}.id": lambda v: cluster_id(v["name"]),
            f"{CLUSTER}.node_resource_group_id": lambda v: group_id(v["node_resource_group"]),
            f"{CLUSTER}.kubernetes_version": "1.33",
            f"{CLUSTER}.current_kubernetes_version": lambda v: f"{_known(v.get('kubernetes_version'))}.5",
            f"{CLUSTER}.fqdn": lambda v: f"{v['dns_prefix']}-x1y2z3.hcp.{v['location']}.azmk8s.io",
            f"{CLUSTER}.kube_config_raw": text,
            f"{POOL}.id": lambda v: f"{v['kubernetes_cluster_id']}/agentPools/{v['name']}",
        }
    )
    cloud.on_created.setdefault(CLUSTER, []).append(_add_nodes)
    cloud.on_created.setdefault(POOL, []).append(_add_pool)
    cloud.demands["cores"] = cores


def _known(version: Any) -> str:
    return version if isinstance(version, str) else "1.33"


def cores(kind: str, values: Values) -> float:
    """Return the vCPUs that a thing takes."""
    pool = values["default_node_pool"][0] if kind == CLUSTER else values if kind == POOL else {}
    return CORES.get(pool.get("vm_size", ""), 0) * float(pool.get("node_count") or pool.get("min_count") or 0)


def _add_nodes(cloud: FakeCloud, thing: Thing) -> None:
    """Add the node resource group with the network and the system pool's machines; all of it goes with the cluster."""
    values = thing.values
    thing.parent = (GROUP, group_id(values["resource_group_name"]))
    group = values["node_resource_group"]
    cloud.add(NODES, id=group_id(group), name=group, region=thing.region, tags=thing.tags, parent=thing.key)
    for kind, name in BESIDE.items():
        put(cloud, kind, name, group, tags=thing.tags)
    put(cloud, "azure_scale_set", "aks-system-1-vmss", group, tags=thing.tags)


def _add_pool(cloud: FakeCloud, thing: Thing) -> None:
    """Add a pool's scale set, which goes with the pool."""
    cluster = cloud.things[CLUSTER, thing.values["kubernetes_cluster_id"]]
    thing.parent = cluster.key
    group = cluster.values["node_resource_group"]
    put(cloud, "azure_scale_set", f"aks-{thing.name}-1-vmss", group, tags=thing.tags, parent=thing.key)


def shown(thing: Thing) -> dict[str, Any]:
    """Return a thing as Azure Resource Manager shows it."""
    state = {"creating": "Creating", "deleting": "Deleting", "failed": "Failed"}.get(thing.state, "Succeeded")
    kind = "Microsoft.Resources/resourceGroups" if thing.type in (GROUP, NODES) else TYPES[thing.type]
    return {
        "id": thing.id,
        "name": thing.name,
        "type": kind,
        "location": thing.region,
        "tags": dict(thing.tags),
        "properties": {"provisioningState": state},
    }
