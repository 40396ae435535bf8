"""Prices asked of a cloud: servers on loopback answer in the shape of the real ones."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.cluster.cost import refresh
from pytest_telescope.cluster.cost.prices import prices
from pytest_telescope.errors import CloudError

LINUX = {
    "currencyCode": "USD",
    "retailPrice": 0.25,
    "armRegionName": "northeurope",
    "armSkuName": "Standard_D4s_v5",
    "skuName": "D4s v5",
    "productName": "Virtual Machines DSv5 Series",
    "type": "Consumption",
    "unitOfMeasure": "1 Hour",
}
OTHERS = [
    {**LINUX, "retailPrice": 0.43, "productName": "Virtual Machines DSv5 Series Windows"},
    {**LINUX, "retailPrice": 0.02, "skuName": "D4s v5 Spot"},
    {**LINUX, "retailPrice": 0.03, "skuName": "D4s v5 Low Priority"},
    {**LINUX, "retailPrice": 0.01, "type": "Reservation"},
    {**LINUX, "retailPrice": 0.01, "armSkuName": "Standard_D4ds_v5"},
    {**LINUX, "retailPrice": 0.01, "currencyCode": "EUR"},
]
Answer = Callable[[BaseHTTPRequestHandler, str], Any]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Yield the address of a server that says what `answer` returns, or 503 for None."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            found = answer(self, self.rfile.read(length).decode())
            body = json.dumps(found).encode()
            self.send_response(200 if found is not None else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def test_of_all_that_azure_tells_only_linux_on_demand_counts_on_every_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(request: BaseHTTPRequestHandler, _body: str) -> dict[str, Any]:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
        asked.append(query.get("$filter", [""])[0])
        here = f"http://{request.headers['Host']}/"
        return {"Items": [LINUX]} if "page" in query else {"Items": OTHERS, "NextPageLink": f"{here}?page=2"}

    with serving(answer) as url:
        text = refresh.refreshed("aks", ["northeurope"], ["Standard_D4s_v5"], source=url, today="2027-01-02")

    assert "armRegionName eq 'northeurope' and armSkuName eq 'Standard_D4s_v5'" in asked[0]
    own = tmp_path / "own.yaml"
    own.write_text(text, encoding="utf-8")
    monkeypatch.setenv("TELESCOPE_PRICES", str(own))
    assert prices("aks").machine("Standard_D4s_v5", "northeurope") == 0.25
    assert prices("aks").machine("Standard_D4s_v5", "eastus") == pytest.approx(0.192)
    assert prices("aks").listed("northeurope")
    assert prices("aks").table["as_of"] == "2027-01-02"


def test_a_price_of_aws_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    bodies = []
    hour = {"unit": "Hrs", "pricePerUnit": {"USD": "0.2140000000"}}
    quantity = {"unit": "Quantity", "pricePerUnit": {"USD": "0.0000000000"}}
    product = {"terms": {"OnDemand": {"a.b": {"priceDimensions": {"a.b.c": hour, "a.b.d": quantity}}}, "Reserved": {}}}

    def answer(_request: BaseHTTPRequestHandler, body: str) -> dict[str, Any]:
        bodies.append(json.loads(body))
        return {"PriceList": [json.dumps(product)]}

    with serving(answer) as url:
        assert list(refresh.aws(url, "eu-west-1", "m6i.xlarge")) == [0.214]

    wanted = {one["Field"]: one["Value"] for one in bodies[0]["Filters"]}
    assert (wanted["regionCode"], wanted["instanceType"], wanted["operatingSystem"]) == (
        "eu-west-1",
        "m6i.xlarge",
        "Linux",
    )


def test_a_machine_that_nobody_sells_is_an_error_and_no_empty_file(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(lambda _request, _body: {"Items": []}) as url:
        code = refresh.main(["aks", "--region", "eastus", "--machine", "Standard_X1", "--source", url])

    told = capsys.readouterr()
    assert (code, told.out) == (1, "")
    assert "has no price for Standard_X1 in eastus" in told.err


def test_a_cloud_that_does_not_answer_is_an_error() -> None:
    with (
        serving(lambda _request, _body: None) as url,
        pytest.raises(CloudError, match="cannot be asked: HTTP Error 503"),
    ):
        refresh.refreshed("aks", ["eastus"], ["Standard_D4s_v5"], source=url)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "http://prices.example.com"])
def test_only_https_is_asked(url: str) -> None:
    with pytest.raises(CloudError, match="is not an https address"):
        list(refresh.azure(url, "eastus", "Standard_D4s_v5"))
