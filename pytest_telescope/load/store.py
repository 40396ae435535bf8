"""A load's result as files, and back."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from pytest_telescope.errors import LoadError
from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.model import PodAccount
from pytest_telescope.load.model import PodStart

RESULT = "load.json"
PODS = "pods.jsonl"
SAMPLE = "pod.json"
SCHEMA = 1


def save(result: LoadResult, folder: Path) -> LoadResult:
    """Write `load.json` and `pods.jsonl` (one line a pod) to `folder`; returns the result with its files named."""
    folder.mkdir(parents=True, exist_ok=True)
    files = dict.fromkeys((*result.files, folder / PODS, folder / RESULT))
    result = dataclasses.replace(result, files=tuple(files))
    with (folder / PODS).open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(dataclasses.asdict(start)) + "\n" for start in result.starts)
    document = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    del document["starts"], document["gauges"]  # the gauges are in the recording
    document |= {
        "schema": SCHEMA,
        "pods": dataclasses.asdict(result.pods),
        "files": [path.name for path in result.files],
        "steps": {name: list(times) for name, times in result.steps.items()},
        "facts": dict(result.facts),
    }
    (folder / RESULT).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return result


def load_result_from(folder: Path) -> LoadResult:
    """Read back what `save` wrote.

    Raises:
        LoadError: a file is missing or not what this version writes.
    """
    try:
        document: dict[str, Any] = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        found = document.pop("schema")
        if found != SCHEMA:
            raise LoadError(f"{folder / RESULT}: schema {found}, this version reads {SCHEMA}")
        lines = (folder / PODS).read_text(encoding="utf-8").splitlines()
        return LoadResult(
            **document
            | {
                "starts": tuple(PodStart(**json.loads(line)) for line in lines),
                "pods": PodAccount(**document["pods"]),
                "files": tuple(folder / name for name in document["files"]),
                "steps": {name: (first, last) for name, (first, last) in document["steps"].items()},
                "namespaces": tuple(document["namespaces"]),
            }
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LoadError(f"{folder}: not the folder of a load ({type(error).__name__}: {error})") from error
