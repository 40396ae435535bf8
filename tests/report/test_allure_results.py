"""What a session leaves for Allure: every result of it, however the session ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_telescope.metrics.model import Recording
from tests.report.allure_read import Results
from tests.report.allure_read import labels
from tests.report.allure_read import parameters
from tests.report.allure_read import step
from tests.report.allure_read import walk
from tests.report.stub_session import CELL
from tests.report.stub_session import CHECKOUT
from tests.report.stub_session import GREEN
from tests.report.stub_session import PROGRAM
from tests.report.stub_session import RED
from tests.report.stub_session import SCENARIO
from tests.report.stub_session import Done
from tests.report.stub_session import Run
from tests.report.stub_session import session

SECRET = "hunter2hunter2hunter2"
LOAD = json.dumps({"started": 0, "ended": 1e12, "steps": {"wave-1": [0, 1e12]}, "message": "", "pods": {"created": 20}})
FILES = {
    "lease:terraform.log": "\n$ terraform apply  # 2026-11-26T07:13:06+0000\n"
    f'thing.one: Creating...\nthing.one: Creation complete after 5s [id=x]\npassword = "{SECRET}"\n',
    "cell:load/load.json": LOAD,
    "cell:load/main/overrides.yaml": "CL2_PODS: 20\n",
    "logs:kubelet.log": f"a line\npassword: {SECRET}\n",
}


@pytest.fixture(scope="module")
def every_verdict(tmp_path_factory: pytest.TempPathFactory, busy_recording: Recording) -> Done:
    """A run with an SLO of every verdict."""
    described = RED.replace("DESCRIPTION", "the sandbox, ref: 'https://example.org/why'")
    root = tmp_path_factory.mktemp("every")
    return session(root, busy_recording.path, slos=GREEN + described, stub={"files": FILES})


def results(done: Done) -> Results:
    return Results(done.run / "publish" / "allure-results")


def test_a_violated_slo_is_failed_and_everything_else_that_is_red_broken(every_verdict: Done) -> None:
    found = {
        slo: results(every_verdict).one("test_slo", slo) for slo in ("green", "slow", "too-few", "absent", "refused")
    }

    assert {slo: one["status"] for slo, one in found.items()} == {
        "green": "passed",
        "slow": "failed",
        "too-few": "broken",
        "absent": "broken",
        "refused": "broken",
    }
    assert {slo: one["statusDetails"]["message"].split()[0] for slo, one in found.items() if slo != "green"} == {
        "slow": "FAIL",
        "too-few": "INVALID",
        "absent": "INVALID",
        "refused": "ERROR",
    }


def test_a_result_is_found_by_provider_scenario_component_and_weight(every_verdict: Done) -> None:
    slow, load = results(every_verdict).one("test_slo", "slow"), results(every_verdict).one("test_load")

    assert slow["name"] == "slow: p90 <= 2 s"
    assert labels(slow)["parentSuite"] == "local"
    assert labels(slow)["suite"] == "alpha"
    assert labels(slow)["tag"] == "local"
    assert labels(slow)["feature"] == "kubelet"
    assert [labels(one)["severity"] for one in (slow, load)] == ["critical", "blocker"]
    assert [one["url"] for one in slow["links"]] == ["https://example.org/why"]
    assert slow["description"].startswith("the sandbox\n\n**Bound** <= 2 s, from https://example.org/why")


def test_a_judgement_shows_its_picture_first_then_elements_guards_and_queries(every_verdict: Done) -> None:
    slow = results(every_verdict).one("test_slo", "slow")
    attached = results(every_verdict).attached(slow)

    assert [one["name"].partition(",")[0] for one in slow["steps"]] == [
        "slow over the window",
        "the worst elements",
        "guards",
        "queries",
    ]
    assert step(slow, "node n1")["status"] == "failed"
    assert step(slow, "sum by (node, le) (last_over_time(")
    assert attached["slow over the window"].startswith("<svg")
    judgement = json.loads(attached["judgement.json"])
    assert (judgement["slo"], judgement["verdict"]) == ("slow", "FAIL")
    assert attached["golden signals of the node"].startswith("time,")


def test_the_stages_show_their_steps_with_times_configs_facts_and_logs(every_verdict: Done) -> None:
    read = results(every_verdict)
    provision, load, destroy = (read.one(f"test_{stage}") for stage in ("provision", "load", "destroy"))

    for stage in (provision, load, destroy):
        for one in walk(stage):
            assert stage["start"] - 1 <= one["start"] <= one["stop"] <= stage["stop"] + 1, one["name"]
    assert [one["name"] for one in provision["steps"]] == ["checks", "a node is ready"]
    assert step(load, "the load")["parameters"] == [{"name": "pods created", "value": "20"}]
    assert step(load, "wave-1")
    assert "kubernetes,v1.36.3" in read.attached(provision)["cluster and nodes"]
    assert "pools:" in read.attached(provision)["scenario as planned"]
    assert read.attached(load)["load/main/overrides.yaml"] == "CL2_PODS: 20\n"
    assert "a line" in read.attached(destroy)["logs/kubelet.log"]


def test_observed_values_are_shown_but_are_no_part_of_the_history(every_verdict: Done) -> None:
    slow = results(every_verdict).one("test_slo", "slow")

    kept = {one["name"]: one["value"] for one in slow["parameters"] if not one.get("excluded")}

    assert kept == {"cell": CELL, "slo": "slow"}
    assert {"verdict", "value", "bound", "samples", "kubernetes", "fingerprint"} <= set(parameters(slow))


def test_no_secret_of_a_lease_or_a_log_is_in_a_result(every_verdict: Done) -> None:
    read = results(every_verdict)

    assert "thing.one" in read.attached(read.one("test_provision"))["terraform.log"]
    assert [file.name for file in read.folder.iterdir() if SECRET in file.read_text("utf-8")] == []


def test_the_tags_for_azure_devops_are_no_output_of_an_item(every_verdict: Done) -> None:
    texts = [text for one in results(every_verdict).all() for text in results(every_verdict).attached(one).values()]

    assert not [text for text in texts if "[[ATTACHMENT|" in text]


def test_the_run_says_what_it_was_made_of_and_its_metrics(every_verdict: Done) -> None:
    folder = results(every_verdict).folder

    environment = (folder / "environment.properties").read_text("utf-8")
    metrics = {one["key"]: one for one in json.loads(next(folder.glob("*-perf.json")).read_text())}

    assert f"run={every_verdict.run.name}\ncells={CELL}\nkubernetes=v1.36.3\n" in environment
    assert sorted(metrics) == [f"{CELL}/green", f"{CELL}/slow"]
    assert metrics[f"{CELL}/slow"]["value"] > 2000
    assert [one["name"] for one in json.loads((folder / "categories.json").read_text())][2] == "SLO violated"


def test_histories_go_on_in_another_checkout_and_another_run(tmp_path: Path, busy_recording: Recording) -> None:
    ids = []
    for place in ("one", "two/and/deeper"):
        checkout = tmp_path / place
        checkout.mkdir(parents=True)
        for name in ("pytest.ini", "conftest.py"):
            shutil.copy(CHECKOUT / name, checkout / name)
        shutil.copytree(CHECKOUT / "scenarios", checkout / "scenarios")
        own = checkout / "own" / "alpha"
        own.mkdir(parents=True)
        (own / "scenario.yaml").write_text(SCENARIO + GREEN)
        subprocess.run(
            [sys.executable, "-c", PROGRAM, "-p", "tests.report.stub_cluster", "-m", "local", "--scenario=alpha"],
            cwd=checkout,
            env={
                **os.environ,
                "STUB": json.dumps({"recording": str(busy_recording.path)}),
                "TELESCOPE_SCENARIOS": str(checkout / "own"),
                "TELESCOPE_STATE_DIR": str(checkout / "state"),
                "PYTHONPATH": str(CHECKOUT),
            },
            stdout=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        found = Results(next((checkout / ".telescope" / "runs").iterdir()) / "publish" / "allure-results").all()
        ids.append({one["fullName"] + str(parameters(one).get("slo")): one["historyId"] for one in found})

    assert len(ids[0]) == 6
    assert ids[0] == ids[1]


def test_an_interrupted_stage_is_broken_not_passed(run: Run) -> None:
    done = run(stub={"at": {"load": "SIGINT"}})

    load = results(done).one("test_load")
    assert load["status"] == "broken"
    assert load["statusDetails"]["message"].startswith("ERROR interrupted")
    assert labels(load)["suite"] == "alpha"
    assert results(done).one("test_provision")["status"] == "passed"


def test_a_leak_is_a_result_of_its_own(run: Run) -> None:
    done = run(stub={"at": {"load": "SIGTERM", "destroy": "error"}, "message": "the cloud says no"})

    leak = results(done).one("leak")
    assert leak["status"] == "broken"
    assert leak["statusDetails"]["message"].startswith("ERROR leak")
    assert labels(leak)["parentSuite"] == "local"


def test_a_provision_that_fails_shows_in_which_step(run: Run) -> None:
    done = run(stub={"at": {"provision": "error"}, "message": "no room here"})

    provision = results(done).one("test_provision")
    assert provision["status"] == "broken"
    assert provision["steps"][-1]["status"] == "broken"
    assert "no room here" in provision["steps"][-1]["statusDetails"]["message"]
    assert results(done).one("test_load")["statusDetails"]["message"].startswith("not provisioned")
    assert not list(results(done).folder.glob("*-perf.json"))


def test_workers_leave_the_same_results_and_the_controller_what_is_said_of_the_run(run: Run) -> None:
    done = run("-n2", scenarios=("alpha", "beta"))

    read = results(done)
    assert sorted((parameters(one)["cell"], one["fullName"].partition("#")[2]) for one in read.all()) == [
        (cell, test)
        for cell in ("local-alpha", "local-beta")
        for test in ("test_destroy", "test_load", "test_provision", "test_slo", "test_slo", "test_slo")
    ]
    assert len(list(read.folder.glob("*-perf.json"))) == 1
    assert "cells=local-alpha, local-beta" in (read.folder / "environment.properties").read_text()


def test_an_item_whose_worker_crashes_is_red_whatever_the_next_worker_says(run: Run) -> None:
    done = run("-n1", stub={"at": {"load": "exit"}})

    loads = [one for one in results(done).all() if one["fullName"].endswith("#test_load")]
    last = max(loads, key=lambda one: one["start"])
    assert last["status"] == "broken"
    assert last["statusDetails"]["message"].startswith("ERROR worker")
    assert labels(last)["suite"] == "alpha"
    assert len({one["historyId"] for one in loads}) == 1
    assert len(loads) == 2


def test_cleaning_the_users_folder_keeps_the_results_of_all_workers(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "old-result.json").write_text("{}")

    done = run("-n2", f"--alluredir={mine}", "--clean-alluredir", scenarios=("alpha", "beta"))

    assert len(Results(mine).all()) == 12
    assert not (mine / "old-result.json").exists()
    assert not (done.run / "publish" / "allure-results").exists()


def test_without_allure_pytest_a_run_ends_as_with_it(run: Run) -> None:
    done = run("-p", "no:allure_pytest")

    assert "1 failed, 4 passed, 1 skipped" in done.text
    assert not (done.run / "publish" / "allure-results").exists()
