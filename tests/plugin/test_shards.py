"""Agents that share the clusters of a run: each cell runs on one of them, and nobody loses cells without being told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_telescope.scenario.model import Budget
from pytest_telescope.sharding import POSITION
from pytest_telescope.sharding import TOTAL
from pytest_telescope.sharding import TYPE
from pytest_telescope.sharding import of_agent
from pytest_telescope.sharding import of_option
from pytest_telescope.sharding import shares
from tests.plugin.conftest import SCENARIO
from tests.plugin.conftest import Runner
from tests.plugin.conftest import write_scenario
from tests.plugin.test_selection import cell_items
from tests.plugin.test_selection import items

USAGE = 4
CHOICE = ("-m", "local", "--scenario=alpha,beta", "--collect-only", "-q")
PARALLEL = {"SYSTEM_PARALLELEXECUTIONTYPE": "MultiMachine", "SYSTEM_TOTALJOBSINPHASE": "2"}


class Named:
    """As much of a plan as is looked at."""

    def __init__(self, cell: str, cluster: str | None = None, time: float | None = None, of: str | None = None) -> None:
        self.cell: Any = type("Cell", (), {"id": cell, "of": of, "budget": Budget(time=time)})()
        self.cluster = cluster or cell


def shared(plans: Sequence[Named], total: int) -> list[tuple[str, ...]]:
    return shares(plans, total)  # type: ignore[arg-type]  # as much of a plan as is looked at


def test_clusters_of_equal_length_are_dealt_out_in_turn() -> None:
    assert shared([Named(name) for name in "abcde"], 2) == [("a", "c", "e"), ("b", "d")]


def test_the_longest_clusters_go_first_each_to_the_least_busy_share() -> None:
    plans = [Named("a", time=60), Named("b", time=600), Named("c", time=300), Named("d", time=300)]

    assert shared(plans, 2) == [("a", "b"), ("c", "d")]


def test_a_cluster_without_a_budget_counts_as_the_mean() -> None:
    plans = [Named("a", time=100), Named("b"), Named("c", time=200), Named("d", time=10)]

    assert shared(plans, 2) == [("c", "d"), ("a", "b")]


def test_cells_of_one_cluster_and_arms_of_one_comparison_stay_together() -> None:
    rows = [Named("r1", cluster="c"), Named("x"), Named("r2", cluster="c")]
    arms = [Named("y--a-1", of="y"), Named("y--b-1", of="y"), Named("y--b-2", of="y")]

    first, second, third = shared([*rows, *arms], 3)

    assert {first, second, third} == {("r1", "r2"), ("x",), ("y--a-1", "y--b-1", "y--b-2")}


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(1, 9000)), max_size=12), st.integers(1, 5))
def test_every_cell_is_in_one_share(plans: list[tuple[int, int | None]], total: int) -> None:
    named = [Named(f"c{number}", cluster=f"k{cluster}", time=time) for number, (cluster, time) in enumerate(plans)]

    found = shared(named, total)

    assert len(found) == total
    assert sorted(cell for share in found for cell in share) == sorted(one.cell.id for one in named)
    where = {cell: number for number, share in enumerate(found) for cell in share}
    assert all(where[a.cell.id] == where[b.cell.id] for a in named for b in named if a.cluster == b.cluster)


def test_the_shares_of_an_option_are_the_whole_in_the_order_of_the_command_line(run: Runner) -> None:
    first, second = (run(*CHOICE, "--shard", shard).stdout for shard in ("1/2", "2/2"))

    assert items(first) == cell_items("local-alpha--p10", "local-beta--p10")
    assert items(second) == cell_items("local-alpha--p20", "local-beta--p20")


def test_an_agent_of_a_parallel_job_takes_its_share_by_itself_and_says_so(run: Runner) -> None:
    variables = {**PARALLEL, "SYSTEM_JOBPOSITIONINPHASE": "2"}

    result = run("-m", "local", "--scenario=alpha", "--collect-only", variables=variables)

    assert "telescope: shard 2 of 2 (SYSTEM_JOBPOSITIONINPHASE and SYSTEM_TOTALJOBSINPHASE): " in result.stdout
    assert "local-alpha--p20; the others run local-alpha--p10" in result.stdout
    assert "test_load[local-alpha--p10]" not in result.stdout


def test_a_job_of_a_matrix_runs_all_of_its_cells(run: Runner) -> None:
    variables = {**PARALLEL, "SYSTEM_JOBPOSITIONINPHASE": "2", "SYSTEM_PARALLELEXECUTIONTYPE": "MultiConfiguration"}

    result = run("-m", "local", "--scenario=alpha", "--collect-only", "-q", variables=variables)

    assert items(result.stdout) == cell_items("local-alpha--p10", "local-alpha--p20")


@pytest.mark.parametrize(
    ("kind", "position", "total", "share"),
    [
        ("MultiMachine", "2", "3", (2, 3)),
        ("multiMachine", "1", "2", (1, 2)),
        ("MultiMachine", "1", "1", None),
        ("MultiConfiguration", "2", "3", None),
        ("None", "2", "3", None),
        ("", "2", "3", None),
    ],
)
def test_only_the_parallel_strategy_makes_shares(
    kind: str, position: str, total: str, share: tuple[int, int] | None
) -> None:
    found = of_agent({TYPE: kind, POSITION: position, TOTAL: total})

    assert (found and found[:2]) == share


@pytest.mark.parametrize(
    ("position", "total"), [("7", "3"), ("0", "3"), ("", "3"), ("1", ""), ("one", "3"), ("²", "3")]
)
def test_an_agent_that_does_not_say_which_share_it_has_is_refused(position: str, total: str) -> None:
    with pytest.raises(pytest.UsageError, match="--shard I/N"):
        of_agent({TYPE: "MultiMachine", POSITION: position, TOTAL: total})


@pytest.mark.parametrize("text", ["3/2", "0/2", "two", "1/2/3", "-1/2", ""])
def test_a_share_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(pytest.UsageError, match="expected I/N with I from 1 to N"):
        of_option(text)


def test_the_option_wins_over_the_agent_and_a_wrong_one_is_exit_4(run: Runner) -> None:
    variables = {**PARALLEL, "SYSTEM_JOBPOSITIONINPHASE": "2"}

    right, wrong = (run(*CHOICE, f"--shard={shard}", variables=variables) for shard in ("1/4", "5/4"))

    assert items(right.stdout) == cell_items("local-alpha--p10")
    assert wrong.returncode == USAGE, wrong.stdout
    assert "--shard '5/4': expected I/N" in wrong.stdout


def test_more_shards_than_clusters_is_green_and_says_so(run: Runner, state_root: Path) -> None:
    result = run("-m", "local", "--scenario=alpha", "--shard=3/3")

    assert result.returncode == 0, result.stdout
    assert "shard 3 of 3 (--shard 3/3): nothing to do" in result.stdout
    assert "the others run local-alpha--p10, local-alpha--p20" in result.stdout
    assert not list(state_root.glob("ledger/*"))


def test_a_choice_that_another_shard_runs_is_green_and_says_so(run: Runner) -> None:
    result = run("-m", "local", "--scenario=alpha", "--shard=2/2", "-k", "p10")

    assert result.returncode == 0, result.stdout
    assert "nothing to do in shard 2: the others run local-alpha--p10" in result.stdout


def test_a_choice_of_nothing_is_no_green_shard(run: Runner) -> None:
    result = run("-m", "local", "--scenario=alpha", "--shard=2/2", "-k", "p30")

    assert result.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, result.stdout


def test_rows_that_share_a_cluster_are_one_share(run: Runner, scenario_root: Path) -> None:
    text = SCENARIO.replace("cluster:", "cluster:\n  share: rows").format(name="alpha")
    write_scenario(scenario_root, "alpha", text)

    result = run(*CHOICE, "--shard=1/2")

    assert items(result.stdout) == cell_items("local-alpha--p10", "local-alpha--p20")


def test_the_plan_of_a_shard_has_its_cells_only(run: Runner) -> None:
    result = run("-m", "local", "--scenario=alpha", "--plan", "--shard=2/2")

    plan = result.stdout.partition("telescope plan")[2]
    assert result.returncode == 0
    assert "local-alpha--p20" in plan
    assert "local-alpha--p10" not in plan
