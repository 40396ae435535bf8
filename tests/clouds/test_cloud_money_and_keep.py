"""Budgets on a pretended cloud, clusters that are kept there, and the sweep that finds them by their tags."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.clouds.world import SMALL
from tests.clouds.world import World
from tests.clouds.world import world
from tests.e2e.conftest import traces

pytestmark = pytest.mark.e2e


def with_budget(budget: str, hold: str = "0s") -> str:
    return SMALL.replace("{cost: 40 USD, time: 3h}", budget).replace("%(hold)s", hold)


def test_a_spec_over_its_budget_is_refused_before_anything_is_asked(backing: Path, tmp_path: Path) -> None:
    with world("gke", backing, tmp_path) as pretended:
        name = pretended.small(text=with_budget("{cost: 0.01 USD, time: 3h}"))

        run = pretended.harness.run("-m", "gke", f"--scenario={name}")

        assert run.code == 4, run.output
        assert "is more than budget.cost 0.01 USD" in run.output
        assert "scenario.yaml:" in run.output
        assert not [call for call in pretended.cloud.calls if call.op == "create"]


def test_a_load_ends_while_its_teardown_is_still_in_the_budget(backing: Path, tmp_path: Path) -> None:
    with world("aks", backing, tmp_path) as pretended:
        name = pretended.small(text=with_budget("{time: 912s}", hold="300s"))
        began = time.monotonic()

        run = pretended.harness.run("-m", "aks", f"--scenario={name}")

        assert run.code == 1, run.output
        assert "the budget is used up but for the teardown (time 912 s)" in (run.case("test_load[aks-small]").red or "")
        assert time.monotonic() - began < 200
        assert pretended.held() == []
        cost = run.folder.cell("aks-small").read("cost.json")
        assert cost["usd_per_hour"] > 0
        assert traces(run.state) == []


def test_a_kept_cluster_is_priced_due_found_by_tag_and_reaped(backing: Path, tmp_path: Path) -> None:
    with world("eks", backing, tmp_path) as pretended:
        run = pretended.harness.run("-m", "eks", f"--scenario={pretended.small()}", "--keep-in-ci")

        assert run.code == 0, run.output
        assert "USD/h" in run.output
        assert "a sweeper may delete it after" in run.output
        assert pretended.held()
        sweep_finds_it(pretended, run.folder.run_id)

        reaped = pretended.harness.telescope("reap", "--run", run.folder.run_id)
        assert reaped.returncode == 0, reaped.stdout
        assert pretended.held() == []
        assert pretended.harness.telescope("sweep", "-m", "eks", "--run", run.folder.run_id).returncode == 0


def sweep_finds_it(pretended: World, run_id: str) -> None:
    """A dry run of the sweep lists the run's resources and takes none; by due time there are none to take yet."""
    before = pretended.held()

    by_run = pretended.harness.telescope("sweep", "-m", "eks", "--run", run_id)
    by_due = pretended.harness.telescope("sweep", "-m", "eks")

    assert by_run.returncode == 1, by_run.stdout
    assert (
        "would delete: eks-cluster telescope-" in by_run.stdout or "would delete: cluster telescope-" in by_run.stdout
    )
    assert f"run {run_id}" in by_run.stdout
    assert by_due.returncode == 0, by_due.stdout
    assert pretended.held() == before


def test_keep_is_refused_in_ci(backing: Path, tmp_path: Path) -> None:
    with world("aks", backing, tmp_path) as pretended:
        run = pretended.harness.run(
            "-m", "aks", f"--scenario={pretended.small()}", "--keep", environment={"CI": "true"}
        )

        assert run.code == 4, run.output
        assert "--keep-in-ci" in run.output
        assert json.dumps(pretended.held()) == "[]"
