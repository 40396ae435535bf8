"""Linting the library and all scenarios against merely parsing the YAML files that the lint reads."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from benchmarks.sidebyside import Pairs
from benchmarks.sidebyside import side_by_side
from pytest_telescope import cells
from pytest_telescope import paths
from pytest_telescope.load.clusterloader2 import methods
from pytest_telescope.scenario import command
from pytest_telescope.scenario.model import SloSpec
from pytest_telescope.slo import kinds
from pytest_telescope.slo import library
from pytest_telescope.slo import resolve
from pytest_telescope.slo.command import lint

ROOMS = ("pytest_telescope.slo", "pytest_telescope.scenario", "pytest_telescope.cells", "pytest_telescope.load")


def measure(pairs: int = 21) -> Iterator[Pairs]:
    """Yield the figure; both sides run in this process, so that no import is in it."""
    yield side_by_side(
        f"lint the library and all scenarios against parsing their {len(_files())} files",
        _lint,
        _parse,
        pairs=pairs,
        target=3.0,
    )


def _files() -> list[str]:
    """Return the library, the scenarios, and the tables without which neither can be checked."""
    tables = (kinds.FILE, Path(methods.__file__).with_suffix(".yaml"))
    return [str(one) for one in (*library.FOLDER.glob("*.yaml"), *paths.scenarios().glob("*/scenario.yaml"), *tables)]


def _parse() -> None:
    """Parse as the harness reads the library: by libyaml where it is there."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for name in _files():
        with open(name, encoding="utf-8") as file:  # noqa: PTH123 - as anybody would
            yaml.load(file, Loader=loader)


def _lint() -> int:
    """Read everything anew, resolve every entry of the library and every cell's SLOs; return how many mistakes."""
    _forget()
    scenarios = [command.all_cells(cells.scenario(name)) for name in cells.scenario_names()]
    wrong = [found for each in scenarios for found in lint(each)]
    wrong += lint([replace(scenarios[0][0], slos=_every_entry())])
    wrong += [text for entry in library.entries().values() for text in library.mistakes(entry)]
    return len(wrong)


def _every_entry() -> tuple[SloSpec, ...]:
    names = [name for name in library.entries() if not name.startswith("builtin/")]
    return tuple(SloSpec(id=f"entry-{number}", use=name) for number, name in enumerate(names))


def _forget() -> None:
    """Empty every cache of the rooms that take part, as in a new process."""
    for name, module in list(sys.modules.items()):
        if name.startswith(ROOMS):
            for found in vars(module).values():
                if hasattr(found, "cache_clear"):
                    found.cache_clear()
    resolve._known.clear()
    resolve._known_builtins.clear()
