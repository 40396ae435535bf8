"""Ask a cloud for today's list prices of machines, and print them as a file for TELESCOPE_PRICES.

    python -m pytest_telescope.cluster.cost.refresh aks --region westeurope --machine Standard_D4s_v5
    python -m pytest_telescope.cluster.cost.refresh eks --region eu-west-1 --machine m6i.xlarge > prices.yaml

Opt-in: it is the only part of the estimates that uses the network. Azure's prices need no login, AWS' need one that may
`pricing:GetProducts`. Google's need an API key and are told by parts of machines; they are not read here.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from pytest_telescope.cluster.cost.prices import prices
from pytest_telescope.errors import CloudError
from pytest_telescope.errors import TelescopeError

AZURE = "https://prices.azure.com/api/retail/prices"
AWS = "https://api.pricing.us-east-1.amazonaws.com"
WITHIN = 30.0
"""Seconds for one answer."""
PAGES = 50
"""Pages of an answer at most: one machine and region has one or two."""

Ask = Callable[[str, str, str], Iterator[float]]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the prices; 1 where the cloud cannot be asked or has none of them."""
    arguments = _parser().parse_args(argv)
    try:
        found = refreshed(arguments.provider, arguments.region, arguments.machine, source=arguments.source)
    except TelescopeError as error:
        print(f"refresh: {error}", file=sys.stderr)
        return 1
    print(found, end="")
    return 0


def refreshed(
    provider: str,
    regions: Sequence[str],
    machines: Sequence[str],
    *,
    source: str | None = None,
    today: str | None = None,
) -> str:
    """Return a price file in YAML.

    Raises:
        CloudError: it cannot be asked, or sells none of the machines in any of the regions.
    """
    import yaml

    ask, usual = _ASK[provider]
    url = source or usual
    types: dict[str, dict[str, float]] = {}
    for machine in machines:
        for region in regions:
            if usd := min(ask(url, region, machine), default=None):
                types.setdefault(machine, {})[region] = usd
    if not types:
        raise CloudError(f"{url} has no price for {', '.join(machines)} in {', '.join(regions)}; mend a name")
    table = {
        "as_of": today or datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "sources": [*prices(provider).table["sources"], usual],
        "listed_regions": sorted({*prices(provider).table["listed_regions"], *regions}),
        "types": types,
    }
    return yaml.safe_dump({provider: table}, sort_keys=False, width=1000)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="refresh", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("provider", choices=tuple(_ASK))
    parser.add_argument("--region", action="append", required=True, help="in the provider's own words; repeatable")
    parser.add_argument("--machine", action="append", required=True, help="machine type; repeatable")
    parser.add_argument("--source", help="another address of the prices")
    return parser


def azure(url: str, region: str, machine: str) -> Iterator[float]:
    """Yield the hourly prices of a Linux machine on demand; the fields are those of Azure's Retail Prices API.

    https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices
    """
    asked = (
        f"serviceName eq 'Virtual Machines' and armRegionName eq '{region}' and armSkuName eq '{machine}' "
        "and priceType eq 'Consumption'"
    )
    page: str | None = f"{url}?{urllib.parse.urlencode({'$filter': asked})}"
    for _ in range(PAGES):
        if not page:
            return
        answer = _json(page)
        yield from (float(item["retailPrice"]) for item in answer["Items"] if _plain(item, region, machine))
        page = answer.get("NextPageLink")


def _plain(item: Mapping[str, Any], region: str, machine: str) -> bool:
    """Return whether this is the hour of a Linux machine on demand, and nothing cheaper or dearer beside it."""
    return (
        item["armSkuName"] == machine
        and item["armRegionName"] == region
        and item["type"] == "Consumption"
        and item["unitOfMeasure"] == "1 Hour"
        and item["currencyCode"] == "USD"
        and "Windows" not in item["productName"]
        and not any(word in item["skuName"] for word in ("Spot", "Low Priority"))
    )


def _json(url: str) -> dict[str, Any]:
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise CloudError(f"{url} is not an https address")
    try:
        with urllib.request.urlopen(url, timeout=WITHIN) as answer:
            found: dict[str, Any] = json.load(answer)
    except (OSError, ValueError) as error:
        raise CloudError(f"{url} cannot be asked: {error}") from error
    return found


def aws(url: str, region: str, machine: str) -> Iterator[float]:
    """Yield the hourly prices of a Linux machine on demand, from AWS' Price List Query API."""
    import boto3
    import botocore.exceptions

    wanted = {
        "regionCode": region,
        "instanceType": machine,
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
        "marketoption": "OnDemand",
    }
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()]
    client: Any = boto3.client("pricing", region_name="us-east-1", endpoint_url=url)
    try:
        pages = client.get_paginator("get_products").paginate(ServiceCode="AmazonEC2", Filters=filters)
        for page in pages:
            yield from _hourly(map(json.loads, page["PriceList"]))
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise CloudError(f"{url} cannot be asked: {error}") from error
    finally:
        client.close()


def _hourly(products: Iterable[Mapping[str, Any]]) -> Iterator[float]:
    for product in products:
        for term in product["terms"].get("OnDemand", {}).values():
            for dimension in term["priceDimensions"].values():
                if dimension["unit"] == "Hrs":
                    yield float(dimension["pricePerUnit"]["USD"])


_ASK: dict[str, tuple[Ask, str]] = {"aks": (azure, AZURE), "eks": (aws, AWS)}

if __name__ == "__main__":
    sys.exit(main())
