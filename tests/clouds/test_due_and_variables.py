"""Due times that no time-out of a cell can pass, and what a spec becomes for the modules."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import pytest

from pytest_telescope import cells
from pytest_telescope import paths
from pytest_telescope.cluster import ledger
from pytest_telescope.cluster.clouds import due
from pytest_telescope.cluster.clouds import variables
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.cluster.clouds.pace import Pace
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.renewing import Renewer
from pytest_telescope.errors import CloudError
from pytest_telescope.scenario.command import all_cells
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec
from pytest_telescope.scenario.model import ResourceConsumerSpec
from tests.clouds.doubles import Silent

CLOUD_CELLS = [
    cell
    for name in cells.scenario_names()
    for cell in all_cells(cells.scenario(name))
    if cell.provider in {"aks", "eks", "gke"}
]


def lease_of(tmp_path: Path, **changes: object) -> Lease:
    given = {"id": "0123abcd", "provider": "aks", "cell": "aks-cri--p300", "run": "20261125-101500-ab12"}
    return Lease(**{**given, "folder": tmp_path, "created": 1000.0, "due": 5000.0, **changes})  # type: ignore[arg-type] # mixed types


@pytest.mark.parametrize("cell", CLOUD_CELLS, ids=lambda cell: cell.id)
def test_a_lease_outlasts_every_time_out_of_its_cell(cell: Cell) -> None:
    pace = Pace()

    lasts = due.lasting([cell.load], pace)

    timeouts = 4 * pace.apply + pace.nodes + due.load_within(cell.load) + 3 * pace.destroy
    assert lasts > timeouts
    assert cell.budget.time is None or lasts > cell.budget.time


def test_rows_on_one_cluster_add_their_loads() -> None:
    load = ResourceConsumerSpec(pods=100, rate=10, hold=60, waves=2, timeout=300)

    assert due.lasting([load, load]) - due.lasting([load]) == due.load_within(load) == 2 * (10 + 300 + 60 + 300)


def test_variables_are_those_of_the_modules(tmp_path: Path) -> None:
    spec = ClusterSpec(pools={"system": PoolSpec(count=2), "user": PoolSpec(min=1, max=5, taints=("a=b:NoSchedule",))})

    found = variables.common(spec, lease_of(tmp_path), Where(account="a", region="r"))

    shared = (paths.modules() / "terraform" / "local" / "variables.tf").read_text(encoding="utf-8")
    assert set(found) == set(re.findall(r'^variable "(\w+)"', shared, re.MULTILINE))
    pool = found["pools"]["user"]
    assert {"count": None, "min": 1, "max": 5}.items() <= pool.items()
    assert pool["taints"] == [{"key": "a", "value": "b", "effect": "NoSchedule"}]
    assert set(pool) == set(re.findall(r"^    (\w+) *= optional", shared, re.MULTILINE))
    json.dumps(found)


@pytest.mark.parametrize("provider", ["aks", "eks", "gke"])
def test_tags_are_legal_on_every_cloud_and_carry_the_lease(tmp_path: Path, provider: str) -> None:
    lease = lease_of(tmp_path, provider=provider, cell="aks-" + "x" * 80 + "--P.300")

    tags = variables.tags(lease)

    assert all(re.fullmatch(r"[a-z][-_a-z0-9]{0,62}", key) for key in tags)
    assert all(re.fullmatch(r"[-_a-z0-9]{0,63}", value) for value in tags.values())
    assert tags["telescope_lease"] == lease.id
    assert tags["deletion_due_time"] == "5000"


def test_a_living_run_renews_its_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELESCOPE_STATE_DIR", str(tmp_path))
    lease = ledger.open_lease("aks", "aks-cri--p300", "run", ClusterSpec(), lasting=0.4)
    renewed = threading.Event()
    provider = Silent(on_renew=lambda _found: renewed.set())
    renewer = Renewer(provider, lease, say=lambda _text: None)

    renewer.start()
    assert renewed.wait(10)
    renewer.stop()

    assert lease.due is not None
    again = next(found for found in ledger.leases() if found.id == lease.id)
    assert again.due is not None
    assert again.due > lease.due
    ledger.close(lease)


def test_a_renewal_that_fails_is_told_and_the_next_one_still_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELESCOPE_STATE_DIR", str(tmp_path))
    lease = ledger.open_lease("aks", "aks-cri--p300", "run", ClusterSpec(), lasting=0.2)
    told: list[str] = []
    calls: list[Lease] = []
    twice = threading.Event()

    def fail(found: Lease) -> None:
        calls.append(found)
        if len(calls) > 1:
            twice.set()
        raise CloudError("no answer")

    renewer = Renewer(Silent(on_renew=fail), lease, say=told.append)
    renewer.start()
    assert twice.wait(10)
    renewer.stop()

    assert "no answer" in told[0]
    ledger.close(lease)


@pytest.mark.parametrize("provider", ["aks", "eks", "gke"])
def test_every_module_has_the_same_variables_and_outputs(provider: str) -> None:
    modules = paths.modules() / "terraform"

    outputs = re.findall(
        r'^output "(\w+)"', (modules / provider / "outputs.tf").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert (modules / provider / "variables.tf").read_bytes() == (modules / "local" / "variables.tf").read_bytes()
    assert sorted(outputs) == ["facts", "kubeconfig"]
