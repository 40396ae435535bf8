"""A plan that is dearer than its budget is not applied."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_telescope.cluster.cost.gate import Gate
from pytest_telescope.errors import PreflightError
from pytest_telescope.scenario.model import Budget


def document(kind: str) -> dict[str, Any]:
    one = {"address": f"{kind}.this", "mode": "managed", "type": kind, "name": "this", "values": {}}
    return {"planned_values": {"root_module": {"resources": [one]}}}


def test_a_plan_within_its_budget_passes_and_says_its_price() -> None:
    said: list[str] = []
    gate = Gate(provider="eks", budget=Budget(cost="1 USD"), hours=3, say=said.append)

    gate(document("aws_eks_cluster"))

    assert said == ["price of the plan: 0.1 USD/h in us-east-1"]
    assert gate.estimate is not None
    assert gate.estimate.high == 0.1


@pytest.mark.parametrize(
    ("kind", "hours", "why"), [("aws_eks_cluster", 11, "is more than"), ("aws_rds_cluster", 1, "no price for")]
)
def test_a_plan_that_is_too_dear_or_has_no_price_is_refused(kind: str, hours: float, why: str) -> None:
    gate = Gate(provider="eks", budget=Budget(cost="1 USD"), hours=hours)

    with pytest.raises(PreflightError, match=f"refused before anything is built: .*{why}"):
        gate(document(kind))
