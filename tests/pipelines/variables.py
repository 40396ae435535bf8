"""Variables of a job: names ignore case, `$(name)` is replaced where known and stays where not, some are secret."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.pipelines.expressions import Names

_MACRO = re.compile(r"\$\(([A-Za-z_][\w.]*)\)")


class Nulls(Names):
    """Variables at run time: one that is not there is null."""

    def __missing__(self, name: str) -> None:
        return None


class Variables:
    """What a job's steps see; `undefined` collects every `$(name)` that nobody defines."""

    def __init__(self, values: Mapping[str, str], secrets: Mapping[str, str] | None = None) -> None:
        self._values = {name.casefold(): (name, value) for name, value in {**values, **(secrets or {})}.items()}
        self._secret = {name.casefold() for name in secrets or {}}
        self.undefined: set[str] = set()
        self.path: list[str] = []

    def set(self, name: str, value: str, *, secret: bool = False) -> None:
        self._values[name.casefold()] = (name, value)
        if secret:
            self._secret.add(name.casefold())

    def get(self, name: str) -> str | None:
        found = self._values.get(name.casefold())
        return None if found is None else self.expanded(found[1])

    def expanded(self, text: str) -> str:
        """Return a text with its macros replaced."""

        def one(found: re.Match[str]) -> str:
            value = self.get(found[1])
            if value is None:
                self.undefined.add(found[1])
                return found[0]
            return value

        return _MACRO.sub(one, text)

    def for_conditions(self) -> Names:
        """Return what a condition may ask for."""
        return Nulls({name: self.expanded(value) for name, value in self._values.values()})

    def environment(self) -> dict[str, str]:
        """Return what a script finds in its environment without asking: everything but the secrets."""
        return {
            re.sub(r"[. ]", "_", name).upper(): self.expanded(value)
            for key, (name, value) in self._values.items()
            if key not in self._secret
        }


def macros(text: str) -> set[str]:
    """Return the names of the macros in a text."""
    return set(_MACRO.findall(text))
