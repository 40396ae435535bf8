"""500 SLOs over an hour of 200 kubelets: what the harness adds to the time that Prometheus takes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from benchmarks import kubelets
from benchmarks import manyslos
from benchmarks.noting import Noting
from benchmarks.noting import ask
from benchmarks.sidebyside import Pairs
from pytest_telescope import cells
from pytest_telescope.metrics.serving import serve
from pytest_telescope.slo.judge import Judge
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict

CHECKOUT = Path(__file__).parent.parent
PLAIN = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")


def measure(pairs: int = 3) -> Iterator[Pairs | str]:
    """Yield time and memory."""
    with tempfile.TemporaryDirectory() as name:
        run, scenarios = manyslos.run_folder(Path(name))
        yield from _time(planned_slos(scenarios), pairs)
        yield _memory(Path(name), run, scenarios, pairs)


def planned_slos(scenarios: Path) -> tuple[Slo, ...]:
    """Return the resolved SLOs of the benchmark's cell."""
    os.environ["TELESCOPE_SCENARIOS"] = str(scenarios)
    try:
        cell, *_ = cells.scenario(manyslos.SCENARIO).cells("local")
        return cells.planned(cell).slos
    finally:
        del os.environ["TELESCOPE_SCENARIOS"]


def _time(slos: Sequence[Slo], pairs: int) -> Iterator[Pairs | str]:
    ours, theirs = [], []
    with serve(kubelets.recording()) as prom:
        for _ in range(pairs + 1):  # the first pair warms Prometheus' pages up
            with Noting(prom.endpoint) as noting:
                seconds, verdicts = judged(noting, slos)
            ours.append(seconds)
            theirs.append(ask(prom.endpoint.url, noting.questions))
    yield f"{len(slos)} SLOs ({_counted(verdicts)}), {len(noting.questions)} questions"
    yield Pairs(
        name="the harness' own time for 500 SLOs against Prometheus' time for the same questions by plain HTTP",
        ours=tuple(ours[1:]),
        theirs=tuple(theirs[1:]),
        target=0.15,
    )


def judged(noting: Noting, slos: Sequence[Slo]) -> tuple[float, list[Verdict]]:
    """Judge all SLOs; return the CPU seconds of this process, which is its time without waiting, and the verdicts."""
    judge = Judge(
        prom=noting,
        recording=kubelets.recording(),
        slos={slo.id: slo for slo in slos},
        facts=manyslos.FACTS,
        targets=manyslos.FACTS["targets"],
    )
    started = time.process_time()
    found = [judge(slo.id).verdict for slo in slos]
    return time.process_time() - started, found


def _counted(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(f"{verdicts.count(one)} {one.value}" for one in Verdict if one in verdicts)


def _memory(root: Path, run: Path, scenarios: Path, pairs: int) -> Pairs:
    empty = root / "empty"
    empty.mkdir()
    (empty / "test_nothing.py").write_text("def test_nothing(): ...\n")
    (empty / "pytest.ini").write_text("[pytest]\n")
    ours, theirs = [], []
    for _ in range(pairs):
        ours.append(_peak(root, CHECKOUT, f"--replay={run}", TELESCOPE_SCENARIOS=str(scenarios)))
        theirs.append(_peak(root, empty, "-p", "pytest_telescope.plugin"))
    return Pairs(
        name="memory of a session that replays 500 SLOs (Prometheus apart) against one with one empty test",
        ours=tuple(ours),
        theirs=tuple(theirs),
        target=2.0,
        unit="MiB",
    )


def _peak(root: Path, folder: Path, *arguments: str, **environment: str) -> float:
    """Run pytest and return its largest resident memory in MiB."""
    file = root / "peak"
    replay(folder, "-p", "benchmarks.peak", *arguments, environment={**environment, "TELESCOPE_PEAK": str(file)})
    return int(file.read_text()) / 1024


def replay(folder: Path, *arguments: str, environment: Mapping[str, str]) -> None:
    """Run pytest in a process of its own; red is no error."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *PLAIN, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **environment},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr[-2000:]
