"""A test config is one entry, a suite several."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.errors import UsageError
from pytest_telescope.load.clusterloader2.entries import MAIN
from pytest_telescope.load.clusterloader2.entries import PREFIX_LONGEST
from pytest_telescope.load.clusterloader2.entries import entries_of
from pytest_telescope.load.clusterloader2.entries import prefix_of
from pytest_telescope.load.clusterloader2.entries import spec_of
from pytest_telescope.load.clusterloader2.model import Entry
from pytest_telescope.scenario.model import Budget
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterLoader2Spec
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import LoadSpec
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.model import ResourceConsumerSpec

settings.register_profile("ci", deadline=None)
settings.load_profile("ci")  # no time limit an example: these machines are busy

ID = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
Write = Callable[..., Path]


def cell_of(folder: Path, load: LoadSpec | None = None, name: str = "local-x") -> Cell:
    return Cell(
        id=name,
        provider="local",
        scenario="x",
        row=None,
        engine="clusterloader2",
        description="",
        component="kubelet",
        values={},
        cluster=ClusterSpec(),
        load=load or ClusterLoader2Spec(config="cl2/suites/suite.yaml"),
        slos=(),
        budget=Budget(),
        folder=folder,
        place=Place(folder / "scenario.yaml", 1),
    )


@pytest.fixture
def scenario(tmp_path: Path) -> Write:
    """Return a function that writes the suite, and empty files beside it, and returns the scenario's folder."""

    def write(text: str, *files: str) -> Path:
        folder = tmp_path / "scenarios" / "x"
        for name, content in {"cl2/suites/suite.yaml": text, **dict.fromkeys(files, "name: a\n")}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return folder

    return write


@pytest.mark.parametrize(
    "text",
    [
        "name: test\nsteps:\n- name: a\n",
        "{{$x := 1}}\nname: test\n",
        "{{- /* - a list */ -}}\n---\nname: test\n",
        "# - identifier: a\n\n\nname: test\n",
        "-1\n",
        "",
        "\ufeffname: test\n",
        "]: not YAML\n- x",
    ],
)
def test_a_test_config_is_one_entry(scenario: Write, text: str) -> None:
    folder = scenario(text)

    assert entries_of(cell_of(folder)) == (Entry(name=MAIN, config=folder / "cl2/suites/suite.yaml"),)


SUITE = """\
# a comment

- identifier: one
  configPath: one.yaml
  overridePaths: [a.yaml, deep/b.yaml]
- identifier: two
  configPath: ./one.yaml
- configPath: one.yaml
  overridePaths: []
"""


@pytest.mark.parametrize("before", ["", "---\n", "# a\n---\n# b\n", "\n\n"])
def test_a_suite_is_an_entry_a_scenario(scenario: Write, before: str) -> None:
    folder = scenario(before + SUITE, "cl2/suites/one.yaml", "cl2/suites/a.yaml", "cl2/suites/deep/b.yaml")
    beside = folder.resolve() / "cl2" / "suites"

    assert entries_of(cell_of(folder)) == (
        Entry(name="one", config=beside / "one.yaml", overrides=(beside / "a.yaml", beside / "deep" / "b.yaml")),
        Entry(name="two", config=beside / "one.yaml"),
        Entry(name="scenario-3", config=beside / "one.yaml"),
    )


def test_a_suite_may_be_indented_and_its_keys_in_any_case(scenario: Write) -> None:
    folder = scenario(
        "  - Identifier: a\n    ConfigPath: one.yaml\n    OVERRIDEPATHS: [one.yaml]\n", "cl2/suites/one.yaml"
    )

    (entry,) = entries_of(cell_of(folder))

    assert (entry.name, entry.config.name, len(entry.overrides)) == ("a", "one.yaml", 1)


@pytest.mark.parametrize("base", ["cl2/suites", "cl2", "."])
def test_a_path_is_looked_for_in_every_folder_up_to_the_scenario(scenario: Write, base: str) -> None:
    folder = scenario("- identifier: a\n  configPath: testing/one.yaml\n", f"{base}/testing/one.yaml")

    (entry,) = entries_of(cell_of(folder))

    assert entry.config == (folder / base / "testing" / "one.yaml").resolve()


def test_the_nearest_file_wins(scenario: Write) -> None:
    folder = scenario("- identifier: a\n  configPath: one.yaml\n", "one.yaml", "cl2/one.yaml", "cl2/suites/one.yaml")

    (entry,) = entries_of(cell_of(folder))

    assert entry.config.parent.name == "suites"


@pytest.mark.parametrize(
    ("text", "files", "words"),
    [
        ("- identifier: a\n  configPath: no.yaml\n", (), "no file 'no.yaml' in the suite's folder or above it"),
        ("- identifier: a\n  configPath: one.yaml\n", ("../one.yaml",), "no file 'one.yaml'"),
        ("- identifier: a\n  configPath: deep\n", ("cl2/suites/deep/one.yaml",), "no file 'deep'"),
        ("- {identifier: a, configPath: o.yaml, overridePaths: [p.yaml]}\n", ("o.yaml",), "no file 'p.yaml'"),
        ("- identifier: a\n", (), "scenario 1 of the suite has no configPath"),
        ("- {configPath: o.yaml}\n- a text\n", ("o.yaml",), "scenario 2 of the suite has no configPath"),
        ("-\n", (), "scenario 1 of the suite has no configPath"),
        ("- {identifier: a, configPath: o.yaml}\n" * 2, ("o.yaml",), "the identifier 'a' is there twice"),
        (
            "- {identifier: 1, configPath: o.yaml}\n- {identifier: '1', configPath: o.yaml}\n",
            ("o.yaml",),
            "'1' is there",
        ),
        ("- {identifier: ../a, configPath: o.yaml}\n", ("o.yaml",), "cannot be the name of a folder"),
        ("- {identifier: .., configPath: o.yaml}\n", ("o.yaml",), "cannot be the name of a folder"),
        ("- a: [\n", (), "a suite that is not YAML"),
    ],
)
def test_a_wrong_suite_is_refused_with_its_file(scenario: Write, text: str, files: tuple[str, ...], words: str) -> None:
    folder = scenario(text, *files)

    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        entries_of(cell_of(folder))

    assert str(folder / "cl2" / "suites" / "suite.yaml") in str(caught.value)


def test_a_cell_of_another_engine_has_no_entries(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cell local-x has no clusterloader2 load"):
        spec_of(cell_of(tmp_path, ResourceConsumerSpec(pods=1)))


NAMES = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True).filter(lambda text: len(text) <= 120)


@given(NAMES, st.integers(1, 99))
def test_a_prefix_leaves_room_for_the_number_of_a_namespace(name: str, number: int) -> None:
    prefix = prefix_of(cell_of(Path(), name=name), Entry(name="a", config=Path("c")), number)

    assert prefix.startswith("telescope-")
    assert len(prefix) <= PREFIX_LONGEST
    assert ID.fullmatch(prefix)


@given(NAMES, NAMES, st.text("abc-", min_size=60, max_size=60))
def test_prefixes_differ_by_cell_and_by_entry(first: str, second: str, long: str) -> None:
    cells = [cell_of(Path(), name=name) for name in dict.fromkeys((first, second, f"{long}x", f"{long}y"))]
    entries = [Entry(name=f"s{number}", config=Path("c")) for number in range(3)]

    for entry in entries:
        assert len({prefix_of(cell, entry) for cell in cells}) == len(cells)
    for cell in cells:
        assert len({prefix_of(cell, entry, number) for number, entry in enumerate(entries, 1)}) == len(entries)


def test_a_prefix_is_the_same_again() -> None:
    cell, entry = cell_of(Path(), name="x" * 80), Entry(name="a", config=Path("c"))

    assert prefix_of(cell, entry, 2) == prefix_of(cell, entry, 2)
    assert prefix_of(cell_of(Path()), entry) == "telescope-local-x"
    assert prefix_of(cell_of(Path()), entry, 2) == "telescope-local-x-e2"


@pytest.mark.parametrize(
    ("suite", "words"),
    [
        ("- {configPath: one.yaml, overridePaths: 5}\n", "overridePaths of scenario 1 is not a list"),
        ("- {configPath: one.yaml, overridePaths: one.yaml}\n", "overridePaths of scenario 1 is not a list"),
        ("- {identifier: 2026-99-99, configPath: one.yaml}\n", "a suite that is not YAML"),
    ],
)
def test_an_odd_suite_is_refused_with_words(scenario: Write, suite: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        entries_of(cell_of(scenario(suite, "cl2/suites/one.yaml")))
