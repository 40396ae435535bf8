"""The pieces of a scenario that are validated on their own: built once, or once a row where they hold placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Generic
from typing import TypeVar

from pydantic import ValidationError

from pytest_telescope.scenario import checks
from pytest_telescope.scenario.document import Node
from pytest_telescope.scenario.model import Spec
from pytest_telescope.scenario.names import JUDGED_LATER
from pytest_telescope.scenario.names import Scalar
from pytest_telescope.scenario.placeholders import fill
from pytest_telescope.scenario.placeholders import used
from pytest_telescope.scenario.problems import Problems
from pytest_telescope.scenario.problems import dotted
from pytest_telescope.scenario.problems import explain
from pytest_telescope.scenario.problems import walk
from pytest_telescope.scenario.units import FROM_FILE

S = TypeVar("S", bound=Spec)


class Part(Generic[S]):
    """One piece: the node it is written as, and the spec it is read as."""

    def __init__(self, node: Node, model: type[S], path: str, folder: Path) -> None:
        self.node = node
        self.path = path
        self._model = model
        self._folder = folder
        self._keep = JUDGED_LATER if path.startswith("slos.") else ()
        self.names = used(node).difference(self._keep)
        self._fixed: S | None = None

    def build(self, values: Mapping[str, Scalar], problems: Problems) -> S | None:
        """Return the spec with `values` filled in, or None and its problems."""
        if self._fixed is not None:
            return self._fixed
        found = Problems()
        found.note = problems.note
        spec = self._read(values, found)
        problems.take(found)
        if found:
            return None
        if not self.names:
            self._fixed = spec
        return spec

    def find(self, findings: Any, problems: Problems) -> None:
        """Add findings of `checks` on this part."""
        for steps, text in findings:
            node, _ = walk(self.node, steps)
            problems.at(node, dotted(self.path, *steps), text)

    def _read(self, values: Mapping[str, Scalar], found: Problems) -> S | None:
        data = fill(self.node, values, self._keep, self.path, found)
        try:
            spec = self._model.model_validate(data, strict=True, context=FROM_FILE)
        except ValidationError as error:
            explain(error, self._model, self.node, self.path, found)
            return None
        stamp(spec, self.node)
        self.find(checks.of(spec, self._folder), found)
        return spec


def stamp(value: object, node: Node) -> None:
    """Set the place of a spec and of every spec inside it."""
    content = node.content
    if isinstance(value, Spec):
        value._place = node.place
        if isinstance(content, Mapping):
            value._places = {key: inner.place for key, inner in content.items()}
            for key, inner in content.items():
                if isinstance(inner.content, Mapping):
                    stamp(getattr(value, key, None), inner)
    elif isinstance(value, Mapping) and isinstance(content, Mapping):
        for key, inner in content.items():
            stamp(value.get(key), inner)
