"""How each kind of thing is deleted at AWS, and how a due time is written."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytest_telescope.cluster.clouds.aws_api import Api
from pytest_telescope.cluster.clouds.aws_api import AwsError
from pytest_telescope.cluster.clouds.model import TAG_DUE
from pytest_telescope.cluster.clouds.model import Resource
from pytest_telescope.errors import CloudError

WITHIN = 900.0
"""Seconds that are waited until a node group or a cluster has gone."""
POLL = 10.0
Delete = Callable[[Api, str, Resource], None]


def delete(api: Api, region: str, resource: Resource) -> None:
    """Delete; nothing to do where it is gone.

    Raises:
        CloudError: AWS refused; transient where something still hangs on it.
    """
    with _gone():
        KINDS[resource.kind](api, region, resource)


@contextmanager
def _gone() -> Iterator[None]:
    try:
        yield
    except AwsError as error:
        if not error.gone:
            raise


def _simple(service: str, operation: str, argument: str, *, by: str = "id") -> Delete:
    def call(api: Api, region: str, resource: Resource) -> None:
        api.call(service, operation, region, **{argument: getattr(resource, by)})

    return call


def _node_group(api: Api, region: str, resource: Resource) -> None:
    cluster, _, group = resource.id.partition("/")
    names = {"clusterName": cluster, "nodegroupName": group}
    _begin(api, region, "delete_nodegroup", names)
    _wait(api, region, "describe_nodegroup", "nodegroup", names)


def _cluster(api: Api, region: str, resource: Resource) -> None:
    names = {"name": resource.name}
    _begin(api, region, "delete_cluster", names)
    _wait(api, region, "describe_cluster", "cluster", names)


def _begin(api: Api, region: str, operation: str, names: dict[str, str]) -> None:
    """Ask EKS to delete; that it is already at it is no error."""
    try:
        api.call("eks", operation, region, **names)
    except AwsError as error:
        if error.code != "ResourceInUseException" or "DELETING" not in _status(api, region, operation, names):
            raise


def _status(api: Api, region: str, operation: str, names: dict[str, str]) -> str:
    look = operation.replace("delete", "describe")
    answer = api.call("eks", look, region, **names)
    return str(
        next(value.get("status", "") for value in answer.values() if isinstance(value, dict) and "status" in value)
    )


def _wait(api: Api, region: str, operation: str, key: str, names: dict[str, str]) -> None:
    """Ask until it is gone.

    Raises:
        CloudError: it takes too long (transient), or EKS gave up.
    """
    waited = 0.0
    while True:
        status = str(api.call("eks", operation, region, **names)[key].get("status", ""))
        told = ", ".join(names.values())
        if status != "DELETING":
            raise CloudError(f"{key} {told} is {status or 'there'} after EKS began to delete it", transient=True)
        if waited >= WITHIN:
            raise CloudError(f"{key} {told} is not gone after {WITHIN:g} s", transient=True)
        api.sleep(POLL)
        waited += POLL


def _scaling_group(api: Api, region: str, resource: Resource) -> None:
    api.call(
        "autoscaling",
        "delete_auto_scaling_group",
        region,
        AutoScalingGroupName=resource.name,
        ForceDelete=True,
    )


def _instance(api: Api, region: str, resource: Resource) -> None:
    api.call("ec2", "terminate_instances", region, InstanceIds=[resource.id])


def _security_group(api: Api, region: str, resource: Resource) -> None:
    """Take away the rules of other groups that name it first: two groups that name each other keep each other."""
    filters = [{"Name": "ip-permission.group-id", "Values": [resource.id]}]
    naming = api.all("ec2", "describe_security_groups", region, "SecurityGroups", Filters=filters)
    for group in list(naming):
        rules = [rule for rule in map(_only(resource.id), group["IpPermissions"]) if rule["UserIdGroupPairs"]]
        if rules:
            with _gone():
                api.call("ec2", "revoke_security_group_ingress", region, GroupId=group["GroupId"], IpPermissions=rules)
    api.call("ec2", "delete_security_group", region, GroupId=resource.id)


def _only(group: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what cuts a rule down to the part that names `group`."""

    def cut(rule: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in rule.items() if key in ("IpProtocol", "FromPort", "ToPort")}
        pairs = [
            {key: pair[key] for key in ("GroupId", "UserId") if key in pair}
            for pair in rule.get("UserIdGroupPairs", ())
            if pair.get("GroupId") == group
        ]
        return {**kept, "UserIdGroupPairs": pairs}

    return cut


def _route_table(api: Api, region: str, resource: Resource) -> None:
    tables = api.call("ec2", "describe_route_tables", region, RouteTableIds=[resource.id])["RouteTables"]
    for table in tables:
        for to in table.get("Associations", ()):
            with _gone():
                api.call("ec2", "disassociate_route_table", region, AssociationId=to["RouteTableAssociationId"])
    api.call("ec2", "delete_route_table", region, RouteTableId=resource.id)


def _internet_gateway(api: Api, region: str, resource: Resource) -> None:
    found = api.call("ec2", "describe_internet_gateways", region, InternetGatewayIds=[resource.id])
    for gateway in found["InternetGateways"]:
        for to in gateway.get("Attachments", ()):
            with _gone():
                api.call("ec2", "detach_internet_gateway", region, InternetGatewayId=resource.id, VpcId=to["VpcId"])
    api.call("ec2", "delete_internet_gateway", region, InternetGatewayId=resource.id)


def _role(api: Api, region: str, resource: Resource) -> None:
    """Take away what a role has, and the profiles that EKS made for it, before the role itself."""
    name = resource.name
    policies = api.all("iam", "list_attached_role_policies", region, "AttachedPolicies", RoleName=name)
    for policy in list(policies):
        with _gone():
            api.call("iam", "detach_role_policy", region, RoleName=name, PolicyArn=policy["PolicyArn"])
    for inline in list(api.all("iam", "list_role_policies", region, "PolicyNames", RoleName=name)):
        with _gone():
            api.call("iam", "delete_role_policy", region, RoleName=name, PolicyName=inline)
    profiles = api.all("iam", "list_instance_profiles_for_role", region, "InstanceProfiles", RoleName=name)
    for profile in list(profiles):
        with _gone():
            _profile_of(api, region, profile["InstanceProfileName"], [name])
    api.call("iam", "delete_role", region, RoleName=name)


def _instance_profile(api: Api, region: str, resource: Resource) -> None:
    found = api.call("iam", "get_instance_profile", region, InstanceProfileName=resource.name)["InstanceProfile"]
    _profile_of(api, region, resource.name, [role["RoleName"] for role in found["Roles"]])


def _profile_of(api: Api, region: str, profile: str, roles: list[str]) -> None:
    for role in roles:
        with _gone():
            api.call("iam", "remove_role_from_instance_profile", region, InstanceProfileName=profile, RoleName=role)
    api.call("iam", "delete_instance_profile", region, InstanceProfileName=profile)


KINDS: dict[str, Delete] = {
    "node-group": _node_group,
    "cluster": _cluster,
    "auto-scaling-group": _scaling_group,
    "instance": _instance,
    "launch-template": _simple("ec2", "delete_launch_template", "LaunchTemplateId"),
    "classic-load-balancer": _simple("elb", "delete_load_balancer", "LoadBalancerName", by="name"),
    "load-balancer": _simple("elbv2", "delete_load_balancer", "LoadBalancerArn"),
    "target-group": _simple("elbv2", "delete_target_group", "TargetGroupArn"),
    "network-interface": _simple("ec2", "delete_network_interface", "NetworkInterfaceId"),
    "volume": _simple("ec2", "delete_volume", "VolumeId"),
    "security-group": _security_group,
    "subnet": _simple("ec2", "delete_subnet", "SubnetId"),
    "route-table": _route_table,
    "internet-gateway": _internet_gateway,
    "vpc": _simple("ec2", "delete_vpc", "VpcId"),
    "log-group": _simple("logs", "delete_log_group", "logGroupName", by="name"),
    "oidc-provider": _simple("iam", "delete_open_id_connect_provider", "OpenIDConnectProviderArn"),
    "instance-profile": _instance_profile,
    "role": _role,
}
"""Kind -> how it is deleted; the same kinds as in `eks.yaml`."""


def renew(api: Api, region: str, cluster: str, due: int) -> None:
    """Write a later due time on a cluster and its network, as far as they are there; the latest of a lease counts.

    Raises:
        CloudError: it could not be written.
    """
    with _gone():
        arn = api.call("eks", "describe_cluster", region, name=cluster)["cluster"]["arn"]
        api.call("eks", "tag_resource", region, resourceArn=arn, tags={TAG_DUE: str(due)})
    filters = [{"Name": "tag:Name", "Values": [cluster]}]
    found = [one["VpcId"] for one in api.all("ec2", "describe_vpcs", region, "Vpcs", Filters=filters)]
    if found:
        with _gone():
            api.call("ec2", "create_tags", region, Resources=found, Tags=[{"Key": TAG_DUE, "Value": str(due)}])
