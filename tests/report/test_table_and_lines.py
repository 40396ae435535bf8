"""What a person reads: live lines, the closing table, the text under a red SLO."""

from __future__ import annotations

import threading
from pathlib import Path

from pytest_telescope.report.folder import CellFolder
from pytest_telescope.report.live import FileWriter
from pytest_telescope.report.live import Follower
from pytest_telescope.report.live import line
from pytest_telescope.report.table import closing_table
from pytest_telescope.report.table import row
from pytest_telescope.report.verdicts import Errored
from pytest_telescope.report.verdicts import Failed
from pytest_telescope.report.verdicts import Invalid

JUDGEMENT = {
    "slo": "running",
    "value": 6.3,
    "unit": "s",
    "bound": {"operator": "max", "text": "5s", "values": [5.0], "unit": "s"},
    "margin": -0.26,
    "count": 120.0,
    "verdict": "FAIL",
}


def test_a_row_shows_value_bound_margin_samples_and_verdict() -> None:
    assert row(JUDGEMENT) == ("running", "6.3 s", "<= 5s", "-26%", "120", "[red]FAIL[/]")


def test_a_row_shows_a_dash_for_what_was_not_measured() -> None:
    blank = {**JUDGEMENT, "value": None, "margin": None, "count": None, "bound": None, "verdict": "ERROR"}

    assert row(blank)[1:5] == ("-", "-", "-", "-")


def test_the_table_says_that_local_figures_are_functional_and_names_an_empty_cell(tmp_path: Path) -> None:
    full, empty = CellFolder(tmp_path / "local-a"), CellFolder(tmp_path / "local-b")
    full.write("cell.json", {"functional": True})
    full.append("judgements.jsonl", JUDGEMENT)

    text = closing_table([("local-a", full), ("local-b", empty)], width=80, colour=False)

    assert "functional: no performance figure of a cloud" in text
    assert "local-b: nothing was judged" in text
    assert "\x1b" not in text


def test_a_live_line_is_one_line() -> None:
    assert line(3.14159, "local-a", "load", "first\nsecond") == "    3.1s  local-a  load       first"


def test_a_follower_hands_on_every_line_of_a_writer_in_another_process(tmp_path: Path) -> None:
    seen: list[str] = []
    follower = Follower(tmp_path / "live.log", seen.append, interval=0.01)
    follower.start()

    writers = [threading.Thread(target=FileWriter(tmp_path / "live.log"), args=(f"line {n}",)) for n in range(20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=5)
    follower.stop()

    assert sorted(seen) == sorted(f"line {n}" for n in range(20))


def test_only_fail_is_an_assertion_error() -> None:
    assert isinstance(Failed("x"), AssertionError)
    assert not isinstance(Invalid("x"), AssertionError)
    assert not isinstance(Errored("x"), AssertionError)
    assert [error.line for error in (Failed("x"), Invalid("x"), Errored("x"))] == ["FAIL x", "INVALID x", "ERROR x"]


TRACE = {"name": "p99", "unit": "s", "query": "", "points": [[100.0, 1.0], [110.0, None], [120.0, 6.3]]}


def table(folder: CellFolder, width: int) -> str:
    return closing_table([("local-a", folder)], width=width, colour=False)


def test_a_wide_table_shows_how_each_slo_went_and_a_narrow_one_does_not(tmp_path: Path) -> None:
    folder = CellFolder(tmp_path)
    folder.append("judgements.jsonl", {**JUDGEMENT, "traces": [TRACE]})
    folder.append("judgements.jsonl", {**JUDGEMENT, "slo": "without", "traces": []})

    assert "▁·█" in table(folder, 120)
    assert "over the window" in table(folder, 120)
    assert "over the window" not in table(folder, 100)


def test_a_wide_table_without_any_line_has_no_column_for_them(tmp_path: Path) -> None:
    folder = CellFolder(tmp_path)
    folder.append("judgements.jsonl", JUDGEMENT)

    assert "over the window" not in table(folder, 160)
