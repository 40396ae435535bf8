"""Written kwok stages replace the built-in ones, so that a known latency can be injected."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.cluster.local.api import Api
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.local.provider import LocalProvider
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.processes import wait_until
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec

DELAY = 2.0
STAGES = f"""
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {{name: slow-start}}
spec:
  resourceRef: {{apiGroup: v1, kind: Pod}}
  selector:
    matchExpressions:
      - {{key: .metadata.deletionTimestamp, operator: DoesNotExist}}
      - {{key: .status.phase, operator: In, values: [Pending]}}
  delay: {{durationMilliseconds: {DELAY * 1000:.0f}}}
  next:
    statusTemplate: |
      phase: Running
      reason: SlowStart
"""
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "one"},
    "spec": {"containers": [{"name": "c", "image": "x"}], "automountServiceAccountToken": False},
}
PODS = "/api/v1/namespaces/default/pods"


@pytest.mark.e2e
def test_written_stages_decide_when_a_pod_runs(open_lease: Callable[[ClusterSpec], Lease], tmp_path: Path) -> None:
    stages = tmp_path / "stages.yaml"
    stages.write_text(STAGES, encoding="utf-8")
    spec = ClusterSpec(pools={"user": PoolSpec(count=1)}, stages=str(stages))
    lease = open_lease(spec)

    cluster = LocalProvider().provision(spec, lease)
    with _admin(cluster.kubeconfig, Layout(lease.folder / "cluster")) as api:
        wait_until(lambda: api.answers("/api/v1/namespaces/default/serviceaccounts/default"), 10)
        api.create(PODS, POD)
        created = time.monotonic()
        assert wait_until(lambda: _pod(api)["status"]["phase"] == "Running", 20)
        seconds = time.monotonic() - created
        reason = _pod(api)["status"]["reason"]

    assert reason == "SlowStart"
    assert seconds >= DELAY * 0.95


def _admin(kubeconfig: Path, layout: Layout) -> Api:
    import json

    server = json.loads(kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"]
    port = int(server.rpartition(":")[2])
    return Api(port, layout.certificate("ca"), layout.certificate("admin"), layout.key("admin"))


def _pod(api: Api) -> dict[str, Any]:
    pod: dict[str, Any] = api.get(f"{PODS}/one")
    return pod
