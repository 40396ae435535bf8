"""Errors as the clouds' Terraform providers word them, and what they mean for the next step."""

from __future__ import annotations

import re

import pytest

from pytest_telescope.cluster.clouds.failures import TABLE
from pytest_telescope.cluster.clouds.failures import UNKNOWN
from pytest_telescope.cluster.clouds.failures import meaning

WORDS: dict[str, tuple[str, ...]] = {
    "capacity": (
        'creating Cluster: managed_clusters: StatusCode=409 Code="SkuNotAvailable" Message="not available in eastus"',
        "performing CreateOrUpdate: ErrCode_InsufficientVCPUQuota: Insufficient vcpu quota requested 64, remaining 10",
        'polling after CreateOrUpdate: Code="ZonalAllocationFailed"',
        "OverconstrainedAllocationRequest: Allocation failed",
        "AsgInstanceLaunchFailures: InsufficientInstanceCapacity - We currently do not have sufficient m6i.xlarge",
        "creating EC2 VPC: operation error EC2: CreateVpc, VpcLimitExceeded: The maximum number of VPCs",
        "VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit of 32",
        "creating EKS Cluster: UnsupportedAvailabilityZoneException: cannot create cluster in us-east-1e",
        "Google Compute Engine: The zone us-central1-a does not have enough resources available",
        "error code ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS",
        "googleapi: Error 403: Insufficient regional quota to satisfy request: resource CPUS. RESOURCE_EXHAUSTED quota",
        "Quota 'N2_CPUS' exceeded. Limit: 24.0 in region us-central1",
    ),
    "refused": (
        'StatusCode=403 Code="AuthorizationFailed" Message="does not have authorization to perform action"',
        "operation error EKS: CreateCluster, AccessDeniedException: not authorized",
        "AADSTS700016: Application was not found in the directory",
        "googleapi: Error 403: PERMISSION_DENIED",
    ),
    "transient": (
        "unexpected status 429 (429 Too Many Requests) with error: TooManyRequests",
        "RequestLimitExceeded: Request limit exceeded.",
        "googleapi: Error 403: Rate Limit Exceeded, rateLimitExceeded",
        "DependencyViolation: The vpc 'vpc-1' has dependencies and cannot be deleted.",
        'Code="InUseSubnetCannotBeDeleted" Message="Subnet nodes is in use"',
        "The network resource is already being used by 'projects/p/global/firewalls/k8s-fw-1'",
        "read tcp 10.0.0.1:5000->10.0.0.2:443: read: connection reset by peer",
        "Principal 3b does not exist in the directory. PrincipalNotFound",
        "waiting for EKS Node Group: timeout while waiting for state to become 'ACTIVE'",
        "Error: Error acquiring the state lock",
        "Cluster is running incompatible operation: CLUSTER_ALREADY_HAS_OPERATION",
    ),
    "unknown": ("panic: runtime error: index out of range",),
}
CASES = {text: kind for kind, texts in WORDS.items() for text in texts}


@pytest.mark.parametrize("text", CASES, ids=lambda text: re.sub(r"\W+", "-", text)[:40])
def test_an_error_is_told_by_its_code(text: str) -> None:
    assert meaning(text).kind == CASES[text]


def test_a_rate_limit_is_no_lack_of_capacity() -> None:
    assert (
        meaning("Error 429: Quota exceeded for quota metric 'Queries per minute', rateLimitExceeded").kind
        == "transient"
    )


def test_quota_beats_the_status_it_comes_with() -> None:
    assert meaning("StatusCode=429 Code=QuotaExceeded: cores").kind == "capacity"


def test_what_is_unknown_says_where_it_would_be_known() -> None:
    assert meaning("something new") is UNKNOWN
    assert TABLE.name in str(UNKNOWN)
