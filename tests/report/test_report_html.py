"""`telescope report` with the real Allure: what it says, what it writes, what it carries on, and what it refuses."""

from __future__ import annotations

import argparse
import io
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_telescope.errors import ToolError
from pytest_telescope.errors import UsageError
from pytest_telescope.report import command
from pytest_telescope.report import history
from pytest_telescope.report import html
from pytest_telescope.report import node
from pytest_telescope.report import trackers
from tests.report.report_runs import CASES
from tests.report.report_runs import SLO
from tests.report.report_runs import cell
from tests.report.report_runs import make_run
from tests.report.report_runs import three_runs

GREEN, RED, MISSING = (case.run for case in CASES)


@dataclass(frozen=True)
class Told:
    """What the command printed and returned."""

    code: int
    text: str


def report(base: Path, *words: str) -> Told:
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    out = io.StringIO()
    code = command.run(parser.parse_args([*words, "--telescope-dir", str(base)]), out)
    return Told(code, out.getvalue())


@pytest.fixture
def base(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three runs, without reports or history."""
    shutil.copytree(three_runs(tmp_path_factory) / "runs", tmp_path / "runs")
    return tmp_path


def page(base: Path, run: str) -> Path:
    return base / "runs" / run / "publish" / "report" / "index.html"


def test_a_green_run_a_regression_and_a_missing_metric_pass_and_break_the_gate(base: Path) -> None:
    told = [report(base, run, "--gate") for run in (GREEN, RED, MISSING)]

    assert [one.code for one in told] == [0, 1, 1]
    assert "8 results: 6 passed, 2 skipped; beside 0 earlier runs" in told[0].text
    assert "8 results: 2 failed, 4 passed, 2 skipped; beside 1 earlier run)" in told[1].text
    assert "8 results: 2 broken, 4 passed, 2 skipped; beside 2 earlier runs" in told[2].text
    assert f"GATE {cell('aks')}/{SLO} changed by +394.7 %, at most 40 % for the worse" in told[1].text
    assert f"GATE {cell('aks')}/{SLO} was measured before and is missing now" in told[2].text
    assert "GATE local" not in told[1].text + told[2].text


def test_without_the_gate_a_red_run_is_reported_with_exit_code_0(base: Path) -> None:
    assert report(base, RED).code == 0


def test_the_same_run_made_twice_is_one_point_of_the_history(base: Path) -> None:
    report(base, GREEN)
    first = page(base, GREEN).read_bytes()

    told = report(base, GREEN)

    assert "beside 0 earlier runs" in told.text
    assert len(history.read(base / "history.jsonl")) == 1
    assert abs(len(page(base, GREEN).read_bytes()) - len(first)) < 1000


def test_an_older_run_reported_later_is_shown_without_what_came_after_it(base: Path) -> None:
    for run in (MISSING, GREEN, RED):
        told = report(base, run)

    points = history.read(base / "history.jsonl")
    assert "beside 1 earlier run" in told.text
    assert [point["telescope"]["runs"] for point in points] == [[GREEN], [RED], [MISSING]]


def test_without_a_run_the_newest_is_taken(base: Path) -> None:
    assert MISSING in report(base, "--no-history").text
    assert not (base / "history.jsonl").exists()


@pytest.mark.parametrize("mode", ["--single-file", "--no-single-file"])
def test_no_page_asks_another_machine(mode: str, base: Path) -> None:
    report(base, RED, mode)

    files = [file for file in page(base, RED).parent.rglob("*") if file.suffix in (".html", ".js", ".mjs", ".css")]
    texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    assert [found for name, text in texts.items() if name.endswith("html") for found in trackers.external(text)] == []
    assert [name for name, text in texts.items() if re.search("googletagmanager|google-analytics", text)] == []
    assert (len(files) == 1) is (mode == "--single-file")
    assert "Content-Security-Policy" in texts["index.html"]


def test_the_page_names_nothing_of_this_machine_and_no_secret(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYSTEM_ACCESSTOKEN", "planted-token")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "planted-secret")

    report(base, RED, "--gate")

    for file in page(base, RED).parent.iterdir():
        text = file.read_text(encoding="utf-8")
        assert "planted-" not in text, file.name
        assert str(base) not in text, file.name


def test_parts_of_a_sharded_run_become_one_report_and_one_point(tmp_path: Path) -> None:
    make_run(tmp_path, CASES[0], providers=("aks",))
    make_run(tmp_path, CASES[1], providers=("local",))

    told = report(tmp_path, GREEN, RED, "--out", str(tmp_path / "merged"), "--name", "20261126.7")

    [point] = history.read(tmp_path / "history.jsonl")
    assert "8 results: 1 failed, 5 passed, 2 skipped" in told.text
    assert point["name"] == "20261126.7"
    assert point["telescope"]["cells"] == [cell("aks"), cell("local")]
    assert {f"{cell('aks')}/{SLO}", f"{cell('local')}/{SLO}"} <= set(point["metrics"])


def test_a_break_of_the_fingerprint_is_said_and_nothing_is_compared_over_it(base: Path) -> None:
    records = base / "runs" / RED / "publish" / "results.jsonl"
    report(base, GREEN)
    records.write_text(re.sub(r'"fingerprint": ?"\w+"', '"fingerprint":"0123456789abcdef"', records.read_text()))

    told = report(base, RED, "--gate")

    about = json.loads((page(base, RED).parent / html.MARK).read_text())
    assert about["broken"] == ["The number of failed tests 2 exceeds the allowed threshold value 0"]
    assert "beside 1 earlier run" in told.text
    assert about["variables"]["not comparable"] == "6 values: fingerprint"


def test_runs_of_the_same_cells_are_refused_before_anything_is_made(base: Path) -> None:
    with pytest.raises(UsageError, match=rf"{cell('aks')} is in both {GREEN} and {RED}"):
        report(base, GREEN, RED)

    assert not page(base, RED).exists()


def test_a_replay_is_reported_and_not_remembered(base: Path) -> None:
    replay = base / "runs" / GREEN / "replays" / "1"
    shutil.copytree(base / "runs" / GREEN / "publish", replay)

    told = report(base, str(replay))

    assert str(replay / "report" / "index.html") in told.text
    assert not (base / "history.jsonl").exists()


def test_a_result_that_cannot_be_read_is_said_and_red(base: Path) -> None:
    results = base / "runs" / RED / "publish" / "allure-results"
    cut = sorted(results.glob("*-result.json"))[0]
    cut.write_text(cut.read_text()[:100])

    told = report(base, RED)

    assert told.code == 1
    assert f"WRONG {cut.name} is no Allure result that can be read: it is not in the report" in told.text
    assert "7 results" in told.text


def test_a_record_that_cannot_be_read_is_said_and_red(base: Path) -> None:
    file = base / "runs" / RED / "publish" / "results.jsonl"
    file.write_text(file.read_text()[:-20])

    told = report(base, RED)

    assert told.code == 1
    assert re.search(r"WRONG .*results\.jsonl:6", told.text)
    assert page(base, RED).exists()


def test_a_history_that_is_none_is_refused_and_kept(base: Path) -> None:
    (base / "history.jsonl").write_text("<html>\n")

    with pytest.raises(UsageError, match=r"history\.jsonl:1: not JSON"):
        report(base, GREEN)

    assert (base / "history.jsonl").read_text() == "<html>\n"


def test_a_folder_that_holds_something_else_is_never_overwritten(base: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")

    with pytest.raises(UsageError, match=r"holds something that is no report"):
        report(base, GREEN, "--out", str(tmp_path / "mine"))

    assert (tmp_path / "mine" / "thesis.txt").read_text() == "x"


def test_beside_the_page_a_program_finds_what_it_is_of(base: Path) -> None:
    report(base, RED, "--gate")

    about = json.loads((page(base, RED).parent / html.MARK).read_text())

    assert about["runs"] == [RED]
    assert about["statuses"] == {"failed": 2, "passed": 4, "skipped": 2}
    assert about["broken"] == ["The number of failed tests 2 exceeds the allowed threshold value 0"]


def test_an_allure_that_hangs_is_ended_and_leaves_the_report_before(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(base, GREEN)
    before = page(base, GREEN).read_bytes()
    hanging = tmp_path / "node"
    hanging.write_text("#!/bin/sh\nexec sleep 300\n")
    hanging.chmod(0o755)
    monkeypatch.setenv("TELESCOPE_TOOL_NODE", str(hanging))
    monkeypatch.setattr(node, "SECONDS", 0.3)

    with pytest.raises(ToolError, match=r"Allure made no report with .*node: still running"):
        report(base, GREEN)

    assert page(base, GREEN).read_bytes() == before
    assert list(page(base, GREEN).parent.parent.glob(".report-*")) == []


def test_an_allure_that_fails_shows_the_end_of_its_output(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = tmp_path / "node"
    failing.write_text("#!/bin/sh\necho TypeError: toArray is not a function\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setenv("TELESCOPE_TOOL_NODE", str(failing))

    with pytest.raises(ToolError, match=r"exit code 1\)(.|\n)*toArray is not a function"):
        report(base, GREEN)
