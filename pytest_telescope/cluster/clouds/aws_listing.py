"""What AWS holds of a lease: by its tag, by what names and tags of the cluster tell, and by the network it hangs on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_telescope.cluster.clouds.aws_api import Api
from pytest_telescope.cluster.clouds.aws_api import AwsError
from pytest_telescope.cluster.clouds.aws_words import words
from pytest_telescope.cluster.clouds.model import TAG_DUE
from pytest_telescope.cluster.clouds.model import TAG_LEASE
from pytest_telescope.cluster.clouds.model import TAG_RUN
from pytest_telescope.cluster.clouds.model import Resource

CLUSTER = re.compile(r"telescope-([0-9a-f]{8})(?![0-9a-f])")
"""A cluster's name, also at the beginning of a longer name."""
TAGGED_AT_ONCE = 20
"""Load balancers that one question about tags may name."""
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """One thing before it is known whose it is; `names` are texts that a cluster's name may begin."""

    kind: str
    id: str
    name: str
    tags: Mapping[str, str]
    vpc: str = ""
    names: tuple[str, ...] = ()
    state: str = ""
    cluster: str = ""
    machine: str = ""


class Listing:
    """One look at a region.

    Args:
        api: the login.
        region: where.
        lease: id of the only lease that is of interest; None is all.
        cluster: name of its cluster.
    """

    def __init__(self, api: Api, region: str, lease: str | None, cluster: str | None) -> None:
        self.api = api
        self.region = region
        self.lease = lease
        self.cluster = cluster
        self.networks: dict[str, str] = {}

    def resources(self) -> list[Resource]:
        """Return everything in the order of deletion.

        Raises:
            CloudError: one of the questions has no answer.
        """
        found = [(one, lease) for one in self._found() if (lease := self._owner(one)) and self._wanted(lease)]
        shared = _shared(found)
        alive = {lease for one, lease in found if one.kind == "cluster"}
        owners = {lease for one, lease in found if one.kind in ("cluster", "instance", "load-balancer")}
        shown = [
            self._resource(one, lease, shared[lease])
            for one, lease in found
            if not (_of_nodes(one) and lease in alive) and not (_held(one) and lease in owners)
        ]
        return sorted(shown, key=lambda one: (one.rank, one.kind, one.name, one.id))

    def _wanted(self, lease: str) -> bool:
        return self.lease is None or lease == self.lease

    def _owner(self, one: Found) -> str | None:
        """Return the id of the lease that a thing belongs to, or None."""
        told = one.tags.get(TAG_LEASE) or lease_of(one.cluster) or _by_tags(one.tags)
        told = told or next((lease for name in one.names if (lease := lease_of(name))), None)
        told = told or self.networks.get(one.vpc)
        if told is None and self.cluster and self.cluster in (one.name, one.cluster):
            return self.lease
        return told

    def _resource(self, one: Found, lease: str, shared: Mapping[str, str]) -> Resource:
        row = words()["kinds"][one.kind]
        tags = {**one.tags, TAG_LEASE: lease, **shared}
        command = row["command"].format(region=self.region, id=one.id, name=one.name, cluster=one.cluster)
        return Resource(
            kind=one.kind,
            id=one.id,
            name=one.name,
            region=self.region,
            tags=tags,
            rank=row["rank"],
            command=command,
            usd_per_hour=self._price(one) or row.get("usd_per_hour"),
            deleting=one.state.lower() in ("deleting", "shutting-down", "terminating"),
        )

    def _price(self, one: Found) -> float | None:
        if not one.machine:
            return None
        from pytest_telescope.cluster.cost.prices import prices

        return prices("eks").machine(one.machine, self.region)

    # What there is, whoever it belongs to

    def _found(self) -> Iterator[Found]:
        for vpc in self._ec2("describe_vpcs", "Vpcs"):
            found = Found("vpc", vpc["VpcId"], _name(vpc, "VpcId"), tags_of(vpc), names=(_name(vpc, "VpcId"),))
            if lease := self._owner(found):
                self.networks[found.id] = lease
            yield found
        yield from self._clusters()
        yield from self._computers()
        yield from self._balancers()
        yield from self._network()
        yield from self._logs()
        yield from self._identities()

    def _ec2(self, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        return self.api.all("ec2", operation, self.region, key, **arguments)

    def _clusters(self) -> Iterator[Found]:
        for name in self.api.all("eks", "list_clusters", self.region, "clusters"):
            if self.cluster is not None and name != self.cluster:
                continue
            try:
                one = self.api.call("eks", "describe_cluster", self.region, name=name)["cluster"]
                groups = list(self.api.all("eks", "list_nodegroups", self.region, "nodegroups", clusterName=name))
            except AwsError as error:
                if error.gone:
                    continue
                raise
            tags, vpc = one.get("tags", {}), one.get("resourcesVpcConfig", {}).get("vpcId", "")
            for group in groups:
                yield Found("node-group", f"{name}/{group}", group, tags, vpc=vpc, cluster=name)
            yield Found("cluster", one["arn"], name, tags, vpc=vpc, state=one.get("status", ""), cluster=name)

    def _computers(self) -> Iterator[Found]:
        groups = self.api.all("autoscaling", "describe_auto_scaling_groups", self.region, "AutoScalingGroups")
        for one in groups:
            name = one["AutoScalingGroupName"]
            state = "deleting" if one.get("Status") else ""
            yield Found("auto-scaling-group", name, name, tags_of(one), names=(name,), state=state)
        for reservation in self._ec2("describe_instances", "Reservations"):
            for one in reservation["Instances"]:
                if one["State"]["Name"] != "terminated":
                    yield Found(
                        "instance",
                        one["InstanceId"],
                        one["InstanceId"],
                        tags_of(one),
                        vpc=one.get("VpcId", ""),
                        state=one["State"]["Name"],
                        machine=one["InstanceType"],
                    )
        for one in self._ec2("describe_launch_templates", "LaunchTemplates"):
            name = one["LaunchTemplateName"]
            yield Found("launch-template", one["LaunchTemplateId"], name, tags_of(one), names=(name,))
        for one in self._ec2("describe_volumes", "Volumes"):
            if not one.get("Attachments"):
                yield Found("volume", one["VolumeId"], _name(one, "VolumeId"), tags_of(one), state=one.get("State", ""))

    def _balancers(self) -> Iterator[Found]:
        classic = list(self.api.all("elb", "describe_load_balancers", self.region, "LoadBalancerDescriptions"))
        tags = self._balancer_tags("elb", "LoadBalancerNames", "LoadBalancerName", classic)
        for one in classic:
            name = one["LoadBalancerName"]
            yield Found("classic-load-balancer", name, name, tags.get(name, {}), vpc=one.get("VPCId", ""))
        for kind, operation, key, id_of, name_of in (
            ("load-balancer", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn", "LoadBalancerName"),
            ("target-group", "describe_target_groups", "TargetGroups", "TargetGroupArn", "TargetGroupName"),
        ):
            found = list(self.api.all("elbv2", operation, self.region, key))
            tags = self._balancer_tags("elbv2", "ResourceArns", id_of, found)
            for one in found:
                yield Found(kind, one[id_of], one[name_of], tags.get(one[id_of], {}), vpc=one.get("VpcId", ""))

    def _balancer_tags(self, service: str, argument: str, id_of: str, found: list[Any]) -> dict[str, Mapping[str, str]]:
        """Return the tags of load balancers by name (classic) or ARN; of one that went meanwhile, none."""
        ids = [one[id_of] for one in found]
        tags: dict[str, Mapping[str, str]] = {}
        for at in range(0, len(ids), TAGGED_AT_ONCE):
            some = ids[at : at + TAGGED_AT_ONCE]
            try:
                answer = self.api.call(service, "describe_tags", self.region, **{argument: some})
            except AwsError as error:
                if not error.gone:
                    raise
                continue
            for one in answer["TagDescriptions"]:
                tags[one.get("ResourceArn") or one["LoadBalancerName"]] = tags_of(one)
        return tags

    def _network(self) -> Iterator[Found]:
        for one in self._ec2("describe_network_interfaces", "NetworkInterfaces"):
            yield Found(
                "network-interface",
                one["NetworkInterfaceId"],
                one["NetworkInterfaceId"],
                {tag["Key"]: tag["Value"] for tag in one.get("TagSet", ())},
                vpc=one.get("VpcId", ""),
                state=one.get("Status", ""),
            )
        for one in self._ec2("describe_security_groups", "SecurityGroups"):
            if one["GroupName"] != "default":
                yield Found("security-group", one["GroupId"], one["GroupName"], tags_of(one), vpc=one.get("VpcId", ""))
        for one in self._ec2("describe_subnets", "Subnets"):
            yield Found("subnet", one["SubnetId"], _name(one, "SubnetId"), tags_of(one), vpc=one["VpcId"])
        for one in self._ec2("describe_route_tables", "RouteTables"):
            if not any(to.get("Main") for to in one.get("Associations", ())):
                name = _name(one, "RouteTableId")
                yield Found("route-table", one["RouteTableId"], name, tags_of(one), vpc=one.get("VpcId", ""))
        for one in self._ec2("describe_internet_gateways", "InternetGateways"):
            name, to = _name(one, "InternetGatewayId"), one.get("Attachments") or [{}]
            yield Found("internet-gateway", one["InternetGatewayId"], name, tags_of(one), vpc=to[0].get("VpcId", ""))

    def _logs(self) -> Iterator[Found]:
        for prefix in words()["log_groups"]:
            begin = f"{prefix}{self.cluster}" if self.cluster else f"{prefix}telescope-"
            groups = self.api.all("logs", "describe_log_groups", self.region, "logGroups", logGroupNamePrefix=begin)
            for one in groups:
                name = one["logGroupName"]
                cluster = name.removeprefix(prefix).partition("/")[0]
                yield Found("log-group", name, name, {}, cluster=cluster)

    def _identities(self) -> Iterator[Found]:
        """Yield what IAM holds: it knows no regions, and no listing by tag."""
        path = words()["role_path"]
        for kind, operation, key, what, tagged, argument in (
            ("role", "list_roles", "Roles", "RoleName", "list_role_tags", "RoleName"),
            (
                "instance-profile",
                "list_instance_profiles",
                "InstanceProfiles",
                "InstanceProfileName",
                "list_instance_profile_tags",
                "InstanceProfileName",
            ),
        ):
            for one in self.api.all("iam", operation, self.region, key, PathPrefix=path):
                name = one[what]
                if lease_of(name) or name.startswith(f"{self.cluster}-"):
                    tags = self._iam_tags(tagged, argument, name) if self._maybe(name) else {}
                    yield Found(kind, one["Arn"], name, tags, names=(name,))
        mark = f"oidc.eks.{self.region}."
        for one in self.api.call("iam", "list_open_id_connect_providers", self.region)["OpenIDConnectProviderList"]:
            if mark in one["Arn"]:
                tags = self._iam_tags("list_open_id_connect_provider_tags", "OpenIDConnectProviderArn", one["Arn"])
                yield Found("oidc-provider", one["Arn"], one["Arn"].rpartition("/")[2], tags)

    def _maybe(self, name: str) -> bool:
        return self.lease is None or lease_of(name) == self.lease or name.startswith(f"{self.cluster}-")

    def _iam_tags(self, operation: str, argument: str, value: str) -> dict[str, str]:
        try:
            answer = self.api.call("iam", operation, self.region, **{argument: value})
        except AwsError as error:
            if not error.gone:
                raise
            return {}
        return tags_of(answer)


def lease_of(name: str) -> str | None:
    """Return the id of the lease whose cluster's name `name` begins with."""
    found = CLUSTER.match(name)
    return found[1] if found else None


def _by_tags(tags: Mapping[str, str]) -> str | None:
    """Return the id of the lease whose cluster the tags of controllers name."""
    prefix = words()["cluster_tag_prefix"]
    named = [tags[key] for key in words()["cluster_tags"] if key in tags]
    named += [key.removeprefix(prefix) for key in tags if key.startswith(prefix)]
    return next((lease for name in named if (lease := lease_of(name))), None)


def tags_of(item: Item) -> dict[str, str]:
    """Return tags as a mapping; services spell the list `Tags` or `TagList`."""
    return {tag["Key"]: tag.get("Value", "") for tag in item.get("Tags") or item.get("TagList") or ()}


def _name(item: Item, otherwise: str) -> str:
    return tags_of(item).get("Name") or str(item[otherwise])


def _shared(found: Iterable[tuple[Found, str]]) -> dict[str, dict[str, str]]:
    """Return what all of a lease share: its run, and its latest due time, as only cluster and network are renewed."""
    shared: dict[str, dict[str, str]] = {}
    for one, lease in found:
        tags, due = shared.setdefault(lease, {}), one.tags.get(TAG_DUE, "")
        if due.isdigit() and int(due) > int(tags.get(TAG_DUE, "0")):
            tags[TAG_DUE] = due
        if TAG_RUN in one.tags:
            tags[TAG_RUN] = one.tags[TAG_RUN]
    return shared


def _of_nodes(one: Found) -> bool:
    return bool(words()["kinds"][one.kind].get("nodes"))


def _held(one: Found) -> bool:
    """Tell whether an interface goes with what has it."""
    return one.kind == "network-interface" and one.state not in ("available", "")
