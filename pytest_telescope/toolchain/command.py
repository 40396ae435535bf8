"""`telescope tools`: list the pinned tools, or build them now instead of when a run needs them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from pytest_telescope.toolchain import registry
from pytest_telescope.toolchain import store


def list_tools(stream: TextIO) -> int:
    """Print each tool with its version, state and path; return the exit code 0.

    Raises:
        UsageError: An override cannot be run.
    """
    infos = registry.tools()
    names = max(len(info.name) for info in infos)
    versions = max(len(info.version) for info in infos)
    for info in infos:
        print(
            f"{info.name:<{names}}  {info.version:<{versions}}  {info.state:<11}  {_where(info)}".rstrip(), file=stream
        )
    missing = [info.name for info in infos if info.state == "missing"]
    if missing:
        print(f"\n{len(missing)} missing: built when first needed, or now by: telescope tools build", file=stream)
    return 0


def build_tools(names: Sequence[str], stream: TextIO) -> int:
    """Build what is missing of `names` (by default all that this machine can use), with progress; return 0.

    Raises:
        UsageError: There is no such tool, or an override cannot be run; nothing was built.
        ToolError: One cannot be built; the message says the ways out.
    """
    started = time.monotonic()
    wanted = list(names) or registry.for_tests()
    found = registry.ensure(wanted, lambda line: print(line, file=stream, flush=True))
    took = registry.span(time.monotonic() - started)
    total = sum(store.size(path) for path in found.values()) / 1e6
    print(f"{len(found)} tools are ready ({total:.0f} MB, {took})", file=stream, flush=True)
    return 0


def _where(info: registry.ToolInfo) -> str:
    if info.path is None:
        return ""
    return str(info.path).replace(str(Path.home()), "~", 1) if info.path.is_relative_to(Path.home()) else str(info.path)
