"""What is listed of a lease on GKE: what Terraform made, what Kubernetes left, and nothing of anybody else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from pytest_telescope.errors import CloudError
from tests.clouds.gcp_case import CLUSTER
from tests.clouds.gcp_case import LEASE
from tests.clouds.gcp_case import PLACE
from tests.clouds.gcp_case import TAGS
from tests.clouds.gcp_case import Google
from tests.clouds.gcp_case import add_cluster
from tests.clouds.gcp_case import google
from tests.clouds.gcp_objects import PROJECT
from tests.clouds.gcp_objects import ROOT
from tests.clouds.gcp_objects import leave_behind
from tests.clouds.gcp_objects import put

MADE = ["cluster", "subnetwork", "network", "iam-member", "service-account"]
LEFT = [
    "forwarding-rule",
    "forwarding-rule",
    "target-https-proxy",
    "url-map",
    "backend-service",
    "target-pool",
    "health-check",
    "http-health-check",
    "ssl-certificate",
    "network-endpoint-group",
    "address",
    "disk",
    "firewall-rule",
    "firewall-rule",
]
"""What Services, an Ingress and a claim leave, users first."""


@pytest.fixture
def world() -> Iterator[Google]:
    with google() as found:
        yield found


def without_cluster(world: Google) -> None:
    """Take the cluster away as Terraform would, with all that goes with it."""
    world.cloud.remove("google_container_cluster", f"projects/{PROJECT}/locations/us-central1-a/clusters/{CLUSTER}")


def test_an_empty_project_has_nothing(world: Google) -> None:
    assert world.listed() == []


def test_what_terraform_made_is_listed_and_machines_go_with_their_cluster(world: Google) -> None:
    add_cluster(world.cloud)
    assert world.kinds() == MADE


def test_what_kubernetes_left_is_listed_in_the_order_in_which_it_can_go(world: Google) -> None:
    add_cluster(world.cloud)
    leave_behind(world.cloud, CLUSTER)
    assert world.kinds() == ["cluster", *LEFT, *MADE[1:]]


def test_leftovers_are_found_when_the_cluster_has_gone(world: Google) -> None:
    add_cluster(world.cloud)
    leave_behind(world.cloud, CLUSTER)
    without_cluster(world)
    assert world.kinds() == [*LEFT, *MADE[1:]]


def test_a_load_balancer_is_found_by_its_target_pool_when_its_firewall_rule_has_gone(world: Google) -> None:
    add_cluster(world.cloud)
    zone = "us-central1-a"
    machine = ROOT + f"projects/{PROJECT}/zones/{zone}/instances/gke-{CLUSTER}-user-0a1b2c3d-abcd"
    pool = put(world.cloud, "gcp_target_pool", "aff", "us-central1", instances=[machine])
    put(world.cloud, "gcp_forwarding_rule", "aff", "us-central1", target=ROOT + pool.id)
    assert [kind for kind in world.kinds() if kind not in MADE] == ["forwarding-rule", "target-pool"]


def test_what_a_persons_own_name_says_is_not_taken_though_a_balancer_of_the_lease_uses_it(world: Google) -> None:
    add_cluster(world.cloud)
    check = put(world.cloud, "gcp_http_health_check", "ours-for-all")
    machine = ROOT + f"projects/{PROJECT}/zones/us-central1-a/instances/gke-{CLUSTER}-user-0a1b2c3d-abcd"
    put(world.cloud, "gcp_target_pool", "aff", "us-central1", instances=[machine], healthChecks=[ROOT + check.id])
    assert [kind for kind in world.kinds() if kind not in MADE] == ["target-pool"]


def test_an_address_is_found_by_the_balancer_that_has_it(world: Google) -> None:
    add_cluster(world.cloud)
    front = leave_behind(world.cloud, CLUSTER)[0]
    put(world.cloud, "gcp_address", "reserved", "", users=[ROOT + front.id])
    assert "reserved" in {one.name for one in world.listed()}


def test_machines_without_their_cluster_are_listed(world: Google) -> None:
    name = f"gke-{CLUSTER}-user-0a1b2c3d"
    put(world.cloud, "gcp_instance_group_manager", f"{name}-grp", "us-central1-a")
    machine = put(world.cloud, "gcp_instance", f"{name}-abcd", "us-central1-a")
    put(world.cloud, "gcp_disk", f"{name}-abcd", "us-central1-a", users=[machine.id])
    put(world.cloud, "gcp_instance_template", name)
    assert world.kinds() == ["instance-group-manager", "instance", "instance-template", "disk"]


def test_a_disk_that_no_machine_uses_is_listed_beside_its_cluster(world: Google) -> None:
    add_cluster(world.cloud)
    put(world.cloud, "gcp_disk", "pvc-1", "us-central1-b", tags={"goog-k8s-cluster-name": CLUSTER})
    assert world.one("disk").name == "pvc-1"


def test_routes_that_go_with_the_network_are_not_listed_and_others_are(world: Google) -> None:
    add_cluster(world.cloud)
    network = ROOT + f"projects/{PROJECT}/global/networks/{CLUSTER}"
    put(world.cloud, "gcp_route", "default-route-1", network=network, nextHopNetwork=network)
    gateway = ROOT + f"projects/{PROJECT}/global/gateways/default-internet-gateway"
    put(world.cloud, "gcp_route", "default-route-2", network=network, nextHopGateway=gateway)
    put(world.cloud, "gcp_route", "a-pods-route", network=network, nextHopIp="10.0.0.7")
    assert world.one("route").name == "a-pods-route"


def test_nothing_of_others_is_ever_listed(world: Google) -> None:
    network = put(world.cloud, "gcp_firewall", "default-allow-ssh", network=ROOT + "projects/p/global/networks/default")
    put(world.cloud, "gcp_disk", "somebodys-disk", "us-central1-a", tags={"goog-k8s-cluster-name": "production"})
    put(world.cloud, "gcp_disk", "telescope-data", "us-central1-a")
    put(world.cloud, "gcp_address", "mytelescope-0123abcdef", "us-central1")
    put(world.cloud, "gcp_forwarding_rule", "web", target=ROOT + f"projects/{PROJECT}/global/targetHttpProxies/web")
    put(world.cloud, "gcp_health_check", "web")
    put(world.cloud, "gcp_ssl_certificate", "k8s2-cr-of-another-cluster")
    put(world.cloud, "gcp_target_http_proxy", "web", urlMap=ROOT + f"projects/{PROJECT}/global/urlMaps/web")
    add_cluster(world.cloud, name="production", tags={"owner": "somebody-else"})
    assert world.listed(None, None) == []
    assert network in world.cloud.listed()


def test_a_lease_sees_only_its_own(world: Google) -> None:
    add_cluster(world.cloud)
    before = world.listed()
    add_cluster(world.cloud, name="telescope-ffffffff", tags={**TAGS, "telescope_lease": "ffffffff"})
    leave_behind(world.cloud, "telescope-ffffffff")
    assert world.listed() == before
    assert {one.lease for one in world.listed(None, None)} == {LEASE, "ffffffff"}
    assert len(world.listed(None, None)) == len(before) + len(MADE) + len(LEFT)


def test_a_cluster_without_tags_is_known_by_its_name(world: Google) -> None:
    add_cluster(world.cloud, tags={})
    found = world.listed(None, None)
    assert [one.kind for one in found] == MADE
    assert {one.lease for one in found} == {LEASE}
    assert {one.due for one in found} == {None}


def test_everything_is_due_when_the_latest_of_its_lease_is(world: Google) -> None:
    add_cluster(world.cloud)
    leave_behind(world.cloud, CLUSTER)
    world.gke.renew(PLACE, CLUSTER, 1999999999)
    assert {one.due for one in world.listed()} == {1999999999.0}


def test_everything_is_of_the_run_of_its_lease(world: Google) -> None:
    add_cluster(world.cloud)
    leave_behind(world.cloud, CLUSTER)
    assert {one.tags["run_id"] for one in world.listed()} == {"run-1"}


def test_commands_are_what_a_person_types(world: Google) -> None:
    add_cluster(world.cloud)
    leave_behind(world.cloud, CLUSTER)
    commands = {one.kind: one.command for one in world.listed()}
    assert commands["cluster"] == (
        f"gcloud container clusters delete {CLUSTER} --location us-central1-a --project {PROJECT} --quiet"
    )
    assert re.fullmatch(
        r"gcloud compute disks delete pvc-\S+ --zone us-central1-a --project \S+ --quiet", commands["disk"]
    )
    assert " url-maps delete k8s2-um-web --global " in commands["url-map"]
    assert " target-pools delete a0123456789abcdef0123456789abcdef --region us-central1 " in commands["target-pool"]
    assert f" networks delete {CLUSTER} --project " in commands["network"]
    assert f" networks subnets delete {CLUSTER} --region us-central1 " in commands["subnetwork"]
    assert f"gcloud iam service-accounts delete {CLUSTER}-node@" in commands["service-account"]
    assert "--role roles/container.defaultNodeServiceAccount" in commands["iam-member"]


def test_every_page_is_read(world: Google) -> None:
    add_cluster(world.cloud)
    leave_behind(world.cloud, CLUSTER)
    for number in range(7):
        put(world.cloud, "gcp_disk", f"pvc-{number}", "us-central1-a", tags={"goog-k8s-cluster-name": CLUSTER})
    world.served.rest.page = 2
    assert world.kinds().count("disk") == 8


def test_a_place_that_does_not_answer_is_not_an_empty_place(world: Google) -> None:
    world.served.rest.unreachable.append("zones/us-central1-a")
    with pytest.raises(CloudError, match="no answer from zones/us-central1-a") as caught:
        world.listed()
    assert caught.value.transient


@pytest.mark.parametrize("service", ["compute", "container", "iam", "projects"])
def test_what_may_not_be_looked_at_is_not_empty(world: Google, service: str) -> None:
    world.served.rest.forbidden.add(service)
    with pytest.raises(CloudError, match="403 forbidden") as caught:
        world.listed()
    assert not caught.value.transient


def test_identities_are_not_asked_for_where_the_harness_makes_none_and_may_not_look(world: Google) -> None:
    add_cluster(world.cloud)
    world.served.rest.forbidden.add("iam")
    client = world.other(TELESCOPE_GKE_NODE_SERVICE_ACCOUNT="nodes@example.com")
    assert [one.kind for one in client.resources(PLACE, LEASE, CLUSTER)] == MADE[:3]


def test_a_listing_is_a_fixed_number_of_requests(world: Google) -> None:
    for number in range(5):
        add_cluster(
            world.cloud, name=f"telescope-0000000{number}", tags={**TAGS, "telescope_lease": f"0000000{number}"}
        )
    world.listed(None, None)
    assert len(world.served.rest.asked) == 24
