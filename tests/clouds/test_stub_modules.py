"""Our modules, applied for real against the clouds that pretend."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_telescope import paths
from tests.clouds.commands import Commands
from tests.clouds.fake import Clock
from tests.clouds.fake import FakeCloud
from tests.clouds.stub import StubProviders

pytestmark = pytest.mark.e2e
SERVICES = {"aks": "tests.clouds.azure_cloud", "eks": "tests.clouds.aws", "gke": "tests.clouds.gcp"}
TAGS = {
    "owner": "somebody",
    "scenario": "small",
    "run_id": "r1",
    "telescope_lease": "5eed1e55",
    "creation_time": "1700000000",
    "deletion_due_time": "1700010000",
}
COMMAND = {"exec": ["python3", "-m", "pytest_telescope", "kube-token"], "exec_env": {"PYTHONPATH": "/src"}}
OWN: dict[str, dict[str, Any]] = {
    "aks": {"subscription": "00000000-0000-0000-0000-000000000000"},
    "eks": {"admin_principal_arns": ["arn:aws:iam::123456789012:role/sweeper"], **COMMAND},
    "gke": {"project": "a-project", **COMMAND},
}
PLACES = {
    "aks": ("westeurope", "Standard_D4s_v5"),
    "eks": ("us-east-2", "m6i.xlarge"),
    "gke": ("europe-west1", "n2-standard-4"),
}
ZONES: dict[str, list[str]] = {"aks": [], "eks": [], "gke": ["b"]}
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1", certificate-authority-data: Y2E=}}]
users: [{name: u, user: {client-certificate-data: Y2VydA==, client-key-data: a2V5}}]
"""


@pytest.fixture(params=list(SERVICES))
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def cloud(provider: str, tmp_path: Path) -> FakeCloud:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    cloud = FakeCloud(Clock(speed=6000.0))
    importlib.import_module(SERVICES[provider]).install(cloud, kubeconfig)
    return cloud


@pytest.fixture
def stub(cloud: FakeCloud) -> Iterator[StubProviders]:
    with StubProviders(cloud) as providers:
        yield providers
    assert providers.crashes == []


def ready(provider: str, stub: StubProviders, folder: Path, name: str) -> Commands:
    """Return Terraform on the provider's module with a small cluster's variables."""
    folder.mkdir(exist_ok=True)
    region, machine = PLACES[provider]
    variables = {
        "name": name,
        "region": region,
        "zones": ZONES[provider],
        "tags": TAGS,
        "pools": {"user": {"count": 2, "machine": machine}},
        **OWN[provider],
    }
    (folder / "variables.tfvars.json").write_text(json.dumps(variables))
    commands = Commands(paths.modules() / "terraform" / provider, folder, stub.environment())
    assert commands.init().code == 0
    return commands


def given(commands: Commands) -> str:
    return f"-var-file={commands.folder / 'variables.tfvars.json'}"


def test_a_module_is_applied_does_not_drift_and_leaves_nothing(
    provider: str, cloud: FakeCloud, stub: StubProviders, tmp_path: Path
) -> None:
    terraform = ready(provider, stub, tmp_path / "lease", "telescope-5eed1e55")
    start = time.monotonic()
    applied = terraform.apply(given(terraform))
    held = cloud.holds()
    outputs = terraform.outputs()
    drift = terraform.drift(given(terraform))
    destroyed = terraform.destroy(given(terraform))
    print(f"\n{provider}: {len(held)} things, {time.monotonic() - start:.1f} s for apply, plan and destroy")

    assert applied.code == 0, applied.output
    assert drift.code == 0, drift.output
    assert destroyed.code == 0, destroyed.output
    assert terraform.known() == []
    assert cloud.holds() == []
    kubeconfig = yaml.safe_load(outputs["kubeconfig"])
    assert kubeconfig["clusters"][0]["cluster"]["server"].startswith("https://")
    assert set(outputs["facts"]["cluster"]) == {"id", "name", "region", "account", "version", "endpoint"}
    assert all(not isinstance(value, dict | list) for value in outputs["facts"]["facts"].values())


def test_what_a_module_makes_can_be_found_by_the_leases_tag(
    provider: str, cloud: FakeCloud, stub: StubProviders, tmp_path: Path
) -> None:
    terraform = ready(provider, stub, tmp_path / "lease", "telescope-5eed1e55")
    assert terraform.apply(given(terraform)).code == 0
    found = [thing.type for thing in cloud.listed(tag=("telescope_lease", "5eed1e55"))]
    untagged = {thing.type for thing in cloud.listed()} - set(found)
    print(f"\n{provider}: {len(found)} things carry the tag; not: {', '.join(sorted(untagged))}")

    assert {"aks": "azurerm_resource_group", "eks": "aws_vpc", "gke": "google_container_cluster"}[provider] in found


def test_two_clusters_of_a_module_live_side_by_side(
    provider: str, cloud: FakeCloud, stub: StubProviders, tmp_path: Path
) -> None:
    both = [ready(provider, stub, tmp_path / name, name) for name in ("telescope-00000001", "telescope-00000002")]
    with ThreadPoolExecutor(2) as pool:
        applied = list(pool.map(lambda one: one.apply(given(one)).code, both))
        first = both[0].destroy(given(both[0])).code
        drift = both[1].drift(given(both[1])).code
        second = both[1].destroy(given(both[1])).code

    assert (applied, first, drift, second) == ([0, 0], 0, 0, 0)
    assert cloud.holds() == []
