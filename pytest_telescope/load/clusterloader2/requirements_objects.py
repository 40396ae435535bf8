"""What the objects of a compiled config need of a cluster, as far as their templates say it for certain."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_telescope.load.clusterloader2.generated import Filled
from pytest_telescope.load.clusterloader2.source import read
from pytest_telescope.load.clusterloader2.source import read_objects

DEFINITION = "CustomResourceDefinition"
_COMMENT = re.compile(r"(?:^|\s)#.*$")


Requirement = Mapping[str, Any]
"""One of requirements.yaml."""
Found = Sequence[tuple[Filled, Path]]


def lacking(
    filled: Sequence[Filled], folder: Path, *, images: Requirement | None, kinds: Requirement | None
) -> list[str]:
    """Return why objects would mean nothing on this cluster, a line each.

    Args:
        filled: object templates with what is filled in.
        folder: of the config, where CL2 looks for them.
        images: of images that put a load on; None where the cluster runs them.
        kinds: of kinds that are not Kubernetes' own; None where the cluster may know them.
    """
    paths = [(one, Path(os.path.normpath(f"{folder}/{one.template}"))) for one in filled]
    found = [(one, path) for one, path in paths if path.is_file()]
    told = [*(_issuing(found, images) if images else ()), *(_unknown(found, kinds) if kinds else ())]
    return list(dict.fromkeys(told))


def _issuing(found: Found, entry: Requirement) -> Iterator[str]:
    pattern = re.compile("|".join(f"(?:{each})" for each in entry["patterns"]))
    for one, path in found:
        yield from (f"{one.template}: {name} {_why(entry)}" for name in _images(one, path, pattern))


def _unknown(found: Found, entry: Requirement) -> Iterator[str]:
    if any(kind == DEFINITION for _, path in found for _, kind in read_objects(path).kinds):
        return
    for one, path in found:
        yield from (f"{one.template}: {kind} {_why(entry)}" for kind in _foreign(path))


def _why(entry: Requirement) -> str:
    return f"{entry['why']} (capability {entry['capability']})"


def _images(one: Filled, path: Path, pattern: re.Pattern[str]) -> Iterator[str]:
    """Yield the images that are there whatever the variables say, by the part of their name that tells."""
    given = [value for value in one.values.values() if isinstance(value, str)]
    for text in (*given, *_certain(path)):
        if (match := pattern.search(text)) is not None:
            yield f"image {match[0]}"


def _certain(path: Path) -> Iterator[str]:
    """Yield the lines of a template that are no comment and within no `{{if}}` or `{{range}}`."""
    conditional = read(path).conditional
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if number not in conditional:
            yield _COMMENT.sub("", line)


def _foreign(path: Path) -> Iterator[str]:
    for version, kind in read_objects(path).kinds:
        group = version.rpartition("/")[0]
        if "." in group and not group.endswith(".k8s.io"):
            yield f"{kind} ({version})"
