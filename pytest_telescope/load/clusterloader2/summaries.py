"""Summary files of one report folder of CL2 to samples in base units."""

from __future__ import annotations

import os
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_telescope.errors import LoadError
from pytest_telescope.load.clusterloader2 import summary_names
from pytest_telescope.load.clusterloader2 import summary_text
from pytest_telescope.load.clusterloader2.model import Sample
from pytest_telescope.load.clusterloader2.model import Summary
from pytest_telescope.load.clusterloader2.summary_kinds import Base
from pytest_telescope.load.clusterloader2.summary_kinds import Kind
from pytest_telescope.load.clusterloader2.summary_kinds import Value
from pytest_telescope.load.clusterloader2.summary_kinds import kinds
from pytest_telescope.load.clusterloader2.summary_numbers import READERS
from pytest_telescope.load.clusterloader2.summary_numbers import converted
from pytest_telescope.load.clusterloader2.summary_paths import Found
from pytest_telescope.load.clusterloader2.summary_paths import walk
from pytest_telescope.load.clusterloader2.summary_perf_data import data_item
from pytest_telescope.load.clusterloader2.summary_perf_data import perf_data

MOST_PROBLEMS = 20
"""Lines of one summary; what is beyond them is counted."""
LONGEST = 300
"""Characters of such a line."""


def read(folder: Path, configs: Collection[str] | None = None) -> tuple[Summary, ...]:
    """Return all summary files of a report folder, in the order of their names.

    What cannot be read, parsed or trusted is a problem of its summary, never an exception and never a number.

    Args:
        folder: CL2's `--report-dir`.
        configs: names of test configs, with `_<identifier>` where there is one; those of the `generatedConfig_….yaml`
            files in the folder are always known.

    Raises:
        LoadError: the folder cannot be listed.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise LoadError(f"{folder}: the report folder of clusterloader2 cannot be listed: {error}") from error
    generated = (summary_names.config_of(_name(path)) for path in files)
    known = {*(configs or ()), *(name for name in generated if name)}
    return tuple(summary for path in files for summary in _summary(path, known))


def _name(path: Path) -> str:
    return os.fsencode(path.name).decode("utf-8", "replace")


def _summary(path: Path, configs: Collection[str]) -> Iterator[Summary]:
    name = summary_names.parse(_name(path), configs)
    if name is None:
        return
    samples, problems = _content(path, name)
    if not name.config:
        problems.insert(0, "its name ends with no known test config")
    yield Summary(name=name.summary, config=name.config, file=path, samples=tuple(samples), problems=_at_most(problems))


def _content(path: Path, name: summary_names.FileName) -> tuple[list[Sample], list[str]]:
    """Return samples and problems of one file."""
    try:
        content = _loaded(path) if name.extension == "json" else None
    except (OSError, ValueError) as error:
        return [], [str(error)]
    kind = kinds().find(name.summary, name.extension, content)
    if kind is None:
        return [], ["a kind of summary that is not known"]
    if kind.shape == "text":
        return [], []
    found = list(_numbers(name.summary, kind, content))
    samples = [one for one in found if isinstance(one, Sample)]
    problems = [one for one in found if isinstance(one, str)]
    return samples, problems or ([] if samples else ["there is no number in it"])


def _loaded(path: Path) -> Any:
    if (size := path.stat().st_size) > summary_text.LARGEST:
        raise ValueError(f"too large to be a summary: {size} bytes")
    return summary_text.load(path.read_bytes())


def _numbers(summary: str, kind: Kind, content: Any) -> Iterator[Sample | str]:
    if kind.shape == "perf-data":
        yield from perf_data(summary, kind, content)
    elif kind.shape == "data-item":
        yield from data_item(summary, kind, content)
    for value in kind.values:
        for found in walk(content, value.path):
            yield from _number(summary, kind, value, found)


def _number(summary: str, kind: Kind, value: Value, found: Found) -> Iterator[Sample | str]:
    """Yield the sample of one value, what is wrong with it, or nothing where a dump holds a number that is none."""
    if found.problem:
        yield found.problem
        return
    metric = found.metric or value.metric
    base = kinds().base_by_name(metric) if value.unit == "by-name" else kinds().base(kind, value.unit)
    try:
        number = READERS[value.text](found.value)
        if kind.raw and not number.is_finite():
            return
        result = converted(number, base, negative=kind.raw)
    except ValueError as error:
        yield f"{found.where} {error}"
    else:
        yield _sample(summary, value, found, result, base)


def _sample(summary: str, value: Value, found: Found, number: float, base: Base) -> Sample:
    return Sample(
        summary=summary,
        metric=found.metric or value.metric,
        stat=found.stat or value.stat,
        value=number,
        unit=base.unit,
        labels=found.labels,
    )


def _at_most(problems: Iterable[str]) -> tuple[str, ...]:
    lines = tuple(dict.fromkeys(" ".join(problem.split())[:LONGEST] for problem in problems))
    if len(lines) <= MOST_PROBLEMS:
        return lines
    return (*lines[:MOST_PROBLEMS], f"and {len(lines) - MOST_PROBLEMS} more")
