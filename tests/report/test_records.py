"""Records and the run's verdict: what was not measured stays null, and the worst cause comes first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_telescope.report import records
from pytest_telescope.report.folder import CellFolder


def cell(tmp_path: Path, **judgement: object) -> CellFolder:
    folder = CellFolder(tmp_path / "cell")
    folder.write("cell.json", {"fingerprint": "abc", "functional": True})
    folder.append("status.jsonl", {"stage": "load", "started": 10.0, "ended": 12.5, "outcome": "done"})
    blank = {"slo": "running", "value": None, "unit": "s", "count": None, "verdict": "INVALID", "margin": None}
    folder.append("judgements.jsonl", {**blank, "message": "running: no data", "bound": None, **judgement})
    return folder


def test_a_number_that_was_not_measured_is_null(tmp_path: Path) -> None:
    found = list(records.cell_records("run", "local-x", cell(tmp_path)))

    assert found[1]["value"] is None
    assert found[1]["n"] is None
    assert found[1]["verdict"] == "INVALID"


def test_an_infinite_value_is_null_not_a_broken_document(tmp_path: Path) -> None:
    found = list(records.cell_records("run", "local-x", cell(tmp_path, value=float("inf"), verdict="FAIL")))

    assert json.loads(json.dumps(found[1], allow_nan=False))["value"] is None


def test_a_stage_is_a_record_of_its_seconds(tmp_path: Path) -> None:
    found = list(records.cell_records("run", "local-x", cell(tmp_path)))

    assert (found[0]["metric"], found[0]["value"], found[0]["unit"]) == ("load_duration_seconds", 2.5, "s")
    assert {record["fingerprint"] for record in found} == {"abc"}


@pytest.mark.parametrize(
    ("red", "extra", "verdict", "cause"),
    [
        ({}, [], "PASS", None),
        ({"a": "FAIL running p99 6 s > 5 s"}, [], "FAIL", "slo"),
        ({"a": "FAIL x", "b": "INVALID y"}, [], "INVALID", "data"),
        ({"a": "INVALID y", "b": "ERROR terraform failed"}, [], "ERROR", "infrastructure"),
        ({"a": "ERROR leak: lease 1"}, ["leak local-x"], "ERROR", "leak"),
        ({}, ["local-x judged nothing"], "INVALID", "data"),
    ],
)
def test_the_verdict_of_a_run_names_its_worst_cause(
    red: dict[str, str], extra: list[str], verdict: str, cause: str | None
) -> None:
    found = records.verdict(red, extra)

    assert (found["verdict"], found["cause"]) == (verdict, cause)


def test_a_last_line_cut_short_by_a_kill_is_left_out(tmp_path: Path) -> None:
    folder = cell(tmp_path)
    with (folder.path / "judgements.jsonl").open("a") as stream:
        stream.write('{"slo": "half')

    found = list(folder.records("judgements.jsonl"))

    assert [record["slo"] for record in found] == ["running"]
