"""Making and destroying a cluster on a pretended cloud in real time: the harness against Terraform's own commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.sidebyside import Pairs
from benchmarks.sidebyside import side_by_side
from pytest_telescope import paths
from pytest_telescope.cluster import ledger
from pytest_telescope.cluster import monitoring
from pytest_telescope.cluster.clouds import variables
from pytest_telescope.cluster.clouds.provider import ManagedProvider
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.providers import cloud
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec
from pytest_telescope.toolchain import tool
from tests.clouds.backing import backing_cluster
from tests.clouds.world import world

SPEC = ClusterSpec(pools={"user": PoolSpec(count=2, machine="Standard_D4s_v5")})
SPEED = 1.0
"""A cluster takes its 60 s to come and 30 s to go."""
TARGET = 1.10
PATIENCE = 600.0


def measure(pairs: int = 1) -> Iterator[Pairs]:
    """Yield the figure; a pair takes eight minutes.

    What the harness does beside Terraform is on its side only: ledger, price, nodes, Prometheus up and scraped, the
    listing of what is left.
    """
    with (
        tempfile.TemporaryDirectory() as name,
        backing_cluster(Path(name) / "backing") as kubeconfig,
        world("aks", kubeconfig, Path(name), speed=SPEED) as pretended,
        _environment(pretended.harness.environment()),
    ):
        yield side_by_side(
            "provision and destroy on a pretended AKS against terraform init, plan, apply, output, destroy",
            lambda: _by_harness(kubeconfig),
            lambda: _by_hand(Path(name)),
            pairs=pairs,
            target=TARGET,
        )


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _lease() -> Lease:
    return ledger.open_lease("aks", "aks-benchmark", "benchmark", SPEC, lasting=3600.0)


def _by_harness(kubeconfig: Path) -> None:
    provider, lease = ManagedProvider(cloud("aks")), _lease()
    provider.preflight(SPEC)
    provider.provision(SPEC, lease)
    provider.destroy(lease)
    assert provider.leftovers(lease) == []
    ledger.close(lease)
    assert monitoring.left(kubeconfig, lease.id) is not None


def _by_hand(folder: Path) -> None:
    lease, source = _lease(), cloud("aks")
    where = source.where(SPEC)
    values = {**variables.common(SPEC, lease, where), **source.variables(SPEC, where)}
    home = folder / lease.id
    shutil.copytree(paths.modules() / "terraform" / "aks", home / "module")
    (home / "vars.json").write_text(json.dumps(values))
    state, var_file = f"-state={home}/state", f"-var-file={home}/vars.json"
    commands = (
        ("init", "-input=false"),
        ("plan", "-input=false", state, var_file, f"-out={home}/plan"),
        ("apply", "-input=false", state, f"{home}/plan"),
        ("output", "-json", state),
        ("destroy", "-auto-approve", "-input=false", state, var_file),
    )
    for command in commands:
        _terraform(home, source.environment(where), *command)
    ledger.close(lease)


def _terraform(home: Path, environment: Mapping[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [tool("terraform"), f"-chdir={home}/module", *arguments],
        env={**os.environ, **environment, "TF_DATA_DIR": f"{home}/.terraform"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
