"""One Prometheus that scrapes for real: itself, a target whose series come and go, and one that is not there."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.metrics.serving import LISTENING
from pytest_telescope.toolchain import tool

CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - {job_name: itself, static_configs: [{targets: ["127.0.0.1:%d"]}]}
  - {job_name: churn, static_configs: [{targets: ["127.0.0.1:%d"]}]}
  - {job_name: nobody, static_configs: [{targets: ["127.0.0.1:9"]}]}
"""
AWAY = (3, 4)
"""Which scrapes of each six do not show the series that comes and goes."""


class Churn(BaseHTTPRequestHandler):
    """A target with one steady counter, and one that is away at times and starts anew."""

    scrapes: ClassVar[int] = 0

    def do_GET(self) -> None:
        """Answer a scrape."""
        number, place = divmod(self.scrapes, 6)
        type(self).scrapes += 1
        text = f"# TYPE work counter\nwork_total{{kind='steady'}} {self.scrapes}\n".replace("'", '"')
        if place not in AWAY:
            text += f'work_total{{kind="churn"}} {100 * number + place + 1}\n'
        text += "# TYPE backlog gauge\nbacklog 3\n# EOF\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the server's
        """Say nothing."""


@pytest.fixture(scope="session")
def churn() -> Iterator[int]:
    """Yield the port of the target whose series come and go."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Churn)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture(scope="session")
def scraping(churn: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Yield a Prometheus that scrapes each second; its snapshots can be read on the disk, and below /user."""
    folder = tmp_path_factory.mktemp("scraping")
    config, log = folder / "prometheus.yml", folder / "log"
    config.write_text("global: {}\n")
    command = [
        str(tool("prometheus")),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.user-assets={folder / 'data' / 'snapshots'}",
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-admin-api",
    ]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, cwd=folder)
    try:
        wait_until(lambda: LISTENING.search(log.read_text()) is not None, log)
        port = int((LISTENING.search(log.read_text()) or [0, 0])[1])
        config.write_text(CONFIG % (port, churn))
        endpoint = Endpoint(url=f"http://127.0.0.1:{port}", scrape_interval=1.0, data=folder / "data")
        with Prometheus(endpoint) as prom:
            wait_until(prom.ready, log)
            process.send_signal(signal.SIGHUP)
            yield prom
    finally:
        process.terminate()
        process.wait(10)


def wait_until(done: Callable[[], bool], log: Path) -> None:
    """Wait for a condition; what the log says is the failure."""
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
