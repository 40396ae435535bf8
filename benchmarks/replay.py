"""Judging a large recording again against starting Prometheus on it and asking the same by hand."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path

from benchmarks import kubelets
from benchmarks import manyslos
from benchmarks.noting import Noting
from benchmarks.noting import Question
from benchmarks.noting import ask
from benchmarks.sidebyside import Pairs
from benchmarks.slos import CHECKOUT
from benchmarks.slos import judged
from benchmarks.slos import planned_slos
from benchmarks.slos import replay
from pytest_telescope.metrics.recording import blocks
from pytest_telescope.metrics.serving import serve
from pytest_telescope.toolchain import tool

LISTENING = re.compile(r"Listening on.*127\.0\.0\.1:(\d+)")


def measure(pairs: int = 3) -> Iterator[Pairs]:
    """Yield the figure."""
    with tempfile.TemporaryDirectory() as name:
        run, scenarios = manyslos.run_folder(Path(name))
        questions = _questions(scenarios)
        ours, theirs = [], []
        for number in range(pairs):
            started = time.monotonic()
            replay(CHECKOUT, f"--replay={run}", environment={"TELESCOPE_SCENARIOS": str(scenarios)})
            ours.append(time.monotonic() - started)
            theirs.append(_by_hand(Path(name) / f"by-hand-{number}", questions))
    yield Pairs(
        name="--replay of 500 SLOs over an hour of 200 kubelets against Prometheus and the same questions by hand",
        ours=tuple(ours),
        theirs=tuple(theirs),
        target=1.3,
    )


def _questions(scenarios: Path) -> Sequence[Question]:
    with serve(kubelets.recording()) as prom, Noting(prom.endpoint) as noting:
        judged(noting, planned_slos(scenarios))
        return noting.questions


def _by_hand(folder: Path, questions: Sequence[Question]) -> float:
    """Start Prometheus on a copy of the blocks, ask, stop it; return the seconds from its start to its end."""
    for block in blocks(kubelets.recording().path):
        shutil.copytree(block, folder / "data" / block.name)
    config, log = folder / "prometheus.yml", folder / "log"
    config.write_text("global: {}\n")
    flags = ("--storage.tsdb.retention.time=100y", "--web.listen-address=127.0.0.1:0")
    command = [str(tool("prometheus")), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", *flags]
    started = time.monotonic()
    with log.open("wb") as sink, subprocess.Popen(command, stdout=sink, stderr=sink) as process:
        try:
            ask(f"http://127.0.0.1:{_port(log)}", questions)
        finally:
            process.terminate()
    return time.monotonic() - started


def _port(log: Path) -> int:
    """Wait until Prometheus is ready and return its port."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (found := LISTENING.search(log.read_text())) and _is_ready(int(found[1])):
            return int(found[1])
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def _is_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/-/ready")
        return connection.getresponse().status == 200
    finally:
        connection.close()
