"""What `--plan` says of money."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope import cells
from pytest_telescope.cluster.cost.spec import of_spec
from pytest_telescope.report.plan import plan_lines
from pytest_telescope.scenario.command import all_cells
from pytest_telescope.scenario.loading import load
from pytest_telescope.slo.planned import Planned

SCENARIO = """\
name: paid
description: Cells that cost something.
component: scheduler
cluster:
  pools: {user: %s}
%s
matrix: {p10: {pods: 10}, p20: {pods: 20}}
load:
  default: resource-consumer
  resource-consumer: {pods: "${pods}", consume: {cpu: 0.01, memory: 16Mi}, rate: 10/s, hold: 10m}
slos:
  - {use: pod-startup/running, p: 50, max: 60s}
budget: {cost: %s}
"""


@pytest.fixture(autouse=True)
def only_our_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TELESCOPE_PRICES", raising=False)


def plans(
    folder: Path, provider: str, *, pool: str = "{count: 4}", cluster: str = "", budget: str = "40 USD"
) -> list[Planned]:
    scenario = folder / "paid"
    scenario.mkdir()
    (scenario / "scenario.yaml").write_text(SCENARIO % (pool, cluster, budget), encoding="utf-8")
    return [cells.planned(cell) for cell in all_cells(load(scenario)) if cell.provider == provider]


def under(lines: list[str], label: str) -> Iterator[str]:
    """Yield what stands behind a label and in the lines that belong to it."""
    inside = False
    for line in lines:
        inside = line.startswith(f"  {label} ") or (inside and line.startswith(" " * 8))
        if inside:
            yield line[8:]


def test_a_cell_says_what_it_costs_an_hour_as_expected_and_at_worst(tmp_path: Path) -> None:
    planned = plans(tmp_path, "eks")
    hourly = of_spec("eks", planned[0].cell.cluster).high

    told = list(under(list(plan_lines(planned[:1])), "paid"))

    assert told[0].startswith(f"{hourly:.4g} USD/h in us-east-1; expected ")
    assert "at worst, until the due time, " in told[0]
    assert told[0].endswith("budget 40 USD")
    assert told[1].startswith("per hour: control plane standard 0.1, pool user: 4 x m6i.xlarge 0.768")


def test_an_autoscaled_pool_is_told_as_a_range(tmp_path: Path) -> None:
    planned = plans(tmp_path, "gke", pool="{min: 1, max: 9}")

    told = next(under(list(plan_lines(planned[:1])), "paid"))

    assert re.match(r"[0-9.]+\.\.[0-9.]+ USD/h in us-central1; ", told)


def test_what_has_no_price_is_named_and_sums_are_lower_bounds(tmp_path: Path) -> None:
    planned = plans(tmp_path, "eks", pool="{count: 4, machine: x9.large}", budget="null")

    text = list(plan_lines(planned))
    told = list(under(text[: len(text) // 2], "paid"))

    assert told[0].startswith("at least 0.1")
    assert "expected at least " in told[0]
    assert "unknown: no price for pool user: 4 x x9.large in us-east-1" in told
    assert any(line.startswith("paid in all: expected at least ") for line in text)


def test_a_cell_that_its_budget_refuses_says_so(tmp_path: Path) -> None:
    told = list(under(list(plan_lines(plans(tmp_path, "aks", budget="0.10 USD")[:1])), "paid"))

    assert told[-1].startswith("refused before anything is built: ")
    assert "is more than budget.cost 0.1 USD" in told[-1]


def test_rows_that_share_a_cluster_pay_it_once(tmp_path: Path) -> None:
    planned = plans(tmp_path, "aks", cluster="  share: rows")
    assert planned[0].cluster == planned[1].cluster

    text = list(plan_lines(planned))

    assert sum("USD/h in eastus2" in line for line in text) == 1
    assert f"  paid  on the cluster of {planned[0].cell.id}, whose price is for all its cells" in text
    assert not any(line.startswith("paid in all") for line in text)


def test_several_clusters_are_summed_up_and_the_prices_dated(tmp_path: Path) -> None:
    text = list(plan_lines(plans(tmp_path, "eks")))

    assert any(line.startswith("paid in all: expected ") and line.endswith("for 2 clusters") for line in text)
    assert any(line.startswith("prices of eks: as of 2026-01-19, list prices") for line in text)


def test_the_due_time_is_told_for_a_cloud_and_is_no_less_than_the_expected_time(tmp_path: Path) -> None:
    text = list(plan_lines(plans(tmp_path, "eks")[:1]))
    due = next(under(text, "due"))
    expected = re.search(r"expected [0-9.]+ USD \(([0-9.]+) h\)", "\n".join(text))

    assert expected
    assert float(due.split()[0]) > float(expected[1])


def test_a_local_cell_costs_nothing_and_has_no_prices(tmp_path: Path) -> None:
    text = list(plan_lines(plans(tmp_path, "local")))

    assert list(under(text, "paid")) == ["nothing: it runs on this machine"] * 2
    assert not any("prices of" in line or "due" in line for line in text)


@pytest.mark.parametrize("provider", ["aks", "eks", "gke"])
def test_every_shipped_cell_has_a_price_and_keeps_its_budget(provider: str) -> None:
    planned = [
        cells.planned(cell)
        for name in cells.scenario_names()
        for cell in all_cells(cells.scenario(name))
        if cell.provider == provider
    ]

    text = "\n".join(plan_lines(planned))

    assert len(planned) > 3
    assert "not priced" not in text
    assert "unknown" not in text
    assert "refused" not in text
