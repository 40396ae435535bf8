"""`telescope trend` over folders of runs, as a user calls it."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import pytest

from pytest_telescope.errors import UsageError
from pytest_telescope.trend import command
from tests.trend import made_runs
from tests.trend.test_trend_verdicts import METRIC
from tests.trend.test_trend_verdicts import records
from tests.trend.test_trend_verdicts import wave


def called(*words: str | Path) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    out = io.StringIO()
    return command.run(parser.parse_args([str(one) for one in words]), out), out.getvalue()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def worse(tmp_path: Path) -> Path:
    steady = [made_runs.record(n, "pod-startup", one, cell="local-cri--p60") for n, one in enumerate(wave(38))]
    return made_runs.write(tmp_path / "tel", [*records(wave(30) + wave(8, 2.5)), *steady])


def test_a_regression_fails_only_where_that_is_asked(worse: Path) -> None:
    code, told = called("--telescope-dir", worse)
    failing, _ = called("--telescope-dir", worse, "--fail")

    assert (code, failing) == (0, 1)
    assert "regression since 20260204-040000-001e" in told
    assert "2 series: 1 regression, 1 steady" in told


def test_what_is_steady_is_shown_on_demand_and_local_is_marked(worse: Path) -> None:
    _, few = called("--telescope-dir", worse)
    _, every = called("--telescope-dir", worse, "--all")

    assert "pod-startup" not in few
    assert "local-cri--p60  (functional: no performance figure of a cloud)" in every
    assert "steady over 38 runs" in every


def test_cells_metrics_and_days_are_chosen(worse: Path) -> None:
    _, cells = called("--telescope-dir", worse, "--all", "--cell", "local-*")
    _, metrics = called("--telescope-dir", worse, "--all", "--metric", METRIC)
    _, days = called("--telescope-dir", worse, "--all", "--since", "2026-02-08")
    _, runs = called("--telescope-dir", worse, "--all", "--since", made_runs.run_id(35))

    assert METRIC not in cells
    assert "pod-startup" not in metrics
    assert "too few to tell: 4 of 6 values" in days
    assert "too few to tell: 3 of 6 values" in runs


def test_json_holds_every_value_and_verdict(worse: Path) -> None:
    _, told = called("--telescope-dir", worse, "--format", "json")

    document = json.loads(told)
    first = document["series"][0]
    assert (document["schema"], first["state"], len(first["points"])) == (1, "regression", 38)
    assert first["changes"][0]["run"] == made_runs.run_id(30)


def test_runs_can_be_named_one_by_one(worse: Path) -> None:
    names = [made_runs.run_id(n) for n in range(12)]

    _, told = called("--telescope-dir", worse, "--all", *names)

    assert "steady over 12 runs" in told


def test_a_break_tells_what_changed(tmp_path: Path) -> None:
    found = [made_runs.record(n, METRIC, one, fingerprint="a" if n < 10 else "b") for n, one in enumerate(wave(20))]
    abouts = {
        (made_runs.run_id(9), made_runs.CELL): {"schema": 1, "facts": {"kernel": "6.1.0"}, "definition": "d"},
        (made_runs.run_id(10), made_runs.CELL): {"schema": 1, "facts": {"kernel": "6.6.2"}, "definition": "d"},
    }

    _, told = called("--telescope-dir", made_runs.write(tmp_path / "tel", found, abouts), "--all")

    assert f"break at {made_runs.run_id(10)}: kernel 6.1.0 -> 6.6.2" in told


@pytest.mark.parametrize("about", [None, [], {"schema": 1}, {"facts": 7, "parts": "x"}])
def test_a_break_whose_reason_cannot_be_read_is_still_a_break(tmp_path: Path, about: object) -> None:
    found = [made_runs.record(n, METRIC, one, fingerprint="a" if n < 10 else "b") for n, one in enumerate(wave(20))]
    base = made_runs.write(tmp_path / "tel", found)
    if about is not None:
        for number in (9, 10):
            cell = base / "runs" / made_runs.run_id(number) / "publish" / "cells" / made_runs.CELL
            cell.mkdir(parents=True)
            (cell / "cell.json").write_text(json.dumps(about))

    _, told = called("--telescope-dir", base, "--all")

    assert f"break at {made_runs.run_id(10)}: " in told


def test_acknowledged_changes_are_read_from_the_folder_and_are_not_red(worse: Path, tmp_path: Path) -> None:
    (tmp_path / "trend.acks.yaml").write_text(
        f"- {{cell: 'aks-*', metric: {METRIC}, run: {made_runs.run_id(30)}, reason: agreed}}\n"
        "- {cell: nowhere, metric: x, run: y, reason: z}\n"
    )

    code, told = called("--telescope-dir", worse, "--all", "--fail")

    assert code == 0
    assert f"known since {made_runs.run_id(30)}: agreed" in told
    assert "note: acknowledged, but no change: nowhere x at y" in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b", "a list is expected"),
        ("- {cell: a, metric: b, run: c}", "'reason' is missing"),
        ("- {cell: a, metric: b, run: 20260101, reason: d}", "'run' is 20260101"),
        ("- {cell: a, metric: b, run: c, reason: d, until: e}", "unknown key 'until'"),
        ("- 7", "found 7"),
        ("{", "cannot be read"),
    ],
)
def test_a_file_of_acknowledgements_that_is_wrong_is_refused(worse: Path, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "trend.acks.yaml").write_text(text)

    with pytest.raises(UsageError, match=said):
        called("--telescope-dir", worse)


def test_a_damaged_run_among_many_is_told_and_the_rest_is_read(worse: Path) -> None:
    file = worse / "runs" / made_runs.run_id(3) / "publish" / "results.jsonl"
    file.write_bytes(file.read_bytes()[:-40])

    _, told = called("--telescope-dir", worse)

    assert f"note: {file}:2: " in told
    assert "regression since" in told


def test_a_damaged_run_that_was_named_is_refused(worse: Path) -> None:
    file = worse / "runs" / made_runs.run_id(3) / "publish" / "results.jsonl"
    file.write_text('{"schema": 99}\n')

    with pytest.raises(UsageError, match="schema 99 is newer"):
        called("--telescope-dir", worse, made_runs.run_id(3))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--telescope-dir", "nowhere"], "no run with results in it"),
        (["no-such-run"], "no such run"),
        (["--telescope-dir", "tel", "--since", "yesterday"], "expected a day"),
        (["--telescope-dir", "tel", "--metric", "nothing"], "no series: nothing fits --cell .+ --metric nothing"),
        (["--telescope-dir", "tel", "--noise", "nothing.json"], "no such file"),
        (["--telescope-dir", "tel", "--acks", "nothing.yaml"], "cannot be read"),
        (["--telescope-dir", "tel", "--html", "no/such/folder.html"], "cannot be written"),
    ],
)
@pytest.mark.usefixtures("worse")
def test_bad_input_is_refused_with_what_to_do(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        called(*words)


def test_a_noise_floor_beside_the_runs_hides_what_is_smaller(worse: Path) -> None:
    from pytest_telescope.statistics import noise
    from pytest_telescope.statistics import variation

    fields = {"scale": "log", "spread": 0.3, "df": 9, "runs": 10, "pairs": 0, "cv": 0.31}
    known = {name: fields.get(name) for name in variation.Variation.__dataclass_fields__}
    floor = noise.Noise(
        cell=made_runs.CELL,
        metric=METRIC,
        unit="s",
        fingerprint=None,
        sessions=(made_runs.run_id(0),),
        variation=variation.Variation(**known),  # type: ignore[arg-type]  # None stands where nothing is known
    )
    noise.write(worse / "noise.json", [floor])

    _, told = called("--telescope-dir", worse)

    assert "2 series: 2 steady" in told


def test_a_terminal_without_unicode_gets_a_plain_line(worse: Path) -> None:
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")

    command.run(parser.parse_args(["--telescope-dir", str(worse)]), out)
    out.flush()

    assert b"regression since" in raw.getvalue()
