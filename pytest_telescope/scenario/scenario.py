"""A loaded scenario, and the cells that it makes."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario import checks
from pytest_telescope.scenario import ids
from pytest_telescope.scenario import sets as changes
from pytest_telescope.scenario.document import Node
from pytest_telescope.scenario.merge import overlaid
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterLoader2Spec
from pytest_telescope.scenario.model import Component
from pytest_telescope.scenario.model import EngineName
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.model import ResourceConsumerSpec
from pytest_telescope.scenario.model import Scalar
from pytest_telescope.scenario.names import PROVIDERS
from pytest_telescope.scenario.names import suggest
from pytest_telescope.scenario.problems import Problems
from pytest_telescope.scenario.view import View
from pytest_telescope.scenario.view import fixed_problems
from pytest_telescope.scenario.view import view
from pytest_telescope.scenario.written import Head


class Scenario:
    """One benchmark, loaded: what it offers, and its cells.

    Attributes:
        providers: those it runs on, in the order of `PROVIDERS`.
        folder: absolute; relative files of the specs start here.
        place: the line of its name.
    """

    def __init__(
        self,
        *,
        head: Head,
        document: Node,
        overlays: Mapping[str, Node],
        views: Mapping[str, View],
        folder: Path,
        place: Place,
    ) -> None:
        self.name: str = head.name
        self.description: str = head.description
        self.component: Component = head.component
        self.folder = folder
        self.place = place
        self.providers: tuple[str, ...] = tuple(name for name in PROVIDERS if name in overlays)
        self._document = document
        self._overlays = overlays
        self._views: dict[tuple[str, tuple[tuple[str, str], ...]], View] = {(name, ()): views[name] for name in views}
        # over all providers, so that the ids of one scenario are alike on all of them
        self._several_engines = len({engine for seen in views.values() for engine in seen.loads}) > 1

    def __repr__(self) -> str:
        return f"<Scenario {self.name} of {self.place}>"

    def rows(self, provider: str) -> tuple[str | None, ...]:
        """Return the rows on `provider`; (None,) where there is no matrix.

        Raises:
            UsageError: the scenario does not run there.
        """
        return tuple(self._view(provider).rows) or (None,)

    def engines(self, provider: str) -> tuple[EngineName, ...]:
        """Return the engines that the scenario offers on `provider`, the default one first.

        Raises:
            UsageError: the scenario does not run there.
        """
        seen = self._view(provider)
        return (seen.default, *(engine for engine in seen.loads if engine != seen.default))

    def cell(
        self, provider: str, row: str | None = None, engine: str | None = None, sets: Mapping[str, str] | None = None
    ) -> Cell:
        """Return one cell; `engine` None means the default one.

        Raises:
            UsageError: no such provider, row, engine or `--set` name here, or the cell's values are wrong.
        """
        cells = self.cells(provider, None if row is None else (row,), None if engine is None else (engine,), sets)
        if len(cells) > 1:
            rows = ", ".join(str(name) for name in self.rows(provider))
            raise UsageError(f"{self.place}: {self.name} has rows on {provider}; name one of: {rows}")
        return cells[0]

    def cells(
        self,
        provider: str,
        rows: Iterable[str] | None = None,
        engines: Iterable[str] | None = None,
        sets: Mapping[str, str] | None = None,
    ) -> list[Cell]:
        """Return the cells of `provider`: all rows where `rows` is None, the default engine where `engines` is.

        Raises:
            UsageError: an unknown name, or wrong values; the message has all problems of all cells.
        """
        sets = sets or {}
        seen = self._view(provider, changes.paths(sets))
        problems = Problems()
        asked = [self._engine(seen, engine) for engine in ((seen.default,) if engines is None else engines)]
        named = (tuple(seen.rows) or (None,)) if rows is None else tuple(self._row(seen, row) for row in rows)
        made = [self._cell(seen, row, engine, sets, problems) for row in named for engine in asked]
        problems.check()
        return [cell for cell in made if cell is not None]

    def _cell(
        self, seen: View, row: str | None, engine: EngineName, sets: Mapping[str, str], problems: Problems
    ) -> Cell | None:
        values: Mapping[str, Scalar] = seen.rows[row] if row is not None else {}
        if sets:
            values = changes.values(sets, values)
        problems.note = f" (row {row})" if row is not None else ""
        cluster = seen.cluster.build(values, problems)
        load = seen.loads[engine].build(values, problems)
        slos = [part.build(values, problems) for part in seen.slos]
        budget = seen.budget.build(values, problems)
        head = seen.head.build(values, problems)
        if cluster is None or budget is None or head is None:
            return None
        if not isinstance(load, ResourceConsumerSpec | ClusterLoader2Spec):
            return None
        cell = Cell(
            id=ids.cell_id(seen.provider, self.name, row, engine if self._several_engines else None),
            provider=seen.provider,
            scenario=self.name,
            row=row,
            engine=engine,
            description=head.description,
            component=head.component,
            values=values,
            cluster=cluster,
            load=load,
            slos=tuple(slo for slo in slos if slo is not None),
            budget=budget,
            folder=self.folder,
            place=seen.places[row] if row is not None else self.place,
        )
        seen.loads[engine].find(checks.room(cell), problems)
        if seen.cluster.names:
            seen.cluster.find(checks.real_nodes(cluster, seen.provider), problems)
        return cell

    def _view(self, provider: str, paths: tuple[tuple[str, str], ...] = ()) -> View:
        if (provider, paths) not in self._views:
            self._views[provider, paths] = self._make_view(provider, paths)
        return self._views[provider, paths]

    def _make_view(self, provider: str, paths: tuple[tuple[str, str], ...]) -> View:
        if provider not in self._overlays:
            kind = f"provider for {self.name}" if provider in PROVIDERS else "provider"
            raise UsageError(f"{self.place}: {suggest(kind, provider, self.providers)}")
        problems = Problems()
        document = overlaid(self._document, self._overlays[provider], problems)
        for path, text in paths:
            document = overlaid(document, changes.overlay(document, path, text, problems), problems)
        problems.check()
        seen = view(provider, document, self.folder, problems)
        problems.check()
        if seen is None:
            raise UsageError(f"{self.place}: {self.name} offers no load on {provider}")
        fixed_problems(seen, problems)
        problems.check()
        return seen

    def _engine(self, seen: View, engine: str) -> EngineName:
        for name in seen.loads:
            if name == engine:
                return name
        kind = f"engine for {self.name} on {seen.provider}"
        raise UsageError(f"{self.place}: {suggest(kind, engine, tuple(seen.loads))}")

    def _row(self, seen: View, row: str) -> str:
        if row not in seen.rows:
            raise UsageError(
                f"{self.place}: {suggest(f'row of {self.name} on {seen.provider}', row, tuple(seen.rows))}"
            )
        return row
