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
from typing import BinaryIO

from pytest_telescope.report.secrets import Secrets

START = 8192
"""Bytes in which a binary file shows by a NUL that it is one."""
PART = 1 << 18
"""Bytes that are looked at together: a search needs several times as much memory."""
OVERLAP = 1 << 14
"""Bytes; no secret is longer: a token of Kubernetes has about 1,200, a line of a key 64."""
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


def clean_file(file: Path, secrets: Secrets) -> bool:
    """Rid one text file of secrets, a part at a time; return whether it had any. It changes at once or not at all."""
    with file.open("rb") as stream:
        return _clean_stream(stream, file, secrets)


def _clean_stream(stream: BinaryIO, file: Path, secrets: Secrets) -> bool:
    partial = file.with_name(f".{file.name}.partial")
    with contextlib.ExitStack() as opened:
        written = None
        for part in _parts(stream):
            masked = secrets.mask_bytes(part)
            if written is None and masked != part:
                written = opened.enter_context(partial.open("wb"))
                _copy(file, stream.tell() - len(part), written)
            if written is not None:
                written.write(masked)
    if written is None:
        return False
    partial.chmod(file.stat().st_mode)
    partial.replace(file)
    return True


def _parts(stream: BinaryIO) -> Iterator[bytes]:
    """Yield a file in parts of whole lines; a key of many lines is never in two."""
    while part := stream.read(PART):
        part += stream.readline()
        while _is_cut(part) and len(part) < 2 * PART and (line := stream.readline()):
            part += line
        yield part


def _is_cut(part: bytes) -> bool:
    """Return whether a key begins that does not end in this part."""
    begin = part.rfind(b"-----BEGIN")
    return begin >= 0 and b"-----END" not in part[begin:]


def _copy(file: Path, length: int, to: BinaryIO) -> None:
    """Copy the first `length` bytes of a file."""
    with file.open("rb") as stream:
        while length > 0 and (part := stream.read(min(length, PART))):
            to.write(part)
            length -= len(part)


def _holds(stream: BinaryIO, secrets: Secrets) -> bool:
    """Return whether a binary file holds a known secret; the parts overlap by more than any secret is long."""
    before = b""
    while part := stream.read(PART):
        if secrets.in_(before + part):
            return True
        before = part[-OVERLAP:]
    return False


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(one for one in folders if one != NUMBERS)
        yield from (path for name in sorted(names) if not (path := Path(folder, name)).is_symlink())


def _clean_one(file: Path, name: Path, secrets: Secrets, private: Path, done: Cleaned) -> None:
    try:
        with file.open("rb") as stream:
            is_binary = b"\0" in stream.read(START)
            stream.seek(0)
            found = _holds(stream, secrets) if is_binary else _clean_stream(stream, file, secrets)
        if found and is_binary:
            _withhold(file, private / WITHHELD / name)
        if found:
            (done.withheld if is_binary else done.rewritten).append(name)
    except (OSError, MemoryError) as error:
        done.problems.append(f"{name}: {error}")
        with contextlib.suppress(OSError):  # what was not looked through is not published
            _withhold(file, private / WITHHELD / name)
            done.withheld.append(name)


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
