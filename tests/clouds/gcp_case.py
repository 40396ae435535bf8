"""What the tests of GKE begin with: a pretended Google Cloud and a client that talks to it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_telescope.cluster.clouds.gke import Gke
from pytest_telescope.cluster.clouds.model import Resource
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec
from tests.clouds import gcp
from tests.clouds.fake import Clock
from tests.clouds.fake import FakeCloud
from tests.clouds.gcp_objects import PROJECT
from tests.clouds.gcp_objects import compute_id

LEASE = "0123abcd"
CLUSTER = f"telescope-{LEASE}"
PLACE = Where(account=PROJECT, region="us-central1", zone="us-central1-a")
TAGS = {"owner": "somebody", "run_id": "run-1", "telescope_lease": LEASE, "deletion_due_time": "1795510800"}
SPEC = ClusterSpec(pools={"system": PoolSpec(count=1), "user": PoolSpec(count=2)})


@dataclass(frozen=True)
class Google:
    """A pretended Google Cloud, what serves it, and a client."""

    cloud: FakeCloud
    served: gcp.Served
    gke: Gke

    def listed(self, lease: str | None = LEASE, cluster: str | None = CLUSTER) -> list[Resource]:
        """List as the harness does."""
        return self.gke.resources(PLACE, lease, cluster)

    def kinds(self) -> list[str]:
        """Return the kinds of what is listed of the lease, in the order of deletion."""
        return [one.kind for one in self.listed()]

    def one(self, kind: str) -> Resource:
        """Return the only thing of a kind that is listed of the lease."""
        (found,) = [one for one in self.listed() if one.kind == kind]
        return found

    def other(self, **environ: str) -> Gke:
        """Return a client with more, or other, environment variables."""
        return Gke(environ={**self.served.environment(), **environ}, sleep=self.cloud.clock.sleep)


@contextlib.contextmanager
def google() -> Iterator[Google]:
    """Yield a Google Cloud that holds nothing."""
    cloud = FakeCloud(Clock(speed=6000.0))
    gcp.install(cloud, None)
    with gcp.serve(cloud, None) as served:
        yield Google(cloud, served, Gke(environ=served.environment(), sleep=cloud.clock.sleep))


def add_cluster(cloud: FakeCloud, name: str = CLUSTER, tags: dict[str, str] | None = None, **node: Any) -> None:
    """Put a cluster with one pool there, with all that Terraform makes for it."""
    labels = TAGS if tags is None else tags
    description = " ".join(f"{key}={labels[key]}" for key in ("telescope_lease", "deletion_due_time") if key in labels)
    network = compute_id("google_compute_network", name, "")
    subnetwork = compute_id("google_compute_subnetwork", name, "us-central1")
    cluster = f"projects/{PROJECT}/locations/us-central1-a/clusters/{name}"
    account = f"{name}-node@{PROJECT}.iam.gserviceaccount.com"
    own = {"project": PROJECT, "description": description}
    place = {"project": PROJECT, "location": "us-central1-a", "network": network, "subnetwork": subnetwork}
    role = {"role": "roles/container.defaultNodeServiceAccount", "member": f"serviceAccount:{account}"}
    cloud.add("google_compute_network", id=network, name=name, values=own)
    cloud.add(
        "google_compute_subnetwork",
        id=subnetwork,
        name=name,
        region="us-central1",
        values={**own, "network": network},
    )
    cloud.add(
        "google_service_account",
        id=f"projects/{PROJECT}/serviceAccounts/{account}",
        name=account,
        values={**own, "email": account},
    )
    cloud.add("google_project_iam_member", id=f"{PROJECT}/{name}", name=name, values=role)
    cloud.add(
        "google_container_cluster", id=cluster, name=name, region="us-central1-a", tags=dict(labels), values=place
    )
    cloud.add(
        "google_container_node_pool",
        id=f"{cluster}/nodePools/user",
        name="user",
        region="us-central1-a",
        tags=dict(labels),
        values={**place, "cluster": name, "name": "user", "node_config": [{"resource_labels": dict(labels), **node}]},
    )
