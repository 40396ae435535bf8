"""A run by the harness against the same steps by hand."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.byhand import Ask
from benchmarks.byhand import by_hand
from benchmarks.clusters import own_state
from benchmarks.clusters import wait_for
from benchmarks.sidebyside import Pairs
from pytest_telescope.load.api import Api
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.slo.planned import Planned

CHECKOUT = Path(__file__).parent.parent
SCENARIO = "pod-startup"
PODS = "/api/v1/namespaces/by-hand/pods"


def measure(pairs: int = 3) -> Iterator[Pairs]:
    """Yield the figure: the shipped pod-startup scenario, in turn with its steps by hand."""
    ours, theirs = [], []
    for number in range(pairs):
        with tempfile.TemporaryDirectory() as name, own_state(Path(name)):
            seconds, queries = _by_harness(Path(name))
            ours.append(seconds)
            theirs.append(by_hand(SCENARIO, number, _make_pods, _ask(queries)))
    yield Pairs(
        name=f"a run of {SCENARIO} by the harness against the same steps by hand",
        ours=tuple(ours),
        theirs=tuple(theirs),
        target=1.1,
    )


def _by_harness(folder: Path) -> tuple[float, list[str]]:
    """Run the scenario; return its seconds and the queries it asked."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "local", f"--scenario={SCENARIO}"]
    started = time.monotonic()
    subprocess.run(
        [*command, f"--telescope-dir={folder}/runs"], cwd=CHECKOUT, check=False, capture_output=True, timeout=600
    )
    seconds = time.monotonic() - started
    lines = next(folder.glob("runs/runs/*/publish/cells/*/judgements.jsonl")).read_text().splitlines()
    return seconds, [query for line in lines for query in json.loads(line)["queries"]]


def _ask(queries: list[str]) -> Ask:
    """Ask of the cluster's Prometheus what the harness asked."""

    def ask(prometheus: Prometheus, end: float) -> None:
        for query in queries:
            prometheus.samples(query, end) if query.endswith("ms]") else prometheus.query(query, end)

    return ask


def _make_pods(kubeconfig: Path, planned: Planned) -> None:
    """Make the pods at the scenario's rate from 16 threads and wait until a watch saw all of them run."""
    load = planned.cell.load.model_dump()
    api = Api.from_kubeconfig(kubeconfig)
    api.request("POST", "/api/v1/namespaces", b'{"metadata":{"name":"by-hand"}}')
    wait_for(lambda: api.request("GET", "/api/v1/namespaces/by-hand/serviceaccounts/default").status == 200)
    running: set[str] = set()
    watch = threading.Thread(target=_watch, args=(kubeconfig, running, load["pods"]), daemon=True)
    watch.start()
    begin = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        for number in range(load["pods"]):
            time.sleep(max(0.0, begin + number / load["rate"] - time.monotonic()))
            pool.submit(api.request, "POST", PODS, _pod(number, load["selector"]))
    watch.join(timeout=120)
    assert len(running) == load["pods"], len(running)


def _pod(number: int, selector: dict[str, str]) -> bytes:
    container = {"name": "consumer", "image": "pause", "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}}}
    spec = {"containers": [container], "nodeSelector": selector, "automountServiceAccountToken": False}
    return json.dumps({"metadata": {"name": f"pod-{number}"}, "spec": spec}).encode()


def _watch(kubeconfig: Path, running: set[str], wanted: int) -> None:
    api, rest = Api.from_kubeconfig(kubeconfig), b""
    while len(running) < wanted:
        for chunk in api.stream(f"{PODS}?watch=1").chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            for pod in (json.loads(line)["object"] for line in lines):
                if pod.get("status", {}).get("phase") == "Running":
                    running.add(pod["metadata"]["name"])
            if len(running) >= wanted:
                return
        rest = b""
