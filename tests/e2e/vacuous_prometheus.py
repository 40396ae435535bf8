"""A Prometheus that ClusterLoader2 does not get on with, and API calls that are slow for sure."""

from __future__ import annotations

import http.client
import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.processes import wait_until
from pytest_telescope.load.credentials import read_kubeconfig
from pytest_telescope.metrics.client import Prometheus
from tests.e2e.conftest import component

RULES = '{__name__=~"apiserver:.*"}'
"""What the recording rules that CL2 reads have made."""
SLOW = 1.5
"""Seconds that a slow call takes; up to one is fast."""
WITHIN = 20.0


def make_unfit(cluster: Cluster, state: Path) -> None:
    """Take the recording rules away, and the relabelling that turns `le="1.0"` into `le="1"`.

    So is every Prometheus 3 that nobody prepared for CL2.
    """
    (config,) = state.glob("leases/*/cluster/config/prometheus.yml")
    document = json.loads(config.read_text())
    document["rule_files"] = []
    for job in document["scrape_configs"]:
        del job["metric_relabel_configs"]
    config.write_text(json.dumps(document))
    component(state, "prometheus").send_signal(signal.SIGHUP)
    with Prometheus(cluster.prometheus) as prometheus:
        whole = 'apiserver_request_sli_duration_seconds_bucket{le="1.0"}'
        assert wait_until(lambda: bool(prometheus.query(whole).series), WITHIN, 0.2)
    _post(cluster, "delete_series", {"match[]": RULES})


def _post(cluster: Cluster, call: str, form: dict[str, str]) -> None:
    there = cluster.prometheus
    reply = requests.post(
        f"{there.url}/api/v1/admin/tsdb/{call}",
        data=form,
        verify=str(there.ca),
        cert=(str(there.certificate), str(there.key)),
        timeout=10,
    )
    reply.raise_for_status()


@contextmanager
def slow_calls(kubeconfig: Path) -> Iterator[None]:
    """Have two calls under way, one after the other, each of which the API server waits for the body of."""
    over = threading.Event()
    threads = [threading.Thread(target=_calls, args=(kubeconfig, over, number)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _calls(kubeconfig: Path, over: threading.Event, number: int) -> None:
    there = read_kubeconfig(kubeconfig)
    assert there.tls is not None
    connection = http.client.HTTPSConnection(there.host, there.port, timeout=30, context=there.tls)
    count = 0
    while not over.is_set():
        count += 1
        body = json.dumps(_secret(f"slow-{number}-{count}")).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        connection.request("POST", f"{there.prefix}/api/v1/namespaces/default/secrets", _slowly(body), headers)
        reply = connection.getresponse()
        reply.read()
        assert reply.status == http.client.CREATED
    connection.close()


def _secret(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}


def _slowly(body: bytes) -> Iterator[bytes]:
    yield body[:1]
    time.sleep(SLOW)
    yield body[1:]
