"""A run is found by id, folder, publish, replay or results; what is none is refused with what there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_telescope.errors import UsageError
from pytest_telescope.report import sources

RUN = "20261126-025419-4c90"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    publish = tmp_path / "runs" / RUN / "publish"
    for results in (publish / "allure-results", publish.parent / "replays" / "2" / "allure-results"):
        results.mkdir(parents=True)
        (results / "1-result.json").write_text("{}")
    (publish / "verdict.json").write_text(json.dumps({"verdict": "FAIL", "cause": "slo"}))
    return tmp_path


@pytest.mark.parametrize("below", ["", "publish", "publish/allure-results"])
def test_a_run_is_found_by_every_one_of_its_folders(below: str, base: Path) -> None:
    [found] = sources.find([str(base / "runs" / RUN / below)], base)

    assert (found.run, found.publish) == (RUN, base / "runs" / RUN / "publish")
    assert not found.replay
    assert found.verdict == "FAIL (slo)"


def test_a_run_is_found_by_its_id(base: Path) -> None:
    assert sources.find([RUN], base)[0].run == RUN


def test_a_run_named_twice_is_there_once(base: Path) -> None:
    assert len(sources.find([RUN, str(base / "runs" / RUN)], base)) == 1


def test_a_replay_is_known_as_one(base: Path) -> None:
    [found] = sources.find([str(base / "runs" / RUN / "replays" / "2")], base)

    assert found.replay
    assert found.run == f"{RUN}-replay-2"


def test_a_downloaded_artifact_is_named_by_what_is_in_it(base: Path, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    (base / "runs" / RUN / "publish").rename(drop)
    (drop / "results.jsonl").write_text(json.dumps({"run": "20260101-000000-ffff"}) + "\n")

    assert sources.find([str(drop)], base)[0].run == "20260101-000000-ffff"


def test_results_alone_are_enough(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "x-result.json").write_text("{}")

    [found] = sources.find([str(folder)], tmp_path)

    assert (found.run, found.results) == ("mine", folder)


def test_an_unknown_run_is_refused_with_the_newest(base: Path) -> None:
    with pytest.raises(UsageError, match=rf"^nothing: no such run; the newest in .*{RUN}"):
        sources.find(["nothing"], base)


def test_a_run_without_results_is_refused_with_the_reasons(base: Path) -> None:
    (base / "runs" / "empty" / "publish" / "allure-results").mkdir(parents=True)

    with pytest.raises(UsageError, match=r"no Allure results in it .*--alluredir"):
        sources.find(["empty"], base)


def test_two_runs_of_one_cell_are_no_parts_of_one_run(base: Path) -> None:
    [one] = sources.find([RUN], base)

    with pytest.raises(UsageError, match=r"aks-cri is in both .* oldest first"):
        sources.check_disjoint([one, one], [["aks-cri"], ["aks-cri", "eks-cri"]])
