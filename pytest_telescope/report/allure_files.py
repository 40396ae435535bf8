"""Files of a cell as attachments: bounded, and what was left out is said."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path

from pytest_telescope.report.allure_shape import Attached
from pytest_telescope.report.allure_shape import Kind

LARGEST = 128 * 1024
"""Bytes of one attachment: a report that is one file holds them all."""
MOST = 1024 * 1024
"""Bytes of all attachments of one item."""
KINDS: dict[str, Kind] = {".json": "json", ".yaml": "yaml", ".yml": "yaml", ".csv": "csv", ".svg": "svg"}
LOAD = (
    "load/load.json",
    "load/pod.json",
    "load/**/overrides*.yaml",
    "load/**/dry-run/generatedConfig*.yaml",
    "load/findings.json",
    "load/**/clusterloader2*.log",
    "load/**/dry-run.log",
    "recording/recording.json",
)
"""What a load was told and what it said, rendered configs among it."""
DESTROY = ("cost.json", "logs/*.error", "logs/*.json", "logs/*.log")
"""What was collected before the cluster went."""


def attached(folder: Path, patterns: Iterable[str]) -> tuple[Attached, ...]:
    """Return the files of a cell's folder that match, in the order of the patterns."""
    found, left, room = list[Attached](), list[str](), MOST
    for file in _files(folder, patterns):
        name = file.relative_to(folder).as_posix()
        one = read(file, name)
        if one is None or len(one.body) > room:
            left += [name] if one is not None else []
            continue
        room -= len(one.body)
        found.append(one)
    return (*found, *_left_out(left))


def read(file: Path, name: str) -> Attached | None:
    """Return one file, of a log that is too long the end, of others the beginning; None where there is nothing."""
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            if file.suffix == ".log":
                stream.seek(max(0, size - LARGEST))
            content = stream.read(LARGEST).decode("utf-8", errors="replace")
    except OSError:
        return None
    if not content.strip():
        return None
    return _made(name, KINDS.get(file.suffix, "text"), content, size)


def text(name: str, kind: Kind, body: str) -> Attached:
    """Return a text that was made, cut where it is too long."""
    return _made(name, kind, body[:LARGEST], len(body))


def _made(name: str, kind: Kind, content: str, size: int) -> Attached:
    if size > LARGEST:
        part = "last" if name.endswith(".log") else "first"
        name, kind = f"{name} ({part} {LARGEST // 1024} KiB of {size // 1024})", "csv" if kind == "csv" else "text"
    return Attached(name=name, kind=kind, body=content)


def _files(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    found = (file for pattern in patterns for file in sorted(folder.glob(pattern)) if file.is_file())
    yield from dict.fromkeys(found)


def _left_out(names: list[str]) -> Iterator[Attached]:
    if names:
        told = "\n".join(["Too much for a report; they are in the cell's folder of the run:", *names, ""])
        yield Attached(name="left out", kind="text", body=told)
