"""The pretended cloud itself."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from pytest_telescope.cluster.processes import wait_until
from tests.clouds.fake import CREATE
from tests.clouds.fake import DESTROY
from tests.clouds.fake import Clock
from tests.clouds.fake import FakeCloud
from tests.clouds.fake import FakeError
from tests.clouds.fake import Fault
from tests.clouds.fake import Thing
from tests.clouds.faults import Kind

CLUSTER = "aws_eks_cluster"
DISK = "aws_ebs_volume"
SPEED = 6000.0


@pytest.fixture
def cloud() -> FakeCloud:
    return FakeCloud(Clock(speed=SPEED))


def made(cloud: FakeCloud, typ: str = CLUSTER, name: str = "c", **tags: str) -> Thing:
    return cloud.create(typ, id=name, name=name, tags=tags)


def test_a_cluster_takes_sixty_simulated_seconds_to_make_and_thirty_to_delete(cloud: FakeCloud) -> None:
    start = cloud.clock.now()
    made(cloud)
    up = cloud.clock.now()
    cloud.destroy(CLUSTER, "c")
    down = cloud.clock.now()

    assert CREATE <= up - start < CREATE + 0.5 * SPEED
    assert DESTROY <= down - up < DESTROY + 0.5 * SPEED


def test_a_thing_is_there_from_the_beginning_of_its_making(cloud: FakeCloud) -> None:
    cloud.faults.append(Fault("hang", CLUSTER, seconds=1e6))
    maker = threading.Thread(target=made, args=(cloud,))
    maker.start()
    until(lambda: cloud.get(CLUSTER, "c") is not None)
    state = cloud.things[CLUSTER, "c"].state
    cloud.close()
    maker.join(timeout=10)

    assert state == "creating"
    assert cloud.things[CLUSTER, "c"].state == "ready"


def test_what_is_deleted_while_it_is_made_does_not_come_back(cloud: FakeCloud) -> None:
    cloud.faults.append(Fault("hang", CLUSTER, seconds=1e6))
    errors: list[FakeError] = []

    def make() -> None:
        with pytest.raises(FakeError) as caught:
            made(cloud)
        errors.append(caught.value)

    maker = threading.Thread(target=make)
    maker.start()
    until(lambda: cloud.get(CLUSTER, "c") is not None)
    cloud.remove(CLUSTER, "c")
    cloud.close()
    maker.join(timeout=10)

    assert [error.code for error in errors] == ["NotFound"]
    assert cloud.holds() == []


def test_a_listing_finds_by_type_and_tag(cloud: FakeCloud) -> None:
    made(cloud, DISK, "a", telescope_lease="1")
    made(cloud, DISK, "b", telescope_lease="2")
    made(cloud, "aws_vpc", "c", telescope_lease="1")

    assert [thing.id for thing in cloud.listed(tag=("telescope_lease", "1"))] == ["a", "c"]
    assert [thing.id for thing in cloud.listed(DISK)] == ["a", "b"]
    assert [thing.id for thing in cloud.listed(DISK, ("telescope_lease", "2"))] == ["b"]


def test_children_go_with_their_parent(cloud: FakeCloud) -> None:
    group = cloud.add("azurerm_resource_group", id="rg", name="rg")
    node = cloud.add("azure_node", id="n", name="n", parent=group.key)
    cloud.add("azure_disk", id="d", name="d", parent=node.key)

    cloud.destroy("azurerm_resource_group", "rg")

    assert cloud.holds() == []


def test_what_comes_beside_is_made_and_asked_before_it_goes(cloud: FakeCloud) -> None:
    def interfaces(held: FakeCloud, thing: Thing) -> None:
        held.add("aws_network_interface", id="eni", name="eni", tags=thing.tags)

    def refuse(held: FakeCloud, _thing: Thing) -> None:
        if held.listed("aws_network_interface"):
            raise FakeError("DependencyViolation", "has a network interface")

    cloud.on_created[CLUSTER] = [interfaces]
    cloud.on_removing["aws_subnet"] = [refuse]
    made(cloud, telescope_lease="1")
    made(cloud, "aws_subnet", "s")

    with pytest.raises(FakeError, match="DependencyViolation"):
        cloud.destroy("aws_subnet", "s")
    assert cloud.things["aws_subnet", "s"].state == "ready"
    cloud.remove("aws_network_interface", "eni")
    cloud.destroy("aws_subnet", "s")
    assert cloud.holds() == [f"{CLUSTER} c"]


@pytest.mark.parametrize(
    ("kind", "there"), [("fail-create", []), ("quota", []), ("throttle", []), ("fail-after-create", [f"{CLUSTER} c"])]
)
def test_a_creation_that_fails_leaves(cloud: FakeCloud, kind: Kind, there: list[str]) -> None:
    cloud.faults.append(Fault(kind, CLUSTER))

    with pytest.raises(FakeError):
        made(cloud)

    assert cloud.holds() == there


def test_a_fault_strikes_as_often_as_it_says(cloud: FakeCloud) -> None:
    made(cloud)
    cloud.faults.append(Fault("fail-destroy", "aws_*", times=2))

    for _ in range(2):
        with pytest.raises(FakeError, match="DependencyViolation"):
            cloud.destroy(CLUSTER, "c")
    cloud.destroy(CLUSTER, "c")

    assert cloud.holds() == []


def test_a_fault_without_times_strikes_always_until_it_is_cleared(cloud: FakeCloud) -> None:
    made(cloud)
    cloud.faults.append(Fault("fail-destroy", times=None, code="Locked", message="a lock is on it"))

    for _ in range(5):
        with pytest.raises(FakeError, match="Locked: a lock is on it"):
            cloud.destroy(CLUSTER, "c")
    cloud.faults.clear()
    cloud.destroy(CLUSTER, "c")


def test_what_is_invisible_is_held_but_neither_read_nor_listed_for_a_while(cloud: FakeCloud) -> None:
    cloud.faults.append(Fault("invisible", DISK, seconds=SPEED))
    made(cloud, DISK, "a")

    assert (cloud.get(DISK, "a"), cloud.listed()) == (None, [])
    assert cloud.holds() == [f"{DISK} a"]
    until(lambda: cloud.get(DISK, "a") is not None)
    assert [thing.id for thing in cloud.listed()] == ["a"]


def test_a_quota_counts_what_is_there(cloud: FakeCloud) -> None:
    cloud.quotas = {CLUSTER: 1, "cores": 8}
    cloud.demands["cores"] = lambda typ, values: float(values.get("cores", 0)) if typ == "pool" else 0.0
    made(cloud)
    cloud.create("pool", id="p", name="p", values={"cores": 6})

    with pytest.raises(FakeError, match=f"{CLUSTER}: limit 1, in use 1, asked for 1"):
        made(cloud, name="d")
    with pytest.raises(FakeError, match="cores: limit 8, in use 6, asked for 4"):
        cloud.create("pool", id="q", name="q", values={"cores": 4})
    cloud.create("pool", id="r", name="r", values={"cores": 2})


def test_the_same_id_is_not_made_twice(cloud: FakeCloud) -> None:
    made(cloud)

    with pytest.raises(FakeError, match="AlreadyExists"):
        made(cloud)


def test_new_tags_are_seen_by_listings_and_by_terraform(cloud: FakeCloud) -> None:
    cloud.add(CLUSTER, id="c", name="c", tags={"due": "1"}, values={"tags": {"due": "1"}, "tags_all": {"due": "1"}})

    cloud.retag(CLUSTER, "c", {"due": "2"})

    thing = cloud.things[CLUSTER, "c"]
    assert [thing.tags, thing.values["tags"], thing.values["tags_all"]] == [{"due": "2"}] * 3


def test_many_may_ask_at_once(cloud: FakeCloud) -> None:
    makers = [threading.Thread(target=made, args=(cloud, DISK, str(number))) for number in range(50)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join(timeout=10)

    assert len(cloud.holds()) == len(cloud.calls) == 50


def until(condition: Callable[[], bool]) -> None:
    assert wait_until(condition, 10.0, poll=0.005)
