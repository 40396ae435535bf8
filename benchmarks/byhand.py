"""A run's steps by hand: Terraform apply, one scrape, the load, two scrapes, Terraform destroy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from pytest_telescope import cells
from pytest_telescope import paths
from pytest_telescope.cluster import ledger
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.local.provider import tools_for
from pytest_telescope.cluster.local.provider import variables
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.metrics.scrapes import wait_for_scrapes
from pytest_telescope.options import Choice
from pytest_telescope.slo.planned import Planned
from pytest_telescope.toolchain import ensure
from pytest_telescope.toolchain.overrides import variable

MODULE = paths.modules() / "terraform" / "local"

Load = Callable[[Path, Planned], None]
"""Given a kubeconfig and the cell, put its load on."""
Ask = Callable[[Prometheus, float], None]
"""Given Prometheus and the end of the window, ask what there is to ask."""


def by_hand(scenario: str, number: int, load: Load, ask: Ask | None = None) -> float:
    """Return the seconds of all steps of the scenario's only local cell."""
    planned = cells.plan(Choice(providers=("local",), scenarios=(scenario,)))[0]
    lease = ledger.open_lease("local", planned.cell.id, f"by-hand-{number}", planned.cell.cluster)
    terraform = Terraform(lease.folder, planned)
    (lease.folder / "by-hand.tfvars.json").write_text(json.dumps(variables(planned.cell.cluster, lease)))
    started = time.monotonic()
    try:
        terraform("init", "-input=false")
        terraform("apply", "-auto-approve", f"-var-file={lease.folder}/by-hand.tfvars.json")
        _measure(lease.folder, json.loads(terraform("output", "-json")), planned, load, ask)
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


def _measure(
    folder: Path, outputs: dict[str, dict[str, object]], planned: Planned, load: Load, ask: Ask | None
) -> None:
    facts = outputs["facts"]["value"]
    assert isinstance(facts, dict)
    kubeconfig = folder / "by-hand.kubeconfig"
    kubeconfig.write_text(str(outputs["kubeconfig"]["value"]))
    prometheus = Prometheus(_endpoint(int(facts["ports"]["prometheus"]), Layout(folder / "cluster")))
    targets = {str(job): int(count) for job, count in facts["targets"].items()}
    wait_for_scrapes(prometheus, targets, after=prometheus.now(), count=1, timeout=30)
    load(kubeconfig, planned)
    end = wait_for_scrapes(prometheus, targets, after=prometheus.now(), count=2, timeout=30)
    if ask is not None:
        ask(prometheus, end)


def _endpoint(port: int, layout: Layout) -> Endpoint:
    return Endpoint(
        url=f"https://127.0.0.1:{port}",
        ca=layout.certificate("prometheus-ca"),
        certificate=layout.certificate("prometheus-client"),
        key=layout.key("prometheus-client"),
    )
