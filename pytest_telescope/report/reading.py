"""Results of runs, read back: each line is a record or refused by file and line, never guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_telescope.errors import UsageError
from pytest_telescope.report.record import SCHEMA
from pytest_telescope.report.record import Record
from pytest_telescope.report.record_schema_one import converted

RESULTS = "results.jsonl"
BASE = Path(".telescope")
"""Where run folders are unless said otherwise, from the root folder."""
NEWEST = 5
"""Runs that an error names."""
SHOWN = 60
"""Characters of a wrong value that an error shows."""

Refused = Callable[[UsageError], None]
"""Told what could not be read; without one the first such thing is raised."""
Origin = tuple[Path, int, int]
"""File, line, hash of the record."""


def read_runs(paths: Iterable[Path | str], *, base: Path = BASE, refused: Refused | None = None) -> Iterator[Record]:
    """Yield the records of several runs, in the order given; the same record given twice is yielded once.

    Args:
        paths: run ids below `<base>/runs`, run folders, their `publish/`, replays, or files of records.
        base: the folder that holds `runs/`.
        refused: told of every run and line that cannot be read; reading goes on behind it.

    Raises:
        UsageError: something cannot be read, or two files say different things of one number; only without `refused`.
    """
    seen: dict[tuple[object, ...], Origin] = {}
    files: set[Path] = set()
    for path in paths:
        try:
            file = find_run(path, base)
        except UsageError as error:
            _refuse(error, refused)
            continue
        if file.resolve() not in files:
            files.add(file.resolve())
            yield from _read(file, seen, refused)


def read_results(file: Path, *, refused: Refused | None = None) -> Iterator[Record]:
    """Yield the records of one results.jsonl, of this schema or an older one.

    Raises:
        UsageError: a line is no record or says something else of a number than a line before; without `refused` only.
    """
    yield from _read(file, {}, refused)


def find_run(name: Path | str, base: Path = BASE) -> Path:
    """Return the results.jsonl that `name` means; what else was published of the run lies beside it.

    Args:
        name: a run id below `<base>/runs`, a run folder, its `publish/`, a replay, or a file of records.
        base: the folder that holds `runs/`.

    Raises:
        UsageError: there is no such run, or it has no results.
    """
    candidates = [Path(name), base / "runs" / name]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
        for folder in (candidate / "publish", candidate):
            if (folder / RESULTS).is_file():
                return folder / RESULTS
    raise UsageError(_missing(name, next((one for one in candidates if one.is_dir()), None), base))


def _missing(name: Path | str, folder: Path | None, base: Path) -> str:
    if folder is not None:
        return (
            f"{folder}: no {RESULTS} in it: the run did not come to its end; `pytest --replay` judges what it recorded"
        )
    runs = base / "runs"
    known = sorted(one.name for one in runs.iterdir() if one.is_dir())[-NEWEST:] if runs.is_dir() else []
    newest = f"newest in {runs}: {', '.join(known) or 'none'}"
    return f"{name}: no such run: give a run id, a run folder or a {RESULTS}; {newest}"


def _refuse(error: UsageError, refused: Refused | None) -> None:
    if refused is None:
        raise error
    refused(error)


def _read(file: Path, seen: dict[tuple[object, ...], Origin], refused: Refused | None) -> Iterator[Record]:
    number = 0
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.isspace() and (record := _of_line(line, (file, number), seen, refused)) is not None:
                    yield record
    except OSError as error:
        where = f"{file}:{number + 1}" if number else str(file)
        _refuse(UsageError(f"{where}: cannot be read: {error.strerror or error}"), refused)


def _of_line(
    line: bytes, at: tuple[Path, int], seen: dict[tuple[object, ...], Origin], refused: Refused | None
) -> Record | None:
    """Return the record of a line, None if it was seen before or refused."""
    try:
        record = parse_record(line, at)
        key = (record.run, record.cell, record.arm, record.repeat, record.metric)
        mine = (*at, hash(record))
        first = seen.setdefault(key, mine)
        if first is mine:
            return record
        _check_same(record, mine, first)
    except UsageError as error:
        _refuse(error, refused)
    return None


def _check_same(record: Record, mine: Origin, first: Origin) -> None:
    """Let the same record pass in another file; refuse it twice in one file, or with other contents.

    Raises:
        UsageError: which lines, and what to do.
    """
    if mine[2] == first[2] and mine[0] != first[0]:
        return
    raise UsageError(
        f"{mine[0]}:{mine[1]}: {record.metric} of {record.cell} in run {record.run} is there already, in "
        f"{first[0]}:{first[1]}: a run says each number once; take one of the two away"
    )


def parse_record(line: bytes, at: tuple[Path, int]) -> Record:
    """Return the record that one line of results.jsonl is.

    Args:
        line: the line, UTF-8.
        at: file and number of the line, for errors.

    Raises:
        UsageError: it is not a record of a schema known here; the message says what it is instead.
    """
    try:
        return Record.model_validate(_fields(line))
    except ValidationError as error:
        raise UsageError(f"{at[0]}:{at[1]}: {told(error)}") from error
    except UsageError as error:
        raise UsageError(f"{at[0]}:{at[1]}: {error}") from error


def _fields(line: bytes) -> dict[str, Any]:
    """Return the fields of a record of today's schema, not checked yet."""
    document = document_of(line)
    check_schema(document.get("schema"), SCHEMA)
    if document["schema"] == 1:
        return converted(document)
    if "schema_version" in document:  # Python's name of `schema`, which pydantic would take
        raise UsageError("unknown field 'schema_version'")
    return document


def check_schema(found: object, newest: int) -> None:
    """Check that a document is of a schema known here.

    Raises:
        UsageError: it is of none, or of a newer one.
    """
    if type(found) is not int or found < 1:
        raise UsageError(f"schema is {_short(found)}, expected a number from 1 to {newest}: not written by a run")
    if found > newest:
        raise UsageError(
            f"schema {found} is newer than what is known here ({newest}): read it with the pytest-telescope that "
            "wrote it, or with a newer one"
        )


def document_of(text: bytes) -> dict[str, Any]:
    """Return a JSON object, UTF-8.

    Raises:
        UsageError: it is none, holds a key twice, or a number that JSON does not have.
    """
    try:
        document = _JSON.decode(text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 at byte {error.start}: not written by a run, or damaged") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(_broken(text, error)) from error
    if not isinstance(document, dict):
        raise UsageError(f"a JSON object is expected, found {_short(document)}")
    return document


def _broken(text: bytes, error: Exception) -> str:
    if text.startswith(b"{") and not text.endswith((b"\n", b"}")):
        return "cut short: its writer was killed, or the file was not copied whole; take the line away"
    return f"not JSON ({error}): not written by a run, or damaged"


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice")
    return document


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number; what was not measured is null")


_JSON = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_no_number)


def told(error: ValidationError) -> str:
    """Return what is wrong with a record's fields, all of it in one line."""
    told = []
    for one in error.errors(include_url=False):
        name = ".".join(map(str, one["loc"])) or "record"
        if one["type"] == "extra_forbidden":
            told.append(f"unknown field {name!r}")
        elif one["type"] == "missing":
            told.append(f"field {name!r} is missing")
        else:
            told.append(f"{name} is {_short(one['input'])}: {one['msg'][:1].lower()}{one['msg'][1:]}")
    return "; ".join(told)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
