"""A run by the harness against the same steps by hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.clusters import own_state
from benchmarks.clusters import wait_for
from benchmarks.sidebyside import Pairs
from pytest_telescope import cells
from pytest_telescope import paths
from pytest_telescope.cluster import ledger
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.local.provider import tools_for
from pytest_telescope.cluster.local.provider import variables
from pytest_telescope.load.api import Api
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.metrics.scrapes import wait_for_scrapes
from pytest_telescope.options import Choice
from pytest_telescope.slo.planned import Planned
from pytest_telescope.toolchain import ensure
from pytest_telescope.toolchain.overrides import variable

CHECKOUT = Path(__file__).parent.parent
SCENARIO = "pod-startup"
MODULE = paths.modules() / "terraform" / "local"
PODS = "/api/v1/namespaces/by-hand/pods"


def measure(pairs: int = 3) -> Iterator[Pairs]:
    """Yield the figure: the shipped pod-startup scenario, in turn with its steps by hand."""
    ours, theirs = [], []
    for number in range(pairs):
        with tempfile.TemporaryDirectory() as name, own_state(Path(name)):
            seconds, queries = _by_harness(Path(name))
            ours.append(seconds)
            theirs.append(_by_hand(queries, number))
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


def _by_hand(queries: list[str], number: int) -> float:
    """Terraform apply, the same pods by a plain script, the wait of the same scrapes, the same queries, destroy."""
    planned = cells.plan(Choice(providers=("local",), scenarios=(SCENARIO,)))[0]
    lease = ledger.open_lease("local", planned.cell.id, f"by-hand-{number}", planned.cell.cluster)
    terraform = Terraform(lease.folder, planned)
    (lease.folder / "by-hand.tfvars.json").write_text(json.dumps(variables(planned.cell.cluster, lease)))
    started = time.monotonic()
    try:
        terraform("init", "-input=false")
        terraform("apply", "-auto-approve", f"-var-file={lease.folder}/by-hand.tfvars.json")
        outputs = json.loads(terraform("output", "-json"))
        _measure(lease.folder, outputs, planned, queries)
    finally:
        terraform("destroy", "-auto-approve", f"-var-file={lease.folder}/by-hand.tfvars.json")
    seconds = time.monotonic() - started
    ledger.close(lease)
    shutil.rmtree(lease.folder, ignore_errors=True)
    return seconds


class Terraform:
    """Terraform on the module in a folder of its own."""

    def __init__(self, folder: Path, planned: Planned) -> None:
        names = tools_for(planned.cell.cluster)
        found = ensure(["terraform", *names])
        self._folder, self._binary = folder, str(found["terraform"])
        tools = {variable(name): str(found[name]) for name in names}
        self._environment = {**os.environ, **tools, "TF_DATA_DIR": str(folder / "data"), "CHECKPOINT_DISABLE": "1"}

    def __call__(self, command: str, *arguments: str) -> str:
        state = [] if command == "init" else [f"-state={self._folder}/terraform.tfstate"]
        full = [self._binary, f"-chdir={MODULE}", command, *state, *arguments]
        result = subprocess.run(full, env=self._environment, text=True, capture_output=True, timeout=300, check=False)
        assert result.returncode == 0, result.stderr + result.stdout
        return result.stdout


def _measure(folder: Path, outputs: dict[str, dict[str, object]], planned: Planned, queries: list[str]) -> None:
    facts = outputs["facts"]["value"]
    assert isinstance(facts, dict)
    kubeconfig = folder / "by-hand.kubeconfig"
    kubeconfig.write_text(str(outputs["kubeconfig"]["value"]))
    prometheus = Prometheus(endpoint(int(facts["ports"]["prometheus"]), Layout(folder / "cluster")))
    targets = {str(job): int(count) for job, count in facts["targets"].items()}
    wait_for_scrapes(prometheus, targets, after=prometheus.now(), count=1, timeout=30)
    _make_pods(kubeconfig, planned)
    end = wait_for_scrapes(prometheus, targets, after=prometheus.now(), count=2, timeout=30)
    for query in queries:
        prometheus.samples(query, end) if query.endswith("ms]") else prometheus.query(query, end)


def endpoint(port: int, layout: Layout) -> Endpoint:
    return Endpoint(
        url=f"https://127.0.0.1:{port}",
        ca=layout.certificate("prometheus-ca"),
        certificate=layout.certificate("prometheus-client"),
        key=layout.key("prometheus-client"),
    )


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
