"""What a spec costs: more is never cheaper, and what has no price is never nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_telescope.cluster.cost.lasting import BEGIN_AND_END
from pytest_telescope.cluster.cost.lasting import expected_seconds
from pytest_telescope.cluster.cost.model import recorded
from pytest_telescope.cluster.cost.prices import prices
from pytest_telescope.cluster.cost.spec import of_spec
from pytest_telescope.scenario.model import ClusterLoader2Spec
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec
from pytest_telescope.scenario.model import ResourceConsumerSpec

CLOUDS = ("aks", "eks", "gke")
MACHINES = {"aks": "Standard_D4s_v5", "eks": "m6i.xlarge", "gke": "n2-standard-4"}
clouds = st.sampled_from(CLOUDS)


def spec(pool: dict[str, Any], **cluster: Any) -> ClusterSpec:
    return ClusterSpec(pools={"user": PoolSpec(**pool)}, **cluster)


@given(clouds, st.integers(0, 5000), st.integers(1, 5000))
def test_more_nodes_cost_more(provider: str, count: int, more: int) -> None:
    fewer, many = (of_spec(provider, spec({"count": number})) for number in (count, count + more))

    assert many.low > fewer.low
    assert many.high > fewer.high


@given(clouds, st.integers(0, 100), st.integers(1, 100))
def test_an_autoscaled_pool_costs_between_its_fewest_and_its_most_nodes(provider: str, least: int, more: int) -> None:
    scaled = of_spec(provider, spec({"min": least, "max": least + more}))

    assert scaled.low == pytest.approx(of_spec(provider, spec({"count": least})).low)
    assert scaled.high == pytest.approx(of_spec(provider, spec({"count": least + more})).high)


@given(clouds, st.text(min_size=1, max_size=20), st.integers(1, 100))
def test_a_type_without_a_price_is_named_as_unknown_and_no_sum_is_recorded(
    provider: str, machine: str, count: int
) -> None:
    if prices(provider).machine(machine, prices(provider).default("region")) is not None:
        return
    estimate = of_spec(provider, spec({"count": count, "machine": machine}))
    facts = recorded(estimate, 3600, 7200)

    assert any(machine in name for name in estimate.unknown)
    assert estimate.text().startswith("at least ")
    assert facts["usd_per_hour"] is facts["usd_expected"] is facts["usd_worst"] is None
    assert facts["prices_unknown"] == list(estimate.unknown)


def test_the_sum_is_made_of_its_parts() -> None:
    table = prices("aks")
    disk = table.disk(None, 128, None)
    assert disk is not None

    estimate = of_spec("aks", spec({"count": 10, "os_disk_gb": 128}, region="westeurope", tier="free"))

    nodes = {part.name: part.low for part in estimate.parts}
    assert nodes["pool user: 10 x Standard_D4s_v5"] == pytest.approx(2.30)
    assert nodes["pool user: 10 OS disks Managed"] == pytest.approx(10 * disk)
    assert nodes["control plane free"] == 0
    assert estimate.low == pytest.approx(sum(nodes.values()))
    assert estimate.region == "westeurope"


def test_aks_has_a_system_node_also_where_no_system_pool_is_asked_for() -> None:
    named = ClusterSpec(pools={"system": PoolSpec(count=1), "user": PoolSpec(count=2)})

    assert of_spec("aks", spec({"count": 2})).low == pytest.approx(of_spec("aks", named).low)


def test_the_region_is_the_caller_s_then_the_spec_s_then_the_provider_s() -> None:
    asked = spec({"count": 1}, region="us-west-2")

    assert of_spec("eks", asked, region="us-east-2").region == "us-east-2"
    assert of_spec("eks", asked).region == "us-west-2"
    assert of_spec("eks", spec({"count": 1})).region == "us-east-1"


@pytest.mark.parametrize(("provider", "tier"), [("eks", "tier-4xl"), ("gke", "enterprise"), ("aks", "gold")])
def test_a_tier_without_a_price_is_unknown(provider: str, tier: str) -> None:
    estimate = of_spec(provider, spec({"count": 1}, tier=tier))

    assert estimate.unknown == (f"control plane {tier} in {estimate.region}",)


@pytest.mark.parametrize("provider", CLOUDS)
def test_spot_counts_as_on_demand_which_is_the_most_that_it_costs(provider: str) -> None:
    assert of_spec(provider, spec({"count": 3, "spot": True})) == of_spec(provider, spec({"count": 3}))


def test_prices_that_were_never_compared_are_marked() -> None:
    listed, elsewhere = (of_spec("eks", spec({"count": 1}), region=region) for region in ("us-east-1", "us-west-2"))

    def machine(estimate: Any) -> str:
        return next(str(part) for part in estimate.parts if " x " in part.name)

    assert machine(listed) == "pool user: 1 x m6i.xlarge 0.192"
    assert machine(elsewhere) == "pool user: 1 x m6i.xlarge 0.192 (unverified)"


def test_local_costs_nothing_and_knows_no_date() -> None:
    estimate = of_spec("local", spec({"count": 100}))

    assert (estimate.high, estimate.parts, estimate.unknown, estimate.as_of) == (0, (), (), "")


def test_facts_of_a_record_are_flat_and_dated() -> None:
    facts = recorded(of_spec("eks", spec({"min": 1, "max": 3})), 1800, 36000)

    assert facts["usd_per_hour_least"] < facts["usd_per_hour"]
    assert facts["usd_expected"] == pytest.approx(facts["usd_per_hour"] / 2)
    assert facts["usd_worst"] == pytest.approx(facts["usd_per_hour"] * 10)
    assert facts["prices_as_of"] == "2026-01-19"
    assert facts["prices_unknown"] == []


def test_a_cell_is_expected_to_last_as_long_as_its_load_and_two_ends() -> None:
    load = ResourceConsumerSpec(pods=100, rate=10, hold=60, waves=2, last_hold=30)

    assert expected_seconds([load]) == BEGIN_AND_END + 10 + 60 + 10 + 30
    assert expected_seconds([load, ClusterLoader2Spec(config="c.yaml", timeout=600)]) == BEGIN_AND_END + 110 + 600
    assert expected_seconds([load], budget=60) == 60
