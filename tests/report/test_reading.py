"""Results read back: any run by any of its names, older schemas, and a clear word for everything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.errors import UsageError
from pytest_telescope.report.reading import find_run
from pytest_telescope.report.reading import read_results
from pytest_telescope.report.reading import read_runs
from pytest_telescope.report.record import Record
from pytest_telescope.report.records import write_lines

FIELDS = {
    "run": "20261126-025419-4c90",
    "cell": "local-x--p20",
    "provider": "local",
    "scenario": "x",
    "row": "p20",
    "engine": "clusterloader2",
    "metric": "running",
    "slo": "running",
    "value": 2.5,
    "unit": "s",
    "n": 300,
    "verdict": "PASS",
    "operator": "max",
    "bound": 5,
    "better": "lower",
    "fingerprint": "abc",
    "functional": True,
}
V1_STAGE = {
    "schema": 1,
    "run": "20261125-180712-8cf6",
    "cell": "local-x--p20--clusterloader2",
    "fingerprint": "abc",
    "functional": True,
    "metric": "load_duration_seconds",
    "value": 30.25,
    "unit": "s",
    "n": 1,
    "slo": None,
    "verdict": None,
    "bound": None,
}
V1_JUDGED = V1_STAGE | {
    "reused": False,
    "position": 1,
    "metric": "sandbox-create",
    "slo": "sandbox-create",
    "n": 100.0,
    "verdict": "PASS",
    "bound": [19.0],
    "operator": "max",
    "margin": 0.5,
    "message": "sandbox-create p90 9.54 s <= 19.1 s",
}


def record(**changed: Any) -> Record:
    return Record.model_validate(FIELDS | changed)


def line(**changed: Any) -> str:
    return json.dumps(record().model_dump(by_alias=True) | changed)


def run(base: Path, name: str, **changed: Any) -> Path:
    """Write a run of two records and return its folder."""
    publish = base / "runs" / name / "publish"
    publish.mkdir(parents=True)
    write_lines(publish / "results.jsonl", [record(run=name, **changed), record(run=name, metric="other", **changed)])
    return publish.parent


@pytest.mark.parametrize("path", ["", "publish", "publish/results.jsonl"])
def test_a_run_is_read_by_its_folder_by_what_it_published_and_by_its_file(tmp_path: Path, path: str) -> None:
    folder = run(tmp_path, "one")

    found = list(read_runs([folder / path]))

    assert [(one.run, one.metric) for one in found] == [("one", "running"), ("one", "other")]
    assert found[0] == record(run="one")


def test_a_run_is_found_by_its_id_below_the_base(tmp_path: Path) -> None:
    folder = run(tmp_path, "one")

    assert find_run("one", tmp_path) == folder / "publish" / "results.jsonl"
    assert len(list(read_runs(["one"], base=tmp_path))) == 2


def test_a_replay_is_read_by_its_folder_and_not_with_its_run(tmp_path: Path) -> None:
    folder = run(tmp_path, "one")
    replay = folder / "replays" / "1"
    replay.mkdir(parents=True)
    write_lines(replay / "results.jsonl", [record(run="one", value=9.0)])

    assert [one.value for one in read_runs([replay])] == [9.0]
    assert [one.value for one in read_runs([folder])] == [2.5, 2.5]


def test_runs_come_in_the_order_given_and_the_same_run_named_twice_comes_once(tmp_path: Path) -> None:
    first, second = run(tmp_path, "one"), run(tmp_path, "two")

    found = [one.run for one in read_runs([second, first, "two", second / "publish"], base=tmp_path)]

    assert found == ["two", "two", "one", "one"]


def test_a_copy_of_a_run_is_the_run_and_one_that_says_other_numbers_is_refused(tmp_path: Path) -> None:
    folder, copy, other = run(tmp_path, "one"), run(tmp_path / "copy", "one"), run(tmp_path / "b", "one", value=3)

    assert len(list(read_runs([folder, copy]))) == 2
    with pytest.raises(UsageError) as caught:
        list(read_runs([folder, other]))
    assert f"{other / 'publish' / 'results.jsonl'}:1: running of local-x--p20 in run one is there already" in str(
        caught.value
    )
    assert f"{folder / 'publish' / 'results.jsonl'}:1" in str(caught.value)


def test_the_parts_of_a_sharded_run_are_one_run(tmp_path: Path) -> None:
    shards = [run(tmp_path / row, "one", cell=f"local-x--{row}", row=row) for row in ("p20", "p40")]

    assert {one.cell for one in read_runs(shards)} == {"local-x--p20", "local-x--p40"}


def test_a_run_that_is_not_there_is_refused_with_the_newest_there_are(tmp_path: Path) -> None:
    run(tmp_path, "one")

    with pytest.raises(UsageError, match=r"two: no such run.*newest in .*runs: one"):
        find_run("two", tmp_path)


def test_a_run_that_did_not_come_to_its_end_is_told_from_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "runs" / "one" / "publish").mkdir(parents=True)

    with pytest.raises(UsageError, match=r"no results.jsonl in it: the run did not come to its end"):
        find_run("one", tmp_path)


def test_schema_one_is_read_with_what_it_says_and_null_for_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text(json.dumps(V1_STAGE) + "\n" + json.dumps(V1_JUDGED) + "\n")

    stage, judged = read_results(file)

    assert (stage.cell, stage.scenario, stage.row, stage.engine) == (V1_STAGE["cell"], "x", "p20", "clusterloader2")
    assert (stage.value, stage.unit, stage.better, stage.reused) == (30.25, "s", "lower", None)
    assert (judged.bound, judged.bound_high, judged.operator, judged.better) == (19.0, None, "max", "lower")
    assert (judged.margin, judged.verdict, judged.reused, judged.position) == (0.5, "PASS", False, 1)
    unknown = ("started", "level", "low", "high", "labels", "window_start", "window_end", "arm", "repeat")
    assert [getattr(judged, name) for name in unknown] == [None] * len(unknown)


def test_of_schema_one_an_engine_that_the_id_does_not_name_is_null_and_a_range_has_two_bounds(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text(json.dumps(V1_JUDGED | {"cell": "local-x", "bound": [1, 5], "operator": "between"}))

    (judged,) = read_results(file)

    assert (judged.engine, judged.row) == (None, None)
    assert (judged.bound, judged.bound_high, judged.better) == (1, 5, None)


REFUSED = {
    "a newer schema": (line(schema=3), "schema 3 is newer than what is known here (2)"),
    "no schema": ("{}", "schema is None, expected a number from 1 to 2"),
    "a schema that is a text": (line(schema="2"), "schema is '2'"),
    "a schema that is true": (line(schema=True), "schema is True"),
    "an unknown field": (line(mood="good"), "unknown field 'mood'"),
    "Python's name of a field": (line(schema_version=2), "unknown field 'schema_version'"),
    "a missing field": (json.dumps({"schema": 2} | FIELDS).replace('"unit": "s", ', ""), "field 'unit' is missing"),
    "a text for a number": (line(value="2.5"), "value is '2.5': input should be a valid number"),
    "true for a number": (line(value=True), "value is True: input should be a valid number"),
    "a part of a repeat": (line(repeat=1.5), "repeat is 1.5"),
    "an unknown verdict": (line(verdict="GREEN"), "verdict is 'GREEN'"),
    "NaN": (line().replace("2.5", "NaN"), "NaN is no number; what was not measured is null"),
    "a number too large": (line().replace("2.5", "1e999"), "value is inf"),
    "a whole number too large": (line().replace("2.5", "1" + "0" * 400), "value is 1000"),
    "more digits than Python reads": (line().replace("2.5", "1" * 5000), "not JSON"),
    "half a character": (line().replace("running", "\\ud800", 1), "metric is"),
    "a key twice": (line().replace('"value": 2.5', '"value": 2.5, "value": 3'), "'value' is there twice"),
    "an interval upside down": (line(low=3, high=2), "low 3 is above high 2"),
    "half a range": (line(operator="between"), "bound_high belongs to `between`"),
    "a bound without its operator": (line(operator=None), "operator and bound belong together"),
    "a cell of another scenario": (
        line(scenario="y"),
        "cell 'local-x--p20' is not of provider 'local' and scenario 'y'",
    ),
    "a line cut short": (line()[:-40], "cut short"),
    "a line without its start": (line()[40:], "not JSON"),
    "no object": ("[1]", "a JSON object is expected, found [1]"),
    "a page": ("<html>", "not JSON"),
    "deep nesting": ("[" * 100_000, "not JSON"),
    "schema 1 with a field of another": (json.dumps(V1_STAGE | {"row": "p20"}), "schema 1 with unknown 'row'"),
    "schema 1 without a field": (json.dumps({**V1_STAGE, "schema": 1}).replace('"n": 1, ', ""), "schema 1 without n"),
    "schema 1 of no cell": (json.dumps(V1_STAGE | {"cell": "x"}), "'x' is not a cell"),
    "schema 1 with a bound of three": (json.dumps(V1_JUDGED | {"bound": [1, 2, 3]}), "bound: [1, 2, 3] is not a list"),
    "schema 1 with a text for a bound": (json.dumps(V1_JUDGED | {"bound": ["5"]}), "bound is '5'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_record_is_refused_by_file_line_and_reason(tmp_path: Path, name: str) -> None:
    file, (text, said) = tmp_path / "results.jsonl", REFUSED[name]
    file.write_text(f"{line(metric='first')}\n{text}")

    with pytest.raises(UsageError) as caught:
        list(read_results(file))

    assert str(caught.value).startswith(f"{file}:2: ")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_does_not_keep_the_rest_from_being_read(tmp_path: Path, name: str) -> None:
    file, told = tmp_path / "results.jsonl", list[UsageError]()
    file.write_text(f"{line(metric='first')}\n{REFUSED[name][0]}\n{line(metric='last')}\n")

    found = [one.metric for one in read_results(file, refused=told.append)]

    assert found == ["first", "last"]
    assert len(told) == 1


def test_a_number_said_twice_in_one_file_is_refused_with_both_lines(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text(f"{line()}\n{line(metric='x')}\n{line()}\n")

    with pytest.raises(UsageError, match=r"results\.jsonl:3: running of .* is there already, in .*results\.jsonl:1"):
        list(read_results(file))


def test_repeats_and_arms_of_a_comparison_are_different_numbers(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text("\n".join(line(arm=arm, repeat=repeat) for arm in "ab" for repeat in (1, 2)))

    assert len(list(read_results(file))) == 4


@pytest.mark.parametrize(
    "written",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.rstrip("\n"),
    ],
    ids=["line ends of Windows", "byte order mark", "empty lines", "no last line end"],
)
def test_how_an_editor_saves_lines_says_nothing(tmp_path: Path, written: Callable[[str], str]) -> None:
    file = tmp_path / "results.jsonl"
    file.write_bytes(written(f"{line()}\n{line(metric='x')}\n").encode())

    assert [one.metric for one in read_results(file)] == ["running", "x"]


def test_a_run_that_cannot_be_read_does_not_keep_others_from_being_read(tmp_path: Path) -> None:
    good, told = run(tmp_path, "one"), list[UsageError]()

    found = list(read_runs([tmp_path / "nothing", good], refused=told.append))

    assert len(found) == 2
    assert "no such run" in str(told[0])
