"""Append the records of new runs to the carried results.jsonl, each run once, and forget the oldest runs.

Usage: carry_records.py results.jsonl PUBLISH_FOLDER...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

KEPT = 400
"""Runs that are carried: more than a year of nights, and some megabytes."""


def carried(lines: list[str], kept: int = KEPT) -> list[str]:
    """Return the lines of the newest `kept` runs, of equal lines one; run ids sort by time.

    Raises:
        ValueError: a line is no record.
    """
    runs: dict[str, dict[str, None]] = {}
    for line in lines:
        runs.setdefault(json.loads(line)["run"], {})[line] = None
    return [line for run in sorted(runs)[-kept:] for line in runs[run]]


def main(file: Path, folders: list[Path]) -> None:
    """Rewrite `file` with what it had and what the runs in `folders` have."""
    sources = [file, *(folder / "results.jsonl" for folder in folders)]
    texts = [source.read_text(encoding="utf-8") for source in sources if source.exists()]
    lines = carried([line for text in texts for line in text.splitlines() if line])
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"{file.name}: {len(lines)} records of {len({json.loads(line)['run'] for line in lines})} runs")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
