"""A lease's own Prometheus in any cluster: put there, reached through the API server, taken away.

It has no address outside the cluster: whoever may use the kubeconfig may ask it, by the API server's proxy of the pod.
Inside the cluster any pod reaches its port; nothing but the load of the harness runs there, unless the cluster is
somebody's own (`--attach`), and then its data are the metrics of that cluster.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_telescope.cluster import monitoring_more as more
from pytest_telescope.cluster import monitoring_wait as wait
from pytest_telescope.cluster.kube import Kube
from pytest_telescope.cluster.kube import access
from pytest_telescope.cluster.monitoring_manifests import POD
from pytest_telescope.cluster.monitoring_manifests import PORT
from pytest_telescope.cluster.monitoring_manifests import Sights
from pytest_telescope.cluster.monitoring_manifests import cluster_wide
from pytest_telescope.cluster.monitoring_manifests import exporter_image
from pytest_telescope.cluster.monitoring_manifests import image_reference
from pytest_telescope.cluster.monitoring_manifests import namespace_of
from pytest_telescope.cluster.monitoring_manifests import objects
from pytest_telescope.cluster.monitoring_pods import NODE
from pytest_telescope.cluster.monitoring_sights import look
from pytest_telescope.errors import ProvisionError
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Endpoint

__all__ = ["Monitoring", "exporter_image", "image_reference", "install", "left", "namespace_of", "remove"]

Progress = Callable[[str], None]
ASSETS = "/user"
POLL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """A Prometheus that has scraped everything it should.

    Attributes:
        targets: job name -> number of targets that are expected to be up.
        nodes: names of the nodes whose kubelet is scraped, sorted.
        address: host and port at which the API server reaches it in plain HTTP (`Cluster.prometheus_from_apiserver`).
        hidden: job -> why nothing of it is scraped.
        facts: flat facts for the report.
    """

    endpoint: Endpoint
    targets: Mapping[str, int]
    namespace: str
    nodes: tuple[str, ...]
    address: tuple[str, int]
    hidden: Mapping[str, str]
    facts: Mapping[str, str | int | float | bool | None]


def install(
    kubeconfig: Path,
    *,
    provider: str,
    lease: str,
    own_pool: bool,
    nodes: int,
    interval: float = 5.0,
    within: float = 300.0,
    progress: Callable[[str], None],
) -> Monitoring:
    """Put a Prometheus into the cluster and return when every target was scraped; to be called again after a failure.

    Args:
        kubeconfig: of an administrator; copies of its certificates are written to `api-access` beside it.
        provider: a name of providers.yaml.
        lease: id; part of all names.
        own_pool: the pod goes to nodes with the label `telescope/prometheus=true`, and only there.
        nodes: of the whole cluster; decides what the pod asks for.
        interval: seconds between two scrapes of one target.
        within: seconds for all of it.
        progress: told what is waited for.

    Raises:
        ProvisionError: it did not come up; says what is missing (image, node, target) and why.
    """
    deadline = time.monotonic() + within
    how = access(kubeconfig)
    with Kube(how) as kube:
        sights = look(kube, provider)
        for body in objects(lease, sights, own_pool=own_pool, nodes=nodes, interval=interval):
            kube.apply(body)
        path = f"/api/v1/namespaces/{namespace_of(lease)}/pods"
        pod = wait.pod(kube, f"{path}/{POD}", deadline, progress)
        proxy = f"{path}/http:{POD}:{PORT}/proxy"
        endpoint = how.endpoint(proxy, scrape_interval=interval, assets=ASSETS)
        with Prometheus(endpoint) as prometheus:
            wait.targets(prometheus, sights.targets(), deadline, progress)
        found = more.wait(
            lambda: kube.get(f"{proxy}/api/v1/targets?state=active")["data"]["activeTargets"],
            {NODE: sights.exporters, **dict.fromkeys(sights.on_nodes, 0)},
            sights.targets(),
            progress,
        )
        lacking = _with_reasons(found.lacking, lambda: kube.get(path)["items"])
    for job, why in lacking.items():
        progress(f"not scraped: {job}: {why}")
    return Monitoring(
        endpoint=endpoint,
        targets={**sights.targets(), **found.targets},
        namespace=namespace_of(lease),
        nodes=sights.nodes,
        address=(pod["status"]["podIP"], PORT),
        hidden={job: why for job, why in {**sights.hidden, **lacking}.items() if job not in found.targets},
        facts={**_facts(sights, pod["spec"]["nodeName"]), **found.versions, "not-scraped": _joined(lacking)},
    )


def _with_reasons(lacking: Mapping[str, str], pods: Callable[[], list[dict[str, Any]]]) -> dict[str, str]:
    """Say of node_exporter also why its pods do not run: Prometheus only knows those that do."""
    if NODE not in lacking:
        return dict(lacking)
    mine = [one for one in pods() if one["metadata"]["name"] != POD]
    reasons = [why for one in mine if one["status"]["phase"] != "Running" for _, why in [wait.state(one)]]
    return {**lacking, NODE: "; ".join([lacking[NODE], *reasons[:1]])}


def _joined(lacking: Mapping[str, str]) -> str | None:
    return "; ".join(f"{job}: {why}" for job, why in lacking.items()) or None


def _facts(sights: Sights, node: str) -> dict[str, str | int | float | bool | None]:
    return {
        "prometheus-image": image_reference(),
        "prometheus-node": node,
        "kubelet-certificates": "verified" if sights.kubelet_verified else "not verified",
        "api-server-replicas": sights.replicas or None,
    }


def remove(kubeconfig: Path, lease: str, within: float = 120.0) -> None:
    """Take the lease's Prometheus out of the cluster and wait until nothing of it is left; safe to call again.

    Raises:
        ProvisionError: the API server cannot be asked, or something is still there after `within` seconds.
    """
    deadline = time.monotonic() + within
    with Kube(access(kubeconfig)) as kube:
        paths = _paths(lease)
        for path in paths.values():
            kube.delete(path)
        while still := [name for name, path in paths.items() if kube.find(path) is not None]:
            if time.monotonic() >= deadline:
                raise ProvisionError(f"still in the cluster after {within:g} s: {', '.join(still)}")
            time.sleep(POLL)


def left(kubeconfig: Path, lease: str) -> list[str]:
    """Return what is still there of the lease's Prometheus, a word each (errors as in `remove`)."""
    with Kube(access(kubeconfig)) as kube:
        return [name for name, path in _paths(lease).items() if kube.find(path) is not None]


def _paths(lease: str) -> dict[str, str]:
    own = {f"{kind} telescope:prometheus:{lease}": path for kind, path in cluster_wide(lease).items()}
    return {**own, f"Namespace {namespace_of(lease)}": f"/api/v1/namespaces/{namespace_of(lease)}"}
