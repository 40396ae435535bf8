"""The whole way to a GKE cluster: Terraform's kubeconfig, a token by its exec plug-in, the API server's door."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from kubernetes import client
from kubernetes import config
from kubernetes.client.exceptions import ApiException

from pytest_telescope import paths
from pytest_telescope.cluster.clouds.gke import Gke
from tests.clouds import gcp
from tests.clouds.commands import Commands
from tests.clouds.fake import Clock
from tests.clouds.fake import FakeCloud
from tests.clouds.gcp_case import CLUSTER
from tests.clouds.gcp_case import PLACE
from tests.clouds.gcp_case import SPEC
from tests.clouds.gcp_case import TAGS
from tests.clouds.stub import StubProviders

TOKEN = "import json; from pytest_telescope.cluster.clouds.gke import kube_token; print(json.dumps(kube_token([])))"


@dataclass(frozen=True)
class Ready:
    """A cluster that is up: its kubeconfig, and what stands behind it."""

    kubeconfig: Path
    served: gcp.Served

    def nodes(self) -> int:
        """Count the cluster's nodes with a client of its own."""
        with config.new_client_from_config(config_file=str(self.kubeconfig)) as api:  # type: ignore[no-untyped-call] # upstream
            found = client.CoreV1Api(api).list_node(_request_timeout=(5, 20)).items
            api.rest_client.pool_manager.clear()
        return len(found)


@pytest.fixture
def ready(backing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ready]:
    cloud = FakeCloud(Clock(speed=6000.0))
    gcp.install(cloud, backing)
    with StubProviders(cloud) as stub, gcp.serve(cloud, backing) as served:
        for name, value in served.environment().items():
            monkeypatch.setenv(name, value)
        terraform = Commands(paths.modules() / "terraform" / "gke", tmp_path, stub.environment())
        assert terraform.init().code == 0
        made = terraform.apply(f"-var-file={_variables(tmp_path)}")
        assert made.code == 0, made.output
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(terraform.outputs()["kubeconfig"])
        yield Ready(kubeconfig, served)


def _variables(folder: Path) -> Path:
    given = {
        "name": CLUSTER,
        "region": PLACE.region,
        "tags": TAGS,
        "pools": {"user": {"count": 1, "machine": "n2-standard-4"}},
        **Gke().variables(SPEC, PLACE),
        "exec": [sys.executable, "-c", TOKEN],
    }
    file = folder / "variables.tfvars.json"
    file.write_text(json.dumps(given))
    return file


@pytest.mark.e2e
def test_the_kubeconfig_of_the_module_opens_the_cluster_with_googles_token(ready: Ready) -> None:
    assert ready.nodes() > 0
    assert len(ready.served.tokens.given) == 1


@pytest.mark.e2e
def test_nobody_enters_with_a_token_that_google_did_not_give_or_that_has_expired(ready: Ready) -> None:
    document = yaml.safe_load(ready.kubeconfig.read_text())
    for token in ("made-up", *_expired(ready)):
        document["users"][0]["user"] = {"token": token}
        ready.kubeconfig.write_text(yaml.safe_dump(document))
        with pytest.raises(ApiException, match="Unauthorized"):
            ready.nodes()


def _expired(ready: Ready) -> list[str]:
    """Return tokens that were good once."""
    ready.nodes()
    given = ready.served.tokens.given
    for token in given:
        given[token] = 0.0
    return list(given)
