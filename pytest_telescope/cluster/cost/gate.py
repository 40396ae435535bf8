"""The last look at the price: Terraform's plan against the budget, before anything is applied."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_telescope.cluster.cost.budget import refuse
from pytest_telescope.cluster.cost.model import Estimate
from pytest_telescope.cluster.cost.tfplan import of_plan
from pytest_telescope.errors import PreflightError
from pytest_telescope.scenario.model import Budget


@dataclass(slots=True, kw_only=True)
class Gate:
    """Called with a plan as `terraform show -json` gives it.

    Attributes:
        hours: that the cluster is expected to be there.
        say: told the price of what is about to be built.
        estimate: of the last plan; None before the first.
    """

    provider: str
    budget: Budget
    hours: float
    say: Callable[[str], None] = lambda _text: None
    estimate: Estimate | None = None

    def __call__(self, document: Mapping[str, Any]) -> None:
        """Let the plan pass.

        Raises:
            PreflightError: it does not fit the budget, or has no price while a budget is stated.
        """
        self.estimate = of_plan(self.provider, document)
        self.say(f"price of the plan: {self.estimate.text()} in {self.estimate.region}")
        if refusal := refuse(self.estimate, self.budget, self.hours):
            raise PreflightError(f"refused before anything is built: {refusal}")
