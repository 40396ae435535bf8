"""Writing blocks by the pinned Prometheus itself, so that every sample is the same to the bit.

promtool's backfill knows no mark for a series that ended, and cuts a time stamp's fraction to the millisecond below.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics import remote_write
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.client import connect
from pytest_telescope.metrics.serving import running
from pytest_telescope.metrics.serving import scratch_folder

TIMEOUT = (5.0, 120.0)
"""Seconds for a connection, and until Prometheus has stored what it was sent."""
SNAPSHOT_TIMEOUT = 300.0
FLAGS = ("--web.enable-remote-write-receiver", "--web.enable-admin-api")


class Writer:
    """Takes samples; those of one series must rise in time, all of them within an hour of the newest one so far."""

    def __init__(self, prom: Prometheus) -> None:
        self._session = connect(prom.endpoint)
        self._url = f"{prom.endpoint.url.rstrip('/')}/api/v1/write"

    def write(self, series: Iterable[tuple[bytes, bytes]]) -> None:
        """Store encoded series, see `remote_write`.

        Raises:
            MetricsError: Prometheus refused them; its words are in the message.
        """
        import requests

        body = remote_write.request(series)
        try:
            reply = self._session.post(self._url, data=body, headers=remote_write.HEADERS, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise MetricsError(f"the writing Prometheus cannot be reached: {error}") from error
        if not reply.ok:
            raise MetricsError(f"the writing Prometheus refused samples: {reply.text.strip()[:300]}")

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


@contextmanager
def writing(destination: Path) -> Iterator[Writer]:
    """Yield a writer; when the context ends without an error, its blocks are in `destination`.

    Raises:
        MetricsError: Prometheus did not start, or did not write its blocks.
        ToolError: Prometheus cannot be had.
    """
    with scratch_folder(destination) as scratch, running(scratch, *FLAGS, scrape_interval=1.0) as prom:
        writer = Writer(prom)
        try:
            yield writer
        finally:
            writer.close()
        with Prometheus(prom.endpoint, timeout=SNAPSHOT_TIMEOUT) as slow:
            name = slow.snapshot()
        for block in sorted((scratch / "data" / "snapshots" / name).glob("*/meta.json")):
            shutil.move(str(block.parent), str(destination / block.parent.name))
