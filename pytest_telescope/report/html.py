"""Make the HTML report of a run: Allure's, with this project's history, gate and facts, and without its trackers."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_telescope.errors import ToolError
from pytest_telescope.errors import UsageError
from pytest_telescope.report import facts
from pytest_telescope.report import history
from pytest_telescope.report import node
from pytest_telescope.report import trackers
from pytest_telescope.report.allure_run import categories
from pytest_telescope.report.gate import Gate
from pytest_telescope.report.gate import rules
from pytest_telescope.report.history import LIMIT
from pytest_telescope.report.sources import Source
from pytest_telescope.report.sources import check_disjoint

MARK = "telescope-report.json"
"""Beside every report: what it is of. A folder without it is never overwritten."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a report is made."""

    output: Path
    history: Path | None
    """Where earlier runs come from and this one goes; None: neither."""
    limit: int = LIMIT
    name: str | None = None
    single_file: bool = True
    gate: Gate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A report that is there."""

    index: Path
    answer: node.Answer
    earlier: int
    """Earlier runs that it shows."""
    notes: tuple[str, ...]
    """What a reader may want to know."""
    wrong: tuple[str, ...]
    """What could not be read and is not in it."""


def make(sources: Sequence[Source], options: Options, say: Say) -> Made:
    """Make one report of `sources`, which are the parts of one run.

    Raises:
        UsageError: They share a cell, the history is none, or `options.output` holds something else.
        ToolError: Node.js or Allure cannot be had or failed, or the report would ask other machines.
    """
    _check_output(options.output)
    refused: list[UsageError] = []
    records = [facts.records_of(source, refused.append) for source in sources]
    cells = [facts.cells_of(source, own) for source, own in zip(sources, records, strict=True)]
    check_disjoint(sources, cells)
    every = [record for own in records for record in own]
    about = facts.identity(sources, every, (cell for own in cells for cell in own))
    beside = history.comparable(history.read(options.history) if options.history else [], about)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".report-", dir=options.output.parent) as name:
        work = Path(name)
        too_large = facts.attach(sources, every, work / "attachments")
        order = _order(sources, options, beside, work, facts.variables(sources, every, beside))
        order["rules"] = rules(options.gate, beside.baseline(), about.cells) if options.gate else []
        answer = _made(order, work, about, options.output, say)
        if options.history and facts.is_trend(sources, every):
            history.remember(options.history, history.read(work / "history.jsonl")[-1], about, options.limit)
    unreadable = (f"{name} is no Allure result that can be read: it is not in the report" for name in answer.unreadable)
    return Made(
        index=options.output / "index.html",
        answer=answer,
        earlier=len(beside.points),
        notes=tuple(f"{name} is too large for the page: it is in the run's folder" for name in too_large),
        wrong=(*map(str, refused), *unreadable),
    )


def _made(order: Mapping[str, Any], work: Path, about: history.Identity, output: Path, say: Say) -> node.Answer:
    """Make the report below `work`, and put it at `output` once it is whole and clean."""
    answer = node.generate(order, work, say)
    _clean(work / "report")
    _mark(work / "report" / MARK, about, answer, order["variables"])
    _place(work / "report", output)
    return answer


def _order(
    sources: Sequence[Source], options: Options, beside: history.Comparable, work: Path, variables: dict[str, str]
) -> dict[str, Any]:
    """Return what report.mjs reads; the history it extends is written beside."""
    history.write(work / "history.jsonl", beside.points)
    return {
        "name": options.name or name_of(sources),
        "output": str(work / "report"),
        "history": str(work / "history.jsonl"),
        "historyLimit": len(beside.points) + 1,
        "singleFile": options.single_file,
        "results": [str(source.results) for source in sources],
        "attachments": [f"attachments/{file.name}" for file in sorted((work / "attachments").iterdir())],
        "variables": variables,
        "categories": categories(),
    }


def name_of(sources: Sequence[Source]) -> str:
    """Return the report's name: the number of the build that it is made in, else the run it is of."""
    build = os.environ.get("BUILD_BUILDNUMBER")
    own = sources[0].run if len(sources) == 1 else f"{sources[0].run} and {len(sources) - 1} more"
    return build or own


def _check_output(output: Path) -> None:
    """Refuse to overwrite what is no report.

    Raises:
        UsageError: There is something else.
    """
    if output.exists() and not output.is_dir():
        raise UsageError(f"--out {output}: is a file; name a folder")
    if output.is_dir() and any(output.iterdir()) and not (output / MARK).exists():
        raise UsageError(f"--out {output}: holds something that is no report (no {MARK}); name another folder")


def _clean(report: Path) -> None:
    if left := trackers.strip_folder(report):
        raise ToolError(
            f"the report would ask other machines, so it was not kept: {', '.join(left[:3])}; "
            "report/trackers.py must learn what this version of Allure adds"
        )


def _mark(file: Path, about: history.Identity, answer: node.Answer, variables: Mapping[str, str]) -> None:
    document = {"schema": 1, **asdict(about), **asdict(answer), "variables": variables}
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _place(made: Path, output: Path) -> None:
    made.chmod(0o755)
    if output.exists():
        shutil.rmtree(output)
    made.replace(output)
