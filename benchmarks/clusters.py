"""Clusters for the benchmarks: the harness's own, and one by kwokctl and Prometheus by hand."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_telescope.cluster import ledger
from pytest_telescope.cluster import reaper
from pytest_telescope.cluster.local.provider import LocalProvider
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec
from pytest_telescope.toolchain import tool

SPEC = ClusterSpec(pools={"user": PoolSpec(count=100)})
PATIENCE = 120.0


@contextmanager
def own_state(folder: Path) -> Iterator[None]:
    """Keep the ledger of a benchmark apart from the user's."""
    before = os.environ.get("TELESCOPE_STATE_DIR")
    os.environ["TELESCOPE_STATE_DIR"] = str(folder / "state")
    try:
        yield
    finally:
        os.environ.pop("TELESCOPE_STATE_DIR")
        if before is not None:
            os.environ["TELESCOPE_STATE_DIR"] = before


@contextmanager
def harness_cluster(spec: ClusterSpec = SPEC) -> Iterator[tuple[Cluster, float]]:
    """Yield a ready cluster as `test_provision` makes it, and the seconds it took."""
    started = time.monotonic()
    lease = ledger.open_lease("local", "local-benchmark", "benchmark", spec)
    try:
        cluster = LocalProvider().provision(spec, lease)
        yield cluster, time.monotonic() - started
    finally:
        left = reaper.finish(lease)
        assert not left, left


@contextmanager
def kwokctl_cluster(folder: Path) -> Iterator[float]:
    """Yield the seconds until a cluster by kwokctl has 100 nodes and its Prometheus answers; no target need be up."""
    environment = {**os.environ, "KWOK_WORKDIR": str(folder / "kwok")}
    config = folder / "kwokctl.yaml"
    options = (
        "kind: KwokctlConfiguration\napiVersion: config.kwok.x-k8s.io/v1alpha1\noptions:\n  bindAddress: 127.0.0.1\n"
    )
    config.write_text(options)

    def kwokctl(*arguments: str) -> None:
        command = [str(tool("kwokctl")), "--name=bench", f"--config={config}", *arguments]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=PATIENCE)

    started = time.monotonic()
    try:
        kwokctl("create", "cluster", "--runtime=binary", "--wait=60s", f"--kubeconfig={folder}/kc", *_binaries())
        kwokctl("scale", "node", "--replicas=100")
        with _prometheus(folder) as url:
            wait_for(Prometheus(Endpoint(url=url)).ready)
            yield time.monotonic() - started
    finally:
        kwokctl("delete", "cluster", f"--kubeconfig={folder}/kc")


def _binaries() -> list[str]:
    names = {"kwok-controller": "kwok"}
    parts = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller")
    return [*(f"--{part}-binary={tool(names.get(part, part))}" for part in parts), "--disable-qps-limits"]


@contextmanager
def _prometheus(folder: Path) -> Iterator[str]:
    cluster = folder / "kwok" / "clusters" / "bench"
    file, port = folder / "prometheus.yml", _free_port()
    file.write_text(json.dumps(_scrapes(cluster)))
    command = [str(tool("prometheus")), f"--config.file={file}", f"--storage.tsdb.path={folder}/tsdb"]
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _scrapes(cluster: Path) -> dict[str, object]:
    """Return a configuration that scrapes what the harness's own Prometheus scrapes."""
    ports = _ports(cluster)
    tls = {
        "cert_file": str(cluster / "pki" / "admin.crt"),
        "key_file": str(cluster / "pki" / "admin.key"),
        "insecure_skip_verify": True,
    }
    jobs = [
        {
            "job_name": name,
            "scheme": "http" if name == "etcd" else "https",
            "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
        }
        | ({} if name == "etcd" else {"tls_config": tls})
        for name, port in ports.items()
    ]
    return {"global": {"scrape_interval": "5s"}, "scrape_configs": jobs}


def _ports(cluster: Path) -> dict[str, int]:
    text = (cluster / "kwok.yaml").read_text()
    names = {
        "kube-apiserver": "kubeApiserverPort",
        "kube-controller-manager": "kubeControllerManagerPort",
        "kube-scheduler": "kubeSchedulerPort",
        "etcd": "etcdPort",
    }
    found = {job: re.search(rf"{key}: (\d+)", text) for job, key in names.items()}
    return {job: int(match.group(1)) for job, match in found.items() if match}


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds.

    Raises:
        TimeoutError: it does not within two minutes.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("a benchmark's condition did not come true")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
