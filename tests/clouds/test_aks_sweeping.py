"""What AKS lists, deletes and renews, over HTTPS on the objects that Terraform's stub makes too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_telescope.errors import CloudError
from tests.clouds.azure_case import LEASE
from tests.clouds.azure_case import NAME
from tests.clouds.azure_case import PLACE
from tests.clouds.azure_case import TAGS
from tests.clouds.azure_case import Azure
from tests.clouds.azure_case import pretended
from tests.clouds.azure_objects import CLUSTER
from tests.clouds.azure_objects import GROUP
from tests.clouds.azure_objects import NODES
from tests.clouds.azure_objects import cluster_id
from tests.clouds.azure_objects import group_id
from tests.clouds.azure_objects import put
from tests.clouds.fake import Fault

DUE = "deletion_due_time"


@pytest.fixture
def azure() -> Iterator[Azure]:
    with pretended() as found:
        yield found


def orphaned(azure: Azure) -> None:
    """Leave a node resource group whose cluster has gone."""
    azure.cloud.add(NODES, id=group_id(f"{NAME}-nodes"), name=f"{NAME}-nodes", region="eastus2")
    for kind, name in (
        ("azure_disk", "pvc-1"),
        ("azure_public_ip", "ip-1"),
        ("azure_load_balancer", "kubernetes"),
        ("azure_network_interface", "nic-1"),
        ("azure_vault", "odd"),
    ):
        put(azure.cloud, kind, name, f"{NAME}-nodes")


def test_nothing_is_nothing(azure: Azure) -> None:
    assert azure.listed() == []


def test_a_living_cluster_is_listed_with_its_groups_and_not_with_every_part(azure: Azure) -> None:
    azure.cluster()

    assert azure.kinds() == ["managed-cluster", "resource-group", "node-resource-group"]
    assert all(one.lease == LEASE for one in azure.listed())


def test_what_a_node_group_holds_without_its_cluster_is_listed_in_the_order_of_deletion(azure: Azure) -> None:
    orphaned(azure)

    assert azure.kinds() == [
        "vaults",
        "load-balancer",
        "network-interface",
        "public-ip",
        "disk",
        "node-resource-group",
    ]
    assert [one.usd_per_hour for one in azure.listed()] == [None, 0.025, 0, 0.005, None, 0.0]


def test_groups_are_known_by_name_where_they_have_no_tags(azure: Azure) -> None:
    azure.cloud.add(GROUP, id=group_id(NAME), name=NAME, region="eastus2")

    assert [(one.name, one.lease) for one in azure.listed(None, None)] == [(NAME, LEASE)]


def test_what_azure_puts_beside_a_cluster_is_listed_and_goes_first(azure: Azure) -> None:
    azure.cluster()
    put(azure.cloud, "azure_data_collection_rule", "MSProm-eastus2-x", NAME)

    assert azure.kinds()[0] == "data-collection-rule"


def test_what_is_tagged_in_somebody_elses_group_is_listed_and_the_group_is_not(azure: Azure) -> None:
    azure.cloud.add(GROUP, id=group_id("shared"), name="shared", region="eastus2")
    put(azure.cloud, "azure_disk", "ours", "shared", tags=TAGS)
    put(azure.cloud, "azure_disk", "theirs", "shared", tags={"owner": "nobody"})

    assert [one.name for one in azure.listed()] == ["ours"]
    assert [one.name for one in azure.listed(None, None)] == ["ours"]


def test_another_lease_is_not_listed(azure: Azure) -> None:
    azure.cluster("ffffffff")

    assert azure.listed() == []
    assert {one.lease for one in azure.listed(None, None)} == {"ffffffff"}


def test_a_command_says_how_each_is_deleted(azure: Azure) -> None:
    azure.cluster()

    assert azure.one("resource-group").command.startswith("az group delete --yes --subscription 00000000-")
    assert azure.one("resource-group").command.endswith(f" --name {NAME}")
    assert azure.one("managed-cluster").command == f"az resource delete --ids {cluster_id(NAME)}"


def test_deleting_a_group_takes_along_all_that_is_in_it(azure: Azure) -> None:
    azure.cluster()
    put(azure.cloud, "azure_disk", "pvc-1", f"{NAME}-nodes")

    azure.aks.delete(azure.one("resource-group"), PLACE)

    assert azure.cloud.holds() == []
    assert azure.listed() == []


def test_everything_listed_can_be_deleted_in_the_order_of_the_list(azure: Azure) -> None:
    orphaned(azure)

    for resource in azure.listed():
        azure.aks.delete(resource, PLACE)

    assert azure.cloud.holds() == []


def test_deleting_what_is_gone_is_nothing(azure: Azure) -> None:
    azure.cluster()
    found = azure.one("managed-cluster")
    azure.cloud.remove(CLUSTER, found.id)

    azure.aks.delete(found, PLACE)


def test_a_lock_is_told_and_not_tried_again(azure: Azure) -> None:
    azure.cluster()
    azure.served.rest.refusing.add(group_id(NAME))

    with pytest.raises(CloudError, match="ScopeLocked") as failed:
        azure.aks.delete(azure.one("resource-group"), PLACE)

    assert failed.value.transient is False


def test_another_operation_is_worth_another_try(azure: Azure) -> None:
    azure.cluster()
    azure.cloud.faults.append(Fault("fail-destroy", CLUSTER))

    with pytest.raises(CloudError) as failed:
        azure.aks.delete(azure.one("managed-cluster"), PLACE)

    assert failed.value.transient is True


def test_throttling_is_waited_for_as_long_as_azure_says(azure: Azure) -> None:
    waits: list[float] = []
    azure.aks.sleep = waits.append
    azure.served.rest.throttles = 2

    assert azure.listed() == []
    assert waits == [2.0, 2.0]


def test_throttling_without_end_is_transient(azure: Azure) -> None:
    waits: list[float] = []
    azure.aks.sleep = waits.append
    azure.served.rest.throttles = 100
    azure.served.rest.retry_after = "600"

    with pytest.raises(CloudError, match="TooManyRequests") as failed:
        azure.listed()

    assert failed.value.transient is True
    assert waits == [60.0] * 4


def test_no_answer_is_not_an_empty_listing(azure: Azure) -> None:
    client = azure.other({**azure.served.environment(), "TELESCOPE_ARM_ENDPOINT": "https://127.0.0.1:9"})

    with pytest.raises(CloudError, match=r"no answer from 127\.0\.0\.1:9") as failed:
        client.resources(PLACE, LEASE, NAME)

    assert failed.value.transient is True


def test_a_later_due_time_is_written_on_groups_and_cluster(azure: Azure) -> None:
    azure.cluster()

    azure.aks.renew(PLACE, NAME, 1800000000)

    for key in ((GROUP, group_id(NAME)), (CLUSTER, cluster_id(NAME)), (NODES, group_id(f"{NAME}-nodes"))):
        assert azure.cloud.things[key].tags == {**TAGS, DUE: "1800000000"}


def test_a_busy_cluster_counts_by_its_groups_due_time(azure: Azure) -> None:
    azure.cluster()
    azure.cloud.things[CLUSTER, cluster_id(NAME)].state = "creating"

    azure.aks.renew(PLACE, NAME, 1800000000)

    assert azure.cloud.things[CLUSTER, cluster_id(NAME)].tags[DUE] == TAGS[DUE]
    assert {one.due for one in azure.listed()} == {1800000000.0}


def test_renewing_before_anything_is_there_is_nothing(azure: Azure) -> None:
    azure.aks.renew(PLACE, NAME, 1800000000)

    assert azure.cloud.holds() == []
