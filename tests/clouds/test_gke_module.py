"""The Terraform module of GKE, by the real Terraform: against its own tests, and applied to a pretended cloud."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_telescope import paths
from pytest_telescope.cluster.clouds.gcp_words import words
from pytest_telescope.toolchain import tool
from tests.clouds import gcp
from tests.clouds.commands import Commands
from tests.clouds.fake import Clock
from tests.clouds.fake import FakeCloud
from tests.clouds.fake import Fault
from tests.clouds.gcp_case import CLUSTER
from tests.clouds.gcp_case import LEASE
from tests.clouds.gcp_case import PLACE
from tests.clouds.gcp_case import SPEC
from tests.clouds.gcp_case import TAGS
from tests.clouds.gcp_objects import PROJECT
from tests.clouds.gcp_objects import leave_behind
from tests.clouds.stub import StubProviders

MODULE = paths.modules() / "terraform" / "gke"


@dataclass(frozen=True)
class Place:
    """A pretended cloud and Terraform for it."""

    cloud: FakeCloud
    served: gcp.Served
    terraform: Commands

    def variables(self, **more: Any) -> str:
        """Write variables; return the option that names their file."""
        client = gcp_client(self)
        given = {
            "name": CLUSTER,
            "region": "us-central1",
            "tags": {**TAGS, "creation_time": "1795500000"},
            "pools": {
                "system": {"count": 1, "machine": "e2-standard-4"},
                "user": {"count": 2, "machine": "n2-standard-4", "kubelet": {"podPidsLimit": "4096"}},
            },
            **client.variables(SPEC, PLACE),
            **more,
        }
        file = self.terraform.folder / "variables.tfvars.json"
        file.write_text(json.dumps(given))
        return f"-var-file={file}"


def gcp_client(place: Place) -> Any:
    from pytest_telescope.cluster.clouds.gke import Gke

    return Gke(environ=place.served.environment(), sleep=place.cloud.clock.sleep)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    cloud = FakeCloud(Clock(speed=6000.0))
    gcp.install(cloud, None)
    with StubProviders(cloud) as stub, gcp.serve(cloud, None) as served:
        terraform = Commands(MODULE, tmp_path, {**stub.environment(), **served.environment()})
        assert terraform.init().code == 0
        yield Place(cloud, served, terraform)
        assert stub.crashes == []


def test_the_module_is_formatted() -> None:
    command = [str(tool("terraform")), "fmt", "-check", "-diff", "-recursive", str(MODULE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_module_is_valid(place: Place) -> None:
    valid = place.terraform.run("validate", "-no-color")
    assert valid.code == 0, valid.output


@pytest.mark.parametrize(("tests", "least"), [("mapping", 15), ("refusals", 40)])
def test_the_module_passes_its_own_tests(place: Place, tests: str, least: int) -> None:
    done = place.terraform.run("test", "-no-color", f"-filter=tests/{tests}.tftest.hcl")
    assert done.code == 0, done.output
    assert int(re.findall(r"Success! (\d+) passed, 0 failed", done.output)[0]) >= least


def test_the_module_and_the_harness_know_the_same_words() -> None:
    text = (MODULE / "words.tf").read_text()

    def listed(name: str) -> list[str]:
        found = re.search(rf"^  {name}\s*= \[(.*?)\]", text, re.MULTILINE | re.DOTALL)
        assert found is not None
        return re.findall(r'"([^"]+)"', found.group(1))

    def pattern(name: str) -> str:
        found = re.search(rf'^  {name}\s*= "(.*)"', text, re.MULTILINE)
        assert found is not None
        return found.group(1).replace("\\\\", "\\")

    for name in ("tiers", "images", "disk_types", "kubelet_fields"):
        assert listed(name) == words()[name], name
    assert re.findall(r"^    (dataplane-v\d) ", text, re.MULTILINE) == words()["networks"]
    for name in ("sysctl_pattern", "hyperdisk_only"):
        assert pattern(name) == words()[name]


def test_a_cluster_is_made_without_drift_and_destroyed_without_rest(place: Place) -> None:
    variables = place.variables()
    applied = place.terraform.apply(variables)
    assert applied.code == 0, applied.output
    again = place.terraform.drift(variables)
    assert again.code == 0, again.output
    client = gcp_client(place)
    assert [one.kind for one in client.resources(PLACE, LEASE, CLUSTER)] == [
        "cluster",
        "subnetwork",
        "network",
        "iam-member",
        "service-account",
    ]
    destroyed = place.terraform.destroy(variables)
    assert destroyed.code == 0, destroyed.output
    assert place.cloud.holds() == []


def test_nodes_may_do_what_they_must_before_the_cluster_is_made(place: Place) -> None:
    assert place.terraform.apply(place.variables()).code == 0
    made = [call.type for call in place.cloud.calls if call.op == "create"]
    assert made.index("google_project_iam_member") < made.index("google_container_cluster")


def test_a_renewed_due_time_does_not_hinder_the_destroy(place: Place) -> None:
    variables = place.variables()
    assert place.terraform.apply(variables).code == 0
    gcp_client(place).renew(PLACE, CLUSTER, 1999999999)
    assert place.terraform.destroy(variables).code == 0
    assert place.cloud.holds() == []


def test_the_outputs_are_what_the_harness_needs(place: Place) -> None:
    assert place.terraform.apply(place.variables()).code == 0
    outputs = place.terraform.outputs()
    raw = json.loads(place.terraform.run("output", "-json", f"-state={place.terraform.state}").output)
    assert raw["kubeconfig"]["sensitive"]
    user = yaml.safe_load(outputs["kubeconfig"])["users"][0]["user"]["exec"]
    assert user["args"] == ["-m", "pytest_telescope", "kube-token", "gke"]
    assert outputs["facts"]["facts"]["kubernetes_version"] == "1.35.4-gke.900"
    assert outputs["facts"]["cluster"]["account"] == PROJECT
    assert all(isinstance(value, str | int | bool) for value in outputs["facts"]["facts"].values())


def test_only_the_pool_that_failed_is_made_again(place: Place) -> None:
    place.cloud.faults.append(Fault("quota", "google_container_node_pool"))
    variables = place.variables()
    failed = place.terraform.apply(variables)
    assert failed.code == 1
    assert "insufficient regional quota" in failed.output
    before = len([call for call in place.cloud.calls if call.op == "create"])
    assert place.terraform.apply(variables).code == 0
    made = [call.type for call in place.cloud.calls if call.op == "create"][before:]
    assert made == ["google_container_node_pool"]


def test_terraform_cannot_delete_the_network_of_what_kubernetes_left_until_it_is_swept(place: Place) -> None:
    variables = place.variables()
    assert place.terraform.apply(variables).code == 0
    leave_behind(place.cloud, CLUSTER)
    failed = place.terraform.destroy(variables)
    assert failed.code == 1
    assert "already being used by" in " ".join(failed.output.replace("│", " ").split())
    client = gcp_client(place)
    for resource in client.resources(PLACE, LEASE, CLUSTER):
        client.delete(resource, PLACE)
    assert place.cloud.holds() == []
    assert place.terraform.destroy(variables).code == 0


def test_a_refusal_is_told_before_anything_is_made(place: Place) -> None:
    refused = place.terraform.apply(place.variables(network="calico", zones=["a", "b", "c"]))
    assert refused.code == 1
    told = " ".join(refused.output.replace("│", " ").split())
    assert "GKE cannot serve this: network is calico, but only dataplane-v1 and dataplane-v2 are on offer" in told
    assert "pool user has count 2, which 3 zones cannot share equally" in told
    assert place.cloud.holds() == []
