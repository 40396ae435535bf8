"""How a session of `--ab` or `--aa` ends."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_telescope.compare import comparing
from pytest_telescope.compare.differing import in_folders
from pytest_telescope.compare.table import WIDTH
from pytest_telescope.compare.table import noise_lines
from pytest_telescope.compare.table import table

if TYPE_CHECKING:
    from pytest_telescope.report.record import Record


def closing_comparison(
    records: Iterable[Record], *, published: Path | None = None, width: int = WIDTH, colour: bool = False
) -> str:
    """Return the table that compares a session's arms; empty where it has none.

    Args:
        records: the session's.
        published: its published folder, which tells what differs.
        width: columns.
        colour: with ANSI colours.
    """
    kept = [record for record in records if record.arm is not None]
    if not kept:
        return ""
    folders = {} if published is None else dict.fromkeys((one.run for one in kept), published)
    return table(comparing.of_arms(kept, in_folders(folders)), width=width, colour=colour)


def store_noise(records: Iterable[Record], file: Path) -> list[str]:
    """Store the noise floor that an A/A session found, and return the lines that say so.

    Raises:
        UsageError: the file that is there is no noise floor.
    """
    from pytest_telescope.compare.calibrating import calibrated
    from pytest_telescope.statistics.noise import write

    found, left = calibrated(record for record in records if record.arm is not None)
    lines = [*noise_lines(found), *(f"left out: {line}" for line in left)]
    if found:
        write(file, found)
        lines.append(f"noise floor stored in {file}; numbers: {len(found)}")
    return lines
