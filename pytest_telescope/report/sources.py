"""Where the results of a report come from: run folders, what was published of them, or folders of Allure results."""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_telescope.errors import UsageError

RESULTS = "allure-results"
REPLAYS = "replays"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The published half of one run, or of one replay."""

    run: str
    publish: Path
    results: Path

    @property
    def replay(self) -> bool:
        """Whether these are judgements of a run that was judged before; they stay out of trends."""
        return self.publish.parent.name == REPLAYS

    @property
    def verdict(self) -> str:
        """What verdict.json says, `FAIL (slo)`; empty if the run never wrote it."""
        document = _document(self.publish / "verdict.json")
        cause = document.get("cause")
        return f"{document.get('verdict', '')} ({cause})" if cause else str(document.get("verdict", ""))


def find(names: Sequence[str], base: Path) -> list[Source]:
    """Return the sources that `names` mean, oldest run first, each once.

    Args:
        names: Run ids below `<base>/runs`, run folders, their `publish/`, replays, or folders of Allure results.
        base: The folder of all runs.

    Raises:
        UsageError: One is no run, or holds no Allure results.
    """
    found = {source.results: source for source in (_source(name, base) for name in names)}
    return sorted(found.values(), key=lambda source: (source.run, str(source.results)))


def _source(name: str, base: Path) -> Source:
    for candidate in (Path(name), base / "runs" / name):
        for publish in (candidate / "publish", candidate, candidate.parent):
            if _is_results(publish / RESULTS) and (publish != candidate.parent or candidate.name == RESULTS):
                return _made(publish.resolve(), (publish / RESULTS).resolve())
        if _is_results(candidate):
            return _made(candidate.resolve(), candidate.resolve())
    raise UsageError(_missing(name, base))


def _is_results(folder: Path) -> bool:
    return folder.is_dir() and any(folder.glob("*-result.json"))


def _made(publish: Path, results: Path) -> Source:
    return Source(run=_run_id(publish), publish=publish, results=results)


def _run_id(publish: Path) -> str:
    """Return the id of the run that published this; a folder from elsewhere may be named anyhow."""
    if publish.parent.name == REPLAYS:
        return f"{publish.parent.parent.name}-replay-{publish.name}"
    try:
        with (publish / "results.jsonl").open(encoding="utf-8") as lines:
            return str(json.loads(next(lines))["run"])
    except (OSError, ValueError, KeyError, StopIteration, TypeError):
        return publish.parent.name if publish.name == "publish" else publish.name


def _missing(name: str, base: Path) -> str:
    for candidate in (Path(name), base / "runs" / name):
        if candidate.exists():
            return (
                f"{candidate}: no Allure results in it (expected {RESULTS}/*-result.json): the run ended before its "
                f"first item, ran with -p no:allure_pytest, or wrote them elsewhere by --alluredir: name that folder"
            )
    known = sorted(path.name for path in (base / "runs").glob("*"))[-5:]
    return f"{name}: no such run; the newest in {base / 'runs'}: {', '.join(known) or 'none'}"


def check_disjoint(sources: Iterable[Source], cells: Iterable[Iterable[str]]) -> None:
    """Refuse runs that ran the same cell: in one report the later would pass for a retry of the earlier.

    Raises:
        UsageError: A cell is in two of them.
    """
    owners: dict[str, str] = {}
    for source, own in zip(sources, cells, strict=True):
        for cell in own:
            if cell in owners:
                raise UsageError(
                    f"{cell} is in both {owners[cell]} and {source.run}: one report takes the parts of one run. For a "
                    "trend make one report a run, oldest first: each adds itself to --history"
                )
            owners[cell] = source.run


def _document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
