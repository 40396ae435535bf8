"""`python -m benchmarks [NAME...]`: prints every figure with its target."""

from __future__ import annotations

import importlib
import sys

NAMES = (
    *("collect", "ready", "pods", "overhead", "cl2", "plan", "reap", "clouds", "slos", "replay", "lint"),
    *("reporting", "report", "trend", "comparison"),
)
ON_REQUEST = ("scale", "changes")
"""Takes ten minutes and most of the machine's memory; takes a quarter of an hour."""


def main(names: list[str]) -> int:
    """Measure `names`, all by default."""
    if unknown := set(names) - {*NAMES, *ON_REQUEST}:
        print(f"unknown benchmark {', '.join(unknown)}; there are {', '.join((*NAMES, *ON_REQUEST))}", file=sys.stderr)
        return 4
    for name in names or NAMES:
        for figure in importlib.import_module(f"benchmarks.{name}").measure():
            print(figure, flush=True)
    return 0


sys.exit(main(sys.argv[1:]))
