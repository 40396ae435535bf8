"""The one bridge between the host and a node's network namespace.

* The API server, which listens on the host's loopback, gets the same address inside the namespace, for kubelet, and the
  address of the service `kubernetes`, for pods.
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
from collections.abc import Mapping
from pathlib import Path

from pytest_telescope.cluster.local import connect
from pytest_telescope.cluster.local import network
from pytest_telescope.cluster.local import node_ns as ns

_BACKLOG = 256

MakeSocket = Callable[[], socket.socket]


class Relay:
    """Both directions of one node; `start` returns once everything listens.

    Args:
        service: a second address inside the namespace at which the API server is reached.
        own: addresses on the unix socket that are neither the node's nor the host's, and what serves each.
    """

    def __init__(
        self,
        *,
        inside: MakeSocket,
        outside: MakeSocket,
        api_port: int,
        listen_port: int,
        uds: Path,
        service: connect.Address | None = None,
        own: Mapping[connect.Address, connect.Serve] | None = None,
    ) -> None:
        self._inside = inside
        self._outside = outside
        self._api_port = api_port
        self._addresses = [("127.0.0.1", listen_port), *([service] if service else [])]
        self._uds = uds
        self._proxy = connect.ConnectProxy(self._dial, own or {})
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        """Listen inside the namespace and on the unix socket."""
        for address in self._addresses:
            listener = self._inside()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            self._servers.append(await asyncio.start_server(self._to_api_server, sock=listener, backlog=_BACKLOG))
        self._uds.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            self._servers.append(await asyncio.start_unix_server(self._proxy.serve, str(self._uds), backlog=_BACKLOG))
        finally:
            os.umask(mask)

    async def close(self) -> None:
        """Stop listening and take the socket file away; open connections end with the process."""
        for server in self._servers:
            server.close()
        self._uds.unlink(missing_ok=True)

    async def _to_api_server(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            other = await _dial_from(self._outside(), "127.0.0.1", self._api_port)
            await connect.join((reader, writer), other)
        writer.close()

    async def _dial(self, host: str, port: int) -> connect.Streams:
        made = self._inside() if network.is_inside(host) else self._outside()
        return await _dial_from(made, host, port)


def socket_here() -> socket.socket:
    """Return a TCP socket of this process's network namespace."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    return made


def socket_in(namespace: int, home: int) -> socket.socket:
    """Return a TCP socket of another network namespace; `home` is this process's own."""
    with ns.inside(namespace, home):
        return socket_here()


async def _dial_from(made: socket.socket, host: str, port: int) -> connect.Streams:
    try:
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(made, (host, port)), connect.TIMEOUT)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return await asyncio.open_connection(sock=made)
    except BaseException:
        made.close()
        raise
