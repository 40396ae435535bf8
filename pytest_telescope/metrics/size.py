"""How large a recording may be, and why it cannot hold everything."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from pytest_telescope.errors import MetricsError
from pytest_telescope.errors import UsageError

VARIABLE = "TELESCOPE_RECORDING_LIMIT"
SIZE_LIMIT = 4 * 1024**3
"""Bytes that one snapshot may have where `VARIABLE` says nothing else; some 100 nodes for an hour at 5 s."""
_UNITS = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]iB|B)?")


class TooLargeError(MetricsError):
    """A snapshot is larger than a recording may be."""

    def __init__(self, snapshot: str, size: int, files: int, limit: int) -> None:
        super().__init__(
            f"the snapshot {snapshot} has {size / 1024**2:.0f} MiB in {files} files, the limit is "
            f"{limit / 1024**2:.0f} MiB: a longer scrape interval, fewer nodes or a shorter load make it smaller, "
            f"{VARIABLE}=8GiB moves the limit"
        )
        self.brief = f"a snapshot has {size / 1024**2:.1f} MiB, the limit is {limit / 1024**2:.1f} MiB ({VARIABLE})"


class NoWayError(MetricsError):
    """The blocks of a Prometheus can neither be read from this machine nor fetched."""

    def __init__(self, url: str) -> None:
        self.brief = f"the data of Prometheus at {url} can neither be read from here nor fetched"
        super().__init__(f"{self.brief}: no recording")


def size_limit(environ: Mapping[str, str] = os.environ) -> int:
    """Return the bytes that a snapshot may have: `TELESCOPE_RECORDING_LIMIT` (`500MiB`, `8GiB`), else 4 GiB.

    Raises:
        UsageError: the variable is no size.
    """
    told = environ.get(VARIABLE, "").strip()
    if not told:
        return SIZE_LIMIT
    found = _SIZE.fullmatch(told)
    if found is None:
        raise UsageError(f"{VARIABLE}={told} is no size: write e.g. 500MiB or 8GiB")
    return int(float(found[1]) * _UNITS[found[2] or ""])
