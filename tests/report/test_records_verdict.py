"""verdict.json: the worst cause first, and read back as strictly as results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_telescope.errors import UsageError
from pytest_telescope.report import records
from pytest_telescope.report.run_verdict import read_verdict


@pytest.mark.parametrize(
    ("red", "extra", "verdict", "cause"),
    [
        ({}, [], "PASS", None),
        ({"a": "FAIL running p99 6 s > 5 s"}, [], "FAIL", "slo"),
        ({"a": "FAIL x", "b": "INVALID y"}, [], "INVALID", "data"),
        ({"a": "INVALID y", "b": "ERROR terraform failed"}, [], "ERROR", "infrastructure"),
        ({"a": "ERROR capacity: no room"}, [], "ERROR", "capacity"),
        ({"a": "ERROR leak: lease 1"}, ["leak local-x"], "ERROR", "leak"),
        ({}, ["local-x judged nothing"], "INVALID", "data"),
        ({"a": "FAIL x"}, ["unrecorded local-x cache: unit is None"], "ERROR", "infrastructure"),
    ],
)
def test_the_verdict_of_a_run_names_its_worst_cause(
    tmp_path: Path, red: dict[str, str], extra: list[str], verdict: str, cause: str | None
) -> None:
    found = records.verdict(red, extra)
    (tmp_path / "verdict.json").write_text(json.dumps(found))

    assert (found["verdict"], found["cause"]) == (verdict, cause)
    read = read_verdict(tmp_path)
    assert (read.verdict, read.cause, read.red, read.reasons) == (verdict, cause, red, extra)


GOOD = {"schema": 1, "verdict": "PASS", "cause": None, "red": {}, "reasons": []}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ('{"schema": 1, "verd', "cut short"),
        ("[]", "a JSON object is expected"),
        (json.dumps(GOOD | {"schema": 2}), "schema 2 is newer than what is known here (1)"),
        (json.dumps(GOOD | {"verdict": "GREEN"}), "verdict is 'GREEN'"),
        (json.dumps(GOOD | {"mood": 1}), "unknown field 'mood'"),
        (json.dumps({"schema": 1, "verdict": "PASS"}), "field 'red' is missing"),
    ],
)
def test_a_verdict_that_cannot_be_read_is_refused_by_file_and_reason(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "verdict.json"
    file.write_text(text)

    with pytest.raises(UsageError) as caught:
        read_verdict(file)

    assert str(caught.value).startswith(f"{file}: ")
    assert said in str(caught.value)


def test_a_run_without_a_verdict_did_not_come_to_its_end(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did not come to its end"):
        read_verdict(tmp_path)
