"""Bringing a snapshot home from a server that breaks off, lies, or has too much."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics.fetching import fetch
from pytest_telescope.metrics.model import Endpoint

BLOCK = "01M8AE0S1WR3CYJBNHR1SVTEDE"
FILES = {f"{BLOCK}/chunks/000001": bytes(range(256)) * 40, f"{BLOCK}/index": b"i" * 300, f"{BLOCK}/meta.json": b"{}"}


class Assets(BaseHTTPRequestHandler):
    """Serves `files` below /p/user/s as Prometheus does; an answer holds at most `most` bytes, then the line breaks."""

    files: ClassVar[dict[str, bytes]] = {}
    most: ClassVar[int] = 10**9
    ranges: ClassVar[list[str]] = []
    tokens: ClassVar[set[str | None]] = set()

    def do_GET(self) -> None:
        """Answer."""
        self.tokens.add(self.headers["Authorization"])
        path = self.path.removeprefix("/p/user/s/")
        if path in self.files:
            self._file(self.files[path])
        else:
            self._folder(path)

    def _folder(self, path: str) -> None:
        inside = [name.removeprefix(path) for name in self.files if name.startswith(path)]
        names = dict.fromkeys(re.sub("/.*", "/", name) for name in inside)
        page = "".join(f'<a href="{name}">{name}</a>\n' for name in names).encode()
        self.send_response(200 if names else 404)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def _file(self, content: bytes) -> None:
        asked = self.headers["Range"]
        self.ranges.append(asked)
        start, end = map(int, asked.removeprefix("bytes=").split("-"))
        self.send_response(206)
        self.send_header("Content-Length", str(end + 1 - start))
        self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        self.end_headers()
        self.wfile.write(content[start : min(end + 1, start + self.most)])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the server's
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    Assets.files, Assets.most = dict(FILES), 10**9
    Assets.ranges.clear()
    Assets.tokens.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Assets)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Endpoint(
        url=f"http://127.0.0.1:{server.server_address[1]}/p", assets="/user", authorization=lambda: "Bearer t"
    )
    server.shutdown()
    server.server_close()
    thread.join(5)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_snapshot_comes_over_byte_for_byte_with_the_token_on_every_request(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    found = fetch(endpoint, "s", tmp_path)

    assert contents(tmp_path) == FILES
    assert {file.path: file.size for file in found} == {name: len(content) for name, content in FILES.items()}
    assert Assets.tokens == {"Bearer t"}


def test_a_file_that_breaks_off_is_taken_up_where_it_ended(endpoint: Endpoint, tmp_path: Path) -> None:
    Assets.most = 4000

    fetch(endpoint, "s", tmp_path, sleep=lambda _: None)

    assert contents(tmp_path) == FILES
    assert [one for one in Assets.ranges if one.endswith("-10239")] == [
        "bytes=0-10239",
        "bytes=4000-10239",
        "bytes=8000-10239",
    ]


def test_a_file_that_brings_nothing_any_more_is_an_error_with_how_far_it_came(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    Assets.most = 0

    with pytest.raises(MetricsError, match=r"000001 ended after 0 of 10240 bytes: broken off"):
        fetch(endpoint, "s", tmp_path, sleep=lambda _: None)

    assert Assets.ranges.count("bytes=0-10239") == 5


def test_a_snapshot_above_the_limit_is_refused_before_anything_is_fetched(endpoint: Endpoint, tmp_path: Path) -> None:
    with pytest.raises(MetricsError, match=r"has 0 MiB in 3 files, the limit is 0 MiB: a longer scrape interval"):
        fetch(endpoint, "s", tmp_path, limit=10_000)

    assert contents(tmp_path) == {}


def test_the_time_for_a_snapshot_is_bounded(endpoint: Endpoint, tmp_path: Path) -> None:
    Assets.most = 100
    ticks = iter(range(10**6))

    with pytest.raises(MetricsError, match=r"ended after \d+ of 10240 bytes"):
        fetch(endpoint, "s", tmp_path, within=5, clock=lambda: next(ticks), sleep=lambda _: None)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a b", ".hidden/x"])
def test_a_name_that_prometheus_would_not_give_is_refused(endpoint: Endpoint, tmp_path: Path, name: str) -> None:
    Assets.files = {name: b"x"}

    with pytest.raises(MetricsError, match="no name that Prometheus gives"):
        fetch(endpoint, "s", tmp_path)

    assert contents(tmp_path) == {}


def test_a_snapshot_that_is_not_shown_is_an_error(endpoint: Endpoint, tmp_path: Path) -> None:
    Assets.files = {}

    with pytest.raises(MetricsError, match="answered HTTP 404"):
        fetch(endpoint, "s", tmp_path)
