"""What a person reads: live lines, the closing table, the text under a red SLO."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from pytest_telescope.report.folder import CellFolder
from pytest_telescope.report.live import FileWriter
from pytest_telescope.report.live import Follower
from pytest_telescope.report.progress_board import line
from pytest_telescope.report.progress_verdict import read
from pytest_telescope.report.progress_verdict import verdict_line
from pytest_telescope.report.table import closing_table
from pytest_telescope.report.table import percent
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
    assert row(JUDGEMENT) == ("running", "6.3 s", "<= 5s", "-26%", "120", "FAIL")


def test_a_row_shows_a_dash_for_what_was_not_measured() -> None:
    blank = {**JUDGEMENT, "value": None, "margin": None, "count": None, "bound": None, "verdict": "ERROR"}

    assert row(blank)[1:5] == ("-", "-", "-", "-")


def test_a_fail_that_does_not_count_says_so() -> None:
    assert row({**JUDGEMENT, "level": "warn"})[5] == "FAIL (warn)"


@pytest.mark.parametrize(
    ("margin", "text"), [(-0.26, "-26%"), (0.999, "+100%"), (-4e6, "<-9999%"), (float("inf"), ">+9999%")]
)
def test_a_margin_that_is_far_away_does_not_widen_the_table(margin: float, text: str) -> None:
    assert percent(margin) == text


def test_the_table_says_that_local_figures_are_functional_and_names_an_empty_cell(tmp_path: Path) -> None:
    full, empty = CellFolder(tmp_path / "local-a"), CellFolder(tmp_path / "local-b")
    full.write("cell.json", {"functional": True})
    full.append("judgements.jsonl", JUDGEMENT)

    text = closing_table([("local-a", full), ("local-b", empty)], width=80, colour=False).text

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


def folder_of(tmp_path: Path, *judgements: dict[str, object]) -> CellFolder:
    folder = CellFolder(tmp_path)
    for one in judgements:
        folder.append("judgements.jsonl", {**JUDGEMENT, **one})
    return folder


def table(folder: CellFolder, width: int, *, colour: bool = False, detailed: bool = False) -> str:
    return closing_table([("local-a", folder)], width=width, colour=colour, detailed=detailed).text


MANY: tuple[dict[str, object], ...] = (
    {"slo": "close", "verdict": "PASS", "margin": 0.01},
    {"slo": "far", "verdict": "PASS", "margin": 0.9},
    {"slo": "absent", "verdict": "INVALID", "value": None, "margin": None},
    {"slo": "bad", "margin": -0.1},
    {"slo": "worse", "margin": -3.0},
    {"slo": "unasked", "verdict": "ERROR", "value": None, "margin": None},
)


def test_what_needs_a_look_comes_first_and_verdicts_are_counted(tmp_path: Path) -> None:
    lines = table(folder_of(tmp_path, *MANY), 80).splitlines()

    assert lines[2] == "1 ERROR, 2 FAIL, 1 INVALID, 2 PASS"
    assert [line.split()[0] for line in lines[5:]] == ["unasked", "worse", "bad", "absent", "close", "far"]


def test_the_table_hands_on_what_was_judged(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {}, {"verdict": "PASS", "level": "info"})

    assert closing_table([("local-a", folder)], width=80, colour=False).judged == (("FAIL", "gate"), ("PASS", "info"))


def test_a_wide_table_shows_how_each_slo_went_and_a_narrow_one_does_not(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"traces": [TRACE]}, {"slo": "without", "traces": []})

    assert "▁·█" in table(folder, 120)
    assert "over the window" in table(folder, 120)
    assert "over the window" not in table(folder, 100)


def test_a_wide_table_without_any_line_has_no_column_for_them(tmp_path: Path) -> None:
    assert "over the window" not in table(folder_of(tmp_path, {}), 160)


LONG = "a-name-of-an-slo-that-is-as-long-as-a-label-of-kubernetes-may-be"


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int, tmp_path: Path) -> None:
    text = table(folder_of(tmp_path, {"slo": LONG, "traces": [TRACE]}, {"margin": -1e9}), width)

    assert max(map(len, text.splitlines())) <= width
    assert "FAIL" in text
    assert "6.3 s" in text
    assert LONG in text.replace("\n  ", "") if width == 200 else "a-name-of-an" in text


def test_a_long_name_goes_on_below_itself_and_loses_nothing(tmp_path: Path) -> None:
    lines = table(folder_of(tmp_path, {"slo": LONG}), 60).splitlines()[5:]

    assert "".join(line[:20].strip() for line in lines) == LONG


def test_colours_only_repeat_what_the_words_say(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, *MANY)

    coloured = table(folder, 80, colour=True)

    assert "\x1b[31;1mFAIL\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == table(folder, 80)


def test_a_detailed_table_has_guards_and_queries_of_green_slos_too(tmp_path: Path) -> None:
    green: dict[str, object] = {
        "verdict": "PASS",
        "message": "running p99 1 s <= 5 s",
        "guards": {"coverage": "min up 1.00"},
        "queries": [f"sum({'x' * 200})"],
    }

    text = table(folder_of(tmp_path, green), 80, detailed=True)

    assert "    coverage: min up 1.00\n" in text
    assert f"    sum({'x' * 200})" in text


NODE = "scenarios/test_scenarios.py::"


def told(verdict: str, cause: str | None, red: list[str], *judged: str, reasons: tuple[str, ...] = ()) -> str:
    document = {"verdict": verdict, "cause": cause, "red": {NODE + node: "x" for node in red}, "reasons": list(reasons)}
    return verdict_line(document, [(one, "gate") for one in judged])


def test_the_last_line_is_verdict_cause_and_how_much_is_red() -> None:
    assert told("PASS", None, [], "PASS", "PASS", "SKIP") == "PASS: 2 of 2 SLOs are green"
    assert (
        told("FAIL", "slo", ["test_slo[local-a--x]", "test_slo[local-a--y]"], "FAIL", "FAIL", "PASS")
        == "FAIL slo: 2 of 3 SLOs are red: x, y"
    )
    assert (
        told("FAIL", "slo", ["test_slo[local-a--x]", "test_slo[local-b--x]"], "FAIL", "FAIL")
        == "FAIL slo: 2 of 2 SLOs are red: x (local-a), x (local-b)"
    )


def test_the_last_line_names_other_red_items_and_reasons() -> None:
    assert (
        told("ERROR", "leak", ["test_provision[local-a]"], reasons=("leak local-a",))
        == "ERROR leak: test_provision[local-a]; nothing was judged; leak local-a"
    )
    assert told("ERROR", "infrastructure", [f"test_load[local-{n}]" for n in "abcde"], "PASS").endswith(
        "test_load[local-c] and 2 more; 1 SLOs were judged"
    )


def test_a_fail_that_only_warns_is_not_counted_as_red() -> None:
    document = {"verdict": "FAIL", "cause": "slo", "red": {f"{NODE}test_slo[local-a--x]": "FAIL x"}, "reasons": []}

    assert verdict_line(document, [("FAIL", "gate"), ("FAIL", "warn")]) == "FAIL slo: 1 of 2 SLOs are red: x"


@pytest.mark.parametrize("text", [None, "", "{"])
def test_a_run_without_a_verdict_is_an_error(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "verdict.json"
    if text is not None:
        file.write_text(text)

    assert verdict_line(read(file), []).startswith("ERROR infrastructure: ")
