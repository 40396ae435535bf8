"""Real Terraform on a small module of all three clouds, against the stub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.clouds.commands import Commands
from tests.clouds.fake import Clock
from tests.clouds.fake import FakeCloud
from tests.clouds.fake import Fault
from tests.clouds.stub import StubProviders

pytestmark = pytest.mark.e2e
MODULE = Path(__file__).parent / "modules" / "small"
CLUSTER = "azurerm_kubernetes_cluster"
POOL = "azurerm_kubernetes_cluster_node_pool"
TYPES = [
    "aws_subnet",
    "aws_vpc",
    "azurerm_kubernetes_cluster",
    "azurerm_kubernetes_cluster_node_pool",
    "azurerm_resource_group",
    "google_compute_network",
    "google_container_cluster",
]


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud(Clock(speed=6000.0))
    cloud.computed[f"{CLUSTER}.kube_config_raw"] = lambda values: f"kubeconfig of {values['name']}"
    cloud.computed["data.aws_availability_zones.names"] = ["us-east-2a", "us-east-2b"]
    return cloud


@pytest.fixture
def stub(cloud: FakeCloud) -> Iterator[StubProviders]:
    with StubProviders(cloud) as providers:
        yield providers
    assert providers.crashes == []


@pytest.fixture
def terraform(stub: StubProviders, tmp_path: Path) -> Commands:
    return at(stub, tmp_path)


def at(stub: StubProviders, folder: Path) -> Commands:
    commands = Commands(MODULE, folder, stub.environment())
    assert commands.init().code == 0
    return commands


def test_what_is_applied_is_read_back_does_not_drift_and_is_destroyed(cloud: FakeCloud, terraform: Commands) -> None:
    applied = terraform.apply()
    held = sorted(thing.type for thing in cloud.things.values())
    outputs = terraform.outputs()
    drift = terraform.drift()
    destroyed = terraform.destroy()

    assert applied.code == 0, applied.output
    assert held == TYPES
    assert outputs == {"kubeconfig": "kubeconfig of cluster", "zone": "us-east-2a"}
    assert drift.code == 0, drift.output
    assert destroyed.code == 0, destroyed.output
    assert (cloud.holds(), terraform.known()) == ([], [])


def test_things_carry_the_tags_and_the_region_of_the_provider_too(cloud: FakeCloud, terraform: Commands) -> None:
    terraform.apply()
    found = {thing.type: thing for thing in cloud.listed(tag=("telescope_lease", "5eed1e55"))}

    assert sorted(found) == [
        "aws_subnet",
        "aws_vpc",
        "azurerm_kubernetes_cluster",
        "azurerm_resource_group",
        "google_container_cluster",
    ]
    assert found["aws_vpc"].tags == {"telescope_lease": "5eed1e55", "due": "1", "Name": "network"}
    assert found["google_container_cluster"].tags == {"telescope_lease": "5eed1e55", "run_id": "r"}
    assert [found[typ].region for typ in ("aws_vpc", "azurerm_resource_group", "google_container_cluster")] == [
        "us-east-2",
        "westeurope",
        "europe-west1",
    ]
    assert {thing.name for thing in found.values() if thing.type == "aws_vpc"} == {"network"}


def test_a_change_of_tags_is_an_update_in_place(cloud: FakeCloud, terraform: Commands) -> None:
    terraform.apply()
    before = set(cloud.things)
    changed = terraform.apply("-var=due=2")

    assert "0 added, 3 changed, 0 destroyed" in changed.output
    assert set(cloud.things) == before
    assert {thing.tags.get("due") for thing in cloud.listed("aws_vpc")} == {"2"}


def test_a_change_of_the_location_makes_anew(terraform: Commands) -> None:
    terraform.apply()

    planned = terraform.drift("-var=location=northeurope")

    assert "must be replaced" in planned.output
    assert "Plan: 3 to add, 0 to change, 3 to destroy" in planned.output


def test_tags_that_a_sweeper_renewed_show_as_drift_only_where_terraform_owns_them(
    cloud: FakeCloud, terraform: Commands
) -> None:
    terraform.apply()
    network = cloud.listed("aws_vpc")[0]
    cloud.retag("aws_vpc", network.id, {**network.tags, "due": "9"})

    assert "1 to change" in terraform.drift().output


def test_a_quota_in_the_middle_leaves_the_rest_and_a_second_apply_makes_only_what_is_missing(
    cloud: FakeCloud, terraform: Commands
) -> None:
    cloud.faults.append(Fault("quota", POOL))
    first = terraform.apply()
    calls = len(cloud.calls)
    second = terraform.apply()

    assert first.code == 1
    assert "ErrCode_InsufficientVCPUQuota: insufficient regional vcpu quota left" in first.output
    assert second.code == 0, second.output
    assert [(call.op, call.type) for call in cloud.calls[calls:]] == [("create", POOL)]


def test_what_failed_after_it_was_made_is_tainted_and_made_anew(cloud: FakeCloud, terraform: Commands) -> None:
    cloud.faults.append(Fault("fail-after-create", CLUSTER))
    first = terraform.apply()
    known = terraform.known()
    second = terraform.apply()

    assert (first.code, second.code) == (1, 0)
    assert f"{CLUSTER} (tainted)" in known
    assert [thing.state for thing in cloud.listed(CLUSTER)] == ["ready"]


def test_what_failed_before_it_was_made_is_in_no_state(cloud: FakeCloud, terraform: Commands) -> None:
    cloud.faults.append(Fault("fail-create", CLUSTER))

    assert terraform.apply().code == 1
    assert CLUSTER not in " ".join(terraform.known())
    assert cloud.listed(CLUSTER) == []


def test_a_destroy_that_is_refused_once_succeeds_the_second_time(cloud: FakeCloud, terraform: Commands) -> None:
    terraform.apply()
    cloud.faults.append(Fault("fail-destroy", "aws_vpc"))

    first = terraform.destroy()
    left = [thing.type for thing in cloud.things.values()]
    second = terraform.destroy()

    assert (first.code, second.code) == (1, 0)
    assert "DependencyViolation" in first.output
    assert left == ["aws_vpc"]
    assert cloud.holds() == []


def test_what_goes_behind_terraforms_back_is_made_again(cloud: FakeCloud, terraform: Commands) -> None:
    terraform.apply()
    cloud.remove(POOL, cloud.listed(POOL)[0].id)

    assert "1 to add, 0 to change, 0 to destroy" in terraform.drift().output


def test_what_is_not_visible_yet_is_lost_from_the_state_but_not_from_the_cloud(
    cloud: FakeCloud, terraform: Commands
) -> None:
    cloud.faults.append(Fault("invisible", "aws_vpc", seconds=1e6))
    terraform.apply()
    terraform.destroy()

    assert [thing.type for thing in cloud.things.values()] == ["aws_vpc"]


def test_a_throttled_read_fails_the_plan(cloud: FakeCloud, terraform: Commands) -> None:
    terraform.apply()
    cloud.faults.append(Fault("throttle", "google_*", times=None, op="read"))

    throttled = terraform.drift()

    assert throttled.code == 1
    assert "Error 429" in throttled.output


def test_a_sensitive_output_must_say_so(stub: StubProviders, tmp_path: Path) -> None:
    module = tmp_path / "module"
    module.mkdir()
    text = (MODULE / "main.tf").read_text()
    (module / "main.tf").write_text(re.sub(r"\n  sensitive = true", "", text))
    commands = Commands(module, tmp_path, stub.environment())
    commands.init()

    assert "Output refers to sensitive values" in commands.drift().output


def test_six_terraforms_at_once_keep_their_clusters_apart(
    cloud: FakeCloud, stub: StubProviders, tmp_path: Path
) -> None:
    folders = [tmp_path / str(number) for number in range(6)]
    for folder in folders:
        folder.mkdir()
    all_of_them = [at(stub, folder) for folder in folders]
    with ThreadPoolExecutor(6) as pool:
        applied = list(pool.map(lambda one: one.apply().code, all_of_them))
        held = len(cloud.holds())
        drifts = list(pool.map(lambda one: one.drift().code, all_of_them))
        destroyed = list(pool.map(lambda one: one.destroy().code, all_of_them))

    assert (applied, drifts, destroyed) == ([0] * 6, [0] * 6, [0] * 6)
    assert held == 6 * len(TYPES)
    assert cloud.holds() == []
