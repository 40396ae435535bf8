"""Records of a run: what was not measured stays null, and nothing is lost because one number is wrong."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_telescope import paths
from pytest_telescope.cluster.cost.model import Estimate
from pytest_telescope.cluster.cost.model import Part
from pytest_telescope.cluster.cost.model import recorded
from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.model import PodAccount
from pytest_telescope.load.store import save
from pytest_telescope.report import records
from pytest_telescope.report import results_schema
from pytest_telescope.report.fingerprint import fingerprint
from pytest_telescope.report.folder import CellFolder
from pytest_telescope.report.folder import RunFolder
from pytest_telescope.report.reading import read_results
from pytest_telescope.report.record import Record
from pytest_telescope.report.records import Unrecorded

CELL = "local-x--p20--resource-consumer"
ABOUT = {
    "schema": 2,
    "cell": CELL,
    "engine": "resource-consumer",
    "fingerprint": "abc",
    "parts": {"kernel": "6.1.0"},
    "measures": {"running": {"p": 99, "form": "histogram"}, "cache": {"form": "query"}},
    "reused": False,
    "position": 1,
}
JUDGEMENT = {
    "slo": "running",
    "verdict": "PASS",
    "message": "running p99 2 s <= 5 s",
    "unit": "s",
    "bound": {"operator": "max", "values": [5.0], "unit": "s", "text": "5s", "note": ""},
    "value": 2.0,
    "count": 300.0,
    "margin": 0.6,
    "labels": {"verb": "LIST", "node": "n1"},
    "bucket": [1.0, 2.5],
    "interval": [1.0, math.inf],
    "window": [100.0, 160.0],
    "level": "gate",
}


def cell(tmp_path: Path, *judgements: dict[str, Any], name: str = CELL) -> CellFolder:
    folder = RunFolder(tmp_path / "run").cell(name)
    folder.write("cell.json", ABOUT)
    folder.append("status.jsonl", {"stage": "load", "started": 10.0, "ended": 12.5, "outcome": "done"})
    for judgement in judgements:
        folder.append("judgements.jsonl", JUDGEMENT | judgement)
    return folder


def found(folder: CellFolder, name: str = CELL) -> dict[str, Record]:
    made = list(records.cell_records("run", name, folder))
    kept = {one.metric: one for one in made if isinstance(one, Record)}
    assert len(kept) == len(made), [str(one) for one in made if isinstance(one, Unrecorded)]
    return kept


def test_a_judgement_is_one_flat_record_with_all_that_compares_it(tmp_path: Path) -> None:
    record = found(cell(tmp_path, {}))["running"]

    assert record.model_dump(by_alias=True) == {
        "schema": 2,
        "run": "run",
        "started": 10.0,
        "cell": CELL,
        "provider": "local",
        "scenario": "x",
        "row": "p20",
        "engine": "resource-consumer",
        "arm": None,
        "repeat": None,
        "metric": "running",
        "slo": "running",
        "value": 2.0,
        "unit": "s",
        "n": 300.0,
        "low": 1.0,
        "high": None,
        "better": "lower",
        "verdict": "PASS",
        "level": "gate",
        "operator": "max",
        "bound": 5.0,
        "bound_high": None,
        "margin": 0.6,
        "labels": "node=n1,verb=LIST",
        "message": "running p99 2 s <= 5 s",
        "window_start": 100.0,
        "window_end": 160.0,
        "fingerprint": fingerprint(ABOUT, {"p": 99, "form": "histogram"}),
        "functional": True,
        "reused": False,
        "position": 1,
    }


def test_a_number_that_was_not_measured_is_null(tmp_path: Path) -> None:
    nothing: dict[str, Any] = {
        "value": None,
        "count": None,
        "margin": None,
        "interval": None,
        "labels": {},
        "bound": None,
    }

    record = found(cell(tmp_path, {**nothing, "verdict": "INVALID"}))["running"]

    assert (record.value, record.n, record.low, record.high, record.margin) == (None,) * 5
    assert (record.bound, record.operator, record.better, record.labels) == (None,) * 4
    assert record.verdict == "INVALID"


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_value_that_is_no_number_is_null_and_the_document_stays_json(tmp_path: Path, value: float) -> None:
    record = found(cell(tmp_path, {"value": value, "verdict": "FAIL"}))["running"]

    assert json.loads(record.model_dump_json(), parse_constant=pytest.fail)["value"] is None


@pytest.mark.parametrize(
    ("operator", "values", "better"),
    [
        ("max", [5], "lower"),
        ("below", [5], "lower"),
        ("min", [5], "higher"),
        ("above", [5], "higher"),
        ("equals", [5], None),
        ("between", [1, 5], None),
    ],
)
def test_which_way_is_good_follows_from_the_bound(
    tmp_path: Path, operator: str, values: list[float], better: str | None
) -> None:
    bound = {"operator": operator, "values": values, "unit": "s", "text": "5s", "note": ""}

    record = found(cell(tmp_path, {"bound": bound}))["running"]

    assert record.better == better
    assert (record.bound, record.bound_high) == (values[0], values[1] if len(values) == 2 else None)


def test_without_a_window_of_its_own_a_record_has_that_of_the_recording(tmp_path: Path) -> None:
    folder = cell(tmp_path, {"window": None})
    folder.sub("recording")
    folder.path.joinpath("recording/recording.json").write_text('{"window": {"start": 90.5, "end": 170.5}}')

    record = found(folder)["running"]

    assert (record.window_start, record.window_end) == (90.5, 170.5)


def test_a_stage_is_a_record_of_its_seconds(tmp_path: Path) -> None:
    record = found(cell(tmp_path))["load_duration_seconds"]

    assert (record.value, record.unit, record.n, record.better) == (2.5, "s", 1, "lower")
    assert (record.slo, record.verdict, record.message) == (None, None, None)
    assert record.fingerprint == fingerprint(ABOUT)


def test_a_stage_that_failed_has_no_duration_but_says_why(tmp_path: Path) -> None:
    folder = cell(tmp_path)
    folder.append(
        "status.jsonl", {"stage": "destroy", "started": 20.0, "ended": 50.0, "outcome": "failed: a leak\nmore"}
    )

    record = found(folder)["destroy_duration_seconds"]

    assert (record.value, record.n, record.message) == (None, 0, "after 30.0 s: failed: a leak")


def test_a_cell_that_was_never_provisioned_is_named_by_its_id(tmp_path: Path) -> None:
    name = f"{CELL}--ab-a-5-s-2"
    folder = RunFolder(tmp_path / "run").cell(name)
    folder.append("status.jsonl", {"stage": "provision", "started": 1.0, "ended": 2.0, "outcome": "failed: no room"})

    record = found(folder, name)["provision_duration_seconds"]

    assert (record.cell, record.arm, record.repeat, record.engine) == (CELL, "a-5-s", 2, "resource-consumer")
    assert (record.fingerprint, record.reused) == (None, None)


def test_an_arm_of_a_comparison_is_recorded_under_the_cell_it_is_of(tmp_path: Path) -> None:
    folder = cell(tmp_path, {})
    folder.write("cell.json", ABOUT | {"of": CELL, "arm": "b-x", "repeat": 3})

    record = found(folder)["running"]

    assert (record.cell, record.arm, record.repeat) == (CELL, "b-x", 3)


def test_what_the_load_says_of_itself_is_recorded_with_its_unit(tmp_path: Path) -> None:
    folder = cell(tmp_path)
    facts: dict[str, float | int | str] = {
        "achieved_rate": 4.001,
        "harness_cpu_seconds": 0.9,
        "pod_millicores": 24,
        "image": "x:1",
        "watch_gaps": 0,
    }
    pods = PodAccount(created=10, running=8, failed=1, never_ran=1, reasons={"Unschedulable": 1})
    save(
        LoadResult(outcome="incomplete", started=0, ended=1, steps={}, pods=pods, starts=(), facts=facts),
        folder.sub("load"),
    )

    made = {name: (one.value, one.unit, one.better) for name, one in found(folder).items()}

    assert made["load_pods_created"] == (10, "count", None)
    assert made["load_pods_never_ran"] == (1, "count", "lower")
    assert made["load_achieved_rate"] == (4.001, "/s", "higher")
    assert made["load_pod_cores"] == (0.024, "cores", None)
    assert made["harness_cpu_seconds"] == (0.9, "s", "lower")
    assert made["load_watch_gaps"] == (0, "count", "lower")
    assert "cl2_cpu_seconds" not in made, "another engine's"


def test_a_price_is_recorded_in_dollars_and_null_where_a_part_of_it_is_not_known(tmp_path: Path) -> None:
    folder, parts = cell(tmp_path), (Part(name="node", low=1.5, high=2.5),)
    known = Estimate(provider="aks", region="x", parts=parts)
    folder.write("cost.json", recorded(known, 3600, 7200) | {"usd_so_far": 0.75})
    priced = found(folder)
    unknown = Estimate(provider="aks", region="x", parts=parts, unknown=("disk",))
    folder.write("cost.json", recorded(unknown, 3600, 7200) | {"usd_so_far": None})
    unpriced = found(folder)

    assert (priced["cost_usd"].value, priced["cost_usd"].unit) == (0.75, "USD")
    assert (priced["cost_usd_per_hour"].value, priced["cost_usd_per_hour"].unit) == (2.5, "USD/h")
    assert (unpriced["cost_usd"].value, unpriced["cost_usd_per_hour"].value, unpriced["cost_usd"].n) == (None, None, 0)


def test_an_slo_that_was_judged_twice_is_recorded_once_as_it_was_judged_last(tmp_path: Path) -> None:
    record = found(cell(tmp_path, {"value": 9.0, "verdict": "FAIL"}, {"value": 2.0}))["running"]

    assert (record.value, record.verdict) == (2.0, "PASS")


def test_what_is_no_record_is_named_and_all_others_are_written(tmp_path: Path) -> None:
    folder = cell(tmp_path, {}, {"slo": "cache", "value": "much", "unit": None})
    file = tmp_path / "results.jsonl"

    reasons = records.write_lines(file, records.cell_records("run", CELL, folder))

    assert [one.metric for one in read_results(file)] == ["load_duration_seconds", "running"]
    assert len(reasons) == 1
    assert reasons[0].startswith(f"unrecorded {CELL} cache: value is 'much': ")
    assert "unit is None" in reasons[0]
    assert records.verdict({}, reasons)["verdict"] == "ERROR"


def test_a_file_of_the_cell_that_cannot_be_read_is_named_and_costs_no_other_number(tmp_path: Path) -> None:
    folder = cell(tmp_path, {}, {"slo": "cache", "bound": "5 s"})
    for name in ("load/load.json", "recording/recording.json"):
        folder.sub(name.partition("/")[0])
        folder.path.joinpath(name).write_text('{"pods": {"crea')
    file = tmp_path / "results.jsonl"

    reasons = records.write_lines(file, records.cell_records("run", CELL, folder))

    assert [one.metric for one in read_results(file)] == ["load_duration_seconds", "running"]
    assert [one.split(":")[0] for one in reasons] == [f"unrecorded {CELL} load", f"unrecorded {CELL} cache"]


def test_a_replay_has_no_fingerprint_unless_it_is_told_what_it_judged_by(tmp_path: Path) -> None:
    folder = CellFolder(tmp_path / "run" / "replays" / "1" / "cells" / CELL)
    folder.write("cell.json", ABOUT)
    folder.append("judgements.jsonl", JUDGEMENT)

    assert found(folder)["running"].fingerprint is None


def test_every_written_line_is_valid_by_the_published_schema(tmp_path: Path) -> None:
    published = json.loads((paths.checkout() / "docs" / "results.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    validator = jsonschema.Draft202012Validator(published)
    file = tmp_path / "results.jsonl"
    records.write_lines(file, records.cell_records("run", CELL, cell(tmp_path, {}, {"slo": "cache", "value": None})))
    lines = [json.loads(line) for line in file.read_text().splitlines()]

    assert len(lines) == 3
    assert [error.message for line in lines for error in validator.iter_errors(line)] == []
    assert not validator.is_valid(lines[0] | {"value": "2"})
    assert not validator.is_valid(lines[0] | {"more": 1})
    assert not validator.is_valid({key: value for key, value in lines[0].items() if key != "value"})


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = (paths.checkout() / "docs" / "results.schema.json").read_text(encoding="utf-8")

    assert published == results_schema.text(), (
        "run: python -m pytest_telescope.report.results_schema > docs/results.schema.json"
    )


def test_every_field_of_the_schema_says_what_it_is() -> None:
    fields = results_schema.schema()["properties"]

    assert [name for name, field in fields.items() if not field.get("description")] == []


def test_perfdata_has_an_item_for_every_slo_value_and_none_where_there_is_none(tmp_path: Path) -> None:
    root = RunFolder(tmp_path / "run").publish
    folder = cell(tmp_path, {}, {"slo": "cache", "value": None, "verdict": "INVALID"})

    assert records.write_results(root, records.cell_records("run", CELL, folder)) == []

    (file,) = folder.path.glob("perfdata/*")
    assert file.name == f"Telescope Slos_{CELL}_1970-01-01T000240Z.json"
    assert json.loads(file.read_text()) == {
        "version": "v1",
        "dataItems": [{"data": {"Perc99": 2.0}, "unit": "s", "labels": {"Metric": "running"}}],
        "labels": {"test": CELL, "run": "run"},
    }


def test_a_last_line_cut_short_by_a_kill_is_left_out(tmp_path: Path) -> None:
    folder = cell(tmp_path, {})
    with (folder.path / "judgements.jsonl").open("a") as stream:
        stream.write('{"slo": "half')

    assert [record["slo"] for record in folder.records("judgements.jsonl")] == ["running"]
