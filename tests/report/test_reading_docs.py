"""What docs/results.md tells to type works as it stands there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_telescope import paths
from pytest_telescope.report import results_schema
from pytest_telescope.report.reading import read_results
from pytest_telescope.report.record import Record
from pytest_telescope.report.records import write_lines
from tests.report.test_reading import FIELDS
from tests.report.test_reading import V1_JUDGED

DOCS = (paths.checkout() / "docs" / "results.md").read_text(encoding="utf-8")
OLD, NEW = "20261125-180712-8cf6", "20261126-025419-4c90"
CELL = "local-pod-startup--p1000"
BASE = FIELDS | {"cell": CELL, "scenario": "pod-startup", "row": "p1000"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCS, re.DOTALL | re.MULTILINE)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with three runs: two that may be compared, and one that an older version wrote."""
    for run, value, verdict in ((OLD, 2.0, "PASS"), (NEW, 3.0, "FAIL")):
        publish = tmp_path / ".telescope" / "runs" / run / "publish"
        publish.mkdir(parents=True)
        told = {"run": run, "value": value, "verdict": verdict, "message": f"running p99 {value:g} s"}
        other = {"run": run, "metric": "a", "value": None, "fingerprint": f"of {run}"}
        write_lines(publish / "results.jsonl", [Record.model_validate(BASE | one) for one in (told, other)])
    publish = tmp_path / ".telescope" / "runs" / "20261124-000000-0000" / "publish"
    publish.mkdir(parents=True)
    publish.joinpath("results.jsonl").write_text(json.dumps(V1_JUDGED | {"run": "20261124-000000-0000"}) + "\n")
    return tmp_path


def typed(command: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(paths.checkout()), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        ["bash", "-euc", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_line_for_duckdb_shows_a_metric_over_runs_of_both_schemas(here: Path) -> None:
    (command,) = [one for one in blocks("sh") if "duckdb" in one]

    rows = [line for line in typed(command, here).splitlines() if re.search(r"\d{8}-\d{6}", line)]

    assert [re.findall(r"[\w.-]+", row)[:2] for row in rows] == [[OLD, "2.0"], [NEW, "3.0"]]


def test_the_query_for_two_runs_joins_what_has_one_fingerprint(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import duckdb

    monkeypatch.chdir(here)
    (query,) = blocks("sql")

    found = duckdb.query(query)

    assert found is not None
    assert found.fetchall() == [(CELL, "running", 2.0, 3.0, "s", 50.0)]


@pytest.mark.skipif(
    shutil.which("jq") is None and os.environ.get("CI") != "true", reason="jq is missing: apt-get install jq"
)
def test_the_line_for_jq_shows_what_is_red(here: Path) -> None:
    (command,) = [one for one in blocks("sh") if one.startswith("jq")]

    assert typed(command, here) == f"{CELL}\trunning\tFAIL\trunning p99 3 s\n"


def test_runs_are_joined_into_one_file_of_todays_schema(here: Path) -> None:
    (command,) = [one for one in blocks("sh") if "joined" in one]

    typed(command, here)

    found = list(read_results(here / "all.jsonl"))
    assert len(found) == 5
    assert {json.loads(line)["schema"] for line in (here / "all.jsonl").read_text().splitlines()} == {2}


def test_joining_names_what_cannot_be_read_and_writes_the_rest(here: Path) -> None:
    command = [sys.executable, "-m", "pytest_telescope.report.joined", NEW, "nothing"]

    done = subprocess.run(
        command,
        cwd=here,
        env=os.environ | {"PYTHONPATH": str(paths.checkout())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, len(done.stdout.splitlines())) == (4, 2)
    assert done.stderr.startswith("nothing: no such run")


def test_the_lines_for_python_read_a_run(here: Path) -> None:
    (code,) = blocks("python")

    (here / "read.py").write_text(code)

    assert typed("python read.py", here).splitlines()[0] == f"{CELL} running 3.0 s"


def test_every_field_and_every_metric_is_in_the_page() -> None:
    import yaml

    table = yaml.safe_load((paths.checkout() / "pytest_telescope/report/measured.yaml").read_text(encoding="utf-8"))
    documented = set(re.findall(r"`([a-z0-9_]+)`", DOCS))

    assert set(results_schema.schema()["properties"]) <= documented
    pods = {name for name in table["load"] if re.fullmatch(r"load_pods_(running|failed|never_ran)", name)}
    assert {*table["load"], *table["cost"]} - pods <= documented
    assert {"_running", "_failed", "_never_ran"} <= documented
