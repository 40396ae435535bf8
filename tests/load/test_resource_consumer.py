"""The engine against a real control plane with simulated nodes."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_telescope.cluster.model import Cluster
from pytest_telescope.errors import LoadError
from pytest_telescope.load.api import Api
from pytest_telescope.load.engines import engine
from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.namespaces import namespace_of
from pytest_telescope.load.namespaces import pods_path
from pytest_telescope.load.store import load_result_from
from pytest_telescope.load.telemetry import openmetrics
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.recording import backfill
from pytest_telescope.metrics.serving import serve
from pytest_telescope.scenario.model import Cell
from tests.load.relay import relaying

pytestmark = pytest.mark.e2e
CellMaker = Callable[..., Cell]
INTERRUPTED = """
import pickle, sys
from pathlib import Path
from pytest_telescope.load.engines import engine
cluster, cell = pickle.loads(bytes.fromhex(sys.stdin.read()))
print("started", flush=True)
engine("resource-consumer").run(cluster, cell, Path(sys.argv[1]), lambda line: print(line, flush=True))
"""


def silent(line: str) -> None:
    pass


def run(cluster: Cluster, cell: Cell, folder: Path, progress: Callable[[str], None] = silent) -> LoadResult:
    """Prepare, run and clean; the clean-up must leave nothing."""
    load = engine("resource-consumer")
    load.prepare(cluster, cell, folder)
    try:
        return load.run(cluster, cell, folder, progress)
    finally:
        assert load.clean(cluster, cell) == []


def test_waves_of_pods_run_are_held_and_go(cluster: Cluster, cell: CellMaker, api: Api, tmp_path: Path) -> None:
    threads, said = threading.active_count(), list[str]()
    asked = cell(pods=50, rate=100, waves=2, hold=1)

    result = run(cluster, asked, tmp_path, said.append)

    assert (result.outcome, result.pods.created, result.pods.running) == ("complete", 100, 100)
    assert list(result.steps) == ["wave-1", "hold-1", "drain-1", "wave-2", "hold-2"]
    assert all(
        each.created < each.scheduled <= each.running for each in result.starts if each.scheduled and each.running
    )
    assert len({each.node for each in result.starts}) == 5
    assert result.asked_cpu == 0
    assert load_result_from(tmp_path) == result
    assert len((tmp_path / "pods.jsonl").read_text().splitlines()) == 100
    assert any(line.startswith("wave 2/2: ") for line in said)
    assert api.request("GET", f"/api/v1/namespaces/{namespace_of(asked.id)}").status == 404
    assert threading.active_count() == threads


def test_the_wave_ends_with_its_last_event(cluster: Cluster, cell: CellMaker, tmp_path: Path) -> None:
    ended: list[float] = []

    result = run(cluster, cell(pods=20, rate=50), tmp_path, lambda _: ended.append(time.time()))

    last = max(each.running for each in result.starts if each.running)
    assert result.ended == last
    assert ended[-1] - last < 0.2


def test_telemetry_of_a_run_answers_promql(cluster: Cluster, cell: CellMaker, tmp_path: Path) -> None:
    result = run(cluster, cell(pods=40, rate=100), tmp_path)
    start, end = result.started - 5, result.ended + 10
    backfill(openmetrics(result, start=start, end=end, step=5, offset=0), tmp_path / "recording")
    recording = Recording(
        path=tmp_path / "recording",
        window=Window(start=start, end=end, steps=result.steps),
        scrape_interval=5,
        clock_offset=0,
        prometheus_version="",
    )

    with serve(recording) as prometheus:
        counted = prometheus.query('telescope_pod_start_seconds_count{phase="running"}', end)
        p99 = prometheus.query('histogram_quantile(0.99, telescope_pod_start_seconds_bucket{phase="running"})', end)
        before = prometheus.query('telescope_pod_start_seconds_count{phase="running"}', start + 0.001)

    exact = sorted(each.running - each.created for each in result.starts if each.running)
    assert [each.value for each in counted.series] == [40]
    assert [each.value for each in before.series] == [0]
    assert exact[38] * 0.95 <= p99.series[0].value <= exact[39] * 1.05


def test_pods_that_cannot_be_scheduled_never_ran(cluster: Cluster, cell: CellMaker, api: Api, tmp_path: Path) -> None:
    nodes = [item["metadata"]["name"] for item in api.get("/api/v1/nodes")["items"]]

    def cordon(on: bool) -> None:
        for name in nodes:
            node = api.get(f"/api/v1/nodes/{name}")
            node["spec"]["unschedulable"] = on
            assert api.request("PUT", f"/api/v1/nodes/{name}", json.dumps(node).encode()).status == 200

    try:
        result = run(cluster, cell(pods=20, rate=10, timeout=6), tmp_path, lambda _: cordon(on=True))
    finally:
        cordon(on=False)

    assert result.outcome == "incomplete"
    assert result.pods.created == 20
    assert result.pods.reasons == {"Unschedulable": result.pods.never_ran}
    assert "0/5 nodes are available: 5 node(s) were unschedulable" in result.message


def test_creates_that_a_quota_refuses_are_accounted(
    cluster: Cluster, cell: CellMaker, api: Api, tmp_path: Path
) -> None:
    asked = cell(pods=20, rate=50, timeout=20)
    load, namespace = engine("resource-consumer"), namespace_of(asked.id)
    load.prepare(cluster, asked, tmp_path)
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "8"}}}
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    assert api.request("POST", path, json.dumps(quota).encode()).status == 201
    deadline = time.monotonic() + 20
    while not api.get(f"{path}/few")["status"].get("hard") and time.monotonic() < deadline:
        time.sleep(0.05)

    before = time.monotonic()
    result = load.run(cluster, asked, tmp_path, silent)

    assert load.clean(cluster, asked) == []
    assert (result.pods.running, result.pods.reasons) == (8, {"QuotaExceeded": 12})
    assert "exceeded quota: few" in result.message
    assert time.monotonic() - before < 20 + 10


def test_pods_that_somebody_deletes_have_failed(cluster: Cluster, cell: CellMaker, api: Api, tmp_path: Path) -> None:
    asked = cell(pods=10, rate=50, hold=2)
    deleted: list[int] = []

    def delete_one(line: str) -> None:
        if line.startswith("holding") and not deleted:
            path = f"/api/v1/namespaces/{namespace_of(asked.id)}/pods/rc-1-00003?gracePeriodSeconds=0"
            deleted.append(api.request("DELETE", path).status)

    result = run(cluster, asked, tmp_path, delete_one)

    assert deleted == [200]
    assert (result.outcome, result.pods.failed, result.pods.reasons) == ("incomplete", 1, {"Deleted": 1})


def test_a_broken_connection_in_the_middle_loses_no_pod(cluster: Cluster, cell: CellMaker, tmp_path: Path) -> None:
    text = cluster.kubeconfig.read_text(encoding="utf-8")
    found = re.search(r"https://127\.0\.0\.1:(\d+)", text)
    assert found
    with relaying(int(found[1])) as relay:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(text.replace(found[0], f"https://127.0.0.1:{relay.port}"), encoding="utf-8")
        cuts: list[float] = []

        def cut_once(line: str) -> None:
            if not cuts and line.startswith("wave") and not line.startswith("wave 1/1: 0 of"):
                cuts.append(time.time())
                relay.cut(0.5)

        result = run(dataclasses.replace(cluster, kubeconfig=kubeconfig), cell(pods=100, rate=40), tmp_path, cut_once)

    assert cuts
    assert (result.outcome, result.pods.running) == ("complete", 100)
    assert result.facts["watch_restarts"]
    assert result.facts["watch_gaps"]
    late = [each for each in result.starts if each.upper_bound]
    assert all(each.running and each.running > cuts[0] for each in late)
    assert not late or f"the start-up times of {len(late)} pods are upper bounds" in result.message


def test_an_interrupted_run_ends_at_once_and_can_be_cleaned(
    cluster: Cluster, cell: CellMaker, api: Api, tmp_path: Path
) -> None:
    import pickle

    asked = cell(pods=200, rate=10, timeout=60)
    load, namespace = engine("resource-consumer"), namespace_of(asked.id)
    load.prepare(cluster, asked, tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert child.stdin
    assert child.stdout
    child.stdin.write(pickle.dumps((cluster, asked)).hex().encode())
    child.stdin.close()
    while b"of 200 pods running" not in (line := child.stdout.readline()):
        assert line, "the run ended by itself"
    time.sleep(0.5)

    child.send_signal(signal.SIGINT)
    before = time.monotonic()
    code = child.wait(30)
    child.stdout.close()
    assert child.stderr
    with child.stderr:
        said = child.stderr.read().decode()

    assert code != 0
    assert "KeyboardInterrupt" in said
    assert time.monotonic() - before < 3
    assert api.get(pods_path(namespace))["items"]
    assert load.clean(cluster, asked) == []
    assert api.request("GET", f"/api/v1/namespaces/{namespace}").status == 404


def test_what_cannot_fit_is_refused_before_anything_is_created(
    cluster: Cluster, cell: CellMaker, api: Api, tmp_path: Path
) -> None:
    asked = cell(pods=500, rate=100)

    with pytest.raises(LoadError, match="the nodes lack pod slots"):
        engine("resource-consumer").prepare(cluster, asked, tmp_path)

    assert api.request("GET", f"/api/v1/namespaces/{namespace_of(asked.id)}").status == 404


def test_a_namespace_that_is_not_ours_is_left_alone(
    cluster: Cluster, cell: CellMaker, api: Api, tmp_path: Path
) -> None:
    asked = cell(pods=5, rate=100)
    name = namespace_of(asked.id)
    body = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).encode()
    assert api.request("POST", "/api/v1/namespaces", body).status == 201
    load = engine("resource-consumer")

    with pytest.raises(LoadError, match="it is not ours to delete"):
        load.prepare(cluster, asked, tmp_path)

    assert load.clean(cluster, asked) == []
    assert api.request("GET", f"/api/v1/namespaces/{name}").status == 200
    api.request("DELETE", f"/api/v1/namespaces/{name}")


def test_our_own_namespace_left_from_before_is_made_anew(cluster: Cluster, cell: CellMaker, tmp_path: Path) -> None:
    asked, load = cell(pods=5, rate=100), engine("resource-consumer")
    load.prepare(cluster, asked, tmp_path)
    load.run(cluster, asked, tmp_path, silent)

    assert run(cluster, asked, tmp_path).pods.running == 5
