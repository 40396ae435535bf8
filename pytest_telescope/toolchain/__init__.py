"""Pinned tools: where their binaries are, built once and cached.

Cheap to import: the work is imported when it is asked for, because collection imports this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from pytest_telescope.toolchain.overrides import forget
    from pytest_telescope.toolchain.overrides import override
    from pytest_telescope.toolchain.registry import ToolInfo
    from pytest_telescope.toolchain.registry import ensure
    from pytest_telescope.toolchain.registry import for_tests
    from pytest_telescope.toolchain.registry import tool
    from pytest_telescope.toolchain.registry import tools

__all__ = ["ToolInfo", "ensure", "for_tests", "forget", "override", "tool", "tools"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    room = "overrides" if name in ("forget", "override") else "registry"
    return getattr(import_module(f"{__name__}.{room}"), name)
