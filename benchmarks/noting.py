"""What the judge asks, written down, and asked again by hand: plain HTTP, no answer is looked into."""

from __future__ import annotations

import time
from collections.abc import Iterable
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode
from urllib.parse import urlsplit

from pytest_telescope.metrics.client import Prometheus

Question = tuple[str, str, str]
"""Method, path, form."""


class Noting(Prometheus):
    """Asks as the harness does, and writes down what, and how large the answers are."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        super().__init__(*arguments, **keys)
        self.questions: list[Question] = []

    def _request(self, method: str, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        self.questions.append((method, path, urlencode(form)))
        return super()._request(method, path, form)


def ask(url: str, questions: Iterable[Question]) -> float:
    """Ask over one connection, one after the other, and return the seconds."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=300)
    started = time.monotonic()
    for method, path, form in questions:
        if method == "POST":
            connection.request("POST", path, form, {"Content-Type": "application/x-www-form-urlencoded"})
        else:
            connection.request("GET", f"{path}?{form}")
        reply = connection.getresponse()
        content = reply.read()
        assert reply.status == 200, content[:300]
    seconds = time.monotonic() - started
    connection.close()
    return seconds
