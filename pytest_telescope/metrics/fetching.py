"""Bringing a snapshot home from a Prometheus whose disk is elsewhere, over HTTP and byte for byte.

Prometheus itself serves the files (`--web.user-assets`): folders as an HTML list of links, files with ranges. So what
breaks off is taken up where it ended, and each file's size is known before and checked after.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics.client import connect
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.metrics.size import TooLargeError
from pytest_telescope.metrics.size import size_limit

if TYPE_CHECKING:
    import requests

WITHIN = 1800.0
"""Seconds for one snapshot."""
TRIES = 5
"""Attempts in a row at one file that bring not a single byte."""
PAUSE = 1.0
"""Seconds between two attempts."""
TIMEOUT = (5.0, 60.0)
"""Seconds for a connection, and for each part of an answer."""
CHUNK = 1024 * 1024
_LINK = re.compile(r'<a href="([^"]+)"')
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DEPTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One file of a snapshot: its path below the snapshot, its size in bytes."""

    path: str
    size: int


def fetch(
    endpoint: Endpoint,
    snapshot: str,
    destination: Path,
    *,
    limit: int | None = None,
    within: float = WITHIN,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[RemoteFile]:
    """Copy the snapshot of that name to `destination` and return its files.

    Raises:
        TooLargeError: it has more than `limit` bytes, by default those of `size.size_limit`; nothing was fetched.
        MetricsError: it is not shown, is not here within `within` seconds, or came short.
    """
    deadline = clock() + within
    base = f"{endpoint.url.rstrip('/')}{endpoint.assets}/{snapshot}"
    with connect(endpoint) as session:
        session.headers["Accept-Encoding"] = "identity"  # a compressed file has no ranges
        files = [RemoteFile(path=path, size=_size(session, f"{base}/{path}")) for path in _walk(session, base)]
        _check_size(files, size_limit() if limit is None else limit, snapshot)
        for file in files:
            _Download(session, f"{base}/{file.path}", file.size, destination / file.path).run(deadline, clock, sleep)
    return files


def _walk(session: requests.Session, base: str, folder: str = "", depth: int = 0) -> Iterator[str]:
    """Yield the paths of all files below `folder`, which is empty or ends in a slash."""
    for entry in _entries(_get(session, f"{base}/{folder}").text):
        if not entry.endswith("/"):
            yield folder + entry
        elif depth < _DEPTH:
            yield from _walk(session, base, folder + entry, depth + 1)


def _entries(page: str) -> list[str]:
    """Return the names in a list of links, folders with a slash; a proxy on the way may make links absolute."""
    found = []
    for link in _LINK.findall(page):
        path = unquote(link).partition("?")[0]
        name = path.rstrip("/").rpartition("/")[2]
        if not _NAME.fullmatch(name):
            raise MetricsError(f"the snapshot has an entry {link!r}, which is no name that Prometheus gives")
        found.append(name + ("/" if path.endswith("/") else ""))
    return found


def _get(session: requests.Session, url: str, ranged: str | None = None) -> requests.Response:
    import requests

    try:
        reply = session.get(url, headers={"Range": ranged} if ranged else {}, timeout=TIMEOUT, stream=bool(ranged))
    except requests.RequestException as error:
        raise MetricsError(f"{url} cannot be read: {error}") from error
    if reply.status_code not in (requests.codes.ok, requests.codes.partial_content):
        with reply:
            raise MetricsError(f"{url} answered HTTP {reply.status_code}: {reply.text.strip()[:300]}")
    return reply


def _size(session: requests.Session, url: str) -> int:
    """Return a file's size by asking for its first byte; Prometheus answers no HEAD."""
    with _get(session, url, "bytes=0-0") as reply:
        told = reply.headers.get("Content-Range", "").rpartition("/")[2]
    if not told.isdigit():
        raise MetricsError(f"{url} does not tell its size: Content-Range is {told or 'missing'!r}")
    return int(told)


def _check_size(files: list[RemoteFile], limit: int, snapshot: str) -> None:
    total = sum(file.size for file in files)
    if total > limit:
        raise TooLargeError(snapshot, total, len(files), limit)


class _Download:
    """One file, taken up again where it broke off."""

    def __init__(self, session: requests.Session, url: str, size: int, target: Path) -> None:
        self._session = session
        self._url = url
        self._size = size
        self._target = target
        self._have = 0

    def run(self, deadline: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        """Write the file whole, or raise MetricsError."""
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._target.touch()
        idle, why = 0, ""
        while self._have < self._size:
            before = self._have
            try:
                self._more(lambda: clock() > deadline)
            except MetricsError as error:
                why = str(error)
            idle = 0 if self._have > before else idle + 1
            if self._have < self._size and (idle >= TRIES or clock() > deadline):
                raise MetricsError(f"{self._url} ended after {self._have} of {self._size} bytes: {why or 'time is up'}")
            if self._have < self._size:
                sleep(PAUSE)

    def _more(self, late: Callable[[], bool]) -> None:
        """Append what comes, as it comes, until it ends, breaks or is too late: what came before a break is kept."""
        from urllib3.exceptions import HTTPError

        try:
            with (
                _get(self._session, self._url, f"bytes={self._have}-{self._size - 1}") as reply,
                self._target.open("ab") as sink,
            ):
                self._check_range(reply)
                while part := reply.raw.read1(CHUNK):
                    sink.write(part)
                    self._have += len(part)
                    if late():
                        return
        except (HTTPError, OSError) as error:
            raise MetricsError(f"broken off: {error}") from error

    def _check_range(self, reply: requests.Response) -> None:
        want = f"bytes {self._have}-{self._size - 1}/{self._size}"
        told = reply.headers.get("Content-Range", "none")
        if told != want:
            raise MetricsError(f"{self._url} answered the range {told}, asked was {want}")
