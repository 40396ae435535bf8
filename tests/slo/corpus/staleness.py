"""A running Prometheus that is given series by remote write, with the staleness markers that a scraper would add.

Backfill cannot: a marker is one particular NaN (value.StaleNaN of prometheus/prometheus), which text does not carry.
Wire format: https://prometheus.io/docs/specs/prw/remote_write_spec/ (1.0), snappy's block format with literals alone.
"""

from __future__ import annotations

import re
import struct
import subprocess
import time
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.metrics.serving import LISTENING
from tests.slo.world import World

STALE = struct.pack("<Q", 0x7FF0000000000002)
PATIENCE = 30.0
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_CHUNK = 65536

Sample = tuple[float, bytes]


def marked(samples: list[tuple[float, float]], interval: float, end: float) -> list[Sample]:
    """Return (unix seconds, value as 8 bytes), with a marker one interval after each sample that none follows."""
    found: list[Sample] = []
    following = [when for when, _ in samples[1:]] + [end]
    for (when, value), after in zip(samples, following, strict=True):
        found.append((when, struct.pack("<d", value)))
        if after - when > 1.5 * interval:
            found.append((when + interval, STALE))
    return found


def request(world: World, interval: float, end: float) -> bytes:
    """Return a whole world as one compressed WriteRequest."""
    return _compressed(b"".join(_series(name, marked(raw, interval, end)) for name, raw in world.series.items()))


@contextmanager
def receiving(folder: Path, binary: Path) -> Iterator[Prometheus]:
    """Run a Prometheus that takes remote writes while the context lasts."""
    config, log = folder / "prometheus.yml", folder / "prometheus.log"
    config.write_text("global: {}\n", encoding="utf-8")
    command = [str(binary), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    command += ["--web.listen-address=127.0.0.1:0", "--web.enable-remote-write-receiver"]
    command += ["--storage.tsdb.retention.time=100y"]
    with log.open("wb") as sink, subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT) as process:
        try:
            yield _ready(process, log)
        finally:
            process.terminate()


def write(prom: Prometheus, compressed: bytes) -> None:
    """Send one request; what Prometheus refuses is an error with its words."""
    import requests

    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
    headers["X-Prometheus-Remote-Write-Version"] = "0.1.0"
    reply = requests.post(f"{prom.endpoint.url}/api/v1/write", data=compressed, headers=headers, timeout=PATIENCE)
    assert reply.ok, f"remote write: HTTP {reply.status_code}: {reply.text}"


def _ready(process: subprocess.Popen[bytes], log: Path) -> Prometheus:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if found := LISTENING.search(log.read_text(encoding="utf-8", errors="replace")):
            prom = Prometheus(Endpoint(url=f"http://127.0.0.1:{found[1]}"))
            if prom.ready():
                return prom
        time.sleep(0.02)
    raise AssertionError(f"Prometheus did not come up: {log.read_text(encoding='utf-8', errors='replace')[-600:]}")


def _series(name: str, samples: Iterable[Sample]) -> bytes:
    metric, _, inner = name.partition("{")
    labels = sorted([("__name__", metric), *_LABEL.findall(inner)])
    body = b"".join(_field(1, _field(1, key.encode()) + _field(2, text.encode())) for key, text in labels)
    for when, value in samples:
        body += _field(2, b"\x09" + value + b"\x10" + _varint(round(when * 1000)))
    return _field(1, body)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _compressed(raw: bytes) -> bytes:
    chunks = (raw[at : at + _CHUNK] for at in range(0, len(raw), _CHUNK))
    return _varint(len(raw)) + b"".join(b"\xf4" + struct.pack("<H", len(chunk) - 1) + chunk for chunk in chunks)
