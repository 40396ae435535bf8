"""The noise floor: how much each number varies between runs of one thing, kept in one file beside the runs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import fields
from pathlib import Path
from typing import Any

from pytest_telescope.errors import UsageError
from pytest_telescope.statistics.variation import Variation

SCHEMA = 1
FILE = "noise.json"
"""Its name in the folder that holds `runs/`."""
_CALIBRATE = "write it anew with `telescope compare --calibrate RUN...`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """The noise of one number.

    Attributes:
        cell, metric, unit: the number.
        fingerprint: of the runs that it was measured with.
        sessions: ids of those runs; one says nothing of how days differ.
        variation: what they showed.
    """

    cell: str
    metric: str
    unit: str
    fingerprint: str | None
    sessions: tuple[str, ...]
    variation: Variation


def read_noise(path: Path) -> Mapping[tuple[str, str], float]:
    """Return the coefficient of variation of a run, as a share, by (cell, metric); nothing where there is no file.

    Raises:
        UsageError: the file is not one of ours, or of a newer schema.
    """
    return {key: one.variation.cv for key, one in read(path).items() if one.variation.cv is not None}


def read(path: Path) -> dict[tuple[str, str], Noise]:
    """Return all that the file says, by (cell, metric); nothing where there is no file.

    Raises:
        UsageError: the file is not one of ours, or of a newer schema.
    """
    if not path.exists():
        return {}
    try:
        document = json.loads(path.read_bytes())
        schema = document["schema"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{path}: no noise floor ({type(error).__name__}: {error}): {_CALIBRATE}") from error
    if type(schema) is not int or schema != SCHEMA:
        raise UsageError(f"{path}: schema {schema!r}, known here is {SCHEMA}: {_CALIBRATE}")
    try:
        found = [_noise(one) for one in document["noise"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{path}: damaged ({type(error).__name__}: {error}): {_CALIBRATE}") from error
    return {(one.cell, one.metric): one for one in found}


def write(path: Path, found: Iterable[Noise]) -> int:
    """Put what was found into the file, in place of what it said of the same numbers; return how many it has now.

    Raises:
        UsageError: what is there is no noise floor.
    """
    known = read(path) | {(one.cell, one.metric): one for one in found}
    entries = [_document(known[key]) for key in sorted(known)]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps({"schema": SCHEMA, "noise": entries}, indent=1, allow_nan=False) + "\n")
    partial.replace(path)
    return len(entries)


def _document(noise: Noise) -> dict[str, Any]:
    document = asdict(noise)
    varies: dict[str, Any] = document.pop("variation")
    return document | varies | {"sessions": list(noise.sessions)}


def _noise(document: Mapping[str, Any]) -> Noise:
    """Return an entry.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    own = {one.name for one in fields(Noise)} - {"variation"}
    varies = {one.name: document[one.name] for one in fields(Variation)}
    if unknown := set(document) - own - varies.keys():
        raise ValueError(f"unknown field {min(unknown)!r}")
    if varies["scale"] not in {"log", "linear"}:
        raise ValueError(f"scale {varies['scale']!r}")
    texts = {name: _text(document[name]) for name in ("cell", "metric", "unit")}
    fingerprint = None if document["fingerprint"] is None else _text(document["fingerprint"])
    return Noise(
        **texts,
        fingerprint=fingerprint,
        sessions=_sessions(document["sessions"]),
        variation=Variation(**{name: _number(name, value) for name, value in varies.items()}),
    )


_NEEDED = frozenset({"spread", "df", "runs", "pairs"})


def _number(name: str, value: Any) -> Any:
    """Return a number of a variation as it is; None where it may be."""
    if name == "scale" or (value is None and name not in _NEEDED):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise ValueError(f"{name} is {value!r}, expected a number")
    if value < 0 and not name.startswith("correlation"):
        raise ValueError(f"{name} is {value!r}, expected 0 or more")
    if value == 0 and name in {"df", "pair_df"}:
        raise ValueError(f"{name} is 0, expected more")
    return value


def _sessions(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"sessions are {value!r}, expected a list of runs")
    return tuple(map(_text, value))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is no text")
    return value
