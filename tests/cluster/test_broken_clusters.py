"""Clusters that fail, are interrupted or killed: afterwards nothing of them is there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_telescope import paths
from pytest_telescope.cluster import ledger
from pytest_telescope.cluster import reaper
from pytest_telescope.cluster.local import steps
from pytest_telescope.cluster.local.provider import LocalProvider
from pytest_telescope.cluster.local.spec import LocalSpec
from pytest_telescope.cluster.local.spec import Pool
from pytest_telescope.cluster.local.teardown import down
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.processes import LEASE
from pytest_telescope.cluster.processes import Identity
from pytest_telescope.cluster.processes import identity_of
from pytest_telescope.cluster.processes import marked
from pytest_telescope.cluster.processes import wait_until
from pytest_telescope.errors import ProvisionError
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec

SPEC = ClusterSpec(pools={"user": PoolSpec(count=1)})
STEPS = steps.steps(LocalSpec(lease="", name="", folder=Path(), pools=(Pool(name="user", count=1),)))
Open = Callable[[ClusterSpec], Lease]
pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("step", STEPS)
def test_a_cluster_that_fails_at_a_step_leaves_nothing(
    step: str, open_lease: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = open_lease(SPEC)
    monkeypatch.setenv(steps.FAIL_AT, step)
    provider = LocalProvider()

    with pytest.raises(ProvisionError, match=f"step {step} failed"):
        provider.provision(SPEC, lease)
    provider.destroy(lease)

    assert provider.leftovers(lease) == []


def test_a_component_that_dies_tells_its_last_words(open_lease: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = open_lease(SPEC)
    monkeypatch.setenv(
        "TELESCOPE_TOOL_KUBE_SCHEDULER", str(_program(lease.folder, "echo no hands to schedule with >&2"))
    )

    with pytest.raises(ProvisionError, match="no hands to schedule with"):
        LocalProvider().provision(SPEC, lease)


def _program(folder: Path, script: str) -> Path:
    file = folder / "program"
    file.write_text(f"#!/bin/sh\n{script}\nexit 1\n", encoding="utf-8")
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("victims", ["terraform", "harness", "all"])
def test_what_a_killed_run_left_is_reaped(victims: str) -> None:
    harness, lease = _harness_in_the_middle_of_creating()
    dying = [member.identity for member in marked(lease.id) if victims == "all" or member.role == "terraform"]
    if victims == "harness":
        dying = []

    for identity in [*dying, harness]:
        identity.signal(signal.SIGKILL)
    assert wait_until(lambda: not harness.alive(), 10)
    lines: list[str] = []
    failed = reaper.reap(report=lines.append)

    assert failed == 0, lines
    assert marked(lease.id) == []
    assert LocalProvider().leftovers(lease) == []
    assert not lease.folder.exists()


def _harness_in_the_middle_of_creating() -> tuple[Identity, Lease]:
    script = (
        "from pytest_telescope.cluster import ledger\n"
        "from pytest_telescope.cluster.local.provider import LocalProvider\n"
        "from pytest_telescope.scenario.model import ClusterSpec, PoolSpec\n"
        "spec = ClusterSpec(pools={'user': PoolSpec(count=1)})\n"
        "lease = ledger.open_lease('local', 'local-test', 'killed-run', spec)\n"
        "print(lease.id, flush=True)\n"
        "LocalProvider().provision(spec, lease)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=paths.checkout(), start_new_session=True
    )
    assert process.stdout is not None
    with process.stdout as told:
        lease_id = told.readline().decode().strip()
    lease = next(lease for lease in ledger.leases() if lease.id == lease_id)
    _KEPT.append(process)
    assert wait_until(lambda: any(member.role == "kube-apiserver" for member in marked(lease.id)), 30)
    identity = identity_of(process.pid)
    assert identity is not None
    return identity, lease


_KEPT: list[subprocess.Popen[bytes]] = []
"""Popen objects must live until their process was collected."""


@pytest.fixture(autouse=True)
def collect_processes() -> object:
    yield
    while _KEPT:
        _KEPT.pop().wait(timeout=30)


def test_two_clusters_at_once_do_not_meet(open_lease: Open) -> None:
    from concurrent.futures import ThreadPoolExecutor

    leases = [open_lease(SPEC), open_lease(SPEC)]
    provider = LocalProvider()

    with ThreadPoolExecutor(2) as executor:
        first, second = executor.map(lambda lease: provider.provision(SPEC, lease), leases)
    provider.destroy(leases[0])

    assert first.prometheus.url != second.prometheus.url
    assert provider.leftovers(leases[0]) == []
    assert {member.role for member in marked(leases[1].id)} >= {"etcd", "kube-apiserver", "prometheus"}


def test_leftovers_find_a_planted_process_and_destroy_ends_it(open_lease: Open) -> None:
    lease = open_lease(SPEC)
    planted = subprocess.Popen(["sleep", "60"], env={**os.environ, LEASE: lease.id}, start_new_session=True)
    provider = LocalProvider()

    left = [str(leftover) for leftover in provider.leftovers(lease)]
    provider.destroy(lease)
    planted.wait(timeout=10)

    assert left == [f"process {planted.pid} (sleep, no role)"]
    assert provider.leftovers(lease) == []


def test_down_needs_neither_folder_nor_ledger(open_lease: Open) -> None:
    lease = open_lease(SPEC)
    LocalProvider().provision(SPEC, lease)

    down(lease.id, None)

    assert marked(lease.id) == []


UP_WITH_A_STOLEN_PORT = """
import sys
from pathlib import Path
from pytest_telescope.cluster.local import bringup, ports, spec, steps
from pytest_telescope.toolchain import tool
lease, folder, name, port = sys.argv[1:]
stolen, reserve = [{name: int(port)}, {}], ports.reserve
ports.reserve = lambda names: {**reserve(names), **stolen.pop(0)}
pool = spec.Pool(name="user", count=1)
told = bringup.up(spec.LocalSpec(lease=lease, name="c", folder=Path(folder), pools=(pool,)), tool, steps.Steps())
print(len(stolen), told["ports"][name])
"""


@pytest.mark.parametrize("name", ["etcd", "kube-apiserver", "prometheus"])
def test_a_port_that_was_taken_meanwhile_is_exchanged(name: str, open_lease: Open) -> None:
    lease = open_lease(SPEC)
    with socket.create_server(("127.0.0.1", 0)) as thief:
        port = str(thief.getsockname()[1])
        command = [sys.executable, "-c", UP_WITH_A_STOLEN_PORT, lease.id, str(lease.folder / "cluster"), name, port]
        done = subprocess.run(command, cwd=paths.checkout(), capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    unused, final = done.stdout.split()
    assert unused == "0"
    assert final != port
