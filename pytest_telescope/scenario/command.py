"""`telescope list` and `telescope validate`, without their command line."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario import loading
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.names import suggest
from pytest_telescope.scenario.scenario import Scenario

OK = 0
BAD_INPUT = 4
_TITLES = ("SCENARIO", "COMPONENT", "PROVIDERS", "ROWS", "ENGINES", "DESCRIPTION")
_MOST_ROWS = 6


def list_scenarios(stream: TextIO, root: Path) -> int:
    """Print a table of the scenarios in `root`, then what is wrong with the others; return the exit code."""
    loaded, wrong = _load(root, loading.names(root))
    table = [_TITLES, *(_line(scenario) for scenario in loaded)]
    widths = [max(len(line[column]) for line in table) for column in range(len(_TITLES))]
    for line in table:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip(), file=stream)
    return _finish(stream, wrong)


def validate(stream: TextIO, root: Path, names: Sequence[str] = ()) -> int:
    """Resolve every cell of the scenarios `names` (all if none), print what is ok and what not; return exit code."""
    loaded, wrong = _load(root, names or loading.names(root))
    for scenario in loaded:
        try:
            cells = all_cells(scenario)
        except UsageError as error:
            wrong.append(str(error))
            continue
        by_provider = ", ".join(f"{name} {sum(c.provider == name for c in cells)}" for name in scenario.providers)
        print(f"ok {scenario.name}: {len(cells)} cells ({by_provider})", file=stream)
    return _finish(stream, wrong)


def all_cells(scenario: Scenario) -> list[Cell]:
    """Return every cell of a scenario: provider x row x engine.

    Raises:
        UsageError: one or more are not right; the message has all problems, each once.
    """
    cells: list[Cell] = []
    wrong: dict[str, None] = {}
    for provider in scenario.providers:
        try:
            cells += scenario.cells(provider, engines=scenario.engines(provider))
        except UsageError as error:
            wrong.update(dict.fromkeys(str(error).splitlines()))
    if wrong:
        raise UsageError("\n".join(wrong))
    return cells


def _load(root: Path, names: Iterable[str]) -> tuple[list[Scenario], list[str]]:
    known = loading.names(root)
    loaded: list[Scenario] = []
    wrong: list[str] = []
    for name in names:
        try:
            if name not in known:
                raise UsageError(suggest("scenario", name, known))
            loaded.append(loading.load(root / name))
        except UsageError as error:
            wrong.append(str(error))
    return loaded, wrong


def _line(scenario: Scenario) -> tuple[str, ...]:
    engines = dict.fromkeys(engine for provider in scenario.providers for engine in scenario.engines(provider))
    return (
        scenario.name,
        scenario.component,
        ", ".join(scenario.providers),
        _rows(scenario),
        ", ".join(engines),
        scenario.description or "-",
    )


def _rows(scenario: Scenario) -> str:
    by_rows: dict[str, list[str]] = {}
    for provider in scenario.providers:
        rows = [row for row in scenario.rows(provider) if row is not None]
        shown = [*rows[:_MOST_ROWS], f"+{len(rows) - _MOST_ROWS}"] if len(rows) > _MOST_ROWS else rows
        by_rows.setdefault(" ".join(shown) or "-", []).append(provider)
    if len(by_rows) == 1:
        return next(iter(by_rows))
    return "; ".join(f"{' '.join(providers)}: {rows}" for rows, providers in by_rows.items())


def _finish(stream: TextIO, wrong: list[str]) -> int:
    for text in wrong:
        print(text, file=stream)
    return BAD_INPUT if wrong else OK
