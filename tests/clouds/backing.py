"""The one real cluster that stands behind every pretended cloud: simulated nodes, and a real one for what must run.

| pool | nodes | for |
|---|---|---|
| system | 3 simulated | the system pools of scenarios |
| user | 10 simulated | load that need not really run |
| prometheus | 1 simulated | scenarios with a `prometheus_pool`: only counted, Prometheus itself runs on `node-0` |
| node | 1 real | Prometheus, and load that must really run: it has the label of the scenario `cri` and no taint |

Simulated nodes are tainted `kwok.x-k8s.io/node=fake:NoSchedule`: only what tolerates that lands there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_telescope.cluster.local import image
from pytest_telescope.cluster.local import node_images
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.monitoring import exporter_image
from pytest_telescope.cluster.monitoring import image_reference
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec
from pytest_telescope.toolchain import tool
from tests.clusters import local_cluster

NODE = "node-0"
"""Name of the real node."""
SIMULATED = "kwok.x-k8s.io/node=fake:NoSchedule"
LABELS = {"cri-resource-consume": "true", "telescope/prometheus": "true"}
SPEC = ClusterSpec(
    pools={
        "system": PoolSpec(count=3, taints=(SIMULATED,)),
        "user": PoolSpec(count=10, cpu=16, memory="64Gi", max_pods=250, taints=(SIMULATED,)),
        "prometheus": PoolSpec(count=1, taints=(SIMULATED,)),
        "node": PoolSpec(count=1, node="containerd", max_pods=110, labels=LABELS),
    }
)


@contextmanager
def backing_cluster(state: Path) -> Iterator[Path]:
    """Yield the kubeconfig of an administrator; nothing of the cluster is left at the end.

    Args:
        state: an empty folder for the cluster's ledger and lease.
    """
    with local_cluster(state, SPEC, "backing") as cluster:
        load_images(Layout(cluster.kubeconfig.parent / "cluster"))
        yield cluster.kubeconfig


def load_images(layout: Layout) -> None:
    """Give the real node the images of the pinned Prometheus and node_exporter, under the names of the manifests."""
    prometheus = image.prometheus(image_reference(), tool("prometheus"))
    exporter = image.node_exporter(exporter_image(), tool("node_exporter"))
    for one in (prometheus, exporter):
        node_images.load(layout.node, image.cached(one))
