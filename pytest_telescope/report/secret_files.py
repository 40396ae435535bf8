"""What of a run is published is rid of secrets, before anybody reads it.

Text files are rewritten. The chunks of a recording are left alone: they are compressed pairs of time and number, so
no text can be in them. Any other binary file that holds a secret, an index of a recording (the names and labels of
its series) among them, cannot be rewritten, and is moved to the private half of the run.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from pytest_telescope.report.secrets import Secrets

START = 8192
"""Bytes in which a binary file shows by a NUL that it is one."""
NUMBERS = "chunks"
"""Folder of a Prometheus block whose files hold nothing but numbers."""
WITHHELD = "withheld"


@dataclass(slots=True)
class Cleaned:
    """What was done: files that are rewritten, files that are no longer published, and what went wrong."""

    rewritten: list[Path] = field(default_factory=list)
    withheld: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return what a person should know, a line each."""
        kept = [f"{name} held a secret or could not be read: it is in private/{WITHHELD}" for name in self.withheld]
        hidden = [f"secrets were taken out of {len(self.rewritten)} published files"] if self.rewritten else []
        return [*hidden, *kept, *self.problems]


def clean(root: Path, secrets: Secrets, private: Path) -> Cleaned:
    """Rid every file below `root` of secrets; what cannot be rid of them is moved below `private`."""
    done = Cleaned()
    for file in _files(root):
        _clean_one(file, file.relative_to(root), secrets, private, done)
    return done


def clean_file(file: Path, secrets: Secrets) -> None:
    """Rid one text file of secrets."""
    data = file.read_bytes()
    if (masked := secrets.mask_bytes(data)) != data:
        _replace(file, masked)


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(one for one in folders if one != NUMBERS)
        yield from (path for name in sorted(names) if not (path := Path(folder, name)).is_symlink())


def _clean_one(file: Path, name: Path, secrets: Secrets, private: Path, done: Cleaned) -> None:
    try:
        data = file.read_bytes()
        if b"\0" in data[:START]:
            if secrets.in_(data):
                _withhold(file, private / WITHHELD / name)
                done.withheld.append(name)
            return
        if (masked := secrets.mask_bytes(data)) != data:
            _replace(file, masked)
            done.rewritten.append(name)
    except (OSError, MemoryError) as error:
        done.problems.append(f"{name}: {error}")
        with contextlib.suppress(OSError):  # what was not looked through is not published
            _withhold(file, private / WITHHELD / name)
            done.withheld.append(name)


def _replace(file: Path, data: bytes) -> None:
    partial = file.with_name(f".{file.name}.partial")
    partial.write_bytes(data)
    partial.chmod(file.stat().st_mode)
    partial.replace(file)


def _withhold(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.replace(to)


def main(runs: Sequence[str]) -> int:
    """Rid the run folders `runs` of secrets: for a run that was killed before it could do so itself."""
    from pytest_telescope.report import secret_sources

    secrets = Secrets()
    secrets.add(secret_sources.of_environment(os.environ))
    done = []
    for run in map(Path, runs):
        secrets.add(secret_sources.remembered(run / "private"))
        done.append(clean(run / "publish", secrets, run / "private"))
    for line in (line for one in done for line in one.lines()):
        print(line)
    return int(any(one.problems for one in done))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
