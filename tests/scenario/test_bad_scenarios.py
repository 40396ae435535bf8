"""Each kind of mistake is told with its file, its line and the way out; several are told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario import command
from pytest_telescope.scenario import loading

DATA: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "data" / "bad_input.yaml").read_text(encoding="utf-8"))


def mistaken(base: str, case: dict[str, Any]) -> str:
    if case.get("whole"):
        return str(case["write"])
    if "instead_of" not in case:
        return base + str(case["write"])
    assert base.count(case["instead_of"]) == 1
    return base.replace(case["instead_of"], case["write"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    return tmp_path / "demo"


def test_the_base_of_the_mistakes_is_right(folder: Path) -> None:
    (folder / "scenario.yaml").write_text(DATA["base"], encoding="utf-8")

    cells = command.all_cells(loading.load(folder))

    assert len(cells) == 8


@pytest.mark.parametrize("case", DATA["cases"], ids=lambda case: case["case"].replace(" ", "-"))
def test_a_mistake_is_told_with_its_line_and_the_way_out(folder: Path, case: dict[str, Any]) -> None:
    (folder / "scenario.yaml").write_text(mistaken(DATA["base"], case), encoding="utf-8")

    with pytest.raises(UsageError) as caught:
        command.all_cells(loading.load(folder))

    assert str(caught.value).splitlines() == case["says"]


def test_a_file_that_is_not_utf_8_is_told_with_its_line(folder: Path) -> None:
    (folder / "scenario.yaml").write_bytes(b"name: demo\ndescription: \xff\n")

    with pytest.raises(UsageError, match=r"^demo/scenario.yaml:2: not UTF-8 \(byte 0xff\)"):
        loading.load(folder)


def test_a_control_character_is_told_with_its_line(folder: Path) -> None:
    (folder / "scenario.yaml").write_text("name: demo\ndescription: \x01\n", encoding="utf-8")

    with pytest.raises(UsageError, match=r"^demo/scenario.yaml:2: a control character"):
        loading.load(folder)


def test_a_folder_without_scenario_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"^demo/scenario.yaml: cannot be read: No such file"):
        loading.load(folder)


def test_mistakes_of_all_files_are_told_together(folder: Path) -> None:
    for name in ("demo", "other"):
        (folder.parent / name).mkdir(exist_ok=True)
        (folder.parent / name / "scenario.yaml").write_text(f"name: {name}\nfoo: 1\n", encoding="utf-8")

    with pytest.raises(UsageError) as caught:
        loading.load_all(folder.parent)

    assert {line.split(":")[0] for line in str(caught.value).splitlines()} == {
        "demo/scenario.yaml",
        "other/scenario.yaml",
    }
    assert len(str(caught.value).splitlines()) == 6


def test_a_bomb_of_aliases_is_refused_at_once(folder: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    (folder / "scenario.yaml").write_text(bomb, encoding="utf-8")

    with pytest.raises(UsageError, match="too much, or endless"):
        loading.load(folder)
