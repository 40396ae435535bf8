"""The front door of a pretended API server, before a server that says what it got."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_telescope.cluster.local import pki
from pytest_telescope.cluster.local.layout import Layout
from tests.clouds.front import Front
from tests.clouds.front import Head

TOKEN = "a-token"
LIMIT = 10.0


class Behind(BaseHTTPRequestHandler):
    """Tells what it was asked, streams `/watch` in two pieces, and echoes after an upgrade."""

    protocol_version = "HTTP/1.1"
    timeout = LIMIT

    def do_GET(self) -> None:
        if self.headers.get("Upgrade"):
            self._echo()
        elif self.path == "/watch":
            self._stream()
        else:
            self._tell(b"")

    def do_POST(self) -> None:
        chunked = self.headers.get("Transfer-Encoding") == "chunked"
        self._tell(self._chunks() if chunked else self.rfile.read(int(self.headers["Content-Length"])))

    def _tell(self, body: bytes) -> None:
        peer = self.connection.getpeercert()
        said = {
            "path": self.path,
            "authorization": self.headers.get("Authorization"),
            "certificate": str(peer["subject"]),
            "body": body.decode(),
            "connection": self.client_address[1],
        }
        answer = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _chunks(self) -> bytes:
        found = b""
        while length := int(self.rfile.readline(), 16):
            found += self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"6\r\nfirst\n\r\n")
        self.server.seen.wait(LIMIT)  # type: ignore[attr-defined] # set below
        self.wfile.write(b"7\r\nsecond\n\r\n0\r\n\r\n")

    def _echo(self) -> None:
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
        while data := self.connection.recv(100):
            self.connection.sendall(data.upper())
        self.close_connection = True

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base's name
        pass


class Server(ThreadingHTTPServer):
    """A server that wants a certificate of its clients.

    Attributes:
        seen: the client has read the first piece of the stream.
    """

    daemon_threads = True

    def __init__(self, layout: Layout) -> None:
        super().__init__(("127.0.0.1", 0), Behind)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(layout.certificate("apiserver"), layout.key("apiserver"))
        tls.load_verify_locations(layout.certificate("ca"))
        tls.verify_mode = ssl.CERT_REQUIRED
        self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.seen = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away."""


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    layout = Layout(tmp_path_factory.mktemp("behind"))
    pki.write_pki(layout)
    return layout


@pytest.fixture
def server(layout: Layout) -> Iterator[Server]:
    with Server(layout) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.seen.set()
        server.shutdown()
        thread.join(timeout=LIMIT)


@pytest.fixture(params=["files", "data"])
def kubeconfig(request: pytest.FixtureRequest, server: Server, layout: Layout, tmp_path: Path) -> Path:
    def named(name: str, file: Path) -> dict[str, str]:
        if request.param == "files":
            return {name: str(file)}
        return {f"{name}-data": base64.b64encode(file.read_bytes()).decode()}

    url = f"https://127.0.0.1:{server.server_port}"
    admin = named("client-certificate", layout.certificate("admin")) | named("client-key", layout.key("admin"))
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [
            {"name": "k", "cluster": {"server": url} | named("certificate-authority", layout.certificate("ca"))}
        ],
        "users": [{"name": "u", "user": admin}],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file


@pytest.fixture
def front(kubeconfig: Path) -> Iterator[Front]:
    with Front(kubeconfig, lambda token: token == TOKEN) as front:
        yield front


@contextlib.contextmanager
def connection(front: Front) -> Iterator[http.client.HTTPSConnection]:
    tls = ssl.create_default_context(cadata=front.ca)
    connected = http.client.HTTPSConnection(front.endpoint.removeprefix("https://"), context=tls, timeout=LIMIT)
    with contextlib.closing(connected):
        yield connected


def asked(
    client: http.client.HTTPSConnection, method: str = "GET", path: str = "/api", token: str = TOKEN, **request: Any
) -> tuple[int, dict[str, Any]]:
    client.request(method, path, headers={"Authorization": f"Bearer {token}"}, **request)
    answer = client.getresponse()
    return answer.status, json.loads(answer.read())


def test_a_good_token_is_exchanged_for_the_administrators_certificate(front: Front) -> None:
    with connection(front) as client:
        status, said = asked(client, path="/api/v1/pods?limit=1")

    assert (status, said["path"], said["authorization"]) == (200, "/api/v1/pods?limit=1", None)
    assert "telescope:admin" in said["certificate"]


@pytest.mark.parametrize("token", ["wrong", ""])
def test_any_other_token_is_refused_as_kubernetes_does(front: Front, token: str) -> None:
    with connection(front) as client:
        status, said = asked(client, token=token)

    assert (status, said["kind"], said["code"], front.refused) == (401, "Status", 401, 1)


def test_every_request_of_a_connection_is_checked_and_the_connection_is_kept(front: Front) -> None:
    with connection(front) as client:
        answers = [asked(client)[1]["connection"] for _ in range(3)]
        refused, _ = asked(client, token="wrong")

    assert len(set(answers)) == 1
    assert refused == 401


@pytest.mark.parametrize("encode_chunked", [False, True])
def test_bodies_of_both_kinds_are_passed_on(front: Front, encode_chunked: bool) -> None:
    body = "x" * 300_000
    with connection(front) as client:
        request = {"body": iter([body.encode()]), "encode_chunked": True} if encode_chunked else {"body": body}
        answers = [asked(client, "POST", **request)[1]["body"] == body]
        answers.append(asked(client)[1]["body"] == "")

    assert answers == [True, True]


def test_a_watch_arrives_as_it_is_written(front: Front, server: Server) -> None:
    with connection(front) as client:
        client.request("GET", "/watch", headers={"Authorization": f"Bearer {TOKEN}"})
        answer = client.getresponse()
        first = answer.readline()
        server.seen.set()
        second = answer.readline()

    assert (first, second) == (b"first\n", b"second\n")


def test_an_upgraded_connection_is_a_tunnel(front: Front) -> None:
    host, port = front.endpoint.removeprefix("https://").split(":")
    tls = ssl.create_default_context(cadata=front.ca)
    with (
        socket.create_connection((host, int(port)), LIMIT) as raw,
        tls.wrap_socket(raw, server_hostname=host) as client,
    ):
        client.sendall(f"GET /exec HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nUpgrade: echo\r\n\r\n".encode())
        head = client.recv(1000)
        client.sendall(b"one")
        first = client.recv(100)
        client.sendall(b"two")
        second = client.recv(100)

    assert head.startswith(b"HTTP/1.1 101")
    assert (first, second) == (b"ONE", b"TWO")


def test_a_head_loses_only_its_token() -> None:
    head = Head.read(b"GET / HTTP/1.1\r\nHost: h\r\nauthorization: bearer t\r\nAccept: */*\r\n\r\n")

    assert (head.token, head.raw()) == ("t", b"GET / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n")
