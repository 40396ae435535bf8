"""Deleting on GKE: in order, again where something still hangs on it, and due times that are pushed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from pytest_telescope.cluster.clouds.model import TAG_DUE
from pytest_telescope.errors import CloudError
from tests.clouds.fake import Fault
from tests.clouds.gcp_case import CLUSTER
from tests.clouds.gcp_case import PLACE
from tests.clouds.gcp_case import TAGS
from tests.clouds.gcp_case import Google
from tests.clouds.gcp_case import add_cluster
from tests.clouds.gcp_case import google
from tests.clouds.gcp_objects import PROJECT
from tests.clouds.gcp_objects import leave_behind

CLUSTER_ID = f"projects/{PROJECT}/locations/us-central1-a/clusters/{CLUSTER}"


@pytest.fixture
def world() -> Iterator[Google]:
    with google() as found:
        yield found


def labels(world: Google) -> dict[str, str]:
    """Return the labels of the cluster."""
    return world.cloud.things["google_container_cluster", CLUSTER_ID].tags


def test_one_pass_in_the_order_of_the_listing_empties_the_project(world: Google) -> None:
    add_cluster(world.cloud)
    leave_behind(world.cloud, CLUSTER)
    for resource in world.listed():
        world.gke.delete(resource, PLACE)
    assert world.cloud.holds() == []


def test_deleting_leaves_everything_of_others(world: Google) -> None:
    add_cluster(world.cloud, name="production", tags={"owner": "somebody-else"})
    world.served.rest.bindings["roles/container.defaultNodeServiceAccount"] = ["serviceAccount:nodes@example.com"]
    limited = {"role": "roles/owner", "members": ["user:guest@example.com"], "condition": {"expression": "weekend"}}
    world.served.rest.conditional.append(limited)
    before, bindings = world.cloud.holds(), {role: list(who) for role, who in world.served.rest.bindings.items()}
    add_cluster(world.cloud)
    for resource in world.listed():
        world.gke.delete(resource, PLACE)
    assert world.cloud.holds() == before
    assert world.served.rest.bindings == bindings
    assert world.served.rest.conditional == [limited]


def test_what_has_gone_meanwhile_is_no_error(world: Google) -> None:
    add_cluster(world.cloud)
    leave_behind(world.cloud, CLUSTER)
    found = world.listed()
    for resource in (*found, *found):
        world.gke.delete(resource, PLACE)
    assert world.cloud.holds() == []


@pytest.mark.parametrize("kind", ["network", "subnetwork", "network-endpoint-group", "target-pool", "url-map"])
def test_what_is_in_use_is_refused_for_now(world: Google, kind: str) -> None:
    add_cluster(world.cloud)
    leave_behind(world.cloud, CLUSTER)
    resource = world.one(kind)
    with pytest.raises(CloudError, match="already being used by") as caught:
        world.gke.delete(resource, PLACE)
    assert caught.value.transient
    assert world.one(kind) == resource


def test_a_balancer_that_cannot_go_yet_keeps_the_rule_that_tells_whose_it_is(world: Google) -> None:
    add_cluster(world.cloud)
    leave_behind(world.cloud, CLUSTER)
    world.cloud.faults.append(Fault("fail-destroy", "gcp_forwarding_rule", times=2))
    refused: dict[str, bool] = {}
    for resource in world.listed():
        try:
            world.gke.delete(resource, PLACE)
        except CloudError as error:
            refused[resource.kind] = error.transient
    assert {"forwarding-rule", "target-pool", "firewall-rule", "network"} <= set(refused)
    assert all(refused.values())
    assert set(world.kinds()) >= {"forwarding-rule", "target-pool", "firewall-rule"}
    for resource in world.listed():
        world.gke.delete(resource, PLACE)
    assert world.cloud.holds() == []


def test_a_cluster_that_is_still_being_made_is_refused_for_now(world: Google) -> None:
    add_cluster(world.cloud)
    resource = world.one("cluster")
    world.cloud.things["google_container_cluster", CLUSTER_ID].state = "creating"
    with pytest.raises(CloudError, match=f"cluster {CLUSTER} is busy") as caught:
        world.gke.delete(resource, PLACE)
    assert caught.value.transient


def test_a_cluster_that_somebody_else_deletes_is_waited_for(world: Google) -> None:
    add_cluster(world.cloud)
    world.cloud.things["google_container_cluster", CLUSTER_ID].state = "deleting"
    resource = world.one("cluster")
    assert resource.deleting
    other = threading.Thread(target=world.cloud.destroy, args=("google_container_cluster", CLUSTER_ID))
    other.start()
    world.gke.delete(resource, PLACE)
    assert "cluster" not in world.kinds()
    other.join(timeout=5.0)


def test_a_deletion_that_fails_says_why(world: Google) -> None:
    add_cluster(world.cloud)
    world.cloud.faults.append(
        Fault("fail-destroy", "google_container_cluster", code="INTERNAL", message="disk on fire")
    )
    with pytest.raises(CloudError, match="INTERNAL: disk on fire") as caught:
        world.gke.delete(world.one("cluster"), PLACE)
    assert not caught.value.transient


def test_a_deletion_that_hangs_is_given_up_and_worth_another_try(world: Google) -> None:
    add_cluster(world.cloud)
    world.cloud.faults.append(Fault("hang", "google_container_cluster", seconds=86400.0))
    with pytest.raises(CloudError, match="is not done after 600 s") as caught:
        world.gke.delete(world.one("cluster"), PLACE)
    assert caught.value.transient


def test_a_throttled_deletion_is_asked_for_again(world: Google) -> None:
    add_cluster(world.cloud)
    world.cloud.faults.append(Fault("throttle", "google_container_cluster", times=3, op="destroy"))
    world.gke.delete(world.one("cluster"), PLACE)
    assert "cluster" not in world.kinds()


def test_a_deletion_that_stays_throttled_is_worth_another_try_later(world: Google) -> None:
    add_cluster(world.cloud)
    world.cloud.faults.append(Fault("throttle", "google_container_cluster", times=None, op="destroy"))
    with pytest.raises(CloudError, match="429 rateLimitExceeded") as caught:
        world.gke.delete(world.one("cluster"), PLACE)
    assert caught.value.transient


@pytest.mark.parametrize(("code", "transient"), [("14", True), ("RATE_LIMIT_EXCEEDED", True), ("13", False)])
def test_an_operation_that_fails_tells_whether_another_try_may_help(world: Google, code: str, transient: bool) -> None:
    add_cluster(world.cloud)
    world.cloud.faults.append(Fault("fail-destroy", "google_container_cluster", code=code, message="not now"))
    with pytest.raises(CloudError, match=f"{code}: not now") as caught:
        world.gke.delete(world.one("cluster"), PLACE)
    assert caught.value.transient is transient


def test_a_later_due_time_is_written_beside_the_other_labels(world: Google) -> None:
    add_cluster(world.cloud)
    world.gke.renew(PLACE, CLUSTER, 1999999999)
    assert labels(world) == {**TAGS, TAG_DUE: "1999999999"}


def test_labels_that_somebody_writes_at_the_same_moment_are_kept(world: Google) -> None:
    add_cluster(world.cloud)

    def meddle() -> None:
        world.cloud.retag("google_container_cluster", CLUSTER_ID, {**labels(world), "team": "blue"})

    world.served.rest.before_labels.append(meddle)
    world.gke.renew(PLACE, CLUSTER, 1999999999)
    assert labels(world) == {**TAGS, TAG_DUE: "1999999999", "team": "blue"}


def test_labels_that_are_always_written_by_somebody_else_are_an_error(world: Google) -> None:
    add_cluster(world.cloud)
    world.served.rest.before_labels += [
        partial(world.cloud.retag, "google_container_cluster", CLUSTER_ID, {**TAGS, "n": str(number)})
        for number in range(10)
    ]
    with pytest.raises(CloudError, match="fingerprint"):
        world.gke.renew(PLACE, CLUSTER, 1999999999)


def test_renewing_what_is_not_there_does_nothing(world: Google) -> None:
    world.gke.renew(PLACE, CLUSTER, 1999999999)
    assert world.cloud.holds() == []
