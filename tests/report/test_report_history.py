"""A history carries each run once, and shows beside a run only what may be compared with it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.errors import UsageError
from pytest_telescope.report import history
from pytest_telescope.report.history import Identity

CELL = "aks-cri--p300"
KEY = f"{CELL}/sandbox-create"
DAY = 86_400.0


def identity(run: str, day: float, *, cells: tuple[str, ...] = (CELL,), fingerprint: str | None = "f") -> Identity:
    return Identity(runs=(run,), cells=cells, started=day * DAY, fingerprints={KEY: fingerprint})


def point(value: float = 1.0) -> dict[str, Any]:
    return {"uuid": "u", "name": "n", "timestamp": 1, "testResults": {}, "metrics": {KEY: value}}


def runs(points: list[dict[str, Any]]) -> list[str]:
    return [point["telescope"]["runs"][0] for point in points]


def test_a_file_that_is_not_there_is_an_empty_history(tmp_path: Path) -> None:
    assert history.read(tmp_path / "history.jsonl") == []


def test_the_same_run_made_twice_is_in_it_once_with_its_newest_values(tmp_path: Path) -> None:
    file = tmp_path / "below" / "history.jsonl"
    history.remember(file, point(1.0), identity("a", 1))

    count = history.remember(file, point(2.0), identity("a", 1))

    assert count == 1
    assert [found["metrics"][KEY] for found in history.read(file)] == [2.0]


def test_the_merged_report_of_a_sharded_run_replaces_those_of_its_parts(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    history.remember(file, point(), identity("a", 1))
    history.remember(file, point(), identity("b", 1, cells=("eks-cri--p300",)))

    history.remember(file, point(), Identity(runs=("a", "b"), cells=(CELL,), started=DAY))

    assert [found["telescope"]["runs"] for found in history.read(file)] == [["a", "b"]]


def test_a_run_goes_where_it_began_not_where_it_was_reported(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    for run, day in (("c", 3), ("a", 1), ("b", 2)):
        history.remember(file, point(), identity(run, day))

    assert runs(history.read(file)) == ["a", "b", "c"]


def test_beside_a_run_stand_only_earlier_runs_that_share_a_cell(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    history.remember(file, point(), identity("earlier", 1))
    history.remember(file, point(), identity("local", 1.5, cells=("local-cri--p60",)))
    history.remember(file, point(), identity("itself", 2))
    history.remember(file, point(), identity("later", 3))

    beside = history.comparable(history.read(file), identity("itself", 2))

    assert runs(list(beside.points)) == ["earlier"]


def test_a_number_measured_under_another_fingerprint_is_left_out_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    history.remember(file, point(1.0), identity("before", 1, fingerprint="old"))
    history.remember(file, point(2.0), identity("after", 2))

    beside = history.comparable(history.read(file), identity("now", 3))

    assert [found["metrics"] for found in beside.points] == [{}, {KEY: 2.0}]
    assert beside.broken == 1
    assert beside.baseline() == {KEY: 2.0}


@pytest.mark.parametrize(("then", "now"), [(None, "f"), ("f", None), (None, None)])
def test_a_number_of_unknown_fingerprint_is_compared_with_nothing(
    then: str | None, now: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "history.jsonl"
    history.remember(file, point(1.0), identity("before", 1, fingerprint=then))

    beside = history.comparable(history.read(file), identity("now", 2, fingerprint=now))

    assert beside.baseline() == {}
    assert beside.broken == 1


def test_what_is_no_longer_asked_is_left_out_and_is_no_break(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    history.remember(file, point(1.0), identity("before", 1))

    beside = history.comparable(history.read(file), Identity(runs=("now",), cells=(CELL,), started=2 * DAY))

    assert beside.baseline() == {}
    assert beside.broken == 0


def test_a_break_back_to_an_older_fingerprint_compares_with_the_older_runs(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    history.remember(file, point(1.0), identity("a", 1, fingerprint="old"))
    history.remember(file, point(2.0), identity("b", 2, fingerprint="new"))

    beside = history.comparable(history.read(file), identity("c", 3, fingerprint="old"))

    assert beside.baseline() == {KEY: 1.0}


def test_of_every_cell_the_newest_runs_are_kept_however_often_others_ran(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    history.remember(file, point(), identity("cloud", 1), limit=2)
    for number in range(5):
        history.remember(file, point(), identity(f"local-{number}", 2 + number, cells=("local-cri--p60",)), limit=2)

    assert runs(history.read(file)) == ["cloud", "local-3", "local-4"]


def test_points_that_allure_wrote_by_itself_are_kept_and_shown(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text(json.dumps(point()) + "\n\n")

    beside = history.comparable(history.read(file), Identity(runs=("a",), cells=(CELL,), started=DAY))

    assert len(beside.points) == 1
    assert beside.points[0]["metrics"] == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ('{"testResults": {}', "not JSON"),
        ("[]", "no point of a report's history"),
        ('{"timestamp": 1}', "no point of a report's history"),
        ('{"timestamp": "1", "testResults": {}}', "no point of a report's history"),
        ('{"timestamp": 1, "testResults": []}', "no point of a report's history"),
        ('{"timestamp": 1, "testResults": {}, "metrics": [1]}', "no point of a report's history"),
        ('{"timestamp": 1, "testResults": {}, "metrics": {"a": "fast"}}', "no point of a report's history"),
        ('{"timestamp": 1, "testResults": {}, "telescope": {"cells": "aks"}}', "no point of a report's history"),
        ('{"timestamp": NaN, "testResults": {}}', "no point of a report's history"),
    ],
)
def test_a_line_that_is_no_point_is_refused_with_its_place(line: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text(json.dumps(point()) + "\n" + line + "\n")

    with pytest.raises(UsageError, match=rf"history\.jsonl:2: .*{said}"):
        history.read(file)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_bytes(b"\x1f\x8b\x08\x00\xff\xfe")

    with pytest.raises(UsageError, match=r"history\.jsonl: .*not text"):
        history.read(file)


def test_reports_made_at_the_same_time_are_all_remembered(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    threads = [
        threading.Thread(target=history.remember, args=(file, point(), identity(f"r{number}", number)))
        for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert len(history.read(file)) == 12
    assert list(tmp_path.glob("*.partial")) == []
