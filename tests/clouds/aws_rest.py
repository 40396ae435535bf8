"""AWS' services over the pretended cloud, as far as the harness asks them."""

from __future__ import annotations

import datetime
import fnmatch
import re
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from tests.clouds.aws_tokens import ACCOUNT
from tests.clouds.aws_tokens import CALLER
from tests.clouds.aws_tokens import ROLE
from tests.clouds.aws_tokens import Tokens
from tests.clouds.fake import FakeCloud
from tests.clouds.fake import FakeError
from tests.clouds.fake import Thing

CLUSTER = "aws_eks_cluster"
GROUP = "aws_eks_node_group"
MACHINES = {"m6i.large": 2, "m6i.xlarge": 4, "m6i.8xlarge": 32, "m7g.xlarge": 4, "m5.large": 2}
REGIONS = ("eu-west-1", "us-east-1", "us-west-2")
ZONES = {"a": "az1", "b": "az2", "c": "az4", "d": "az3"}
"""Letter -> end of the zone's id; `use1-az3` takes no cluster of EKS."""
VERSIONS = {
    "1.34": "STANDARD_SUPPORT",
    "1.35": "STANDARD_SUPPORT",
    "1.36": "STANDARD_SUPPORT",
    "1.30": "EXTENDED_SUPPORT",
}
QUOTAS = {"L-1216C47A": 512.0, "L-34B43A08": 256.0, "L-1194D53C": 100.0, "L-F678F1CE": 50.0}
Answer = dict[str, Any]
DELETES = {
    "DeleteNetworkInterface": ("aws_network_interface", "NetworkInterfaceId", "InvalidNetworkInterfaceID.NotFound"),
    "DeleteVolume": ("aws_ebs_volume", "VolumeId", "InvalidVolume.NotFound"),
    "DeleteSecurityGroup": ("aws_security_group", "GroupId", "InvalidGroup.NotFound"),
    "DeleteSubnet": ("aws_subnet", "SubnetId", "InvalidSubnetID.NotFound"),
    "DeleteRouteTable": ("aws_route_table", "RouteTableId", "InvalidRouteTableID.NotFound"),
    "DeleteInternetGateway": ("aws_internet_gateway", "InternetGatewayId", "InvalidInternetGatewayID.NotFound"),
    "DeleteVpc": ("aws_vpc", "VpcId", "InvalidVpcID.NotFound"),
    "DeleteLaunchTemplate": ("aws_launch_template", "LaunchTemplateId", "InvalidLaunchTemplateId.NotFound"),
    "DeleteAutoScalingGroup": ("aws_autoscaling_group", "AutoScalingGroupName", "ResourceNotFoundException"),
    "DeleteLogGroup": ("aws_log_group", "logGroupName", "ResourceNotFoundException"),
    "DeleteTargetGroup": ("aws_lb_target_group", "TargetGroupArn", "TargetGroupNotFound"),
    "DeleteOpenIDConnectProvider": ("aws_iam_openid_connect_provider", "OpenIDConnectProviderArn", "NoSuchEntity"),
    "DeleteInstanceProfile": ("aws_instance_profile", "InstanceProfileName", "NoSuchEntity"),
    "DeleteRole": ("aws_iam_role", "RoleName", "NoSuchEntity"),
}
"""Operation -> type, argument with the id, and what is said where there is no such thing."""


class Rest:
    """All services of one account.

    Attributes:
        quotas: code -> value.
        regions, versions: what is on offer.
        offers: zone's letter -> machine types.
        forbidden: operations that this login may not use.
        asked: every operation, in order.
    """

    def __init__(self, cloud: FakeCloud, tokens: Tokens) -> None:
        self.cloud = cloud
        self.tokens = tokens
        self.quotas = dict(QUOTAS)
        self.regions = list(REGIONS)
        self.versions = dict(VERSIONS)
        self.offers = {letter: list(MACHINES) for letter in ZONES}
        self.forbidden: set[str] = set()
        self.asked: list[str] = []

    def answer(self, operation: str, given: Mapping[str, Any], region: str) -> Answer:
        """Return what an operation is answered with, in boto3's shape.

        Raises:
            FakeError: with the status of HTTP.
        """
        self.asked.append(operation)
        if operation in self.forbidden:
            raise FakeError("AccessDenied", f"not allowed: {operation}", 403)
        self.cloud.faults.raised("throttle", f"aws_api:{operation}", "read")
        if operation in DELETES:
            return self._delete(*DELETES[operation], given)
        method: Callable[[Mapping[str, Any], str], Answer] = getattr(self, operation)
        return method(given, region)

    def _delete(self, kind: str, argument: str, missing: str, given: Mapping[str, Any]) -> Answer:
        if (kind, given[argument]) not in self.cloud.things:
            raise FakeError(missing, f"there is no {given[argument]}", 404 if "." not in missing else 400)
        self.cloud.destroy(kind, given[argument])
        return {}

    def _all(self, kind: str, region: str = "") -> list[Thing]:
        return [one for one in self.cloud.listed(kind) if not region or not one.region or one.region == region]

    def _filtered(self, kind: str, region: str, given: Mapping[str, Any]) -> list[Thing]:
        found = self._all(kind, region)
        for one in given.get("Filter", ()):
            name, values = one["Name"], one["Value"]
            if name.startswith("tag:"):
                found = [thing for thing in found if thing.tags.get(name[4:]) in values]
        return found

    # STS, Service Quotas

    def GetCallerIdentity(self, _given: Mapping[str, Any], _region: str) -> Answer:
        return {"UserId": "AROA:telescope", "Account": ACCOUNT, "Arn": CALLER}

    def AssumeRoleWithWebIdentity(self, given: Mapping[str, Any], _region: str) -> Answer:
        if given["WebIdentityToken"] != self.tokens.identity:
            raise FakeError("InvalidIdentityToken", "the identity token is not valid", 400)
        self.tokens.granted += 1
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        return {
            "Credentials": {
                "AccessKeyId": self.tokens.access_key,
                "SecretAccessKey": self.tokens.secret,
                "SessionToken": self.tokens.session,
                "Expiration": until,
            }
        }

    def GetServiceQuota(self, given: Mapping[str, Any], _region: str) -> Answer:
        if given["QuotaCode"] not in self.quotas:
            raise FakeError("NoSuchResourceException", "there is no such quota", 400)
        return {"Quota": {"QuotaCode": given["QuotaCode"], "Value": self.quotas[given["QuotaCode"]]}}

    # EC2: what is on offer

    def DescribeRegions(self, _given: Mapping[str, Any], _region: str) -> Answer:
        return {"Regions": [{"RegionName": name} for name in self.regions]}

    def DescribeAvailabilityZones(self, _given: Mapping[str, Any], region: str) -> Answer:
        prefix = {"us-east-1": "use1", "us-west-2": "usw2", "eu-west-1": "euw1"}[region]
        return {
            "AvailabilityZones": [
                {
                    "ZoneName": f"{region}{letter}",
                    "ZoneId": f"{prefix}-{end}",
                    "State": "available",
                    "RegionName": region,
                }
                for letter, end in ZONES.items()
            ]
        }

    def DescribeInstanceTypeOfferings(self, given: Mapping[str, Any], region: str) -> Answer:
        wanted = next((one["Value"] for one in given.get("Filter", ()) if one["Name"] == "instance-type"), ["*"])
        return {
            "InstanceTypeOfferings": [
                {"InstanceType": name, "LocationType": "availability-zone", "Location": f"{region}{letter}"}
                for letter, names in self.offers.items()
                for name in names
                if any(fnmatch.fnmatch(name, pattern) for pattern in wanted)
            ]
        }

    def DescribeInstanceTypes(self, given: Mapping[str, Any], _region: str) -> Answer:
        return {
            "InstanceTypes": [
                {"InstanceType": name, "VCpuInfo": {"DefaultVCpus": MACHINES[name]}}
                for name in given["InstanceType"]
                if name in MACHINES
            ]
        }

    # EC2: what there is

    def DescribeVpcs(self, given: Mapping[str, Any], region: str) -> Answer:
        return {"Vpcs": [{"VpcId": one.id, "Tags": pairs(one)} for one in self._filtered("aws_vpc", region, given)]}

    def DescribeSubnets(self, _given: Mapping[str, Any], region: str) -> Answer:
        return {
            "Subnets": [
                {"SubnetId": one.id, "VpcId": one.values["vpc_id"], "Tags": pairs(one)}
                for one in self._all("aws_subnet", region)
            ]
        }

    def DescribeRouteTables(self, given: Mapping[str, Any], region: str) -> Answer:
        wanted = given.get("RouteTableId")
        return {
            "RouteTables": [
                {
                    "RouteTableId": one.id,
                    "VpcId": one.values["vpc_id"],
                    "Tags": pairs(one),
                    "Associations": [
                        {"RouteTableAssociationId": to.id, "Main": False}
                        for to in self._all("aws_route_table_association")
                        if to.values.get("route_table_id") == one.id
                    ],
                }
                for one in self._all("aws_route_table", region)
                if wanted is None or one.id in wanted
            ]
        }

    def DisassociateRouteTable(self, given: Mapping[str, Any], _region: str) -> Answer:
        self.cloud.remove("aws_route_table_association", given["AssociationId"])
        return {}

    def DescribeInternetGateways(self, given: Mapping[str, Any], region: str) -> Answer:
        wanted = given.get("InternetGatewayId")
        return {
            "InternetGateways": [
                {
                    "InternetGatewayId": one.id,
                    "Tags": pairs(one),
                    "Attachments": [{"VpcId": one.values["vpc_id"], "State": "available"}]
                    if one.values["vpc_id"]
                    else [],
                }
                for one in self._all("aws_internet_gateway", region)
                if wanted is None or one.id in wanted
            ]
        }

    def DetachInternetGateway(self, given: Mapping[str, Any], _region: str) -> Answer:
        self.cloud.things["aws_internet_gateway", given["InternetGatewayId"]].values["vpc_id"] = ""
        return {}

    def DescribeSecurityGroups(self, given: Mapping[str, Any], region: str) -> Answer:
        found = self._all("aws_security_group", region)
        for one in given.get("Filter", ()):
            if one["Name"] == "ip-permission.group-id":
                found = [thing for thing in found if set(thing.values.get("from", ())) & set(one["Value"])]
        return {"SecurityGroups": [security_group(one) for one in found]}

    def RevokeSecurityGroupIngress(self, given: Mapping[str, Any], _region: str) -> Answer:
        gone = [pair["GroupId"] for rule in given["IpPermissions"] for pair in rule["Groups"]]
        thing = self.cloud.things["aws_security_group", given["GroupId"]]
        thing.values["from"] = [one for one in thing.values.get("from", ()) if one not in gone]
        return {"Return": True}

    def DescribeNetworkInterfaces(self, _given: Mapping[str, Any], region: str) -> Answer:
        return {
            "NetworkInterfaces": [
                {
                    "NetworkInterfaceId": one.id,
                    "VpcId": one.values["vpc_id"],
                    "Status": one.values.get("status", "available"),
                    "TagSet": pairs(one),
                }
                for one in self._all("aws_network_interface", region)
            ]
        }

    def DescribeVolumes(self, _given: Mapping[str, Any], region: str) -> Answer:
        return {
            "Volumes": [
                {
                    "VolumeId": one.id,
                    "State": "in-use" if one.values.get("instance") else "available",
                    "Tags": pairs(one),
                    "Attachments": [{"InstanceId": one.values["instance"]}] if one.values.get("instance") else [],
                }
                for one in self._all("aws_ebs_volume", region)
            ]
        }

    def DescribeInstances(self, _given: Mapping[str, Any], region: str) -> Answer:
        return {"Reservations": [{"Instances": [instance(one)]} for one in self._all("aws_instance", region)]}

    def TerminateInstances(self, given: Mapping[str, Any], _region: str) -> Answer:
        for one in given["InstanceId"]:
            self.cloud.destroy("aws_instance", one)
        return {}

    def DescribeLaunchTemplates(self, _given: Mapping[str, Any], region: str) -> Answer:
        return {
            "LaunchTemplates": [
                {"LaunchTemplateId": one.id, "LaunchTemplateName": one.values["name"], "Tags": pairs(one)}
                for one in self._all("aws_launch_template", region)
            ]
        }

    def CreateTags(self, given: Mapping[str, Any], _region: str) -> Answer:
        more = {tag["Key"]: tag["Value"] for tag in given["Tag"]}
        for key in list(self.cloud.things):
            if key[1] in given["ResourceId"]:
                self.cloud.retag(*key, {**self.cloud.things[key].tags, **more})
        return {}

    # EKS

    def DescribeClusterVersions(self, _given: Mapping[str, Any], _region: str) -> Answer:
        return {
            "clusterVersions": [{"clusterVersion": name, "versionStatus": one} for name, one in self.versions.items()]
        }

    def ListClusters(self, _given: Mapping[str, Any], region: str) -> Answer:
        return {"clusters": [one.name for one in self._all(CLUSTER, region)]}

    def _cluster(self, given: Mapping[str, Any]) -> Thing:
        thing = self.cloud.get(CLUSTER, given["name"])
        if thing is None:
            raise FakeError("ResourceNotFoundException", f"No cluster found for name: {given['name']}", 404)
        return thing

    def DescribeCluster(self, given: Mapping[str, Any], _region: str) -> Answer:
        one = self._cluster(given)
        states = {"ready": "ACTIVE", "failed": "FAILED", "creating": "CREATING", "deleting": "DELETING"}
        return {
            "cluster": {
                "name": one.name,
                "arn": one.values["arn"],
                "status": states[one.state],
                "tags": one.tags,
                "resourcesVpcConfig": {"vpcId": vpc_of(self.cloud, one)},
            }
        }

    def ListNodegroups(self, given: Mapping[str, Any], _region: str) -> Answer:
        self._cluster(given)
        groups = [one for one in self._all(GROUP) if one.values["cluster_name"] == given["name"]]
        return {"nodegroups": [one.values["node_group_name"] for one in groups]}

    def _group(self, given: Mapping[str, Any]) -> Thing:
        thing = self.cloud.get(GROUP, f"{given['name']}:{given['nodegroupName']}")
        if thing is None:
            raise FakeError(
                "ResourceNotFoundException", f"No node group found for name: {given['nodegroupName']}.", 404
            )
        return thing

    def DescribeNodegroup(self, given: Mapping[str, Any], _region: str) -> Answer:
        one = self._group(given)
        return {"nodegroup": {"nodegroupName": one.name, "status": "DELETING" if one.state == "deleting" else "ACTIVE"}}

    def DeleteNodegroup(self, given: Mapping[str, Any], _region: str) -> Answer:
        self.cloud.destroy(GROUP, self._group(given).id)
        return {}

    def DeleteCluster(self, given: Mapping[str, Any], _region: str) -> Answer:
        self.cloud.destroy(CLUSTER, self._cluster(given).id)
        return {}

    def TagResource(self, given: Mapping[str, Any], _region: str) -> Answer:
        one = self._cluster({"name": given["resourceArn"].rpartition("/")[2]})
        self.cloud.retag(CLUSTER, one.id, {**one.tags, **given["tags"]})
        return {}

    # Load balancers, auto scaling, logs

    def DescribeLoadBalancers(self, given: Mapping[str, Any], region: str) -> Answer:
        if given["Version"] == "2012-06-01":
            found = self._all("aws_elb", region)
            return {
                "LoadBalancerDescriptions": [
                    {"LoadBalancerName": one.name, "VPCId": one.values["vpc_id"]} for one in found
                ]
            }
        return {
            "LoadBalancers": [
                {"LoadBalancerArn": one.id, "LoadBalancerName": one.name, "VpcId": one.values["vpc_id"]}
                for one in self._all("aws_lb", region)
            ]
        }

    def DescribeTargetGroups(self, _given: Mapping[str, Any], region: str) -> Answer:
        return {
            "TargetGroups": [
                {"TargetGroupArn": one.id, "TargetGroupName": one.name, "VpcId": one.values["vpc_id"]}
                for one in self._all("aws_lb_target_group", region)
            ]
        }

    def DescribeTags(self, given: Mapping[str, Any], _region: str) -> Answer:
        if given["Version"] == "2012-06-01":
            found = [self.cloud.things["aws_elb", name] for name in given["LoadBalancerNames"]]
            return {"TagDescriptions": [{"LoadBalancerName": one.name, "Tags": pairs(one)} for one in found]}
        keys = [key for key in self.cloud.things if key[1] in given["ResourceArns"]]
        return {"TagDescriptions": [{"ResourceArn": key[1], "Tags": pairs(self.cloud.things[key])} for key in keys]}

    def DeleteLoadBalancer(self, given: Mapping[str, Any], _region: str) -> Answer:
        key = (
            ("aws_lb", given["LoadBalancerArn"])
            if "LoadBalancerArn" in given
            else ("aws_elb", given["LoadBalancerName"])
        )
        self.cloud.destroy(*key)
        return {}

    def DescribeAutoScalingGroups(self, _given: Mapping[str, Any], region: str) -> Answer:
        return {
            "AutoScalingGroups": [
                {"AutoScalingGroupName": one.name, "Tags": pairs(one)}
                for one in self._all("aws_autoscaling_group", region)
            ]
        }

    def DescribeLogGroups(self, given: Mapping[str, Any], region: str) -> Answer:
        prefix = given.get("logGroupNamePrefix", "")
        names = [one.name for one in self._all("aws_log_group", region) if one.name.startswith(prefix)]
        return {"logGroups": [{"logGroupName": name} for name in names]}

    # IAM

    def GetRole(self, given: Mapping[str, Any], _region: str) -> Answer:
        if given["RoleName"] != "runner":
            raise FakeError("NoSuchEntity", f"there is no role {given['RoleName']}", 404)
        return {"Role": {"RoleName": "runner", "Arn": ROLE, "Path": "/pipelines/"}}

    def ListRoles(self, given: Mapping[str, Any], _region: str) -> Answer:
        found = [one for one in self._all("aws_iam_role") if one.values["path"].startswith(given["PathPrefix"])]
        return {
            "Roles": [{"RoleName": one.name, "Arn": one.values["arn"], "Path": one.values["path"]} for one in found]
        }

    def ListRoleTags(self, given: Mapping[str, Any], _region: str) -> Answer:
        return {"Tags": pairs(self._role(given))}

    def _role(self, given: Mapping[str, Any]) -> Thing:
        thing = self.cloud.get("aws_iam_role", given["RoleName"])
        if thing is None:
            raise FakeError("NoSuchEntity", f"there is no role {given['RoleName']}", 404)
        return thing

    def _attached(self, role: str) -> list[Thing]:
        return [one for one in self._all("aws_iam_role_policy_attachment") if one.values["role"] == role]

    def ListAttachedRolePolicies(self, given: Mapping[str, Any], _region: str) -> Answer:
        found = self._attached(self._role(given).name)
        return {"AttachedPolicies": [{"PolicyArn": one.values["policy_arn"]} for one in found]}

    def DetachRolePolicy(self, given: Mapping[str, Any], _region: str) -> Answer:
        for one in self._attached(given["RoleName"]):
            if one.values["policy_arn"] == given["PolicyArn"]:
                self.cloud.remove(*one.key)
        return {}

    def ListRolePolicies(self, _given: Mapping[str, Any], _region: str) -> Answer:
        return {"PolicyNames": []}

    def ListInstanceProfilesForRole(self, given: Mapping[str, Any], _region: str) -> Answer:
        return {
            "InstanceProfiles": [profile(one) for one in self._profiles() if given["RoleName"] in one.values["roles"]]
        }

    def _profiles(self) -> list[Thing]:
        return self._all("aws_instance_profile")

    def ListInstanceProfiles(self, given: Mapping[str, Any], _region: str) -> Answer:
        found = [one for one in self._profiles() if one.values["path"].startswith(given["PathPrefix"])]
        return {"InstanceProfiles": [profile(one) for one in found]}

    def RemoveRoleFromInstanceProfile(self, given: Mapping[str, Any], _region: str) -> Answer:
        self.cloud.things["aws_instance_profile", given["InstanceProfileName"]].values["roles"].remove(
            given["RoleName"]
        )
        return {}

    def ListOpenIDConnectProviders(self, _given: Mapping[str, Any], _region: str) -> Answer:
        return {"OpenIDConnectProviderList": [{"Arn": one.id} for one in self._all("aws_iam_openid_connect_provider")]}

    def ListOpenIDConnectProviderTags(self, given: Mapping[str, Any], _region: str) -> Answer:
        thing = self.cloud.things["aws_iam_openid_connect_provider", given["OpenIDConnectProviderArn"]]
        return {"Tags": pairs(thing)}


ROUTES = (
    ("GET", r"/cluster-versions", "DescribeClusterVersions"),
    ("GET", r"/clusters", "ListClusters"),
    ("GET", r"/clusters/(?P<name>[^/]+)", "DescribeCluster"),
    ("DELETE", r"/clusters/(?P<name>[^/]+)", "DeleteCluster"),
    ("GET", r"/clusters/(?P<name>[^/]+)/node-groups", "ListNodegroups"),
    ("GET", r"/clusters/(?P<name>[^/]+)/node-groups/(?P<nodegroupName>[^/]+)", "DescribeNodegroup"),
    ("DELETE", r"/clusters/(?P<name>[^/]+)/node-groups/(?P<nodegroupName>[^/]+)", "DeleteNodegroup"),
    ("POST", r"/tags/(?P<resourceArn>.+)", "TagResource"),
)
"""What EKS, which speaks REST, is asked: method, path, operation."""


def routed(method: str, path: str) -> tuple[str, dict[str, str]]:
    """Return operation and arguments of a request to EKS."""
    for verb, pattern, operation in ROUTES:
        found = re.fullmatch(pattern, unquote(path))
        if verb == method and found:
            return operation, found.groupdict()
    raise FakeError("BadRequest", f"{method} {path} is not pretended", 400)


def pairs(thing: Thing) -> list[dict[str, str]]:
    """Return tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in thing.tags.items()]


def profile(thing: Thing) -> Answer:
    """Return an instance profile."""
    arn = f"arn:aws:iam::{ACCOUNT}:instance-profile{thing.values['path']}{thing.name}"
    return {
        "InstanceProfileName": thing.name,
        "Arn": arn,
        "Roles": [{"RoleName": one} for one in thing.values["roles"]],
    }


def security_group(thing: Thing) -> Answer:
    """Return a security group; `from` holds the groups whose traffic it lets in."""
    sources = [{"GroupId": one, "UserId": ACCOUNT} for one in thing.values.get("from", ())]
    rules = [{"IpProtocol": "-1", "UserIdGroupPairs": sources}] if sources else []
    return {
        "GroupId": thing.id,
        "GroupName": thing.name,
        "VpcId": thing.values["vpc_id"],
        "Tags": pairs(thing),
        "IpPermissions": rules,
    }


def instance(thing: Thing) -> Answer:
    """Return a machine."""
    kind = thing.values["instance_type"]
    answer = {
        "InstanceId": thing.id,
        "InstanceType": kind,
        "VpcId": thing.values["vpc_id"],
        "State": {"Name": "shutting-down" if thing.state == "deleting" else "running"},
        "CpuOptions": {"CoreCount": MACHINES.get(kind, 4) // 2, "ThreadsPerCore": 2},
        "Tags": pairs(thing),
    }
    return {**answer, "InstanceLifecycle": "spot"} if thing.values.get("spot") else answer


def vpc_of(cloud: FakeCloud, cluster: Thing) -> str:
    """Return the network of a cluster: that of its subnets."""
    subnets = (cluster.values.get("vpc_config") or [{}])[0].get("subnet_ids") or []
    return next((str(one.values["vpc_id"]) for one in cloud.listed("aws_subnet") if one.id in subnets), "")
