"""Rows on one cluster: it is shown to be as before between them, and a dirty one is not handed on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.load.api import Api
from tests.e2e.conftest import SMALL
from tests.e2e.conftest import Harness
from tests.e2e.conftest import Run
from tests.e2e.conftest import at
from tests.e2e.conftest import traces

pytestmark = pytest.mark.e2e

POSTED = 'apiserver_request_total{verb="POST",resource="pods",subresource=""}'
CREATED = f"""\
  - id: pods-created
    counter: '{POSTED}'
    job: kube-apiserver
    max: 25
"""
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "forgotten"}}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Thing", "plural": "things"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }
        ],
    },
}


def rows(name: str, *pods: int) -> str:
    """Return a scenario whose rows share a cluster, `p<pods>` each."""
    text = SMALL.format(name=name, hold="12s").replace("  pools:", "  share: rows\n  pools:", 1)
    matrix = "".join(f"  p{count}: {{pods: {count}}}\n" for count in pods)
    text = text.replace("load:\n", f"matrix:\n{matrix}load:\n", 1).replace("pods: 20\n", "pods: ${pods}\n")
    return text.replace("min_count: 20", "min_count: 10")


def litter(state: Path) -> Callable[[subprocess.Popen[str]], None]:
    """Return what leaves a namespace and a definition in the only cluster below `state`, as a careless load would."""

    def act(_process: subprocess.Popen[str]) -> None:
        (kubeconfig,) = state.glob("leases/*/kubeconfig")
        with Api.from_kubeconfig(kubeconfig) as api:
            made = [
                api.request("POST", "/api/v1/namespaces", json.dumps(NAMESPACE).encode()),
                api.request(
                    "POST",
                    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                    json.dumps(DEFINITION).encode(),
                ),
            ]
        assert [reply.status for reply in made] == [201, 201]

    return act


def about(run: Run, row: str) -> dict[str, Any]:
    found: dict[str, Any] = run.folder.cell(f"local-alpha--{row}").read("cell.json")
    return found


def opened(run: Run) -> int:
    """Return how many clusters were made: each notes what is in it once."""
    return run.output.count("noting what is in the cluster")


def test_a_clean_cluster_is_handed_on_and_each_row_is_judged_over_its_own_window(harness: Harness) -> None:
    harness.scenario("alpha", rows("alpha", 10, 20) + CREATED)

    run = harness.run("-m", "local", "--scenario=alpha")

    assert run.code == 0, run.output
    assert opened(run) == 1
    places = [(about(run, row)["reused"], about(run, row)["position"]) for row in ("p10", "p20")]
    assert places == [(False, 1), (True, 2)]
    lines = [json.loads(line) for line in (run.folder.publish / "results.jsonl").read_text().splitlines()]
    assert {(one["cell"], one["position"]) for one in lines} == {("local-alpha--p10", 1), ("local-alpha--p20", 2)}
    started = {row: run.judgements(f"local-alpha--{row}")["running"]["count"] for row in ("p10", "p20")}
    assert started == {"p10": 10, "p20": 20}
    created = {row: run.judgements(f"local-alpha--{row}")["pods-created"]["value"] for row in ("p10", "p20")}
    assert created == {"p10": 10, "p20": 20}
    assert traces(run.state) == []


def test_what_a_row_leaves_makes_its_destroy_red_and_the_next_row_gets_a_fresh_cluster(harness: Harness) -> None:
    harness.scenario("alpha", rows("alpha", 10, 20))

    run = harness.run("-m", "local", "--scenario=alpha", when=at("local-alpha--p10  load", litter(harness.state)))

    red = run.case("test_destroy[local-alpha--p10]").red or ""
    assert run.code == 1, run.output
    assert "namespaces forgotten" in red
    assert "things.example.com" in red
    assert json.loads((run.folder.publish / "verdict.json").read_text())["cause"] == "leak"
    assert [case.name for case in run.cases if case.red] == ["test_destroy[local-alpha--p10]"]
    assert (about(run, "p20")["reused"], about(run, "p20")["position"]) == (False, 1)
    assert traces(run.state) == []


@pytest.mark.extra  # three clusters, three minutes
def test_a_fresh_cluster_after_a_dirty_one_is_handed_on_again(harness: Harness) -> None:
    harness.scenario("alpha", rows("alpha", 10, 20, 15))

    run = harness.run("-m", "local", "--scenario=alpha", when=at("local-alpha--p10  load", litter(harness.state)))

    places = [(about(run, row)["reused"], about(run, row)["position"]) for row in ("p10", "p20", "p15")]
    assert places == [(False, 1), (False, 1), (True, 2)]
    assert opened(run) == 2
    assert traces(run.state) == []


@pytest.mark.long
def test_stopping_between_two_rows_is_no_leak(harness: Harness) -> None:
    harness.scenario("alpha", rows("alpha", 10, 20))

    run = harness.run("-m", "local", "--scenario=alpha", "-x", when=at("local-alpha--p10  load", litter(harness.state)))

    assert not any("p20" in case.name and not case.skipped for case in run.cases)
    assert not any(case.name.startswith("leak[") for case in run.cases), run.output
    assert traces(run.state) == []


@pytest.mark.long
def test_kept_rows_leave_the_dirty_cluster_and_the_fresh_one_and_both_are_told(harness: Harness) -> None:
    harness.scenario("alpha", rows("alpha", 10, 20))

    run = harness.run(
        "-m", "local", "--scenario=alpha", "--keep-in-ci", when=at("local-alpha--p10  load", litter(harness.state))
    )
    told = [line for line in run.output.splitlines() if line.startswith("kept: ")]
    reaped = harness.telescope("reap", "--run", run.folder.run_id)

    assert len(told) == 2, run.output
    assert all("costs nothing; stays until reaped; KUBECONFIG=" in line for line in told)
    assert reaped.returncode == 0, reaped.stdout
    assert traces(run.state) == []
