"""The prometheus door: plain HTTP in, mutual TLS out, and only what reads may pass.

Prometheus answers nobody without a certificate, and the API server's service proxy has none; so whoever may use that
proxy (the admin of the cluster) may ask here. Each connection carries one request: the answer then ends where the
connection does, whatever its form, and no second request can hide behind the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_telescope.cluster.local import connect
from pytest_telescope.cluster.local.egress import PROMETHEUS
from pytest_telescope.cluster.local.egress import Upstream

HOST = "127.0.0.1"
MAY_PASS = frozenset(
    {
        ("GET", "/api/v1/query"),
        ("POST", "/api/v1/query"),
        ("GET", "/api/v1/query_range"),
        ("POST", "/api/v1/query_range"),
        ("GET", "/api/v1/targets"),
    }
)
PASSED_ON = ("accept", "accept-encoding", "content-type")
BODY_LIMIT = 1 << 20
_BARE = frozenset("\r\n\0")
"""Some servers end a line at one of these alone."""


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request that may pass."""

    method: str
    target: str
    headers: Mapping[str, str]
    length: int

    def head(self) -> bytes:
        """Return the head as Prometheus gets it, made anew: nothing unknown passes."""
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {HOST}", "Connection: close"]
        lines += [f"{name}: {self.headers[name]}" for name in PASSED_ON if name in self.headers]
        lines += [f"Content-Length: {self.length}"] if self.method == "POST" else []
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class RefusedError(Exception):
    """A request that does not pass: its arguments are the status line and a sentence."""


def parse_request(head: bytes) -> Request:
    """Read the head of a request.

    Raises:
        RefusedError: it is not one, or it may not pass.
    """
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    words = first.split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1" or _BARE & set("".join((first, *lines))):
        raise RefusedError("400 Bad Request", "this is not HTTP/1.1")
    method, target, _ = words
    if (method, target.partition("?")[0]) not in MAY_PASS:
        raise RefusedError("403 Forbidden", "only queries and the list of targets pass here")
    headers = _headers(lines)
    return Request(method, target, headers, _length(headers))


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or name.lower() in headers:
            raise RefusedError("400 Bad Request", "a header is malformed or comes twice")
        headers[name.lower()] = value.strip()
    return headers


def _length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise RefusedError("411 Length Required", "a body must come with its Content-Length")
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()):
        raise RefusedError("400 Bad Request", "Content-Length is not a number")
    if int(text) > BODY_LIMIT:
        raise RefusedError("413 Content Too Large", f"a body may have {BODY_LIMIT} bytes")
    return int(text)


class Door:
    """Serves single requests to Prometheus."""

    def __init__(self, upstream: Upstream) -> None:
        self._port = upstream.port
        self._tls = ssl.create_default_context(cafile=upstream.ca)
        self._tls.load_cert_chain(upstream.certificate, upstream.key)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one request and end the connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                request = parse_request(await self._head(reader))
                await self._forward(request, reader, writer)
            except RefusedError as refused:
                writer.write(_answer(*refused.args))
            await writer.drain()
        writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise RefusedError("431 Request Header Fields Too Large", "the head of the request is too long") from None

    async def _forward(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            opened = asyncio.open_connection(HOST, self._port, ssl=self._tls)
            source, sink = await asyncio.wait_for(opened, connect.TIMEOUT)
        except OSError as error:
            raise RefusedError("502 Bad Gateway", f"Prometheus does not answer: {error}") from error
        try:
            sink.write(request.head())
            await asyncio.gather(_send_body(reader, sink, request.length), connect.copy(source, writer))
        finally:
            sink.close()


async def _send_body(reader: asyncio.StreamReader, sink: asyncio.StreamWriter, length: int) -> None:
    if length:
        sink.write(await reader.readexactly(length))
    await sink.drain()


def _answer(status: str, sentence: str) -> bytes:
    body = f"{sentence}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def run(listener: socket.socket, upstream: Upstream) -> None:
    """Serve a listening unix socket until the process is ended."""
    asyncio.run(serve(listener, upstream))


async def serve(listener: socket.socket, upstream: Upstream) -> None:
    """Serve a listening unix socket: Prometheus at its address, every other one as this machine reaches it."""
    proxy = connect.ConnectProxy(connect.dial, {PROMETHEUS: Door(upstream).serve})
    server = await asyncio.start_unix_server(proxy.serve, sock=listener)
    await server.serve_forever()
