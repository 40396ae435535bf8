"""Money: read from a scenario, refused before anything is built, and left over for the teardown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_telescope.cluster.cost.budget import Spending
from pytest_telescope.cluster.cost.budget import must_stop_at
from pytest_telescope.cluster.cost.budget import refuse
from pytest_telescope.cluster.cost.money import Money
from pytest_telescope.cluster.cost.money import parse_money
from pytest_telescope.cluster.cost.spec import of_spec
from pytest_telescope.scenario.checks import of as checked
from pytest_telescope.scenario.model import Budget
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec
from pytest_telescope.scenario.units import UnitError

TEN = of_spec("eks", ClusterSpec(pools={"user": PoolSpec(count=10)}))
UNKNOWN = of_spec("eks", ClusterSpec(pools={"user": PoolSpec(count=1, machine="x9.large")}))
NOW = 1_800_000_000.0


@pytest.mark.parametrize(("text", "usd"), [("40 USD", 40.0), ("0.50 USD", 0.5), ("0 USD", 0.0)])
def test_an_amount_is_read(text: str, usd: float) -> None:
    assert parse_money(text) == Money(usd)


@pytest.mark.parametrize("text", ["40", "40USD", "40 usd", "-1 USD", "1.234 USD", "USD 40", "", " 40 USD"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UnitError, match="is not an amount with its currency"):
        parse_money(text)


def test_another_currency_is_refused_by_the_checks_of_a_scenario(tmp_path: Path) -> None:
    found = list(checked(Budget(cost="40 EUR"), tmp_path))

    assert found == [(("cost",), "'40 EUR' is in EUR, but prices are known in USD only; write e.g. 40 USD")]


@pytest.mark.parametrize(
    ("usd", "text"), [(40, "40.00 USD"), (0, "0.00 USD"), (0.00123, "0.00123 USD"), (1234.5, "1234.50 USD")]
)
def test_an_amount_is_written_with_the_digits_that_count(usd: float, text: str) -> None:
    assert str(Money(usd)) == text


def test_a_run_that_fits_is_not_refused() -> None:
    assert refuse(TEN, Budget(cost="40 USD"), hours=3) is None


def test_a_run_that_costs_more_is_refused_with_both_amounts() -> None:
    refusal = refuse(TEN, Budget(cost="5 USD"), hours=3)

    assert refusal is not None
    assert "is more than budget.cost 5.00 USD" in refusal
    assert f"{TEN.high:.4g} USD/h" in refusal


def test_the_most_nodes_of_an_autoscaler_count() -> None:
    scaled = of_spec("eks", ClusterSpec(pools={"user": PoolSpec(min=1, max=100)}))

    assert refuse(scaled, Budget(cost="40 USD"), hours=3) is not None


def test_what_has_no_price_is_refused_where_a_budget_is_stated() -> None:
    refusal = refuse(UNKNOWN, Budget(cost="1000 USD"), hours=1)

    assert refusal is not None
    assert "no price for pool user: 1 x x9.large in us-east-1" in refusal
    assert "TELESCOPE_PRICES" in refusal
    assert "--set budget.cost=null" in refusal


def test_without_a_budget_nothing_is_refused() -> None:
    assert refuse(UNKNOWN, Budget(), hours=1000) is None


def test_what_is_too_dear_by_its_known_part_is_refused_as_too_dear() -> None:
    refusal = refuse(UNKNOWN, Budget(cost="0.01 USD"), hours=1)

    assert refusal is not None
    assert "is more than" in refusal


def test_money_runs_from_the_start_on() -> None:
    spending = Spending(started=NOW, usd_per_hour=6.0)

    assert spending.spent(NOW + 1800) == Money(3.0)
    assert spending.spent(NOW) == Money(0.0)
    assert spending.spent(NOW - 60) == Money(0.0)


@given(
    usd=st.integers(1, 1000),
    hourly=st.floats(0.01, 1000),
    teardown=st.floats(0, 36000),
    limit=st.none() | st.floats(1, 1e6),
)
def test_a_load_that_ends_when_it_must_leaves_money_and_time_for_the_teardown(
    usd: int, hourly: float, teardown: float, limit: float | None
) -> None:
    budget = Budget(cost=f"{usd} USD", time=limit)

    stop = must_stop_at(budget, NOW, hourly, teardown)

    assert stop is not None
    gone = stop + teardown
    assert Spending(NOW, hourly).spent(gone).usd <= usd * 1.000001 + hourly / 3600
    assert limit is None or gone - NOW <= limit + 1e-3


def test_the_first_of_money_and_time_decides() -> None:
    budget = Budget(cost="10 USD", time=7200.0)

    assert must_stop_at(budget, NOW, 5.0, 600) == NOW + 7200 - 600
    assert must_stop_at(budget, NOW, 10.0, 600) == NOW + 3600 - 600


def test_a_budget_of_neither_never_stops_a_run() -> None:
    assert must_stop_at(Budget(), NOW, 5.0, 600) is None


def test_with_a_price_that_is_not_known_only_time_counts() -> None:
    assert must_stop_at(Budget(cost="10 USD"), NOW, None, 600) is None
    assert must_stop_at(Budget(cost="10 USD", time=3600.0), NOW, None, 600) == NOW + 3000


def test_too_little_for_a_teardown_lies_before_the_start() -> None:
    stop = must_stop_at(Budget(cost="1 USD"), NOW, 10.0, 3600)

    assert stop is not None
    assert stop < NOW
