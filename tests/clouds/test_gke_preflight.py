"""What GKE is asked before anything is built: every refusal names what is on offer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.errors import CloudError
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec
from tests.clouds.fake import Fault
from tests.clouds.gcp_case import PLACE
from tests.clouds.gcp_case import SPEC
from tests.clouds.gcp_case import Google
from tests.clouds.gcp_case import google
from tests.clouds.gcp_objects import PROJECT


@pytest.fixture
def world() -> Iterator[Google]:
    with google() as found:
        yield found


def one_pool(**fields: Any) -> ClusterSpec:
    """Return a spec with a pool `user` and one for the system."""
    return ClusterSpec(pools={"system": PoolSpec(count=1), "user": PoolSpec(**fields)})


def refused(world: Google, spec: ClusterSpec, where: Where | None = None) -> str:
    """Return the only refusal."""
    (found,) = world.gke.refusals(spec, where or world.gke.where(spec))
    return found


def test_what_google_has_is_accepted_within_seconds(world: Google) -> None:
    begin = time.monotonic()
    assert world.gke.refusals(SPEC, PLACE) == []
    assert time.monotonic() - begin < 5.0


def test_a_project_that_is_not_there(world: Google) -> None:
    where = Where(account="another-project", region="us-central1")
    assert "project another-project is not there or not open to this login" in refused(world, SPEC, where)


def test_a_project_without_the_service_says_how_to_enable_it(world: Google) -> None:
    world.served.rest.disabled.add("compute")
    assert "gcloud services enable compute.googleapis.com container.googleapis.com" in refused(world, SPEC)


def test_a_region_that_is_not_there_names_the_regions(world: Google) -> None:
    spec = SPEC.model_copy(update={"region": "us-middle7"})
    assert refused(world, spec) == "there is no region us-middle7; on offer are europe-west1, us-central1"


def test_a_zone_that_is_not_there_names_the_zones(world: Google) -> None:
    spec = SPEC.model_copy(update={"zones": ("d",)})
    assert (
        refused(world, spec) == "there is no zone us-central1-d; on offer are us-central1-a, us-central1-b, "
        "us-central1-c, us-central1-f"
    )


def test_a_pools_own_zone_is_asked_for_too(world: Google) -> None:
    assert "there is no zone us-central1-z" in refused(world, one_pool(count=1, zones=("z",)).model_copy())


def test_a_version_that_is_no_longer_offered_names_the_versions(world: Google) -> None:
    spec = SPEC.model_copy(update={"kubernetes_version": "1.33"})
    assert refused(world, spec) == ("Kubernetes 1.33 is not offered in us-central1-a; on offer are 1.34, 1.35, 1.36")


@pytest.mark.parametrize("version", ["1.34", "1.35", "1.36"])
def test_a_version_is_matched_by_its_first_two_numbers(world: Google, version: str) -> None:
    assert world.gke.refusals(SPEC.model_copy(update={"kubernetes_version": version}), PLACE) == []


def test_a_version_is_not_matched_by_its_beginning_only(world: Google) -> None:
    world.served.rest.versions = ["1.360.1-gke.1"]
    spec = SPEC.model_copy(update={"kubernetes_version": "1.36"})
    assert "Kubernetes 1.36 is not offered" in refused(world, spec)


def test_a_machine_type_that_is_not_there_names_its_family(world: Google) -> None:
    assert refused(world, one_pool(count=1, machine="n2-standard-5")) == (
        "there is no machine type n2-standard-5 in us-central1-a; on offer are n2-standard-16, n2-standard-32, "
        "n2-standard-4"
    )


def test_cores_are_counted_in_their_familys_quota_at_the_autoscalers_largest(world: Google) -> None:
    world.served.rest.usage["N2_CPUS"] = 300.0
    found = refused(world, one_pool(min=0, max=14, machine="n2-standard-16"))
    assert found.startswith(
        "capacity: quota N2_CPUS in us-central1 has 200 left of 500, but 224 are needed; ask for more at "
    )


def test_cores_of_a_family_without_a_quota_count_in_the_common_one(world: Google) -> None:
    world.served.rest.quotas["CPUS"] = 10.0
    found = refused(world, one_pool(count=2, machine="c3-standard-8"))
    assert "capacity: quota CPUS in us-central1 has 10 left of 10, but 20 are needed" in found


def test_spot_cores_count_in_their_own_quota_where_there_is_one(world: Google) -> None:
    world.served.rest.quotas["PREEMPTIBLE_CPUS"] = 8.0
    found = refused(world, one_pool(count=3, spot=True))
    assert "capacity: quota PREEMPTIBLE_CPUS in us-central1 has 8 left of 8, but 12 are needed" in found


@pytest.mark.parametrize(
    ("metric", "fields", "need"),
    [
        ("IN_USE_ADDRESSES", {"count": 10}, 11),
        ("INSTANCES", {"count": 10}, 11),
        ("SSD_TOTAL_GB", {"count": 10, "os_disk_gb": 500}, 5100),
        ("DISKS_TOTAL_GB", {"count": 10, "os_disk_type": "pd-standard"}, 1000),
    ],
)
def test_addresses_machines_and_disks_are_counted(
    world: Google, metric: str, fields: dict[str, Any], need: int
) -> None:
    world.served.rest.quotas[metric] = need
    assert world.gke.refusals(one_pool(**fields), PLACE) == []
    world.served.rest.quotas[metric] = need - 1
    assert f"capacity: quota {metric} in us-central1 has {need - 1} left" in refused(world, one_pool(**fields))


def test_a_throttled_question_is_asked_again(world: Google) -> None:
    world.cloud.faults.append(Fault("throttle", "google_container_cluster", times=2))
    assert world.listed() == []


def test_a_question_that_stays_throttled_is_no_answer(world: Google) -> None:
    world.cloud.faults.append(Fault("throttle", "google_container_cluster", times=None))
    with pytest.raises(CloudError, match="429 rateLimitExceeded") as caught:
        world.listed()
    assert caught.value.transient


def test_rate_limits_told_as_forbidden_are_known_too(world: Google) -> None:
    world.cloud.faults.append(
        Fault("throttle", "google_container_cluster", times=1, code="rateLimitExceeded", message="too fast")
    )
    assert world.listed() == []


OBJECTIONS: list[tuple[ClusterSpec, str]] = [
    (ClusterSpec(network="calico"), "network is calico, but only dataplane-v2 and dataplane-v1 are on offer"),
    (ClusterSpec(tier="premium"), "tier is premium, but only standard is on offer"),
    (ClusterSpec(zones=("a", "a")), "zones names a zone twice"),
    (ClusterSpec(zones=("a", "b", "c")), "pool user has count 10, which 3 zones cannot share equally"),
    (one_pool(min=1, max=4, zones=("a", "b")), "pool user has min 1, which 2 zones cannot share equally"),
    (one_pool(count=2, zones=("a", "a")), "pool user names a zone twice"),
    (one_pool(count=1, os="AzureLinux"), "pool user has os AzureLinux, but only COS_CONTAINERD and UBUNTU"),
    (one_pool(count=1, os_disk_type="Ephemeral"), "pool user has os_disk_type Ephemeral, but only pd-standard"),
    (one_pool(count=1, os_disk_gb=10), "pool user has os_disk_gb 10, but GKE's images need 12"),
    (one_pool(count=1, machine="c4-standard-8", os_disk_type="pd-ssd"), "c4-standard-8 boots from hyperdisk-balanced"),
    (one_pool(count=1, max_pods=257), "pool user has max_pods 257, but 8 to 256 are on offer"),
    (one_pool(count=1, max_pods=7), "pool user has max_pods 7, but 8 to 256 are on offer"),
    (one_pool(count=1, kubelet={"maxPods": 5}), "pool user has kubelet.maxPods, which GKE does not let one set"),
    (one_pool(count=1, sysctls={"dev.x": "1"}), "pool user has sysctl dev.x, which GKE does not let one set"),
    (one_pool(count=1, labels={"telescope/pool": "x"}), "pool user has label telescope/pool, which the harness sets"),
    (one_pool(count=1, taints=("telescope/x:NoSchedule",)), "pool user has taint telescope/x:NoSchedule, which the"),
    (ClusterSpec(pools={"user": PoolSpec(count=1, taints=("a=b:NoExecute",))}), "add a pool system"),
    (ClusterSpec(pools={"user": PoolSpec(count=0)}), "add a pool system"),
    (ClusterSpec(pools={"user": PoolSpec(count=1)}, prometheus_pool="user"), "add a pool system"),
]


@pytest.mark.parametrize(("spec", "text"), OBJECTIONS, ids=[str(number) for number in range(len(OBJECTIONS))])
def test_what_gke_does_not_know_is_objected_to_without_asking(world: Google, spec: ClusterSpec, text: str) -> None:
    (found,) = world.gke.objections(spec)
    assert text in found
    assert world.served.rest.asked == []


def test_nothing_is_objected_to_in_what_gke_knows(world: Google) -> None:
    spec = ClusterSpec(
        zones=("a", "b"),
        network="dataplane-v1",
        tier="standard",
        prometheus_pool="prometheus",
        pools={
            "user": PoolSpec(
                count=4, os="UBUNTU_CONTAINERD", kubelet={"podPidsLimit": 4096}, sysctls={"vm.max_map_count": "1"}
            ),
            "prometheus": PoolSpec(count=2),
            "soft": PoolSpec(min=0, max=3, taints=("a=b:PreferNoSchedule",), max_pods=256, machine="c4-standard-8"),
        },
    )
    assert world.gke.objections(spec) == []


@pytest.mark.parametrize(
    ("spec", "zone"),
    [
        (ClusterSpec(), "us-central1-a"),
        (ClusterSpec(region="europe-west1"), "europe-west1-b"),
        (ClusterSpec(zones=("f",)), "us-central1-f"),
        (ClusterSpec(zones=("a", "b")), ""),
        (ClusterSpec(pools={"user": PoolSpec(count=1, zones=("c",))}), "us-central1-c"),
    ],
)
def test_one_zone_makes_a_zonal_cluster_and_several_a_regional_one(world: Google, spec: ClusterSpec, zone: str) -> None:
    where = world.gke.where(spec)
    assert (where.account, where.region, where.zone) == (PROJECT, spec.region or "us-central1", zone)


def test_the_region_of_the_environment_is_taken_before_the_default(world: Google) -> None:
    assert world.other(GOOGLE_REGION="europe-west1").where(SPEC).region == "europe-west1"
    assert world.other(GOOGLE_REGION="$(REGION)").where(SPEC).region == "us-central1"
