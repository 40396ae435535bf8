"""The client against servers that misbehave."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import ClassVar

import pytest

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.client import _unix
from pytest_telescope.metrics.clock import clock_offset
from pytest_telescope.metrics.model import Endpoint


class Scripted(BaseHTTPRequestHandler):
    """Answers one scripted reply after the other, the last one for ever."""

    replies: ClassVar[list[tuple[int, str]]] = []
    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        """Answer."""
        self.asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        status, text = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the server's
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    Scripted.asked.clear()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(5)


def vector(*values: str, **more: object) -> str:
    result = [{"metric": {"n": str(n)}, "value": [1, value]} for n, value in enumerate(values)]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}, **more})


def test_nothing_of_an_answer_is_dropped(url: str) -> None:
    Scripted.replies = [(200, vector("NaN", "+Inf", "1.5", warnings=["partial"], infos=["hm"]))]

    with Prometheus(Endpoint(url=url)) as prom:
        found = prom.query("x", 1.0)

    assert math.isnan(found.series[0].value)
    assert [one.value for one in found.series[1:]] == [math.inf, 1.5]
    assert (found.warnings, found.infos) == (("partial",), ("hm",))


def test_unavailable_is_tried_again(url: str) -> None:
    Scripted.replies = [(503, "not yet"), (200, vector("1"))]

    with Prometheus(Endpoint(url=url)) as prom:
        found = prom.query("x", 1.0)

    assert found.series[0].value == 1.0
    assert len(Scripted.asked) == 2


def test_unavailable_for_good_is_an_error_with_status_words_and_query(url: str) -> None:
    Scripted.replies = [(503, "gone fishing")]

    with (
        Prometheus(Endpoint(url=url)) as prom,
        pytest.raises(MetricsError, match=r"HTTP 503: gone fishing \(query: x\)"),
    ):
        prom.query("x", 1.0)

    assert len(Scripted.asked) == 3


def test_refused_query_is_not_tried_again(url: str) -> None:
    Scripted.replies = [(422, json.dumps({"status": "error", "error": "too much"}))]

    with Prometheus(Endpoint(url=url)) as prom, pytest.raises(MetricsError, match="HTTP 422: too much"):
        prom.query("x", 1.0)

    assert len(Scripted.asked) == 1


def test_nobody_there_is_an_error_within_a_second() -> None:
    with Prometheus(Endpoint(url="http://127.0.0.1:9")) as prom, pytest.raises(MetricsError, match="refused"):
        prom.query("x")


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("0001-01-01T00:00:00Z", 0.0),
        ("1970-01-01T00:00:10Z", 10.0),
        ("1970-01-01T00:00:10.123456789Z", 10.123456789),
        ("1970-01-01T02:00:10.5+02:00", 10.5),
    ],
)
def test_time_stamps_of_prometheus_are_read_to_the_nanosecond(stamp: str, seconds: float) -> None:
    assert _unix(stamp) == pytest.approx(seconds)


def test_clock_offset_is_taken_from_the_quickest_round() -> None:
    local = iter([0.0, 1.0, 10.0, 10.1])
    theirs = iter([5.5, 15.0])

    class Server:
        def now(self) -> float:
            return next(theirs)

    found = clock_offset(Server(), rounds=2, clock=lambda: next(local))

    assert found.seconds == pytest.approx(4.95)
    assert found.uncertainty == pytest.approx(0.051)
