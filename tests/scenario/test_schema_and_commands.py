"""The published schema fits what the loader reads; list and validate say what is there."""

from __future__ import annotations

import io
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_telescope import paths
from pytest_telescope.scenario import command
from pytest_telescope.scenario import schema
from pytest_telescope.scenario.document import read
from pytest_telescope.scenario.placeholders import plain

DATA = Path(__file__).parent / "data"
SHIPPED = paths.checkout() / "scenarios"
FILES = sorted([*DATA.glob("*/scenario.yaml"), *SHIPPED.glob("*/scenario.yaml")])


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    made = schema.schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def document(path: Path) -> Any:
    return json.loads(json.dumps(plain(read(path))))


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = (paths.checkout() / "docs" / "scenario.schema.json").read_text(encoding="utf-8")

    assert published == schema.text(), "run: python -m pytest_telescope.scenario.schema > docs/scenario.schema.json"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}-{path.parts[-2]}")
def test_the_schema_accepts_what_the_loader_accepts(path: Path, validator: jsonschema.Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(document(path))] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("slo",), []),
        (("component",), "kublet"),
        (("load", "resource-consumer", "hold"), 30),
        (("load", "resource-consumer", "rate"), "10"),
        (("load", "resource-consumer", "pods"), "many"),
        (("cluster", "pools", "user", "maxpods"), 3),
        (("matrix", "p300", "pods"), [1]),
        (("matrix", "P300"), {"pods": 1}),
        (("on", "azure"), {}),
        (("on", "aks", "name"), "x"),
        (("on", "local", "load"), {"resource-consumer": {"rte": "1/s"}}),
        (("on", "local", "slos", "pod-startup"), {"pp": 1}),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(
    path: tuple[str, ...], value: object, validator: jsonschema.Draft202012Validator
) -> None:
    written = document(DATA / "cri" / "scenario.yaml")
    target = written
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value

    assert list(validator.iter_errors(written))


def properties(part: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict):
        for key, value in part.get("properties", {}).items():
            yield f"{path}.{key}", value
        for key, value in part.items():
            yield from properties(value, f"{path}.{key}")


def test_every_key_is_described() -> None:
    named = {
        key: part for key, part in schema.schema()["$defs"].items() if not key.endswith("Patch") and key != "Overlay"
    }

    bare = [path for path, part in properties(named) if "description" not in part]
    assert bare == []


def test_list_shows_every_scenario_with_its_rows() -> None:
    stream = io.StringIO()

    code = command.list_scenarios(stream, DATA)

    lines = stream.getvalue().splitlines()
    assert code == command.OK
    assert lines[0].split() == ["SCENARIO", "COMPONENT", "PROVIDERS", "ROWS", "ENGINES", "DESCRIPTION"]
    assert [line.split()[0] for line in lines[1:]] == ["api-server", "cri", "pod-startup"]
    assert "aks eks: p300 p700; local: p60" in lines[2]


def test_list_shows_the_right_ones_beside_the_wrong_ones(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "scenario.yaml").write_text("nme: bad\n", encoding="utf-8")
    (tmp_path / "pod-startup").symlink_to(DATA / "pod-startup")
    stream = io.StringIO()

    code = command.list_scenarios(stream, tmp_path)

    assert code == command.BAD_INPUT
    assert "\npod-startup " in stream.getvalue()
    assert "bad/scenario.yaml:1: nme: unknown key 'nme'; did you mean 'name'?" in stream.getvalue()


def test_validate_resolves_every_cell() -> None:
    stream = io.StringIO()

    code = command.validate(stream, DATA)

    assert code == command.OK
    assert stream.getvalue().splitlines()[1] == "ok cri: 10 cells (aks 4, eks 4, local 2)"


def test_validate_tells_an_unknown_scenario() -> None:
    stream = io.StringIO()

    code = command.validate(stream, DATA, ["crii"])

    assert code == command.BAD_INPUT
    assert stream.getvalue() == "unknown scenario 'crii'; did you mean 'cri'? known: api-server, cri, pod-startup\n"


def test_validate_finds_what_is_wrong_in_a_late_row_once(tmp_path: Path) -> None:
    text = (DATA / "api-server" / "scenario.yaml").read_text(encoding="utf-8")
    rows = "matrix:\n  late: {pods: 20, hold: soon, share: 0.5, tolerate: true}\n"
    (tmp_path / "api-server").mkdir()
    (tmp_path / "api-server" / "scenario.yaml").write_text(
        text.replace("matrix:\n", rows.replace("late", "first").replace("soon", "1m") + rows[8:]), encoding="utf-8"
    )
    stream = io.StringIO()

    code = command.validate(stream, tmp_path)

    assert code == command.BAD_INPUT
    (line,) = stream.getvalue().splitlines()
    assert line.endswith(
        "load.resource-consumer.hold: 'soon' is not a number with a unit, but a duration is wanted: "
        "write e.g. 5s (row late)"
    )


def test_the_recipe_of_the_user_guide_is_right(tmp_path: Path) -> None:
    guide = (paths.checkout() / "docs" / "scenario.md").read_text(encoding="utf-8")
    recipe = textwrap.dedent(guide.split("```yaml\n", 1)[1].split("   ```", 1)[0])
    (tmp_path / "pod-burst").mkdir()
    (tmp_path / "pod-burst" / "scenario.yaml").write_text(recipe, encoding="utf-8")
    stream = io.StringIO()

    code = command.validate(stream, tmp_path)

    assert (code, stream.getvalue()) == (command.OK, "ok pod-burst: 4 cells (aks 1, eks 1, gke 1, local 1)\n")


def test_the_user_guide_names_every_key() -> None:
    guide = (paths.checkout() / "docs" / "scenario.md").read_text(encoding="utf-8")
    made = schema.schema()
    named = {key: part for key, part in made["$defs"].items() if not key.endswith("Patch") and key != "Overlay"}

    keys = {path.rpartition(".")[2] for path, _ in properties({"properties": made["properties"], "$defs": named})}
    assert (
        sorted(key for key in keys if f"`{key}`" not in guide and f"`{key}:" not in guide and f".{key}`" not in guide)
        == []
    )
