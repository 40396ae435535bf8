"""Raw JSON over a few kept connections: the API server without typed models.

Typed clients cost more CPU a pod than the pod costs the control plane to make; here a create is one request and one
read. Connections are kept and shared between threads; each is used by one thread at a time.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Self

from pytest_telescope.errors import LoadError
from pytest_telescope.load.chunked import Dechunker
from pytest_telescope.load.credentials import Credentials
from pytest_telescope.load.credentials import read_kubeconfig

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 70.0
"""The API server itself gives up after 60 s."""
TOKEN_SECONDS = 20.0
CHUNK = 1 << 16
MOST_AT_ONCE = 1 << 22
JSON = "application/json"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
"""What kubectl shows, made by the server: a fraction of the objects' size."""
FAILURES = (OSError, http.client.HTTPException)
"""What a request raises when there was no answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, whatever its status."""

    status: int
    body: bytes
    retry_after: float | None = None

    def json(self) -> dict[str, Any]:
        """Return the body as an object; an empty one if it is none."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}


class Api:
    """One API server; safe to use from several threads.

    Args:
        credentials: where and as whom.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._idle: deque[http.client.HTTPConnection] = deque()
        self._token: tuple[float, str | None] = (float("-inf"), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def from_kubeconfig(cls, path: Path) -> Api:
        """Return an Api of the current context of `path`."""
        return cls(read_kubeconfig(path))

    def request(self, method: str, path: str, body: bytes | None = None, *, accept: str = JSON) -> Reply:
        """Send one request and read its whole answer; a kept connection that the server had closed is tried anew.

        Args:
            method: of HTTP.
            path: with its query.
            body: JSON.
            accept: media type of the answer.

        Raises:
            OSError, http.client.HTTPException: no answer came (see `FAILURES`).
        """
        while self._idle:
            with suppress(IndexError):
                connection = self._idle.pop()
                try:
                    return self._exchange(connection, method, path, body, accept)
                except (ConnectionError, http.client.RemoteDisconnected, http.client.BadStatusLine):
                    connection.close()
        return self._exchange(self._connect(), method, path, body, accept)

    def _exchange(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, accept: str
    ) -> Reply:
        try:
            headers = self._headers(body is not None) | {"Accept": accept}
            connection.request(method, self._credentials.prefix + path, body, headers)
            answer = connection.getresponse()
            reply = Reply(answer.status, answer.read(), _seconds(answer.headers.get("Retry-After")))
        except BaseException:
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        else:
            self._idle.append(connection)
        return reply

    def stream(self, path: str) -> Stream:
        """Open an endless answer (a watch) on a connection of its own.

        Raises:
            OSError, http.client.HTTPException: no answer came.
        """
        connection = self._connect()
        try:
            connection.request("GET", self._credentials.prefix + path, headers=self._headers(body=False))
            open_socket = connection.sock  # getresponse drops it when the server closes after the answer
            return Stream(connection, open_socket, connection.getresponse())
        except BaseException:
            connection.close()
            raise

    def get(self, path: str) -> dict[str, Any]:
        """Return the object at `path`.

        Raises:
            LoadError: it is not there or the server did not answer.
        """
        try:
            reply = self.request("GET", path)
        except FAILURES as error:
            raise LoadError(f"GET {path}: no answer from the API server ({type(error).__name__}: {error})") from error
        if reply.status != http.client.OK:
            raise LoadError(f"GET {path}: HTTP {reply.status} {reply.json().get('message', '')}")
        return reply.json()

    def pages(self, path: str, limit: int = 500) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list; `path` has no query or ends in one."""
        joint = "&" if "?" in path else "?"
        token = ""
        while True:
            page = self.get(f"{path}{joint}limit={limit}{token}")
            yield page
            if not (more := page["metadata"].get("continue")):
                return
            token = f"&continue={more}"

    def close(self) -> None:
        """Close the kept connections."""
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def _connect(self) -> http.client.HTTPConnection:
        there = self._credentials
        host, port = there.proxy or (there.host, there.port)
        connection: http.client.HTTPConnection
        if there.tls is None:
            connection = http.client.HTTPConnection(host, port, timeout=CONNECT_TIMEOUT)
        else:
            connection = http.client.HTTPSConnection(host, port, timeout=CONNECT_TIMEOUT, context=there.tls)
        if there.proxy:
            connection.set_tunnel(there.host, there.port)
        connection.connect()
        connection.sock.settimeout(READ_TIMEOUT)
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _headers(self, body: bool) -> dict[str, str]:
        headers = {"Accept": JSON, "User-Agent": "pytest-telescope"}
        if body:
            headers["Content-Type"] = JSON
        if authorization := self._authorization():
            headers["Authorization"] = authorization
        return headers

    def _authorization(self) -> str | None:
        asked, value = self._token
        if time.monotonic() - asked > TOKEN_SECONDS:
            value = self._credentials.authorization()
            self._token = (time.monotonic(), value)
        return value


class Stream:
    """An open watch; `stop` may be called from another thread and ends the reader."""

    def __init__(
        self, connection: http.client.HTTPConnection, open_socket: socket.socket, answer: http.client.HTTPResponse
    ) -> None:
        self.status = answer.status
        self._socket = open_socket
        self._connection = connection
        self._answer = answer
        self._poll = select.poll()
        self._poll.register(open_socket, select.POLLIN)

    def chunks(self, pace: float = 0.0) -> Iterator[bytes]:
        """Yield what arrives, as it arrives; ends when the server ends it.

        Args:
            pace: seconds to let more arrive before a piece is yielded: waking up for each event of a burst costs more
                than the event.

        Raises:
            OSError, http.client.HTTPException: the stream was cut off.
        """
        body = self._answer.fp
        if not self._answer.chunked or body is None:
            while chunk := self._answer.read1(CHUNK):
                yield chunk
            return
        decoder, raw = Dechunker(), body.read1(CHUNK)  # what came along with the head; then straight from the socket
        while raw:
            if chunk := decoder.feed(raw):
                yield chunk
            if decoder.ended:
                return
            raw = self._next(pace)
        raise http.client.IncompleteRead(b"")

    def _next(self, pace: float) -> bytes:
        """Read from the socket: wait for something, then `pace` seconds more, then take all that is at hand."""
        first = self._socket.recv(CHUNK)
        if not pace or not first:
            return first
        time.sleep(pace)
        parts, size = [first], len(first)
        while size < MOST_AT_ONCE and self._readable() and (more := self._socket.recv(CHUNK)):
            parts.append(more)
            size += len(more)
        return b"".join(parts)

    def _readable(self) -> bool:
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        return bool(self._poll.poll(0))

    def body(self) -> bytes:
        """Return the whole of an answer that is no watch (an error)."""
        return self._answer.read()

    def stop(self) -> None:
        """End the stream at once."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back to the system."""
        self._answer.close()
        self._connection.close()


def _seconds(value: str | None) -> float | None:
    try:
        return float(value) if value else None
    except ValueError:
        return None
