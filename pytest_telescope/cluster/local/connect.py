"""An HTTP CONNECT proxy, one connection at a time; nothing of the project is needed for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping

CHUNK = 65_536
HEAD_LIMIT = 8_192
TIMEOUT = 10.0
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[str, int], Awaitable[Streams]]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Address = tuple[str, int]


class ConnectProxy:
    """Opens tunnels.

    Args:
        dial: connects to any address but the proxy's own; raises OSError.
        own: addresses that exist nowhere else, and what serves each.
    """

    def __init__(self, dial: Dial, own: Mapping[Address, Serve]) -> None:
        self._dial = dial
        self._own = own

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one CONNECT request and serve its tunnel to the end."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), TIMEOUT)
            target = parse_connect(head)
            if target is None:
                writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            elif target in self._own:
                writer.write(ESTABLISHED)
                await self._own[target](reader, writer)
            else:
                await self._tunnel((reader, writer), *target)
        writer.close()

    async def _tunnel(self, client: Streams, host: str, port: int) -> None:
        try:
            other = await self._open(host, port)
        except OSError as error:
            reason = f"{type(error).__name__}: {error}".replace("\r", " ").replace("\n", " ")
            client[1].write(f"HTTP/1.1 502 {reason}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        client[1].write(ESTABLISHED)
        await join(client, other)

    async def _open(self, host: str, port: int) -> Streams:
        if host in {own_host for own_host, _ in self._own}:
            raise ConnectionRefusedError(f"nothing is at port {port} of {host}")  # a dial would leave this machine
        return await self._dial(host, port)


def parse_connect(head: bytes) -> Address | None:
    """Return host and port of a CONNECT request's head, or None if it is anything else."""
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) != 3 or words[0] != "CONNECT" or len(head) > HEAD_LIMIT:
        return None
    host, _, port = words[1].rpartition(":")
    if not host or not port.isdigit():
        return None
    return host.strip("[]"), int(port)


async def dial(host: str, port: int) -> Streams:
    """Connect to an address as any program of this machine would.

    Raises:
        OSError: nobody is there, or not within `TIMEOUT` seconds.
    """
    return await asyncio.wait_for(asyncio.open_connection(host, port), TIMEOUT)


async def join(one: Streams, other: Streams) -> None:
    """Copy both ways until both sides have ended."""
    try:
        await asyncio.gather(copy(one[0], other[1]), copy(other[0], one[1]))
    finally:
        one[1].close()
        other[1].close()


async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy until `source` ends, then end `sink` for writing."""
    with contextlib.suppress(OSError):
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()
    with contextlib.suppress(OSError):
        if sink.can_write_eof():
            sink.write_eof()
