"""The client for EKS against moto, whose EC2, ELB, IAM and CloudWatch Logs are not ours: real shapes, real refusals."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from pytest_telescope.cluster.clouds.eks import Eks
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.errors import CloudError

pytestmark = pytest.mark.e2e
LEASE = "0123abcd"
CLUSTER = f"telescope-{LEASE}"
REGION = "us-east-1"
WHERE = Where(account="123456789012", region=REGION)
RIGHTS = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}"""
TAGS = [
    {"Key": "telescope_lease", "Value": LEASE},
    {"Key": "deletion_due_time", "Value": "1795500000"},
    {"Key": "Name", "Value": CLUSTER},
]


class Moto:
    """One account of moto, with the client that is under test and boto3's own."""

    def __init__(self, base: str) -> None:
        self.base = base
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": REGION}
        self.eks = Eks(environ={**keys, "AWS_ENDPOINT_URL": base}, sleep=lambda _seconds: None)
        self.ec2 = self.client("ec2")

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload] # the service is a variable
            service,
            region_name=REGION,
            endpoint_url=self.base,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def listed(self) -> list[str]:
        return [one.kind for one in self.eks.resources(WHERE, LEASE, CLUSTER)]

    def network(self) -> tuple[str, str]:
        """Make a tagged network with a way out, and return its id and its subnet's."""
        tags = [{"ResourceType": "vpc", "Tags": TAGS}]
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
        subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/17")["Subnet"]["SubnetId"]
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        table = self.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return vpc, subnet


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Moto]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    given = Moto(f"http://{host}:{port}")
    import requests

    requests.post(f"{given.base}/moto-api/reset", timeout=10).close()
    yield given
    given.eks.close()
    given.ec2.close()
    server.stop()


def test_a_network_with_all_that_hangs_on_it_is_listed_by_its_tag_and_deleted(moto: Moto) -> None:
    vpc, subnet = moto.network()
    first = moto.ec2.create_security_group(GroupName="k8s-a", Description="a", VpcId=vpc)["GroupId"]
    second = moto.ec2.create_security_group(GroupName="k8s-b", Description="b", VpcId=vpc)["GroupId"]
    for group, other in ((first, second), (second, first)):
        rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": other}]}
        moto.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    moto.ec2.create_network_interface(SubnetId=subnet, Groups=[first])
    others = moto.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]

    assert set(moto.listed()) == {
        *("network-interface", "security-group", "subnet", "route-table", "internet-gateway", "vpc")
    }
    for _ in range(3):
        for one in moto.eks.resources(WHERE, LEASE, CLUSTER):
            moto.eks.delete(one, WHERE)

    assert moto.listed() == []
    assert others in {one["VpcId"] for one in moto.ec2.describe_vpcs()["Vpcs"]}


def test_a_network_in_use_is_refused_for_now(moto: Moto) -> None:
    moto.network()
    vpc = next(one for one in moto.eks.resources(WHERE, LEASE, CLUSTER) if one.kind == "vpc")

    with pytest.raises(CloudError, match="DependencyViolation") as caught:
        moto.eks.delete(vpc, WHERE)

    assert caught.value.transient


def test_disks_and_launch_templates_are_found_by_the_tags_of_their_makers(moto: Moto) -> None:
    tags = [{"Key": f"kubernetes.io/cluster/{CLUSTER}", "Value": "owned"}]
    volume = {"AvailabilityZone": f"{REGION}a", "Size": 1}
    moto.ec2.create_volume(**volume, TagSpecifications=[{"ResourceType": "volume", "Tags": tags}])
    moto.ec2.create_volume(**volume)
    moto.ec2.create_launch_template(LaunchTemplateName=f"{CLUSTER}-user", LaunchTemplateData={"UserData": "eA=="})

    assert moto.listed() == ["launch-template", "volume"]
    for one in moto.eks.resources(WHERE, LEASE, CLUSTER):
        moto.eks.delete(one, WHERE)
    assert moto.listed() == []
    assert len(moto.ec2.describe_volumes()["Volumes"]) == 1


def test_load_balancers_and_target_groups_are_found_by_the_controllers_tag(moto: Moto) -> None:
    vpc, subnet = moto.network()
    more = moto.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.128.0/17", AvailabilityZone=f"{REGION}b")["Subnet"]
    elbv2, elb = moto.client("elbv2"), moto.client("elb")
    tags = [{"Key": "elbv2.k8s.aws/cluster", "Value": CLUSTER}]
    elbv2.create_load_balancer(Name="k8s-one", Subnets=[subnet, more["SubnetId"]], Type="network", Tags=tags)
    elbv2.create_target_group(Name="k8s-one", Protocol="TCP", Port=80, VpcId=vpc, Tags=tags)
    listener = {"Protocol": "tcp", "LoadBalancerPort": 80, "InstancePort": 80}
    elb.create_load_balancer(LoadBalancerName="a1b2", Listeners=[listener], Subnets=[subnet])

    found = [one for one in moto.eks.resources(WHERE, LEASE, CLUSTER) if one.rank < 40]
    assert {one.kind for one in found} == {"classic-load-balancer", "load-balancer", "target-group"}
    for one in found:
        moto.eks.delete(one, WHERE)
    assert [one for one in moto.eks.resources(WHERE, LEASE, CLUSTER) if one.rank < 40] == []
    elbv2.close()
    elb.close()


def test_roles_with_rights_and_profiles_and_log_groups_are_deleted(moto: Moto) -> None:
    iam, logs = moto.client("iam"), moto.client("logs")
    role = f"{CLUSTER}-node"
    iam.create_role(RoleName=role, Path="/telescope/", AssumeRolePolicyDocument="{}", Tags=TAGS)
    policy = iam.create_policy(PolicyName="p", PolicyDocument=RIGHTS)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=policy)
    iam.put_role_policy(RoleName=role, PolicyName="inline", PolicyDocument=RIGHTS)
    iam.create_instance_profile(InstanceProfileName="eks-1")
    iam.add_role_to_instance_profile(InstanceProfileName="eks-1", RoleName=role)
    iam.create_role(RoleName="somebody", Path="/", AssumeRolePolicyDocument="{}")
    logs.create_log_group(logGroupName=f"/aws/eks/{CLUSTER}/cluster")
    logs.create_log_group(logGroupName=f"/aws/eks/{CLUSTER}0/cluster")

    assert moto.listed() == ["log-group", "role"]
    assert moto.eks.resources(WHERE, LEASE, CLUSTER)[1].due == 1795500000.0
    for one in moto.eks.resources(WHERE, LEASE, CLUSTER):
        moto.eks.delete(one, WHERE)

    assert moto.listed() == []
    assert [one["RoleName"] for one in iam.list_roles()["Roles"]] == ["somebody"]
    assert iam.list_instance_profiles()["InstanceProfiles"] == []
    iam.close()
    logs.close()


def test_a_cluster_of_eks_is_listed_renewed_and_deleted(moto: Moto) -> None:
    vpc, subnet = moto.network()
    eks = moto.client("eks")
    tags = {one["Key"]: one["Value"] for one in TAGS}
    eks.create_cluster(
        name=CLUSTER, roleArn="arn:aws:iam::123456789012:role/r", resourcesVpcConfig={"subnetIds": [subnet]}, tags=tags
    )

    moto.eks.renew(WHERE, CLUSTER, 1795599999)

    cluster = next(one for one in moto.eks.resources(WHERE, LEASE, CLUSTER) if one.kind == "cluster")
    assert cluster.due == 1795599999.0
    moto.eks.delete(cluster, WHERE)
    assert "cluster" not in moto.listed()
    assert vpc in {one.id for one in moto.eks.resources(WHERE, LEASE, CLUSTER)}
    eks.close()


def test_long_listings_are_read_to_their_end(moto: Moto) -> None:
    logs = moto.client("logs")
    for number in range(60):
        logs.create_log_group(logGroupName=f"/aws/eks/{CLUSTER}/{number:02}")

    assert len(moto.listed()) == 60
    logs.close()
