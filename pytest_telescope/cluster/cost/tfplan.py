"""What a Terraform plan costs, from the JSON that `terraform show -json <plan>` prints."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from pytest_telescope.cluster.cost import tf_aws
from pytest_telescope.cluster.cost import tf_azure
from pytest_telescope.cluster.cost import tf_google
from pytest_telescope.cluster.cost.bill import Bill
from pytest_telescope.cluster.cost.model import Estimate
from pytest_telescope.cluster.cost.planned import Planned
from pytest_telescope.cluster.cost.planned import resources
from pytest_telescope.cluster.cost.prices import prices

_CLOUDS = {"aks": tf_azure, "eks": tf_aws, "gke": tf_google}


def of_plan(provider: str, document: Mapping[str, Any]) -> Estimate:
    """Return what everything of the plan costs once it is there; `local` costs nothing.

    `document` is the parsed JSON of `terraform show -json`, of a plan.
    A resource whose type is neither priced nor known to be free is unknown, as is what the plan does not tell yet.

    Raises:
        UsageError: the file that `TELESCOPE_PRICES` names cannot be read.
    """
    if provider == "local":
        return Estimate(provider=provider, region="")
    table, found = prices(provider), resources(document)
    bill = Bill(table, _region(document, found) or table.default("region"))
    cloud = _CLOUDS[provider]
    for one in found:
        if one.type in cloud.PRICED:
            cloud.PRICED[one.type](bill, one, found)
        elif not table.free(one.type):
            bill.without_price(one.address)
    return bill.estimate()


def _region(document: Mapping[str, Any], found: list[Planned]) -> str | None:
    variables: Mapping[str, Any] = document.get("variables", {})
    given = variables.get("region", {}).get("value")
    return str(given) if given else next(_places(found), None)


def _places(found: list[Planned]) -> Iterator[str]:
    for one in found:
        place = one.values.get("location") or one.values.get("region")
        if isinstance(place, str) and place:
            yield place.lower().replace(" ", "")
