"""The module of AKS by the real Terraform: its own tests, and a whole life on the pretended cloud."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clouds import azure_cloud
from tests.clouds.azure_case import LEASE
from tests.clouds.azure_case import NAME
from tests.clouds.azure_case import TAGS
from tests.clouds.azure_case import Azure
from tests.clouds.azure_objects import SUBSCRIPTION
from tests.clouds.commands import Commands
from tests.clouds.fake import Clock
from tests.clouds.fake import FakeCloud
from tests.clouds.stub import StubProviders

pytestmark = pytest.mark.e2e
MODULE = Path(__file__).parents[2] / "modules" / "terraform" / "aks"
POOLS = {"system": {"machine": "Standard_D4s_v5"}, "user": {"count": 2, "machine": "Standard_D8s_v5"}}


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud(Clock(speed=6000.0))
    azure_cloud.install(cloud, None)
    return cloud


@pytest.fixture
def terraform(cloud: FakeCloud, tmp_path: Path) -> Iterator[Commands]:
    module = shutil.copytree(MODULE, tmp_path / "module")
    variables = {"name": NAME, "region": "eastus2", "subscription": SUBSCRIPTION, "tags": TAGS, "pools": POOLS}
    (module / "terraform.tfvars.json").write_text(json.dumps(variables))
    folder = tmp_path / "state"
    folder.mkdir()
    with StubProviders(cloud) as stub:
        commands = Commands(module, folder, stub.environment())
        assert commands.init().code == 0
        yield commands
    assert stub.crashes == []


def test_it_is_formatted_valid_and_passes_its_own_tests(terraform: Commands) -> None:
    (terraform.module / "terraform.tfvars.json").unlink()

    for command in (["fmt", "-check", "-recursive"], ["validate", "-no-color"]):
        ended = terraform.run(*command)
        assert ended.code == 0, ended.output
    tested = terraform.run("test", "-no-color")

    assert re.search(r"Success! (5[6-9]|6\d) passed, 0 failed", tested.output), tested.output


def outputs(terraform: Commands) -> dict[str, Any]:
    found = terraform.run("output", "-json", f"-state={terraform.state}")
    return {name: one["value"] for name, one in json.loads(found.output).items()}


def test_it_lives_from_apply_to_destroy_and_azure_lists_what_it_made(cloud: FakeCloud, terraform: Commands) -> None:
    with azure_cloud.serve(cloud, None) as served:
        azure = Azure(cloud, served, azure_client(served, cloud))

        applied = terraform.apply()
        assert applied.code == 0, applied.output
        told = outputs(terraform)
        assert told["kubeconfig"].startswith("apiVersion: v1")
        assert told["facts"]["cluster"]["account"] == SUBSCRIPTION
        assert azure.kinds() == ["managed-cluster", "resource-group", "node-resource-group"]
        assert {one.lease for one in azure.listed(None, None)} == {LEASE}
        assert terraform.drift().code == 0

        destroyed = terraform.destroy()
        assert destroyed.code == 0, destroyed.output
        assert azure.listed() == []
        assert cloud.holds() == []


def azure_client(served: azure_cloud.Served, cloud: FakeCloud) -> Any:
    from pytest_telescope.cluster.clouds.aks import Aks

    return Aks(environ=served.environment(), sleep=cloud.clock.sleep)
