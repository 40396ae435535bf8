"""What options do to a cell's life: stopping, keeping, sharing, workers, replay."""

from __future__ import annotations

import pytest

from pytest_telescope.report.folder import CellFolder
from tests.e2e import stages
from tests.e2e.conftest import SMALL
from tests.e2e.conftest import Harness
from tests.e2e.conftest import traces

pytestmark = pytest.mark.e2e


def small(name: str) -> str:
    return SMALL.format(name=name, hold="0s")


def test_exitfirst_takes_effect_after_the_cells_destroy(harness: Harness) -> None:
    slow = small("alpha").replace("max: 60s", "max: 10ms").replace("  pools:", "  stages: stages.yaml\n  pools:")
    (harness.scenario("alpha", slow) / "stages.yaml").write_text(stages.uniform(0.2, 0.3))
    harness.scenario("beta", small("beta"))

    run = harness.run("-m", "local", "--scenario=alpha,beta", "-x")

    names = [case.name for case in run.cases]
    assert run.code != 0
    assert "test_destroy[local-alpha]" in names
    assert not any("beta" in name for name in names)
    assert traces(run.state) == []


def test_a_kept_cluster_lives_until_reap(harness: Harness) -> None:
    harness.scenario("alpha", small("alpha"))

    run = harness.run("-m", "local", "--scenario=alpha", "--keep-in-ci")
    kept = traces(run.state)
    reaped = harness.telescope("reap", "--run", run.folder.run_id)

    assert run.code == 0, run.output
    assert "telescope reap" in (run.case("test_destroy[local-alpha]").skipped or "")
    assert any("kube-apiserver" in trace for trace in kept)
    assert reaped.returncode == 0, reaped.stdout
    assert traces(run.state) == []


@pytest.mark.long
def test_rows_that_share_use_one_cluster(harness: Harness) -> None:
    text = small("alpha").replace("  pools:", "  share: rows\n  pools:", 1)
    text = text.replace("load:\n", "matrix:\n  p10: {pods: 10}\n  p20: {pods: 20}\nload:\n", 1)
    harness.scenario(
        "alpha", text.replace("pods: 20\n    rate", "pods: ${pods}\n    rate").replace("min_count: 20", "min_count: 10")
    )

    run = harness.run("-m", "local", "--scenario=alpha")

    assert run.code == 0, run.output
    assert "test_destroy[local-alpha--p20]" in {case.name for case in run.cases}
    stages = {cell: list(run.folder.cell(cell).records("status.jsonl")) for cell in run.folder.cells()}
    took = {cell: s[0]["ended"] - s[0]["started"] for cell, s in stages.items()}
    assert took["local-alpha--p20"] < 0.2 < took["local-alpha--p10"]
    assert traces(run.state) == []


@pytest.mark.long
def test_two_workers_run_a_cell_each_and_one_junit_has_both(harness: Harness) -> None:
    harness.scenario("alpha", small("alpha"))
    harness.scenario("beta", small("beta"))

    run = harness.run("-m", "local", "--scenario=alpha,beta", "-n", "2")

    names = {case.name for case in run.cases}
    assert run.code == 0, run.output
    assert {"test_destroy[local-alpha]", "test_destroy[local-beta]"} <= names
    assert "local-alpha  provision" in run.output
    assert run.folder.cells() == ["local-alpha", "local-beta"]
    assert traces(run.state) == []


@pytest.mark.long
def test_replay_gives_the_same_numbers_offline(harness: Harness) -> None:
    harness.scenario("alpha", small("alpha"))
    run = harness.run("-m", "local", "--scenario=alpha")

    again = harness.run(f"--replay={run.folder.path}")

    first, second = (
        {one["slo"]: (one["value"], one["count"], one["verdict"]) for one in records}
        for records in (
            run.folder.cell("local-alpha").records("judgements.jsonl"),
            CellFolder(run.folder.path / "replays" / "1" / "cells" / "local-alpha").records("judgements.jsonl"),
        )
    )
    assert run.code == 0, run.output
    assert again.code == 0, again.output
    assert first == second
    assert "test_provision" not in again.output
    assert (run.folder.path / "replays" / "1" / "junit.xml").exists()
