"""A pretended cloud, whole: objects, Terraform's provider, the REST API, and a real cluster behind them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

from tests.clouds.fake import Clock
from tests.clouds.fake import FakeCloud
from tests.clouds.stub import StubProviders
from tests.e2e.conftest import Harness

SERVICES = {"aks": "tests.clouds.azure_cloud", "eks": "tests.clouds.aws", "gke": "tests.clouds.gcp"}
CLUSTERS = {"aks": "azurerm_kubernetes_cluster", "eks": "aws_eks_cluster", "gke": "google_container_cluster"}
SPEED = 600.0
SMALL = """\
name: small
description: A small load on a pretended cloud.
component: scheduler
cluster:
  pools:
    user: {count: 2, machine: %(machine)s}
load:
  default: resource-consumer
  resource-consumer:
    pods: 20
    rate: 20/s
    hold: %(hold)s
    consume: {cpu: 0.01, memory: 16Mi}
    selector: {telescope/pool: user}
    tolerations: ["kwok.x-k8s.io/node=fake:NoSchedule"]
    timeout: 30s
slos:
  - {use: pod-startup/running, p: 50, max: 60s, min_count: 20}
budget: {cost: 40 USD, time: 3h}
"""
MACHINES = {"aks": "Standard_D4s_v5", "eks": "m6i.xlarge", "gke": "n2-standard-4"}


@dataclass(frozen=True, kw_only=True)
class World:
    """One cloud and a harness that is pointed at it."""

    provider: str
    cloud: FakeCloud
    harness: Harness

    def small(self, hold: str = "0s", name: str = "small", text: str = SMALL) -> str:
        """Write the small scenario and return its name."""
        self.harness.scenario(name, (text % {"hold": hold, "machine": MACHINES[self.provider]}).replace("small", name))
        return name

    def held(self) -> list[str]:
        """Return what the cloud holds, also what no listing shows yet."""
        return self.cloud.holds()


@contextmanager
def world(provider: str, backing: Path, root: Path, speed: float = SPEED) -> Iterator[World]:
    """Yield a cloud whose clusters are all the one behind `backing` (a kubeconfig)."""
    service = importlib.import_module(SERVICES[provider])
    cloud = FakeCloud(Clock(speed=speed))
    service.install(cloud, backing)
    with ThreadPoolExecutor(8) as vanishing, StubProviders(cloud) as stub, service.serve(cloud, backing) as served:
        cloud.on_removing.setdefault(CLUSTERS[provider], []).append(
            lambda _cloud, thing: (vanishing.submit(vanish, backing, thing.name), None)[1]
        )
        environment = {**stub.environment(), **served.environment(), "TELESCOPE_CLOUD_SPEED": str(speed)}
        harness = replace(Harness(root=root), extra=environment)
        yield World(provider=provider, cloud=cloud, harness=harness)


def vanish(backing: Path, cluster: str) -> None:
    """Take along what a lease had in the cluster behind, as its own cluster would: at once."""
    from kubernetes import client
    from kubernetes import config

    from pytest_telescope.cluster import monitoring

    lease = cluster.removeprefix("telescope-")
    with config.new_client_from_config(config_file=str(backing)) as api:  # type: ignore[no-untyped-call] # upstream
        core = client.CoreV1Api(api)
        core.delete_collection_namespaced_pod(monitoring.namespace_of(lease), grace_period_seconds=0)
        api.rest_client.pool_manager.clear()
    monitoring.remove(backing, lease, within=60.0)
