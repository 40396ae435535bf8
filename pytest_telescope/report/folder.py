"""The run folder: what can be published, and what must stay private.

::

    <base>/runs/<run_id>/
        publish/junit.xml results.jsonl verdict.json allure-results/
        publish/cells/<cell>/cell.json cost.json status.jsonl notes.jsonl judgements.jsonl
        publish/cells/<cell>/load/ recording/ pictures/ perfdata/ logs/
        replays/<number>/     as publish/, of today's SLOs over the run's recordings
        private/
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def new_run_id(now: float) -> str:
    """Return `<date>-<time>-<4 hex digits>` in UTC: sortable, and unique enough for runs started in one second."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime(now)) + "-" + secrets.token_hex(2)


@dataclass(frozen=True, slots=True)
class CellFolder:
    """The published folder of one cell; one process writes it, the controller reads it."""

    path: Path

    def write(self, name: str, content: Any) -> Path:
        """Write a JSON document as `<name>` at once, never half."""
        self.path.mkdir(parents=True, exist_ok=True)
        partial = self.path / f".{name}.partial"
        partial.write_text(json.dumps(content, indent=1, default=str) + "\n")
        partial.replace(self.path / name)
        return self.path / name

    def read(self, name: str) -> Any:
        """Return the JSON document `<name>`, or None if it was never written."""
        file = self.path / name
        return json.loads(file.read_text()) if file.exists() else None

    def append(self, name: str, record: dict[str, Any]) -> None:
        """Append one record to the JSON lines file `<name>`."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / name).open("a") as stream:
            stream.write(json.dumps(record, default=str) + "\n")

    def records(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the records of `<name>`; a last line cut short by a kill is left out."""
        file = self.path / name
        if not file.exists():
            return
        with file.open(encoding="utf-8") as lines:  # one at a time: many SLOs over many nodes are megabytes
            for line in lines:
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:
                    return

    def sub(self, name: str) -> Path:
        """Return the folder `<name>`, made if needed."""
        folder = self.path / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder."""

    path: Path

    @property
    def run_id(self) -> str:
        """The run's id, which is the folder's name."""
        return self.path.name

    @property
    def publish(self) -> Path:
        """What may be shown to others."""
        return self.path / "publish"

    def cell(self, cell_id: str) -> CellFolder:
        """Return the folder of a cell; nothing is made."""
        return CellFolder(self.publish / "cells" / cell_id)

    def cells(self) -> list[str]:
        """Return the ids of the cells that wrote something."""
        folder = self.publish / "cells"
        return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.exists() else []

    def make(self) -> None:
        """Create the folder with its private half closed to others."""
        self.publish.mkdir(parents=True, exist_ok=True)
        (self.path / "private").mkdir(mode=0o700, exist_ok=True)
