"""Records of several runs as one file: `python -m pytest_telescope.report.joined RUN... > all.jsonl`.

All lines are of today's schema, whatever the runs wrote, and no number is there twice. A run or line that cannot be
read is named on standard error, and the exit code is 4.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from pytest_telescope.errors import UsageError
from pytest_telescope.report.reading import BASE
from pytest_telescope.report.reading import read_runs

BAD_INPUT = 4


def join(names: Sequence[str], out: TextIO, told: TextIO, base: Path = BASE) -> int:
    """Write the records of `names` to `out`; return 0, or 4 where something could not be read."""
    refused: list[UsageError] = []
    for record in read_runs(names, base=base, refused=refused.append):
        out.write(record.model_dump_json(by_alias=True) + "\n")
    for error in refused:
        told.write(f"{error}\n")
    return BAD_INPUT if refused else 0


if __name__ == "__main__":
    sys.exit(join(sys.argv[1:], sys.stdout, sys.stderr))
