"""A module with one letter too many: what notices it?"""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clouds.commands import Commands
from tests.clouds.hcl import Kind
from tests.clouds.hcl import Name
from tests.clouds.hcl import names

SHARED = "variables.tf"
"""The same file in all modules, which another test compares."""
FAILED = re.compile(r"^ *run .*\.\.\. (?:fail|skip)$|^Error:")
"""Lines of `terraform test` that tell that it will not pass."""
PATIENCE = 300.0
"""Seconds that a module's tests may take."""
DYNAMIC = re.compile(r'^\s*dynamic "(\w+)" \{', re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """One name of a module, misspelt.

    Attributes:
        start: offset of the name in the file.
    """

    file: str
    line: int
    start: int
    name: str
    kind: Kind

    @property
    def typo(self) -> str:
        """The name with its last letter twice."""
        return self.name + self.name[-1]

    @property
    def likeness(self) -> tuple[str, int, str]:
        """What Terraform tells of it: two that are alike cannot be told apart when both are there."""
        return (self.file, self.line, self.typo)

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.kind} {self.name}"

    def named_in(self, diagnostic: Mapping[str, Any]) -> bool:
        """Tell whether Terraform complains of this very typo, and on this line."""
        place = diagnostic.get("range", {})
        words = re.findall(r"[\w-]+", f"{diagnostic['summary']} {diagnostic.get('detail', '')}")
        return place.get("filename") == self.file and place["start"]["line"] == self.line and self.typo in words


def mutants(module: Path) -> list[Mutant]:
    """Return every mutant of a module in the order of its files."""
    return [mutant for file in sorted(module.glob("*.tf")) if file.name != SHARED for mutant in of_file(file)]


def of_file(file: Path) -> list[Mutant]:
    """Return a file's mutants: all names but those that only declare, and the labels of dynamic blocks."""
    text = file.read_text(encoding="utf-8")
    labels = [Name(found[1], found.start(1), "block", "resource") for found in DYNAMIC.finditer(text)]
    found = [name for name in names(text) if name.top] + labels
    return [
        Mutant(file.name, text.count("\n", 0, name.start) + 1, name.start, name.text, name.kind)
        for name in sorted(found, key=lambda one: one.start)
    ]


class Bench:
    """A copy of a module on which mutants are tried, one after the other.

    Args:
        folder: empty.
        environment: what a `StubProviders` gave.
    """

    def __init__(self, module: Path, folder: Path, environment: Mapping[str, str]) -> None:
        self.module = folder / "module"
        shutil.copytree(module, self.module)
        self.commands = Commands(self.module, folder, environment)

    def baseline(self) -> str:
        """Return what is wrong with the module itself; "" if it is sound."""
        for arguments in (("init", "-input=false"), ("validate",), ("test",)):
            result = self.commands.run(*arguments, "-no-color")
            if result.code:
                return result.output
        return ""

    def caught_together(self, chosen: Sequence[Mutant], size: int) -> dict[Mutant, str]:
        """Return the mutants of which `validate` complains by name and line when `size` are there at once."""
        found: dict[Mutant, str] = {}
        batches = -(-len(chosen) // size)
        for number in range(batches):
            batch = chosen[number::batches]
            diagnostics = self._diagnostics(batch)
            alike = Counter(mutant.likeness for mutant in batch)
            told_apart = [mutant for mutant in batch if alike[mutant.likeness] == 1]
            found |= {mutant: "validate" for mutant in told_apart if any(mutant.named_in(one) for one in diagnostics)}
        return found

    def caught_by(self, mutant: Mutant) -> str | None:
        """Return what rejects the mutant, `validate` or `test`; None where nothing does."""
        with self._spoilt([mutant]):
            if self.commands.run("validate", "-no-color").code:
                return "validate"
            return None if self._tests_pass() else "test"

    def _tests_pass(self) -> bool:
        """Run the module's tests until the first that fails; on mocks, so there is nothing to tidy up."""
        with self.commands.start("test", "-no-color") as process:
            watch = threading.Timer(PATIENCE, process.kill)
            watch.start()
            assert process.stdout is not None
            failed = any(FAILED.match(line) for line in process.stdout)
            if failed:
                process.kill()
            process.wait()
            watch.cancel()
        return not failed and process.returncode == 0

    def _diagnostics(self, batch: Sequence[Mutant]) -> list[dict[str, Any]]:
        with self._spoilt(batch):
            found: list[dict[str, Any]] = json.loads(self.commands.run("validate", "-json").output)["diagnostics"]
        return found

    @contextmanager
    def _spoilt(self, batch: Sequence[Mutant]) -> Iterator[None]:
        """Have the typos in the module, from the last to the first so that places stay as they are."""
        sound = {name: (self.module / name).read_text(encoding="utf-8") for name in {mutant.file for mutant in batch}}
        spoilt = dict(sound)
        for mutant in sorted(batch, key=lambda one: -one.start):
            text = spoilt[mutant.file]
            spoilt[mutant.file] = text[: mutant.start] + mutant.typo + text[mutant.start + len(mutant.name) :]
        self._write(spoilt)
        try:
            yield
        finally:
            self._write(sound)

    def _write(self, texts: Mapping[str, str]) -> None:
        for name, text in texts.items():
            (self.module / name).write_text(text, encoding="utf-8")
