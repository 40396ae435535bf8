"""The way from the API server to Prometheus: what passes, what does not, and who may use it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope.cluster.local import connect
from pytest_telescope.cluster.local import door
from pytest_telescope.cluster.local import egress
from pytest_telescope.cluster.local import pki
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.processes import wait_until
from tests.cluster.nobody import CONNECT_AS_NOBODY

HOST, PORT = egress.PROMETHEUS
CONNECT = f"CONNECT {HOST}:{PORT} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nyes\r\n0\r\n\r\n"


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    layout = Layout(tmp_path_factory.mktemp("cluster"))
    pki.write_pki(layout)
    return layout


def request(first: str, *headers: str) -> bytes:
    return "\r\n".join([first, *headers, "", ""]).encode()


@pytest.mark.parametrize(
    "head",
    [
        request("GET /api/v1/query?query=up&time=2026-01-01T00:00:00Z HTTP/1.1"),
        request("POST /api/v1/query HTTP/1.1", "Content-Length: 8"),
        request("GET /api/v1/query_range?query=up HTTP/1.1"),
        request("POST /api/v1/query_range HTTP/1.1", "Content-Length: 8"),
        request("GET /api/v1/targets?state=active HTTP/1.1"),
    ],
)
def test_questions_pass(head: bytes) -> None:
    passed = door.parse_request(head).head()

    assert passed.startswith(head.split(b"\r\n")[0] + b"\r\n")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (request("POST /api/v1/admin/tsdb/snapshot HTTP/1.1"), "403"),
        (request("POST /api/v1/targets HTTP/1.1"), "403"),
        (request("DELETE /api/v1/query HTTP/1.1"), "403"),
        (request("GET /api/v1/query/../admin/tsdb/snapshot HTTP/1.1"), "403"),
        (request("GET /api/v1/%71uery HTTP/1.1"), "403"),
        (request("GET //api/v1/query HTTP/1.1"), "403"),
        (request("GET http://x/api/v1/query HTTP/1.1"), "403"),
        (request("GET /metrics HTTP/1.1"), "403"),
        (request("GET /api/v1/query HTTP/1.0"), "400"),
        (request("GET /api/v1/query"), "400"),
        (request("GET /api/v1/query HTTP/1.1", "Accept: a\nTransfer-Encoding: chunked"), "400"),
        (request("GET /api/v1/query HTTP/1.1", "Content-Length : 3"), "400"),
        (request("GET /api/v1/query HTTP/1.1", " folded: 3"), "400"),
        (request("POST /api/v1/query HTTP/1.1", "Content-Length: 3", "content-length: 4"), "400"),
        (request("POST /api/v1/query HTTP/1.1", "Content-Length: -3"), "400"),
        (request("POST /api/v1/query HTTP/1.1", f"Content-Length: {door.BODY_LIMIT + 1}"), "413"),
        (request("POST /api/v1/query HTTP/1.1", "Transfer-Encoding: chunked"), "411"),
    ],
)
def test_everything_else_is_refused(head: bytes, status: str) -> None:
    with pytest.raises(door.RefusedError) as refused:
        door.parse_request(head)

    assert refused.value.args[0].startswith(status)


def test_only_known_headers_reach_prometheus_and_the_connection_ends_with_the_answer() -> None:
    head = request("GET /api/v1/query HTTP/1.1", "Accept: application/json", "X-Any: thing", "Connection: keep-alive")

    passed = door.parse_request(head).head()

    assert passed == (
        b"GET /api/v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\naccept: application/json\r\n\r\n"
    )


def test_the_upstream_survives_a_command_line(layout: Layout) -> None:
    upstream = egress.upstream(layout, {"prometheus": 20001})

    assert egress.upstream_of(upstream.words()) == upstream


def test_the_socket_s_path_is_short_however_deep_the_cluster_lies(tmp_path: Path) -> None:
    layout = Layout(tmp_path / ("deep" * 30))

    document = json.loads(egress.write_config(layout, egress.SOCKET).read_text(encoding="utf-8"))

    (selection,) = document["egressSelections"]
    assert selection["name"] == "cluster"
    assert selection["connection"]["transport"] == {"uds": {"udsName": "egress.sock"}}


def ask(layout: Layout, *words: bytes, answer: bytes = CHUNKED) -> tuple[bytes, list[bytes]]:
    """Send words through a door; return what came back, and what a TLS server in Prometheus' place was asked."""
    asked: list[bytes] = []

    async def prometheus(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(next((line[15:] for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0))
        asked.append(head + await reader.readexactly(length))
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def run() -> bytes:
        server = await asyncio.start_server(prometheus, "127.0.0.1", 0, ssl=server_tls(layout))
        port = server.sockets[0].getsockname()[1]
        try:
            return await talk(door.Door(egress.upstream(layout, {"prometheus": port})).serve, *words)
        finally:
            server.close()
            await server.wait_closed()

    return asyncio.run(asyncio.wait_for(run(), 20)), asked


def server_tls(layout: Layout) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=layout.certificate("prometheus-ca"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(layout.certificate("prometheus"), layout.key("prometheus"))
    return context


async def talk(serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], *words: bytes) -> bytes:
    ours, theirs = socket.socketpair()
    serving = asyncio.ensure_future(serve(*await asyncio.open_connection(sock=theirs)))
    reader, writer = await asyncio.open_connection(sock=ours)
    for word in words:
        writer.write(word)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    await serving
    return answer


def test_a_chunked_answer_comes_back_as_it_is(layout: Layout) -> None:
    answer, asked = ask(layout, request("GET /api/v1/query?query=up HTTP/1.1"))

    assert answer == CHUNKED
    assert len(asked) == 1


def test_a_body_is_passed_on_in_full_and_nothing_behind_it(layout: Layout) -> None:
    head = request("POST /api/v1/query HTTP/1.1", "Content-Length: 8")
    smuggled = request("POST /api/v1/admin/tsdb/snapshot HTTP/1.1", "Content-Length: 0")

    answer, asked = ask(layout, head, b"query=", b"up" + smuggled)

    assert answer == CHUNKED
    (only,) = asked
    assert only.endswith(b"\r\n\r\nquery=up")


def test_what_is_refused_is_answered_and_never_reaches_prometheus(layout: Layout) -> None:
    answer, asked = ask(layout, request("POST /api/v1/admin/tsdb/snapshot HTTP/1.1"))

    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"Connection: close\r\n" in answer
    assert asked == []


def test_a_head_without_end_is_refused(layout: Layout) -> None:
    answer, asked = ask(layout, b"GET /api/v1/query?query=" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert asked == []


def test_a_prometheus_that_is_gone_is_told_to_the_client(layout: Layout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    there = door.Door(egress.upstream(layout, {"prometheus": port}))

    answer = asyncio.run(talk(there.serve, request("GET /api/v1/targets HTTP/1.1")))

    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")


def test_other_ports_of_prometheus_address_are_refused_without_leaving_the_machine() -> None:
    dialled: list[str] = []

    async def dial(host: str, port: int) -> connect.Streams:
        dialled.append(f"{host}:{port}")
        raise ConnectionRefusedError

    async def nobody(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        raise AssertionError

    proxy = connect.ConnectProxy(dial, {egress.PROMETHEUS: nobody})

    own = asyncio.run(talk(proxy.serve, f"CONNECT {HOST}:10250 HTTP/1.1\r\n\r\n".encode()))
    other = asyncio.run(talk(proxy.serve, b"CONNECT 127.0.0.1:10250 HTTP/1.1\r\n\r\n"))

    assert own.startswith(b"HTTP/1.1 502 ConnectionRefusedError: nothing is at port 10250")
    assert other.startswith(b"HTTP/1.1 502 ConnectionRefusedError")
    assert dialled == ["127.0.0.1:10250"]


def listening() -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(egress.SOCKET) == 0


@pytest.fixture
def process(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """Start the door's process as bring-up does, with nobody in Prometheus' place."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        component = egress.door(layout, {"prometheus": gone.getsockname()[1]})
    monkeypatch.chdir(layout.folder)
    (layout.folder / egress.SOCKET).touch()
    started = subprocess.Popen([component.tool, *component.arguments], env={}, stderr=subprocess.PIPE)
    assert wait_until(listening, 10)
    yield started
    started.kill()
    started.communicate()


def over_the_socket(*words: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(egress.SOCKET)
        for word in words:
            connection.sendall(word)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer


def test_the_process_needs_no_environment_and_replaces_a_stale_socket(
    process: subprocess.Popen[bytes], layout: Layout
) -> None:
    file = layout.folder / egress.SOCKET

    answers = [over_the_socket(CONNECT, request("GET /api/v1/targets HTTP/1.1")) for _ in range(2)]

    assert process.poll() is None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for answer in answers:
        assert answer.startswith(connect.ESTABLISHED + b"HTTP/1.1 502 Bad Gateway\r\n")


def test_the_process_dials_other_addresses_as_without_a_proxy(process: subprocess.Popen[bytes]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as webhook:
        port = webhook.getsockname()[1]

        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(egress.SOCKET)
            connection.sendall(f"CONNECT localhost:{port} HTTP/1.1\r\n\r\nhello".encode())
            webhook.settimeout(10)
            accepted, _ = webhook.accept()
            with accepted:
                heard = accepted.recv(5)

    assert process.poll() is None
    assert heard == b"hello"


@pytest.fixture
def home(shared_cluster: Cluster, shared_lease: Lease, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in the folder of a real cluster, where its socket is."""
    assert shared_cluster.prometheus_from_apiserver == egress.PROMETHEUS
    monkeypatch.chdir(shared_lease.folder / "cluster")
    return Path.cwd()


@pytest.mark.e2e
def test_a_real_prometheus_answers_queries_by_get_and_post(home: Path) -> None:
    form = "Content-Type: application/x-www-form-urlencoded"

    got = over_the_socket(CONNECT, request("GET /api/v1/query?query=count(up) HTTP/1.1"))
    posted = over_the_socket(
        CONNECT, request("POST /api/v1/query HTTP/1.1", form, "Content-Length: 15") + b"query=count(up)"
    )

    assert home.is_dir()
    for answer in (got, posted):
        document = json.loads(answer.rpartition(b"\r\n\r\n")[2])
        assert document["data"]["result"][0]["value"][1] == "4"


@pytest.mark.e2e
def test_a_real_prometheus_is_not_administered_through_the_door(home: Path) -> None:
    answer = over_the_socket(CONNECT, request("POST /api/v1/admin/tsdb/snapshot HTTP/1.1", "Content-Length: 0"))

    assert home.is_dir()
    assert b"HTTP/1.1 403 Forbidden" in answer


@pytest.mark.e2e
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_may_not_use_the_socket(home: Path) -> None:
    command = [sys.executable, "-I", "-c", CONNECT_AS_NOBODY, str(home / egress.SOCKET)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd="/")

    assert done.stdout.strip() == "PermissionError"
