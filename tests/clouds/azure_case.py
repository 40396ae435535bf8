"""What the tests of AKS begin with: a pretended Azure and a client that talks to it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_telescope.cluster.clouds.aks import Aks
from pytest_telescope.cluster.clouds.model import Resource
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec
from tests.clouds import azure_cloud
from tests.clouds.azure_objects import CLUSTER
from tests.clouds.azure_objects import GROUP
from tests.clouds.azure_objects import SUBSCRIPTION
from tests.clouds.azure_objects import cluster_id
from tests.clouds.azure_objects import group_id
from tests.clouds.fake import Clock
from tests.clouds.fake import FakeCloud

LEASE = "0123abcd"
NAME = f"telescope-{LEASE}"
PLACE = Where(account=SUBSCRIPTION, region="eastus2")
TAGS = {"owner": "somebody", "run_id": "run-1", "telescope_lease": LEASE, "deletion_due_time": "1795510800"}
SPEC = ClusterSpec(pools={"system": PoolSpec(count=1), "user": PoolSpec(count=2)})


@dataclass(frozen=True)
class Azure:
    """A pretended Azure, what serves it, and a client."""

    cloud: FakeCloud
    served: azure_cloud.Served
    aks: Aks

    def cluster(self, lease: str = LEASE) -> None:
        """Make a lease's cluster with its groups."""
        name, tags = f"telescope-{lease}", {**TAGS, "telescope_lease": lease}
        self.cloud.add(GROUP, id=group_id(name), name=name, region="eastus2", tags=tags)
        pool = {"vm_size": "Standard_D4s_v5", "node_count": 2}
        values = {"resource_group_name": name, "node_resource_group": f"{name}-nodes", "default_node_pool": [pool]}
        self.cloud.add(CLUSTER, id=cluster_id(name), name=name, region="eastus2", tags=tags, values=values)

    def listed(self, lease: str | None = LEASE, cluster: str | None = NAME) -> list[Resource]:
        """List as the harness does."""
        return self.aks.resources(PLACE, lease, cluster)

    def kinds(self) -> list[str]:
        """Return the kinds of what is listed of the lease, in the order of deletion."""
        return [one.kind for one in self.listed()]

    def one(self, kind: str) -> Resource:
        """Return the only thing of a kind that is listed of the lease."""
        (found,) = [one for one in self.listed() if one.kind == kind]
        return found

    def other(self, environ: dict[str, str]) -> Aks:
        """Return a client with another environment."""
        return Aks(environ=environ, sleep=self.cloud.clock.sleep)


@contextlib.contextmanager
def pretended() -> Iterator[Azure]:
    """Yield an Azure that holds nothing."""
    cloud = FakeCloud(Clock(speed=6000.0))
    azure_cloud.install(cloud, None)
    with azure_cloud.serve(cloud, None) as served:
        yield Azure(cloud, served, Aks(environ=served.environment(), sleep=cloud.clock.sleep))
