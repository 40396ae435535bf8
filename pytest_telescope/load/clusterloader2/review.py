"""What the lint says of all configs of a cell, before anything is built."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from pytest_telescope.errors import UsageError
from pytest_telescope.load.clusterloader2.entries import entries_of
from pytest_telescope.load.clusterloader2.entries import spec_of
from pytest_telescope.load.clusterloader2.lint import lint
from pytest_telescope.load.clusterloader2.lint import makes_pods
from pytest_telescope.load.clusterloader2.model import Entry
from pytest_telescope.load.clusterloader2.model import Hint
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.names import Scalar


def review(cell: Cell, environment: Mapping[str, str]) -> list[str]:
    """Return the warnings of the lint, each with file:line.

    Raises:
        UsageError: the lint finds mistakes for sure; the message has all of them.
    """
    config = cell.folder / spec_of(cell).config
    hints = list(lint(config, {}, {}) if entries_of(cell)[0].config != config.resolve() else ())
    for entry in entries_of(cell):
        hints += lint(entry.config, _overrides(cell, entry), environment)
    told = list(dict.fromkeys(hints))
    if wrong := [_shown(hint) for hint in told if hint.level == "error"]:
        raise UsageError("\n".join(wrong))
    return [_shown(hint) for hint in told]


def may_make_pods(cell: Cell) -> bool:
    """Say whether any config of the cell may make pods; False only where it surely makes none."""
    return any(_makes_pods(entry.config, entry.config.stat().st_mtime_ns) for entry in entries_of(cell))


@lru_cache(maxsize=256)
def _makes_pods(config: Path, _changed: int) -> bool:
    """Read a config once for all rows and providers that use it."""
    return makes_pods(config)


def _overrides(cell: Cell, entry: Entry) -> Mapping[str, Scalar]:
    """Return all that CL2 is given; the harness' own variables are used by no config.

    Raises:
        UsageError: an override file of the suite cannot be read.
    """
    given: dict[str, Scalar] = {}
    for path in entry.overrides:
        given |= _read(path)
    return {**given, **spec_of(cell).overrides}


def _read(path: Path) -> dict[str, Scalar]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: override file of a suite that cannot be read: {error}") from error
    return {str(name): value for name, value in content.items()} if isinstance(content, dict) else {}


def _shown(hint: Hint) -> str:
    here = Path.cwd()
    file = hint.file.relative_to(here) if hint.file.is_relative_to(here) else hint.file
    return f"{file}:{hint.line}: {hint.text}"
