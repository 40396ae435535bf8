"""The client for EKS against a pretended AWS: login, refusals, listing, deletion, renewal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.cluster.clouds import aws_deletion
from pytest_telescope.cluster.clouds import kube_token
from pytest_telescope.cluster.clouds.aws_words import words
from pytest_telescope.cluster.clouds.eks import Eks
from pytest_telescope.cluster.clouds.eks import kube_token as eks_token
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.errors import CloudError
from pytest_telescope.errors import PreflightError
from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import ClusterSpec
from tests.clouds.aws import put
from tests.clouds.aws_account import CLUSTER
from tests.clouds.aws_account import DUE
from tests.clouds.aws_account import LEASE
from tests.clouds.aws_account import TAGS
from tests.clouds.aws_account import WHERE
from tests.clouds.aws_account import Account
from tests.clouds.aws_account import account
from tests.clouds.aws_account import apply
from tests.clouds.aws_account import terraform
from tests.clouds.aws_tokens import ACCOUNT
from tests.clouds.aws_tokens import ROLE
from tests.clouds.fake import Fault


@pytest.fixture
def aws() -> Iterator[Account]:
    with account() as given:
        yield given


def spec(**more: Any) -> ClusterSpec:
    return ClusterSpec.model_validate({"pools": {"user": {"count": 2, **more.pop("pool", {})}}, **more})


def pipeline(aws: Account, **more: str) -> dict[str, str]:
    """Return the environment of a job of Azure Pipelines whose service connection AWS trusts."""
    return {
        "AWS_ENDPOINT_URL": aws.served.base,
        "AWS_ACCESS_KEY_ID": "$(AWS_ACCESS_KEY_ID)",
        "AWS_SECRET_ACCESS_KEY": "$(AWS_SECRET_ACCESS_KEY)",
        "AWS_REGION": "us-east-1",
        "AWS_ROLE_ARN": ROLE,
        "AWS_SERVICE_CONNECTION_ID": "connection",
        "SYSTEM_OIDCREQUESTURI": f"{aws.served.base}/oidc",
        "SYSTEM_ACCESSTOKEN": "job-token",
        **more,
    }


# Login


def test_a_spec_that_fits_is_not_refused(aws: Account) -> None:
    assert aws.eks.objections(spec()) == []
    assert aws.eks.refusals(spec(kubernetes_version="1.35"), WHERE) == []


def test_the_account_is_the_logins(aws: Account) -> None:
    assert aws.eks.where(spec(region="us-west-2")) == Where(account=ACCOUNT, region="us-west-2")


def test_an_unknown_key_says_to_sign_in_and_tells_no_secret(aws: Account) -> None:
    secret = "s3cr3t-" * 5
    eks = Eks(environ={**aws.served.environment(), "AWS_ACCESS_KEY_ID": "AKIAUNKNOWN", "AWS_SECRET_ACCESS_KEY": secret})

    with pytest.raises(PreflightError, match="sign in") as caught:
        eks.where(spec())

    eks.close()
    assert secret not in str(caught.value)


def test_azure_pipelines_identity_is_taken_for_the_role(aws: Account) -> None:
    eks = Eks(environ=pipeline(aws))

    assert eks.refusals(spec(), WHERE) == []
    assert aws.served.tokens.granted == 1
    eks.close()


def test_terraform_gets_a_file_with_the_identity_that_goes_with_the_client(aws: Account) -> None:
    eks = Eks(environ=pipeline(aws))

    given = eks.environment(WHERE)

    file = Path(given["AWS_WEB_IDENTITY_TOKEN_FILE"])
    assert file.read_text() == aws.served.tokens.identity
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert given["AWS_ACCESS_KEY_ID"] == given["AWS_SECRET_ACCESS_KEY"] == ""
    assert aws.served.tokens.identity not in given.values()
    aws.served.tokens.identity = "another"
    token_file = eks._token_file
    assert token_file is not None
    token_file.write()
    assert file.read_text() == "another"
    eks.close()
    assert not file.parent.exists()


def test_a_connection_that_the_job_does_not_name_is_told_without_the_jobs_token(aws: Account) -> None:
    eks = Eks(environ=pipeline(aws, SYSTEM_ACCESSTOKEN="wrong-job-token"))

    with pytest.raises(CloudError, match="service connection") as caught:
        eks.refusals(spec(), WHERE)

    eks.close()
    assert "wrong-job-token" not in str(caught.value)


def test_a_refused_identity_names_the_role_and_not_the_identity(aws: Account, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("stale-identity")
    eks = Eks(environ=pipeline(aws, AWS_WEB_IDENTITY_TOKEN_FILE=str(file)))

    with pytest.raises(CloudError, match="InvalidIdentityToken") as caught:
        eks.refusals(spec(), WHERE)

    eks.close()
    assert ROLE in str(caught.value)
    assert "stale-identity" not in str(caught.value)


def test_the_administrator_is_the_sessions_role_with_its_path(aws: Account) -> None:
    given = aws.eks.variables(spec(), WHERE)

    assert given["admin_principal_arns"] == [ROLE]
    assert given["zones"] == ["a", "b"]
    assert given["exec"][-4:] == ["kube-token", "eks", "--region", "us-east-1"]


def test_zones_are_those_in_which_every_machine_is_on_offer(aws: Account) -> None:
    aws.served.rest.offers["a"].remove("m6i.xlarge")

    assert aws.eks.variables(spec(), WHERE)["zones"] == ["b", "c"]


# Refusals


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"kubernetes_version": "1.29"}, "1.29 is not on offer; EKS offers 1.36, 1.35, 1.34"),
        (
            {"kubernetes_version": "1.30"},
            "extended support, which costs six times as much: EKS offers 1.36, 1.35, 1.34",
        ),
        (
            {"pool": {"machine": "m6i.huge"}},
            "there is no machine m6i.huge in us-east-1; on offer are m6i.8xlarge, m6i.large",
        ),
        (
            {"pool": {"zones": ["z"]}},
            "there is no zone us-east-1z for EKS; there are us-east-1a, us-east-1b, us-east-1c",
        ),
        ({"pool": {"zones": ["d"]}}, "there is no zone us-east-1d for EKS"),
    ],
)
def test_what_is_not_on_offer_is_refused_with_what_is(aws: Account, asked: dict[str, Any], told: str) -> None:
    refused = aws.eks.refusals(spec(**asked), WHERE)

    assert len(refused) == 1
    assert told in refused[0]
    assert not refused[0].startswith("capacity: ")


def test_a_machine_that_its_zone_has_not_is_refused_with_the_zones_that_have_it(aws: Account) -> None:
    aws.served.rest.offers["c"].remove("m6i.xlarge")

    assert aws.eks.refusals(spec(pool={"zones": ["c"]}), WHERE) == [
        "pool user: m6i.xlarge is not on offer in us-east-1c, but in us-east-1a, us-east-1b, us-east-1d"
    ]


def test_a_region_that_is_not_enabled_is_refused_with_those_that_are(aws: Account) -> None:
    refused = aws.eks.refusals(spec(), Where(account=ACCOUNT, region="eu-north-1"))

    assert refused == ["region eu-north-1 is not enabled for the account; enabled are eu-west-1, us-east-1, us-west-2"]


def test_another_account_than_the_logins_is_refused(aws: Account) -> None:
    refused = aws.eks.refusals(spec(), Where(account="999999999999", region="us-east-1"))

    assert refused == [f"the login is of account {ACCOUNT}, but the cluster is to stand in 999999999999"]


@pytest.mark.parametrize(
    ("code", "limit", "pool", "told"),
    [
        (
            "L-1216C47A",
            15,
            {"count": 4},
            "capacity: 16 vCPUs more are needed, but of Running On-Demand Standard instances",
        ),
        ("L-34B43A08", 15, {"min": 1, "max": 4, "count": None, "spot": True}, "capacity: 16 vCPUs more are needed"),
        ("L-1194D53C", 0, {}, "capacity: 1 clusters more are needed, but of Clusters (L-1194D53C) 0 of 0 are in use"),
        ("L-F678F1CE", 0, {}, "capacity: 1 VPCs more are needed, but of VPCs per Region"),
    ],
)
def test_a_quota_that_is_used_up_is_capacity(
    aws: Account, code: str, limit: float, pool: dict[str, Any], told: str
) -> None:
    aws.served.rest.quotas[code] = limit

    refused = aws.eks.refusals(spec(pool=pool), WHERE)

    assert len(refused) == 1
    assert refused[0].startswith(told)


def test_machines_that_run_count_against_the_quota(aws: Account) -> None:
    aws.served.rest.quotas["L-1216C47A"] = 16
    put(aws.cloud, "aws_instance", "i", instance_type="m6i.8xlarge", vpc_id="vpc-other")
    put(aws.cloud, "aws_instance", "i", instance_type="m6i.8xlarge", vpc_id="vpc-other", spot=True)

    assert "32 of 16 are in use in us-east-1: 0 are free" in aws.eks.refusals(spec(), WHERE)[0]


def test_a_right_that_is_missing_is_an_error_and_no_clean_answer(aws: Account) -> None:
    aws.served.rest.forbidden.add("GetServiceQuota")

    with pytest.raises(CloudError, match="get_service_quota: AccessDenied"):
        aws.eks.refusals(spec(), WHERE)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"network": "cilium"}, "network is cilium, but only vpc-cni, vpc-cni-prefix-delegation are on offer"),
        ({"tier": "premium"}, "tier is premium"),
        ({"zones": ["a", "a"]}, "zones names a zone twice"),
        ({"pool": {"os": "AL2"}}, "pool user has os AL2, but only AL2023 and BOTTLEROCKET are on offer"),
        ({"pool": {"os_disk_type": "io2"}}, "pool user has os_disk_type io2"),
        ({"pool": {"os_disk_gb": 10}}, "pool user has os_disk_gb 10"),
        ({"pool": {"max_pods": 251}}, "pool user has max_pods 251"),
        ({"pool": {"zones": ["a", "a"]}}, "pool user names a zone twice"),
        ({"pool": {"count": None, "min": 3, "max": 2}}, "pool user has min 3 above max 2"),
        ({"pool": {"taints": ["a=b:NoSchedule"]}}, "add a pool system"),
    ],
)
def test_words_that_eks_does_not_know_are_told_without_asking(aws: Account, asked: dict[str, Any], told: str) -> None:
    try:
        wanted = spec(**asked)
    except ValueError:
        pytest.skip("the scenario's own model refuses this")

    assert told in "; ".join(aws.eks.objections(wanted))
    assert aws.served.rest.asked == []


# Listing and deletion


@pytest.fixture
def lost(aws: Account, tmp_path: Path) -> Account:
    """A cluster whose Terraform state is lost, with what controllers in it made."""
    with terraform(tmp_path, aws) as run:
        made = apply(run, tmp_path)
        assert made.returncode == 0, made.stdout + made.stderr
        aws.cloud.closed.clear()
    leave(aws)
    return aws


def leave(aws: Account) -> None:
    """Add what Terraform does not know: none of it has our tag, and each is found in its own way."""
    cloud = aws.cloud
    vpc = next(one for one in cloud.listed("aws_vpc") if one.name == CLUSTER).id
    subnet = cloud.listed("aws_subnet")[0].id
    owned = {f"kubernetes.io/cluster/{CLUSTER}": "owned"}
    put(cloud, "aws_ebs_volume", "vol", name="claim", tags=owned)
    balancer = put(
        cloud,
        "aws_lb",
        "",
        id="arn:aws:lb/k8s-one",
        name="k8s-one",
        vpc_id=vpc,
        tags={"elbv2.k8s.aws/cluster": CLUSTER},
    )
    put(
        cloud,
        "aws_lb_target_group",
        "",
        id="arn:aws:tg/k8s-one",
        name="k8s-one",
        vpc_id="gone",
        tags={"elbv2.k8s.aws/cluster": CLUSTER},
    )
    put(cloud, "aws_elb", "", id="a1b2", name="a1b2", vpc_id=vpc, tags=owned)
    first = put(cloud, "aws_security_group", "sg", name="k8s-traffic", vpc_id=vpc)
    second = put(cloud, "aws_security_group", "sg", name="k8s-one", vpc_id=vpc)
    second.values["from"] = [first.id]
    first.values["from"] = [second.id]
    put(cloud, "aws_network_interface", "eni", parent=balancer, vpc_id=vpc, subnet_id=subnet, status="in-use")
    tags = {"cluster.k8s.amazonaws.com/name": CLUSTER}
    put(cloud, "aws_network_interface", "eni", name="warm", tags=tags, vpc_id=vpc, subnet_id=subnet, status="available")
    put(cloud, "aws_log_group", "", id=f"/aws/eks/{CLUSTER}/cluster", name=f"/aws/eks/{CLUSTER}/cluster")
    put(cloud, "aws_instance_profile", "", id="eks-1", name="eks-1", path="/", roles=[f"{CLUSTER}-node"])
    put(
        cloud,
        "aws_iam_openid_connect_provider",
        "",
        id=f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/A1",
        tags=TAGS,
    )


@pytest.mark.e2e
def test_what_terraform_made_and_what_it_left_is_listed_and_deleted_in_order(lost: Account) -> None:
    found = lost.eks.resources(WHERE, LEASE, CLUSTER)
    strange = put(
        lost.cloud, "aws_ebs_volume", "vol", name="somebody else's", tags={"kubernetes.io/cluster/other": "owned"}
    )

    assert {one.kind for one in found} >= {
        *("node-group", "cluster", "launch-template", "classic-load-balancer", "load-balancer", "target-group"),
        *("volume", "security-group", "subnet", "route-table", "internet-gateway", "vpc", "log-group", "role"),
        "oidc-provider",
    }
    assert [one.rank for one in found] == sorted(one.rank for one in found)
    assert {one.lease for one in found} == {LEASE}
    assert {one.due for one in found} == {float(DUE)}
    assert {one.tags["run_id"] for one in found} == {"r1"}
    assert all(
        one.command.startswith("aws ") and ("us-east-1" in one.command or " iam " in one.command) for one in found
    )
    refused = lost.swept()
    assert lost.eks.resources(WHERE, LEASE, CLUSTER) == []
    assert lost.cloud.holds() == [f"aws_ebs_volume {strange.id}"]
    assert refused == []


@pytest.mark.e2e
def test_what_hangs_on_others_is_refused_for_now_and_goes_later(lost: Account) -> None:
    vpc = next(one for one in lost.eks.resources(WHERE, LEASE, CLUSTER) if one.kind == "vpc")

    with pytest.raises(CloudError, match="DependencyViolation") as caught:
        lost.eks.delete(vpc, WHERE)

    assert caught.value.transient
    lost.swept()
    lost.eks.delete(vpc, WHERE)


@pytest.mark.e2e
def test_a_later_due_time_counts_for_all_of_the_lease(lost: Account) -> None:
    lost.eks.renew(WHERE, CLUSTER, DUE + 3600)

    found = lost.eks.resources(WHERE, LEASE, CLUSTER)
    assert {one.due for one in found} == {float(DUE + 3600)}
    assert lost.cloud.listed("aws_eks_cluster")[0].tags["deletion_due_time"] == str(DUE + 3600)


def test_without_a_lease_all_leases_are_listed_and_nothing_else(aws: Account) -> None:
    put(aws.cloud, "aws_vpc", "vpc", name="telescope-aaaaaaaa", tags={"telescope_lease": "aaaaaaaa"})
    put(aws.cloud, "aws_ebs_volume", "vol", tags={"kubernetes.io/cluster/telescope-bbbbbbbb": "owned"})
    put(
        aws.cloud,
        "aws_log_group",
        "",
        id="/aws/eks/telescope-cccccccc/cluster",
        name="/aws/eks/telescope-cccccccc/cluster",
    )
    put(aws.cloud, "aws_vpc", "vpc", name="production")
    put(aws.cloud, "aws_log_group", "", id="/aws/eks/production/cluster", name="/aws/eks/production/cluster")

    found = aws.eks.resources(WHERE, None, None)

    assert {one.lease for one in found} == {"aaaaaaaa", "bbbbbbbb", "cccccccc"}
    assert len(found) == 3


def test_a_machine_tells_its_price(aws: Account) -> None:
    put(aws.cloud, "aws_instance", "i", instance_type="m6i.xlarge", vpc_id="v", tags=TAGS)

    assert [one.usd_per_hour for one in aws.eks.resources(WHERE, LEASE, CLUSTER)] == [0.192]


def test_throttling_is_waited_for_with_longer_and_longer_breaks(aws: Account) -> None:
    aws.cloud.faults.append(Fault("throttle", "aws_api:DescribeVpcs", times=3))

    assert aws.listed() == []
    assert aws.waits == [1.0, 2.0, 4.0]


def test_endless_throttling_is_a_transient_error(aws: Account) -> None:
    aws.cloud.faults.append(Fault("throttle", "aws_api:DescribeVpcs", times=None))

    with pytest.raises(CloudError, match="RequestLimitExceeded") as caught:
        aws.listed()

    assert caught.value.transient


def test_a_listing_that_is_refused_is_an_error_and_no_empty_listing(aws: Account) -> None:
    aws.served.rest.forbidden.add("DescribeVolumes")

    with pytest.raises(CloudError, match="describe_volumes: AccessDenied"):
        aws.listed()


def test_an_account_that_does_not_answer_is_an_error(aws: Account) -> None:
    eks = Eks(
        environ={**aws.served.environment(), "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, sleep=lambda _seconds: None
    )

    with pytest.raises(CloudError, match="has no answer") as caught:
        eks.resources(WHERE, LEASE, CLUSTER)

    eks.close()
    assert caught.value.transient


def test_what_is_gone_is_deleted_without_an_error(aws: Account) -> None:
    put(aws.cloud, "aws_ebs_volume", "vol", tags=TAGS)
    (volume,) = aws.eks.resources(WHERE, LEASE, CLUSTER)

    aws.eks.delete(volume, WHERE)
    aws.eks.delete(volume, WHERE)
    aws.eks.renew(WHERE, CLUSTER, DUE)


def test_every_kind_can_be_deleted() -> None:
    assert set(aws_deletion.KINDS) == set(words()["kinds"])


# Tokens


def test_a_token_is_good_for_its_cluster_alone_and_for_a_quarter_of_an_hour(aws: Account) -> None:
    for name in (CLUSTER, "telescope-ffffffff"):
        aws.cloud.add("aws_eks_cluster", id=name, name=name, values={"arn": name})
    found = eks_token(["--cluster", CLUSTER, "--region", "us-east-1"], aws.served.environment())

    token = found["status"]["token"]
    assert found["apiVersion"] == "client.authentication.k8s.io/v1"
    assert found["kind"] == "ExecCredential"
    assert aws.served.tokens.accepts(token)
    aws.cloud.remove("aws_eks_cluster", CLUSTER)
    assert not aws.served.tokens.accepts(token)
    until = time.mktime(time.strptime(found["status"]["expirationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    assert 800 < until - time.time() <= 841
    assert aws.served.tokens.secret not in str(found)


def test_a_token_of_another_key_is_not_taken(aws: Account) -> None:
    aws.cloud.add("aws_eks_cluster", id=CLUSTER, name=CLUSTER, values={"arn": CLUSTER})
    environment = {**aws.served.environment(), "AWS_SECRET_ACCESS_KEY": "another"}

    found = eks_token(["--cluster", CLUSTER, "--region", "us-east-1"], environment)

    assert not aws.served.tokens.accepts(found["status"]["token"])
    assert not aws.served.tokens.accepts("k8s-aws-v1.AAAA")


@pytest.mark.parametrize(
    "arguments", [["aks"], [], ["eks"], ["eks", "--cluster", "c"], ["eks", "--cluster", "c", "--region", "r", "x"]]
)
def test_arguments_that_are_not_understood_are_told(arguments: list[str]) -> None:
    with pytest.raises(UsageError, match="kube-token"):
        kube_token.credential(arguments)
