"""The bridge between a host and a node, here with both ends in the same network namespace."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Awaitable
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_telescope.cluster.local import connect
from pytest_telescope.cluster.local import relay

OWN = ("198.18.255.1", 9090)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer everything that comes, in capitals, once the other side has finished."""
    writer.write((await reader.read()).upper())
    await writer.drain()
    writer.close()


def with_relay(socket_path: Path, use: Callable[[int, int], Awaitable[bytes]]) -> bytes:
    """Run `use(port of the server, port of the relay)` beside a server and a relay to it."""

    async def run() -> bytes:
        server = await asyncio.start_server(shout, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        listener = relay.socket_here()
        listener.bind(("127.0.0.1", 0))
        listen_port = listener.getsockname()[1]
        listener.close()
        bridge = relay.Relay(
            inside=relay.socket_here,
            outside=relay.socket_here,
            api_port=port,
            listen_port=listen_port,
            uds=socket_path,
            own={OWN: shout},
        )
        await bridge.start()
        try:
            return await asyncio.wait_for(use(port, listen_port), 10)
        finally:
            await bridge.close()
            server.close()

    return asyncio.run(run())


async def talk(streams: Streams, *words: bytes) -> bytes:
    reader, writer = streams
    for word in words:
        writer.write(word)
        await writer.drain()
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


def test_kubelet_reaches_the_api_server_and_half_closed_connections_work(tmp_path: Path) -> None:
    async def use(_: int, listen_port: int) -> bytes:
        return await talk(await asyncio.open_connection("127.0.0.1", listen_port), b"x" * 300_000)

    assert with_relay(tmp_path / "s", use) == b"X" * 300_000


def test_connect_opens_a_tunnel(tmp_path: Path) -> None:
    async def use(port: int, _: int) -> bytes:
        head = f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        return await talk(await asyncio.open_unix_connection(str(tmp_path / "s")), head, b"hello")

    answer = with_relay(tmp_path / "s", use)

    assert answer == b"HTTP/1.1 200 Connection established\r\n\r\nHELLO"


def test_an_address_of_the_relay_s_own_is_served_by_it(tmp_path: Path) -> None:
    head = f"CONNECT {OWN[0]}:{OWN[1]} HTTP/1.1\r\n\r\n".encode()

    async def use(_: int, __: int) -> bytes:
        return await talk(await asyncio.open_unix_connection(str(tmp_path / "s")), head, b"hello")

    assert with_relay(tmp_path / "s", use) == b"HTTP/1.1 200 Connection established\r\n\r\nHELLO"


def test_a_target_that_refuses_is_told_to_the_client(tmp_path: Path) -> None:
    async def use(_: int, __: int) -> bytes:
        return await talk(
            await asyncio.open_unix_connection(str(tmp_path / "s")), b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n"
        )

    answer = with_relay(tmp_path / "s", use)

    assert answer.startswith(b"HTTP/1.1 502 ConnectionRefusedError")


def test_anything_but_connect_is_refused(tmp_path: Path) -> None:
    async def use(_: int, __: int) -> bytes:
        return await talk(await asyncio.open_unix_connection(str(tmp_path / "s")), b"GET / HTTP/1.1\r\n\r\n")

    assert with_relay(tmp_path / "s", use).startswith(b"HTTP/1.1 405")


def test_only_its_owner_may_use_the_socket_and_it_goes_with_the_relay(tmp_path: Path) -> None:
    modes: list[int] = []

    async def use(_: int, __: int) -> bytes:
        modes.append(stat.S_IMODE((tmp_path / "s").stat().st_mode))
        return b""

    with_relay(tmp_path / "s", use)

    assert modes == [0o600]
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("head", "target"),
    [
        (b"CONNECT 198.18.0.1:10250 HTTP/1.1\r\nHost: a\r\n\r\n", ("198.18.0.1", 10250)),
        (b"CONNECT [::1]:80 HTTP/1.1\r\n\r\n", ("::1", 80)),
        (b"CONNECT 198.18.0.1 HTTP/1.1\r\n\r\n", None),
        (b"CONNECT host:port HTTP/1.1\r\n\r\n", None),
        (b"\r\n\r\n", None),
    ],
)
def test_the_target_of_a_connect_is_read(head: bytes, target: tuple[str, int] | None) -> None:
    assert connect.parse_connect(head) == target
