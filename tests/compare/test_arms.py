"""`--ab` and `--aa`: which cells run, in which order and on which clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_telescope import arms
from pytest_telescope import cells
from pytest_telescope.arms import Comparison
from pytest_telescope.errors import UsageError
from pytest_telescope.options import Choice
from pytest_telescope.slo.planned import Planned

SCENARIO = """\
name: alpha
description: A small scenario of the tests.
component: scheduler
cluster: {cluster}
matrix:
  p10: {{pods: 10}}
  p20: {{pods: 20}}
load:
  resource-consumer: {{pods: "${{pods}}", rate: 20/s, consume: {{cpu: 0.01, memory: 16Mi}}}}
slos:
  - {{use: pod-startup/running, p: 50, max: 60s, min_count: 10}}
budget: {{cost: 20 USD, time: 1h}}
on:
  aks: {{cluster: {{region: westeurope, pools: {{user: {{machine: Standard_D16_v3}}}}}}}}
  local: {{}}
"""
RATE = "load.resource-consumer.rate"
NODES = "cluster.pools.user.count"


def compared(key: str | None, *values: str, repeats: int = 2) -> Comparison:
    return Comparison(key=key, values=(values[0], values[1]) if values else ("", ""), repeats=repeats)


def planned(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    comparison: Comparison | None,
    *,
    shared: bool = False,
    provider: str = "local",
    **choice: Any,
) -> list[Planned]:
    folder = tmp_path / "scenarios" / "alpha"
    folder.mkdir(parents=True, exist_ok=True)
    cluster = "{pools: {user: {count: 2}}" + (", share: rows}" if shared else "}")
    (folder / "scenario.yaml").write_text(SCENARIO.format(cluster=cluster))
    monkeypatch.setenv("TELESCOPE_SCENARIOS", str(folder.parent))
    cells.scenario.cache_clear()
    return cells.plan(
        Choice(providers=(provider,), scenarios=("alpha",), **{"rows": ("p10",), **choice}, comparison=comparison)
    )


def ids(plans: list[Planned]) -> list[str]:
    return [one.cell.id.removeprefix("local-alpha--") for one in plans]


def test_the_arms_run_in_turn_in_the_order_that_cancels_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = planned(tmp_path, monkeypatch, compared(RATE, "5/s", "10/s", repeats=3))

    assert ids(plans) == [
        "p10--ab-a-5-s-1",
        "p10--ab-b-10-s-1",
        "p10--ab-b-10-s-2",
        "p10--ab-a-5-s-2",
        "p10--ab-a-5-s-3",
        "p10--ab-b-10-s-3",
    ]
    assert [one.cell.load.rate for one in plans] == [5, 10, 10, 5, 5, 10]  # type: ignore[union-attr]  # resource-consumer
    assert {one.cell.of for one in plans} == {"local-alpha--p10"}
    assert [(one.cell.arm, one.cell.repeat) for one in plans[:2]] == [("a-5-s", 1), ("b-10-s", 1)]


def test_each_cell_is_compared_before_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = planned(tmp_path, monkeypatch, compared(RATE, "5/s", "10/s", repeats=1), rows=())

    assert [one.cell.row for one in plans] == ["p10", "p10", "p20", "p20"]


def test_the_arms_of_a_calibration_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = planned(tmp_path, monkeypatch, compared(None))

    assert ids(plans) == ["p10--ab-a-1", "p10--ab-b-1", "p10--ab-b-2", "p10--ab-a-2"]
    assert len({str(one.cell.load) for one in plans}) == 1


def test_a_row_value_can_be_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = planned(tmp_path, monkeypatch, compared("pods", "5", "7", repeats=1))

    assert [one.cell.load.pods for one in plans] == [5, 7]  # type: ignore[union-attr]  # resource-consumer


def test_without_a_comparison_cells_are_what_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (plan,) = planned(tmp_path, monkeypatch, None)

    assert (plan.cell.id, plan.cell.arm, plan.cell.repeat, plan.cell.of) == ("local-alpha--p10", None, None, None)


@pytest.mark.parametrize(("shared", "clusters"), [(True, 1), (False, 4)])
def test_arms_that_differ_in_the_load_share_a_cluster_where_rows_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool, clusters: int
) -> None:
    plans = planned(tmp_path, monkeypatch, compared(RATE, "5/s", "10/s"), shared=shared)

    assert len({one.cluster for one in plans}) == clusters


def test_arms_that_differ_in_the_cluster_never_share_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = planned(tmp_path, monkeypatch, compared(NODES, "2", "3"), shared=True)

    assert len({one.cluster for one in plans}) == 4
    assert [one.cell.cluster.pools["user"].count for one in plans] == [2, 3, 3, 2]


@pytest.mark.parametrize(
    ("comparison", "says"),
    [
        (compared("pod", "1", "2"), "--ab pod=1: unknown value 'pod'; did you mean 'pods'?"),
        (compared("nothing.x", "1", "2"), "--ab nothing.x=1: unknown key 'nothing'"),
        (compared(f"{RATE}x", "1/s", "2/s"), "unknown key 'ratex'; did you mean 'rate'?"),
        (compared(RATE, "5/s", "fast"), f"--ab {RATE}=fast"),
        (compared(RATE, "5/s", "5.0/s"), "both arms of local-alpha--p10 are the same"),
        (compared("budget.time", "1h", "2h"), "both arms of local-alpha--p10 are the same"),
    ],
)
def test_what_cannot_be_set_or_changes_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comparison: Comparison, says: str
) -> None:
    with pytest.raises(UsageError) as caught:
        planned(tmp_path, monkeypatch, comparison)

    assert says in str(caught.value)


def test_a_changed_slo_is_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = planned(tmp_path, monkeypatch, compared("slos.running.min_count", "10", "20"))

    assert len(plans) == 4


def test_an_attached_cluster_takes_arms_of_the_load_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = compared(NODES, "2", "3")

    with pytest.raises(UsageError, match="leave --attach out"):
        planned(tmp_path, monkeypatch, comparison, attach=tmp_path / "kubeconfig")


def test_the_budget_is_of_all_clusters_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = planned(tmp_path, monkeypatch, compared(RATE, "5/s", "10/s", repeats=1), provider="aks")
    many = planned(tmp_path, monkeypatch, compared(RATE, "5/s", "10/s", repeats=20), provider="aks")

    assert arms.too_dear(few) == []
    (told,) = arms.too_dear(many)
    assert told.startswith("aks-alpha: ")
    assert "for the 40 clusters of the comparison is more than budget.cost 20.00 USD" in told


def test_the_sum_that_a_refusal_names_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = compared(RATE, "5/s", "10/s", repeats=20)
    (told,) = arms.too_dear(planned(tmp_path, monkeypatch, comparison, provider="aks"))
    key, _, value = told.rpartition("--set '")[2].rstrip("'").partition("=")

    assert arms.too_dear(planned(tmp_path, monkeypatch, comparison, provider="aks", sets=((key, value),))) == []


def test_local_clusters_cost_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert arms.too_dear(planned(tmp_path, monkeypatch, compared(RATE, "5/s", "10/s", repeats=50))) == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a,b", ["a", "b"]),
        ('["1"],["1","2"]', ['["1"]', '["1","2"]']),
        ("'a,b',c", ["'a,b'", "c"]),
        ("{x: 1, y: 2},{}", ["{x: 1, y: 2}", "{}"]),
        ("a", ["a"]),
        ("],a", ["]", "a"]),
    ],
)
def test_a_comma_within_brackets_or_quotes_belongs_to_a_value(text: str, values: list[str]) -> None:
    assert arms.split_values(text) == values
