"""Prometheus itself reads every query before anything is built, and is not asked twice."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope import cells
from pytest_telescope.errors import ToolError
from pytest_telescope.scenario.command import all_cells
from pytest_telescope.scenario.model import Cell
from pytest_telescope.slo import library
from pytest_telescope.slo.parsing import asked
from pytest_telescope.slo.parsing import syntax
from pytest_telescope.slo.parsing import unreadable
from pytest_telescope.slo.planned import Planned
from pytest_telescope.slo.resolve import resolve
from pytest_telescope.toolchain import tool
from tests.slo.test_resolving import EVERYTHING
from tests.slo.test_resolving import cell


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Remember answers in a folder of the test, and let promtool be the one that is built."""
    monkeypatch.setenv("TELESCOPE_TOOL_PROMTOOL", str(tool("promtool")))
    monkeypatch.setenv("TELESCOPE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def planned(made: Cell) -> Planned:
    return Planned(cell=made, slos=resolve(made, EVERYTHING), skip=None, cluster="x")


def broken(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program in the place of promtool."""
    program = folder / "promtool"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("TELESCOPE_TOOL_PROMTOOL", str(program))


def test_what_prometheus_cannot_read_is_told_in_its_own_words() -> None:
    found = syntax(
        {
            "open": "sum(rate(a[${w}])",
            "type": "rate(a)",
            "regex": 'a{b=~"("}',
            "empty": "",
            "sound": "sum by (le) (rate(a_bucket[%v])) * ${w_s} # ${nodes} 😀",
            "lines": "sum(\n\na\n)",
        }
    )

    assert found == {
        "open": "1:18: parse error: unclosed left parenthesis",
        "type": '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
        "regex": "1:3: parse error: error parsing regexp: missing closing ): `(`",
        "empty": "field 'expr' must be set in rule",
    }


def test_columns_are_those_of_what_is_written() -> None:
    written = 'max_over_time(a{n=~"${nodes}"}[${w}:${scrape}] @ ${end}) * ${w_s} - (a @ ${start}) / rate(a[%v]) )'

    found = syntax({"a": written})

    assert found["a"].startswith(f"1:{written.rindex(')') + 1}: parse error")


def test_a_second_run_asks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> None:
    texts = {"sound": "max(a)", "wrong": "max(a"}
    counting = f'echo asked >> {tmp_path}/times; exec {tool("promtool")} "$@"'
    broken(tmp_path, monkeypatch, counting)

    first = syntax(texts)
    again = syntax({"other name": "max(a", "sound": "max(a)"})

    assert list(first) == ["wrong"]
    assert again == {"other name": first["wrong"]}
    assert (tmp_path / "times").read_text() == "asked\n"
    assert len(list((empty_cache / "promql").iterdir())) == 1


def test_another_promtool_is_asked_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> None:
    syntax({"a": "max(a)"})
    broken(tmp_path, monkeypatch, f'exec {tool("promtool")} "$@"')
    syntax({"a": "max(a)"})

    assert len(list((empty_cache / "promql").iterdir())) == 2


def test_answers_that_are_no_json_are_asked_again(empty_cache: Path) -> None:
    syntax({"a": "max(a)"})
    file = next((empty_cache / "promql").iterdir())
    file.write_text("{", encoding="utf-8")

    assert list(syntax({"a": "max(a"})) == ["a"]
    assert json.loads(file.read_text(encoding="utf-8"))


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TELESCOPE_CACHE_DIR", str(tmp_path / "file"))

    assert list(syntax({"a": "max(a"})) == ["a"]


@pytest.mark.parametrize("script", ["echo broken; exit 3", "exit 2"])
def test_promtool_that_says_nothing_of_a_query_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    broken(tmp_path, monkeypatch, script)

    with pytest.raises(ToolError, match="named none of them"):
        syntax({"a": "max(a)"})


def test_thousand_queries_are_read_by_one_process_within_a_second() -> None:
    before = os.times()
    found = syntax({str(n): f"sum(rate(a{n}_total[${{w}}]))" for n in range(1000)})
    after = os.times()

    assert found == {}
    assert after.user + after.children_user - before.user - before.children_user < 1.0


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"query": "max(max_over_time(a[${w}]), 3)", "unit": "count", "max": 1}, "query: Prometheus cannot read it"),
        ({"bad": "a_total", "total": "b_total", "where": 'code=~"(5.."', "max": "1%"}, "where: Prometheus cannot"),
        ({"bad": 'a_total{code=~"(5"}', "total": "b_total", "max": "1%"}, "bad: Prometheus cannot read it"),
        ({"counter": "a_total{code=5}", "max": 1}, "counter: Prometheus cannot read it"),
        ({"counter": "a_total{code=5}", "max": 1, "window": "peak(5m)"}, "counter: Prometheus cannot read it"),
    ],
)
def test_the_key_that_prometheus_cannot_read_is_named(keys: dict[str, Any], told: str) -> None:
    found = unreadable([planned(cell({"id": "mine", **keys}))])

    assert len(found) >= 1
    assert any(line.startswith("scenarios/cri/scenario.yaml:7: slo mine: ") and told in line for line in found)


@pytest.mark.parametrize("window", ["whole", "sliding(5m)"])
def test_what_the_forms_become_is_read_too(window: str) -> None:
    made = cell(
        {"id": "h", "histogram": ["a_seconds", "b_seconds"], "by": ["node"], "p": 90, "max": "1s", "window": window},
        {"id": "r", "bad": 'a_total{code="5"}', "total": "b_total", "max": "1%", "window": window},
        {"id": "c", "counter": "c_total", "where": 'code="5"', "job": "j", "max": 0, "window": window},
    )

    keys = [key for slo in resolve(made, EVERYTHING) for key, _ in asked(slo) if slo.id in {"h", "r", "c"}]
    assert keys == ["histogram", "histogram", "bad", "total", "where", "counter"]
    assert unreadable([planned(made)]) == []


def test_library_is_read() -> None:
    names = [name for name in library.entries() if not name.startswith("builtin/")]
    made = cell(*({"use": name, "id": name.replace("/", "-")} for name in names))

    assert unreadable([planned(made)]) == []


def test_shipped_scenarios_are_read() -> None:
    plans = [cells.planned(one) for name in cells.scenario_names() for one in all_cells(cells.scenario(name))]

    assert plans
    assert unreadable(plans) == []
