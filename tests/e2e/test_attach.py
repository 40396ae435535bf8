"""A load on a cluster that is there already: it stays, and nothing of the harness stays in it."""

from __future__ import annotations

import json
import os
import pty
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope.load.api import Api
from tests.e2e.conftest import SMALL
from tests.e2e.conftest import Harness
from tests.e2e.conftest import at
from tests.e2e.conftest import send
from tests.e2e.conftest import traces

pytestmark = [pytest.mark.e2e, pytest.mark.long]

CELL = "local-alpha"
LOADED = f"telescope-{CELL}"


@pytest.fixture(scope="module")
def kept(shared: Harness) -> Iterator[Path]:
    """Give the kubeconfig of a cluster that an earlier run kept, with its load still in it."""
    shared.scenario("alpha", SMALL.format(name="alpha", hold="0s"))
    shared.scenario("slow", SMALL.format(name="slow", hold="60s"))
    shared.scenario("other", SMALL.format(name="other", hold="0s").replace("tests", "elsewhere"))
    run = shared.run("-m", "local", "--scenario=alpha", "--keep-in-ci")
    assert run.code == 0, run.output
    (kubeconfig,) = (shared.state / "leases").glob("*/kubeconfig")
    yield kubeconfig
    reaped = shared.telescope("reap", "--run", run.folder.run_id)
    assert reaped.returncode == 0, reaped.stdout
    assert traces(shared.state) == []


def namespaces(kubeconfig: Path) -> set[str]:
    with Api.from_kubeconfig(kubeconfig) as api:
        return {one["metadata"]["name"] for one in api.get("/api/v1/namespaces")["items"]}


def leases(harness: Harness) -> list[str]:
    return [json.loads(file.read_text())["provider"] for file in (harness.state / "ledger").glob("*.json")]


def test_a_load_runs_there_and_leaves_the_cluster_as_the_only_lease(shared: Harness, kept: Path) -> None:
    run = shared.run("-m", "local", "--scenario=alpha", f"--attach={kept}", "--yes")

    about = run.folder.cell(CELL).read("cell.json")
    assert run.code == 0, run.output
    assert "context" in run.output
    assert "nodes   3" in run.output
    assert (about["reused"], about["position"], about["facts"]["attached"]) == (True, 1, True)
    assert run.judgements(CELL)["running"]["count"] == 20
    assert run.case(f"test_destroy[{CELL}]").skipped is None
    assert not {one for one in namespaces(kept) if one.startswith("telescope-")}
    assert leases(shared) == ["local"]


def test_a_run_that_was_killed_is_reaped_without_the_cluster(shared: Harness, kept: Path) -> None:
    run = shared.run(
        "-m",
        "local",
        "--scenario=slow",
        f"--attach={kept}",
        "--yes",
        when=at("holding 20 pods", send(signal.SIGKILL)),
    )
    left = namespaces(kept)
    reaped = shared.telescope("reap", "--run", run.folder.run_id)

    assert "telescope-local-slow" in left, run.output
    assert reaped.returncode == 0, reaped.stdout
    assert "telescope-local-slow" not in namespaces(kept)
    assert leases(shared) == ["local"]


def test_without_a_terminal_and_without_yes_nothing_is_done(shared: Harness, kept: Path) -> None:
    run = shared.run("-m", "local", "--scenario=alpha", f"--attach={kept}")

    assert run.code == 4
    assert "--yes" in run.output
    assert "server" in run.output
    assert leases(shared) == ["local"]


@pytest.mark.parametrize(("answer", "code"), [("no", 4), ("yes", 0)])
def test_on_a_terminal_the_answer_decides(shared: Harness, kept: Path, answer: str, code: int) -> None:
    controller, terminal = pty.openpty()
    before = os.dup(0)
    try:
        os.dup2(terminal, 0)
        os.write(controller, f"{answer}\n".encode())
        run = shared.run("-m", "local", "--scenario=alpha", f"--attach={kept}")
    finally:
        os.dup2(before, 0)
        for descriptor in (before, controller, terminal):
            os.close(descriptor)

    assert run.code == code, run.output
    assert ("not agreed to" in run.output) is (answer == "no")


def test_a_cluster_without_a_node_for_the_load_is_refused_before_anything_is_done(shared: Harness, kept: Path) -> None:
    run = shared.run("-m", "local", "--scenario=other", f"--attach={kept}", "--yes")

    assert run.code == 4
    assert "lacks elsewhere=true" in run.output
    assert leases(shared) == ["local"]


def test_a_cluster_that_is_not_ours_needs_the_name_of_its_service(shared: Harness, kept: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "config"
    foreign.write_bytes(kept.read_bytes())

    run = shared.run("-m", "local", "--scenario=alpha", f"--attach={foreign}", "--yes")

    assert run.code == 4
    assert "-m aks, eks or gke" in run.output
