"""How often the trend's detector raises a false alarm and how often it finds a step, beside Otava and asv.

`python -m benchmarks changes` takes a quarter of an hour. All three see the same series. A series has a level of 1 and
AR(1) noise; CV is the standard deviation of a single run. Ours and Otava tell of steps both ways, asv of regressions.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import change_peers
from pytest_telescope import paths
from pytest_telescope.statistics.calibration import LEAST
from pytest_telescope.statistics.chance import chance
from pytest_telescope.statistics.chance import level
from pytest_telescope.statistics.outliers import pulled_in
from pytest_telescope.statistics.simulated import KINDS
from pytest_telescope.statistics.simulated import Kind
from pytest_telescope.statistics.simulated import remembering
from pytest_telescope.statistics.simulated import series_of
from pytest_telescope.statistics.step_scan import Scan
from pytest_telescope.statistics.step_scan import scan
from pytest_telescope.statistics.steps import FEWEST
from pytest_telescope.statistics.steps import find
from pytest_telescope.trend.verdicts import FALSE_DISCOVERIES

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

RHOS = (0.0, 0.3, 0.5, 0.7)
LENGTHS = (10, 30, 60, 100)
STEPS = (0.05, 0.1, 0.2, 0.5)
CVS = (0.05, 0.1)
CLEAN, FURTHER = 30, 5
NEAR = 2
"""Runs by which a step may be placed too early or late and still counts as found."""
SEED, BATCH = 7, 500
REPORT = 200
"""Series of a large report, all but one clean."""
PEERS = ("otava", "asv")
ALL = ("ours", *PEERS)
Answers = Mapping[str, Mapping[str, list[list[tuple[int, int]]]]]
"""Name of an array -> detector -> changes of each series."""


@dataclass(frozen=True, slots=True)
class Case:
    """Series of one kind of noise."""

    kind: Kind
    rho: float

    def __str__(self) -> str:
        return f"{self.kind}, rho {self.rho:g}"

    def series(self, count: int, runs: int, *, cv: float = 0.05, step: float = 0.0, at: int = 0) -> Floats:
        rng = np.random.default_rng([SEED, KINDS.index(self.kind), round(10 * self.rho), runs, round(1000 * cv)])
        return series_of(remembering(rng, count, runs, self.rho, self.kind), self.kind, cv=cv, step=step, at=at)


def measure(count: int = 1000) -> Iterator[str]:
    """Yield the tables, line by line; `count` series a cell of a table."""
    cases = [Case(kind, rho) for kind in KINDS for rho in RHOS]
    yield from _marks(10 * count)
    yield from _sizes(count)
    yield from _one_look(cases, count)
    yield from _every_look([Case("normal", rho) for rho in RHOS] + [Case("t3", 0.5)], count // 2)
    yield from _power([Case("normal", rho) for rho in RHOS] + [Case("t3", 0.5)], count // 2)


def _marks(count: int) -> Iterator[str]:
    """Yield the promise, measured on more series than the peers have time for; ours alone."""
    yield f"Ours alone, {count} series a figure; found: +20 %, CV 5 % and (CV 10 %)"
    yield _row(
        "noise", "look at 30", "ever in 1 to 30", "ever in 1 to 60", "found at 35", "within 5", "within 10", "of 200"
    )
    for case in [Case("normal", rho) for rho in RHOS] + [Case("t3", 0.5)]:
        clean = _chances(case.series(count, 60), range(FEWEST, 61))
        alarms = [clean[CLEAN] <= level(CLEAN), *(_ever_at(clean, range(FEWEST, last + 1)) for last in (30, 60))]
        yield _row(str(case), *(f"{one.mean():.4f}" for one in alarms), *_found_by_ours(case, count))
    yield ""


def _sizes(count: int) -> Iterator[str]:
    """Yield how often what is said of sizes holds: the interval, the detectable step; and how often a tail is wrong."""
    yield f"Ours alone, {count} series a figure, CV 5 %"
    yield _row(
        "noise", "95 % interval of +20 % holds", "step said to be detectable", "found within 5", "suspected, clean"
    )
    for case in [Case("normal", rho) for rho in RHOS] + [Case("t3", 0.5)]:
        stepped = map(find, np.log(case.series(count, CLEAN + 2 * FURTHER, step=0.2, at=CLEAN)))
        steps = [one for each in stepped for one in each.steps if abs(one.at - CLEAN) <= NEAR]
        holds = np.mean([one.low <= np.log(1.2) <= one.high for one in steps])
        clean = [find(one) for one in np.log(case.series(count, CLEAN))]
        least = float(np.expm1(np.median([one.detectable for one in clean])))
        looks = range(CLEAN + 1, CLEAN + FURTHER + 1)
        chances = _chances(case.series(count, looks[-1], step=least, at=CLEAN), looks, from_run=CLEAN - NEAR)
        found, tails = _ever_at(chances, looks).mean(), np.mean([one.tail is not None for one in clean])
        yield _row(str(case), f"{holds:.3f}", f"{least:.0%}", f"{found:.2f}", f"{tails:.3f}")
    yield ""


def _found_by_ours(case: Case, count: int) -> Iterator[str]:
    """Yield the power at the look at run 35, within five and ten runs, and within five in a report of 200 series."""
    looks = range(CLEAN + 1, CLEAN + 2 * FURTHER + 1)
    both = [
        _chances(case.series(count, looks[-1], cv=cv, step=0.2, at=CLEAN), looks, from_run=CLEAN - NEAR) for cv in CVS
    ]
    for some in (looks[FURTHER - 1 : FURTHER], looks[:FURTHER], looks):
        yield "{:.2f} ({:.2f})".format(*(_ever_at(one, some).mean() for one in both))
    least = FALSE_DISCOVERIES / REPORT
    yield "{:.2f} ({:.2f})".format(*(_ever_at(one, looks[:FURTHER], most=least).mean() for one in both))


def _chances(series: Floats, looks: range, from_run: int | None = None) -> dict[int, Floats]:
    """Return each look's chances; 1 for what is no step up from `from_run` on, where that is asked for."""
    told = {}
    for runs in looks:
        found = _scanned(series[:, :runs])
        counts = (found.shift > 0) & (found.at >= from_run) if from_run is not None else np.full(len(series), True)
        told[runs] = np.array(
            [chance(float(gain), runs) if one else 1.0 for gain, one in zip(found.ratio, counts, strict=True)]
        )
    return told


def _ever_at(chances: Mapping[int, Floats], looks: range, most: float = 1.0) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = np.any([chances[runs] <= min(level(runs), most) for runs in looks], axis=0)
    return found


def _one_look(cases: list[Case], count: int) -> Iterator[str]:
    clean = {f"{case}/{runs}": case.series(count, runs) for case in cases for runs in LENGTHS}
    found = _ask(clean)
    yield f"False alarms of one look at n clean runs, share of {count} series (ours / otava / asv)"
    yield _row("noise", *(f"n = {runs}" for runs in LENGTHS))
    for case in cases:
        yield _row(str(case), *(_shares(found, f"{case}/{runs}") for runs in LENGTHS))


def _every_look(cases: list[Case], count: int) -> Iterator[str]:
    clean = {f"{case}": case.series(count, max(LENGTHS[:2])) for case in cases}
    looks = {f"{name}/{runs}": one[:, :runs] for name, one in clean.items() for runs in range(3, CLEAN + 1)}
    found = _ask(looks)
    yield ""
    yield f"Ever a false alarm in looks after each of runs 1 to {CLEAN}, share of {count} series"
    yield _row("noise", *ALL)
    for case in cases:
        ever = [_ever(found, [f"{case}/{runs}" for runs in range(3, CLEAN + 1)], peer) for peer in ALL]
        yield _row(str(case), *(f"{share:.3f}" for share in ever))


def _power(cases: list[Case], count: int) -> Iterator[str]:
    yield ""
    yield (
        f"A step up behind {CLEAN} clean runs found within {FURTHER} runs, looked at after each, share of {count} "
        "series (ours / otava / asv)"
    )
    yield _row("noise", "CV", *(f"+{step:.0%}" for step in STEPS))
    for case in cases:
        for cv in CVS:
            yield _row(str(case), f"{cv:.0%}", *(_found_within(case, cv, step, count) for step in STEPS))


def _found_within(case: Case, cv: float, step: float, count: int) -> str:
    series = case.series(count, CLEAN + FURTHER, cv=cv, step=step, at=CLEAN)
    names = {f"{runs}": series[:, :runs] for runs in range(CLEAN + 1, CLEAN + FURTHER + 1)}
    found = _ask(names)
    return " / ".join(f"{_ever(found, list(names), peer, from_run=CLEAN - NEAR, up=True):.2f}" for peer in ALL)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _shares(found: Answers, name: str) -> str:
    return " / ".join(f"{_ever(found, [name], peer):.3f}" for peer in ALL)


def _ever(found: Answers, names: list[str], peer: str, *, from_run: int = 0, up: bool = False) -> float:
    """Return the share of series with a change in any of some looks, from a run on and upwards if asked."""
    flagged = [
        [any(at >= from_run and (way > 0 or not up) for at, way in one) for one in found[name][peer]] for name in names
    ]
    return float(np.any(flagged, axis=0).mean())


def _ask(asked: Mapping[str, Floats]) -> Answers:
    theirs = _peers(asked)
    return {name: {"ours": ours(series), **theirs[name]} for name, series in asked.items()}


def ours(series: Floats) -> list[list[tuple[int, int]]]:
    """Return the clearest step of each series where it is one: any step at all is found if and only if this one is."""
    count, runs = series.shape
    if runs < FEWEST:
        return [[] for _ in range(count)]
    found = _scanned(series)
    return [
        [(int(at), 1 if shift > 0 else -1)] if chance(float(gain), runs) <= level(runs) else []
        for gain, at, shift in zip(found.ratio, found.at, found.shift, strict=True)
    ]


def _scanned(series: Floats) -> Scan:
    splits = np.arange(LEAST, series.shape[1] - LEAST + 1)
    parts = [scan(pulled_in(np.log(part)), splits) for part in np.array_split(series, -(-len(series) // BATCH))]
    return Scan(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Scan.__slots__})


def _peers(asked: Mapping[str, Floats]) -> Answers:
    with tempfile.TemporaryDirectory() as folder:
        question, answer = Path(folder, "asked.npz"), Path(folder, "answers.json")
        np.savez(question, **{name: np.asarray(series) for name, series in asked.items()})  # type: ignore[arg-type]  # numpy's stub takes any keyword for allow_pickle
        subprocess.run([_python(), change_peers.__file__, question, answer], check=True, timeout=3600)
        found: Answers = json.loads(answer.read_text())
    return found


def _python() -> Path:
    """Return the interpreter of the peers' environment, made once from the locked requirements."""
    locked = paths.checkout() / "requirements" / "peers.txt"
    folder = paths.cache() / f"peers-{hashlib.sha256(locked.read_bytes()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*pip, "-r", str(locked)], check=True, timeout=900, stdout=sys.stderr)
        (folder / "made").touch()
    return python
