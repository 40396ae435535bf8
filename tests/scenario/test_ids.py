"""Ids are spelled in one place and read back as they were."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario import ids
from pytest_telescope.scenario.names import ENGINES
from pytest_telescope.scenario.names import NAME
from pytest_telescope.scenario.names import PROVIDERS

settings.load_profile("ci")  # no time limit an example: these machines are busy

NAMES = st.from_regex(NAME, fullmatch=True).filter(
    lambda name: ids.is_name(name) and name not in ENGINES and not ids.is_arm_part(name)
)
ARMS = st.builds(ids.arm_name, st.sampled_from(["a", "b"]), st.text(max_size=30))
REPEATS = st.integers(1, 10**6)
LONGEST_JUNIT_NAME = 512


@given(st.sampled_from(PROVIDERS), NAMES, st.none() | NAMES, st.none() | st.sampled_from(ENGINES))
def test_a_cell_id_is_read_back(provider: str, scenario: str, row: str | None, engine: str | None) -> None:
    name = ids.CellName(provider=provider, scenario=scenario, row=row, engine=engine)

    assert ids.parse_cell_id(str(name)) == name


@given(st.sampled_from(PROVIDERS), NAMES, st.none() | NAMES, st.none() | st.sampled_from(ENGINES), ARMS, REPEATS)
def test_a_cell_id_with_an_arm_is_read_back(
    provider: str, scenario: str, row: str | None, engine: str | None, arm: str, repeat: int
) -> None:
    name = ids.CellName(provider=provider, scenario=scenario, row=row, engine=engine, arm=arm, repeat=repeat)

    assert ids.parse_cell_id(str(name)) == name
    assert name.of == ids.cell_id(provider, scenario, row, engine)
    assert ids.parse_slo_item_id(ids.slo_item_id(str(name), "running")) == (str(name), "running")


@pytest.mark.parametrize(
    ("side", "value", "name"),
    [
        ("a", "5/s", "a-5-s"),
        ("b", "1.35", "b-1-35"),
        ("a", "", "a"),
        ("b", "*", "b"),
        ("a", "Standard_D16_v3", "a-standard-d16-v3"),
        ("b", "x" * 30, "b-" + "x" * 20),
        ("a", "a" * 19 + "/b", "a-" + "a" * 19),
        ("b", "-1", "b-1"),
    ],
)
def test_an_arm_is_named_by_its_side_and_what_an_id_can_show_of_its_value(side: str, value: str, name: str) -> None:
    assert ids.arm_name(side, value) == name
    assert ids.arm_id("aks-cri--p300", name, 2) == f"aks-cri--p300--ab-{name}-2"


@pytest.mark.parametrize(("arm", "repeat"), [("c", 1), ("old", 1), ("a-", 1), ("a", 0), ("a--b", 1), ("A", 1)])
def test_what_no_arm_can_be_called_is_told(arm: str, repeat: int) -> None:
    with pytest.raises(UsageError, match="arm"):
        ids.arm_id("aks-cri", arm, repeat)


@pytest.mark.parametrize("row", ["ab-a-1", "ab-b-5-s-12"])
def test_a_row_called_like_an_arm_is_told(row: str) -> None:
    with pytest.raises(UsageError, match="called like an arm of --ab"):
        ids.cell_id("aks", "cri", row)


@pytest.mark.parametrize("row", ["ab", "ab-a", "ab-test-1", "ab-a-0"])
def test_a_row_that_is_no_arm_may_begin_like_one(row: str) -> None:
    assert ids.parse_cell_id(ids.cell_id("aks", "cri", row)).row == row


@given(st.sampled_from(PROVIDERS), NAMES, st.none() | NAMES, NAMES)
def test_an_slo_item_id_is_read_back(provider: str, scenario: str, row: str | None, slo: str) -> None:
    cell = ids.cell_id(provider, scenario, row)

    assert ids.parse_slo_item_id(ids.slo_item_id(cell, slo)) == (cell, slo)


@pytest.mark.parametrize(
    ("parts", "spelled"),
    [
        (("aks", "cri", None, None), "aks-cri"),
        (("aks", "cri", "p300", None), "aks-cri--p300"),
        (("aks", "api-server", None, "clusterloader2"), "aks-api-server--clusterloader2"),
        (("local", "cri", "p60", "resource-consumer"), "local-cri--p60--resource-consumer"),
    ],
)
def test_a_cell_id_reads_provider_scenario_row_engine(
    parts: tuple[str, str, str | None, str | None], spelled: str
) -> None:
    assert ids.cell_id(*parts) == spelled


def test_the_longest_item_name_is_kept_by_junit_readers() -> None:
    longest = "a" * ids.LONGEST_NAME
    cell = ids.cell_id("local", longest, longest, max(ENGINES, key=len))
    cell = ids.arm_id(cell, ids.arm_name("a", longest), 10**6)

    assert len(f"test_provision[{ids.slo_item_id(cell, longest)}]") < LONGEST_JUNIT_NAME


@pytest.mark.parametrize("name", ["", "Cri", "a--b", "-a", "a-", "a_b", "a.b", "ä", "a\n", "a" * 64])
def test_what_no_id_can_hold_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be part of an id: write lower-case letters and digits"):
        ids.cell_id("aks", name)


@pytest.mark.parametrize(
    "text", ["", "aks", "aks-", "aks-cri--a--b", "aks-cri--p1--x--y", "azure-cri", "aks-cri--", "x--aks"]
)
def test_what_is_no_cell_is_told(text: str) -> None:
    with pytest.raises(UsageError):
        ids.parse_cell_id(text)


def test_an_unknown_provider_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        ids.cell_id("ak", "cri")

    assert str(caught.value) == "unknown provider 'ak'; did you mean 'aks'? known: aks, eks, gke, local"


def test_a_row_called_like_an_engine_is_told() -> None:
    with pytest.raises(UsageError, match="called like an engine"):
        ids.cell_id("aks", "cri", "clusterloader2")


def test_ids_and_names_need_no_pydantic() -> None:
    code = (
        "import sys, pytest_telescope.scenario.ids; print(sorted({'pydantic', 'yaml', 'difflib'} & set(sys.modules)))"
    )

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "[]"
