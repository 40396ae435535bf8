"""Three runs of one cell, green, slower and with a metric missing, through everything that people and programs read."""

from __future__ import annotations

import json
import re
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from junitparser import JUnitXml

from pytest_telescope.report.reading import read_results
from pytest_telescope.report.record import Record
from tests.e2e import stages
from tests.e2e.conftest import SMALL
from tests.e2e.conftest import Harness
from tests.e2e.conftest import Run
from tests.e2e.conftest import at
from tests.report.junit_rules import problems

pytestmark = [pytest.mark.e2e, pytest.mark.long]

CELL = "local-three"
STALL = 3.0
"""Seconds for which kwok stands still in the second run, while pods are made: they all start late."""
SLOS = """\
  - {id: running, use: pod-startup/running, p: 50, max: 1.5s, min_count: 20}
  - {id: open-files, query: 'max(max_over_time(METRIC[${w}]))', unit: count, max: 100000}
"""


@dataclass(frozen=True)
class Three:
    """The runs in their order, and who made them."""

    harness: Harness
    green: Run
    slower: Run
    missing: Run

    @property
    def all(self) -> tuple[Run, Run, Run]:
        return self.green, self.slower, self.missing


@pytest.fixture(scope="module")
def three(shared: Harness) -> Three:
    text = SMALL.format(name="three", hold="20s").replace("  pools:", "  stages: stages.yaml\n  pools:")
    text = text[: text.index("slos:")] + "slos:\n" + SLOS
    folder = shared.scenario("three", text.replace("METRIC", "process_open_fds"))
    (folder / "stages.yaml").write_text(stages.uniform(0.2, 0.3))
    chosen = ("-m", "local", "--scenario=three")
    green = shared.run(*chosen)
    slower = shared.run(*chosen, when=at("0 of 20 pods running", lambda _: _stall(shared.state), delay=0))
    shared.scenario("three", text.replace("METRIC", "process_fds_that_nobody_counts"))
    return Three(shared, green, slower, shared.run(*chosen))


def _stall(state: Path) -> None:
    """Stop the kwok of the run for a while, from a thread: the run's output is read on meanwhile."""
    kwoks = [one for one in psutil.process_iter(["name"]) if one.info["name"] == "kwok"]
    (own,) = [one for one in kwoks if str(state) in " ".join(one.cmdline())]
    own.send_signal(signal.SIGSTOP)
    threading.Timer(STALL, own.send_signal, [signal.SIGCONT]).start()


def verdict(run: Run) -> tuple[str, str | None]:
    document = json.loads((run.folder.publish / "verdict.json").read_text())
    return document["verdict"], document["cause"]


def record(run: Run, metric: str) -> Record:
    return next(one for one in read_results(run.folder.publish / "results.jsonl") if one.metric == metric)


def page(run: Run) -> str:
    return (run.folder.publish / "report" / "index.html").read_text()


def test_each_run_has_the_verdict_that_it_deserves(three: Three) -> None:
    assert [run.code for run in three.all] == [0, 1, 1], [run.output for run in three.all]
    assert [verdict(run) for run in three.all] == [("PASS", None), ("FAIL", "slo"), ("INVALID", "data")]


def test_the_terminal_shows_the_table_and_closes_with_the_verdict(three: Three) -> None:
    last = [run.output[run.output.rindex("telescope ==") :] for run in three.all]

    assert all("running" in text and "open-files" in text for text in last)
    assert re.search(r"running +\S+ m?s +<= 1.5s .* PASS", last[0])
    assert re.search(r"running +\S+ s +<= 1.5s .* FAIL", last[1])
    assert re.search(r"open-files +- +<= 100000 .* INVALID", last[2])


def test_junit_of_each_is_what_azure_devops_and_others_read(three: Three) -> None:
    read = [JUnitXml.fromfile(str(run.folder.publish / "junit.xml")) for run in three.all]

    assert [problems(run.folder.publish / "junit.xml") for run in three.all] == [[], [], []]
    assert [(one.tests, one.failures, one.errors) for one in read] == [(7, 0, 0), (7, 1, 0), (7, 1, 0)]
    assert len({tuple(case.name for suite in one for case in suite) for one in read}) == 1


def test_records_tell_the_three_apart_and_are_comparable_where_they_are(three: Three) -> None:
    running, open_files = ([record(run, name) for run in three.all] for name in ("running", "open-files"))

    assert running[0].value is not None
    assert running[1].value is not None
    assert running[0].value < 1.5 < running[1].value
    assert len({one.fingerprint for one in running}) == 1
    assert (open_files[2].value, open_files[2].verdict) == (None, "INVALID")
    assert open_files[0].fingerprint == open_files[1].fingerprint != open_files[2].fingerprint


def test_allure_has_every_item_and_the_report_shows_all_three(three: Three) -> None:
    history = three.harness.root / "history.jsonl"

    made = [three.harness.telescope("report", str(run.folder.path), "--history", str(history)) for run in three.all]

    assert [one.returncode for one in made] == [0, 0, 0], [one.stdout for one in made]
    assert "1 failed" in made[1].stdout
    assert "1 broken" in made[2].stdout
    assert "beside 2 earlier runs" in made[2].stdout
    assert len(history.read_text().splitlines()) == 3
    assert all(f"<title> {run.folder.run_id} </title>" in page(run) for run in three.all)


def test_the_quality_gate_names_what_broke(three: Three) -> None:
    made = three.harness.telescope("report", str(three.slower.folder.path), "--gate", "--no-history")

    assert made.returncode == 1
    assert "GATE" in made.stdout


def test_the_trend_says_that_three_runs_are_too_few_instead_of_steady(three: Three) -> None:
    base = three.harness.root / "telescope"

    made = three.harness.telescope("trend", "--telescope-dir", str(base), "--cell", CELL, "--format", "json", "--all")

    told: dict[str, Any] = json.loads(made.stdout)
    assert made.returncode == 0, made.stdout
    assert "few" in json.dumps(told)


def test_one_run_against_one_cannot_tell_and_says_so(three: Three) -> None:
    made = three.harness.telescope("compare", str(three.green.folder.path), str(three.slower.folder.path))

    assert made.returncode == 0, made.stdout
    assert "cannot tell" in made.stdout


def test_no_key_of_a_cluster_is_published(three: Three) -> None:
    for run in three.all:
        keys = [text for file in run.state.rglob("*kubeconfig*") for text in _keys(file)]
        keys += [text for file in (run.folder.path / "private").rglob("*kubeconfig*") for text in _keys(file)]

        published = b"".join(file.read_bytes() for file in run.folder.publish.rglob("*") if file.is_file())

        assert not [key for key in keys if key.encode() in published]
        assert b"PRIVATE KEY-----" not in published


def _keys(kubeconfig: Path) -> list[str]:
    users = (yaml.safe_load(kubeconfig.read_text()) or {}).get("users") or []
    secret = ("client-key-data", "token", "password")
    return [one["user"][name] for one in users for name in secret if one["user"].get(name)]
