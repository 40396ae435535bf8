"""A managed API server's front door: TLS of an own CA and bearer tokens, before a cluster that wants neither.

One connection to the cluster for each from a client, kept as long: only requests are looked at (to check and take away
their token), answers are passed on as they come. So watches stream, and upgraded connections (exec) are tunnels.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import ssl
import tempfile
import threading
from collections.abc import Callable
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from typing import Self
from urllib.parse import urlsplit

import yaml

from pytest_telescope.cluster.local import pki
from pytest_telescope.cluster.local.layout import Layout

LIMIT = 1 << 20
"""Bytes that a request's head may have."""
CHUNK = 1 << 16
REFUSAL = json.dumps(
    {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": "Unauthorized",
        "reason": "Unauthorized",
        "code": 401,
    }
).encode()
UNAUTHORIZED = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Content-Length: " + str(len(REFUSAL)).encode() + b"\r\n\r\n" + REFUSAL
)


@dataclass(frozen=True)
class Head:
    """A request's head.

    Attributes:
        lines: request line and headers, without the one with the token.
    """

    lines: list[bytes]
    token: str
    length: int
    chunked: bool
    upgrade: bool

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Take a head apart, up to and with its empty line."""
        first, *rest = raw.rstrip(b"\r\n").split(b"\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in rest)}
        kept = [line for line in rest if not line.lower().startswith(b"authorization:")]
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        return cls(
            lines=[first, *kept],
            token=token.decode() if scheme.lower() == b"bearer" else "",
            length=int(headers.get(b"content-length", b"0")),
            chunked=headers.get(b"transfer-encoding", b"").lower() == b"chunked",
            upgrade=b"upgrade" in headers,
        )

    def raw(self) -> bytes:
        """Return it as it goes on."""
        return b"\r\n".join(self.lines) + b"\r\n\r\n"


class Front:
    """Serves on loopback while its context lasts.

    Attributes:
        endpoint: URL for a kubeconfig.
        ca: PEM of the certificate that signed the server's.
        refused: how many requests had no token, or a bad one.
    """

    def __init__(self, kubeconfig: Path, accepts: Callable[[str], bool]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="front-")
        folder = Path(self._folder.name)
        self._server_context, self.ca = serving(folder)
        self._host, self._port, self._client_context = _backend(kubeconfig, folder)
        self._accepts = accepts
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="front", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.refused = 0
        self.endpoint = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(timeout=10.0)
        self.endpoint = f"https://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=10.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10.0)
        self._loop.close()
        self._folder.cleanup()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(
            self._accepted, "127.0.0.1", 0, ssl=self._server_context, limit=LIMIT, backlog=256
        )

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _ in range(3):  # what an aborted transport still has to do comes in the next turns of the loop
            await asyncio.sleep(0)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _done: writer.transport.abort())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                await self._proxy(reader, writer)
            finally:
                await _shut(writer)

    async def _proxy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await self._behind()
        try:
            await self._first_of(self._requests(reader, writer, behind_writer), _pump(behind_reader, writer))
        finally:
            await _shut(behind_writer)

    async def _first_of(self, *ways: Coroutine[Any, Any, None]) -> None:
        """Return when one has ended, and end the others."""
        tasks = [self._loop.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _behind(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection to the cluster; one that is cancelled meanwhile is opened and closed."""
        opening = asyncio.ensure_future(
            asyncio.open_connection(self._host, self._port, ssl=self._client_context, limit=LIMIT)
        )
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            _, writer = await opening
            await _shut(writer)
            raise

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, behind: asyncio.StreamWriter
    ) -> None:
        while True:
            head = Head.read(await reader.readuntil(b"\r\n\r\n"))
            if not self._accepts(head.token):
                self.refused += 1
                writer.write(UNAUTHORIZED)
                await writer.drain()
                return
            behind.write(head.raw())
            if head.upgrade:
                await _pump(reader, behind)
                return
            await _body(head, reader, behind)
            await behind.drain()


async def _body(head: Head, reader: asyncio.StreamReader, behind: asyncio.StreamWriter) -> None:
    left = head.length
    while left:
        data = await reader.read(min(left, CHUNK))
        if not data:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(data)
        behind.write(data)
        await behind.drain()
    while head.chunked:
        size = await reader.readuntil(b"\r\n")
        length = int(size.split(b";")[0], 16)
        behind.write(size + await reader.readexactly(length + 2))
        await behind.drain()
        if length == 0:
            return


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()


async def _shut(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), timeout=1.0)
    finally:
        writer.transport.abort()


def serving(folder: Path) -> tuple[ssl.SSLContext, str]:
    """Return what a server on loopback needs, and the PEM of its CA; its keys lie in `folder`."""
    layout = Layout(folder)
    pki.write_pki(layout)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(layout.certificate("apiserver"), layout.key("apiserver"))
    return tls, layout.certificate("ca").read_text()


def _backend(kubeconfig: Path, folder: Path) -> tuple[str, int, ssl.SSLContext]:
    """Return host, port and TLS with the administrator's certificate of a kubeconfig's current context."""
    config = yaml.safe_load(kubeconfig.read_text())
    context = _named(config["contexts"], config["current-context"], "context")
    cluster = _named(config["clusters"], context["cluster"], "cluster")
    user = _named(config["users"], context["user"], "user")
    url = urlsplit(cluster["server"])
    ca = _pem(cluster, "certificate-authority", kubeconfig, folder)
    tls = ssl.create_default_context(cafile=ca)
    certificate = _pem(user, "client-certificate", kubeconfig, folder)
    tls.load_cert_chain(certificate, _pem(user, "client-key", kubeconfig, folder))
    return url.hostname or "", url.port or 443, tls


def _named(entries: list[dict[str, Any]], name: str, kind: str) -> dict[str, Any]:
    return next(dict(entry[kind]) for entry in entries if entry["name"] == name)


def _pem(entry: dict[str, Any], name: str, kubeconfig: Path, folder: Path) -> Path:
    """Return the file that `entry` names, or one with the data that it holds itself."""
    if name in entry:
        return kubeconfig.parent / str(entry[name])
    file = folder / f"{name}.pem"
    file.write_bytes(base64.b64decode(entry[f"{name}-data"]))
    return file
