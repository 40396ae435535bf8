"""A pytest plugin (`-p benchmarks.peak`): writes this process' largest resident memory to the file of TELESCOPE_PEAK.

Children are not in it, nor the parent that it was forked from, as they would be in `ru_maxrss`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path


def pytest_unconfigure() -> None:
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"), re.MULTILINE)
    Path(os.environ["TELESCOPE_PEAK"]).write_text(found[1] if found else "0", encoding="utf-8")
