"""The one bridge between the host and a node's network namespace.

* The API server, which listens on the host's loopback, gets the same address inside the namespace, for kubelet.
* An HTTP CONNECT proxy on a unix socket lets the API server reach kubelet and pods. Addresses of the node's range are
  dialled inside the namespace, all others (kwok's kubelet server, webhooks) on the host, as without a proxy.

Sockets stay in the network namespace in which they were made, so one single-threaded process serves both sides.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

from pytest_telescope.cluster.local import network
from pytest_telescope.cluster.local import node_ns as ns

_CHUNK = 65_536
_HEAD_LIMIT = 8_192
_DIAL_TIMEOUT = 10.0
_BACKLOG = 256

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
MakeSocket = Callable[[], socket.socket]


class Relay:
    """Both directions of one node; `start` returns once everything listens."""

    def __init__(self, *, inside: MakeSocket, outside: MakeSocket, api_port: int, listen_port: int, uds: Path) -> None:
        self._inside = inside
        self._outside = outside
        self._api_port = api_port
        self._listen_port = listen_port
        self._uds = uds
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        """Listen inside the namespace and on the unix socket."""
        listener = self._inside()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._listen_port))
        self._servers.append(await asyncio.start_server(self._to_api_server, sock=listener, backlog=_BACKLOG))
        self._uds.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            self._servers.append(await asyncio.start_unix_server(self._connect, str(self._uds), backlog=_BACKLOG))
        finally:
            os.umask(mask)

    async def close(self) -> None:
        """Stop listening and take the socket file away; open connections end with the process."""
        for server in self._servers:
            server.close()
        self._uds.unlink(missing_ok=True)

    async def _to_api_server(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            other = await _dial("127.0.0.1", self._api_port, self._outside)
            await _join((reader, writer), other)
        writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _DIAL_TIMEOUT)
            target = parse_connect(head)
            if target is None:
                writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            else:
                await self._tunnel((reader, writer), *target)
        writer.close()

    async def _tunnel(self, client: Streams, host: str, port: int) -> None:
        make = self._inside if network.is_inside(host) else self._outside
        try:
            other = await _dial(host, port, make)
        except OSError as error:
            reason = f"{type(error).__name__}: {error}".replace("\r", " ").replace("\n", " ")
            client[1].write(f"HTTP/1.1 502 {reason}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        client[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _join(client, other)


def parse_connect(head: bytes) -> tuple[str, int] | None:
    """Return host and port of a CONNECT request's head, or None if it is anything else."""
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) != 3 or words[0] != "CONNECT" or len(head) > _HEAD_LIMIT:
        return None
    host, _, port = words[1].rpartition(":")
    if not host or not port.isdigit():
        return None
    return host.strip("[]"), int(port)


def socket_here() -> socket.socket:
    """Return a TCP socket of this process's network namespace."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    return made


def socket_in(namespace: int, home: int) -> socket.socket:
    """Return a TCP socket of another network namespace; `home` is this process's own."""
    with ns.inside(namespace, home):
        return socket_here()


async def _dial(host: str, port: int, make: MakeSocket) -> Streams:
    made = make()
    try:
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(made, (host, port)), _DIAL_TIMEOUT)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return await asyncio.open_connection(sock=made)
    except BaseException:
        made.close()
        raise


async def _join(one: Streams, other: Streams) -> None:
    """Copy both ways until both sides have ended."""
    try:
        await asyncio.gather(_copy(one[0], other[1]), _copy(other[0], one[1]))
    finally:
        one[1].close()
        other[1].close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
    with contextlib.suppress(OSError):
        if sink.can_write_eof():
            sink.write_eof()
