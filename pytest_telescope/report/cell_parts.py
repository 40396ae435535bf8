"""What a cell was made of, part by part: what was built, what was put on, and how one SLO measures.

A part is `name: value`; the names are those of scenario.yaml and of the cluster's facts. `identity.yaml` says what
counts. What is not there (None, an empty list) is no part, so that a key that scenario.yaml learns later changes
nothing where it is not used.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.report.record import better

if TYPE_CHECKING:
    from pytest_telescope.scenario.model import Cell
    from pytest_telescope.slo.model import Slo

Part = str | int | float | bool
Parts = dict[str, Part]
DIGITS = 16
"""Hexadecimal digits of a digest, 64 bits: of a million different ones two are alike with a chance of 3 in 10^8."""
PROSE = ("scenario.yaml", "*.md", "*~", ".*")
"""Files beside a load's config that are no load; every key of scenario.yaml is a part of its own."""
TEMPLATES = (".yaml", ".yml")
MEASURING = ("form", "metrics", "bad", "total", "counter", "query", "job", "where", "during", "by", "p", "quorum")
_VERSION = re.compile(r"(?:^|(?<=, ))(?:containerd://|v)(?=\d)")
"""What providers write before a version, or do not; of each of several, joined by commas."""
_COMMENT = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)


@cache
def identity() -> Mapping[str, Any]:
    """Return what counts, as identity.yaml says it."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("identity.yaml").read_text(encoding="utf-8"))
    return found


def parts_of(cell: Cell, facts: Mapping[str, object]) -> Parts:
    """Return what was built for a cell and put on it; equal on every machine, in every checkout and process."""
    return {
        "provider": cell.provider,
        "engine": _engine(cell),
        **_counting_facts(facts),
        **_spec(cell, facts),
        **{f"file {name}": digest for name, digest in _files(cell).items()},
    }


def measure_of(slo: Slo) -> Parts:
    """Return how an SLO comes to its number: not its bound, level, texts or place.

    The side of its bound is in it, since it decides which element is the worst; and how many observations an element
    needs, where those with fewer are merged or left out.
    """
    plain = {name: getattr(slo, name) for name in MEASURING}
    plain |= {"unit": slo.bound.unit, "better": better(slo.bound.operator), "absent_zero": slo.absent_zero or None}
    plain["by"], plain["query"] = sorted(slo.by), " ".join(slo.query.split())
    if slo.sparse in {"merge", "skip"} or slo.slices is not None:
        plain |= {"sparse": slo.sparse, "min_count": slo.min_count}
    if slo.slices is not None:
        plain |= {f"window.{key}": getattr(slo.slices, key) for key in ("mode", "length", "step", "good")}
    return dict(_flat("", plain))


def _engine(cell: Cell) -> str:
    """Return the engine with the version of what it starts."""
    if cell.engine == "clusterloader2":
        return f"clusterloader2 {_tool('clusterloader2')}"
    from pytest_telescope.load.manifests import IMAGE

    return f"{cell.engine} {IMAGE.rpartition('/')[2]}"


def _tool(name: str) -> str:
    """Return the pinned version of a tool, or the digest of the user's own binary."""
    from pytest_telescope.toolchain.overrides import overridden
    from pytest_telescope.toolchain.recipes import recipe

    own = overridden(name)
    if own is None:
        return recipe(name).version
    with own.open("rb") as binary:
        return f"own {hashlib.file_digest(binary, 'sha256').hexdigest()[:DIGITS]}"


def _counting_facts(facts: Mapping[str, object]) -> Parts:
    counting = {name: facts[name] for name in identity()["facts"]["counts"] if name in facts}
    return {name: _VERSION.sub("", value) if isinstance(value, str) else value for name, value in _flat("", counting)}


def _spec(cell: Cell, facts: Mapping[str, object]) -> Parts:
    """Return the keys of scenario.yaml that count; what facts tell better, and what moves no number, is left out."""
    rules = identity()
    told = [key for key, names in rules["told_by"].items() if any(facts.get(name) is not None for name in names)]
    passes = rules["passes"]
    left_out = [*told, *passes["everywhere"], *passes["local" if cell.provider == "local" else "clouds"]]
    spec = {"cluster": cell.cluster.model_dump(mode="json"), "load": cell.load.model_dump(mode="json")}
    spec["cluster"]["stages"] = _stages(cell)
    return {name: _known(name, value) for name, value in _flat("", spec) if not _matches(name, left_out)}


def _stages(cell: Cell) -> str | None:
    """Return the digest of the file of kwok stages instead of its name."""
    return _digest_of(cell.folder / cell.cluster.stages) if cell.cluster.stages is not None else None


def _known(name: str, value: Part) -> Part:
    if isinstance(value, str) and _matches(name, identity()["quantities"]) and value != "fit":
        from pytest_telescope.load.quantity import parse_quantity

        return _plain(float(parse_quantity(value)))
    return value


def _flat(prefix: str, value: object) -> Iterator[tuple[str, Part]]:
    """Yield dotted names and plain values; what is None or empty is left out."""
    if isinstance(value, Mapping):
        for key in sorted(value):
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), value[key])
    elif isinstance(value, list | tuple):
        texts = [str(one) for one in value]
        if texts:
            yield prefix, ", ".join(sorted(texts) if _matches(prefix, identity()["unordered"]) else texts)
    elif isinstance(value, bool | int | float | str) and value != "":
        yield prefix, _plain(value)


def _plain(value: Part) -> Part:
    """Return whole numbers as such: 16.0 cores are 16."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _files(cell: Cell) -> dict[str, str]:
    """Return name, from the scenario's folder, -> digest of the files that the load's configs stand among."""
    if cell.engine != "clusterloader2":
        return {}
    from pytest_telescope.load.clusterloader2.entries import entries_of
    from pytest_telescope.load.clusterloader2.entries import spec_of

    folders = {(cell.folder / spec_of(cell).config).parent, *(entry.config.parent for entry in entries_of(cell))}
    files = {file.resolve() for folder in folders for file in folder.rglob("*") if file.is_file()}
    named = {Path(os.path.relpath(file, cell.folder.resolve())).as_posix(): file for file in files}
    return {name: _digest_of(file) for name, file in sorted(named.items()) if not _is_prose(name)}


def _is_prose(name: str) -> bool:
    return any(_matches(part, PROSE) for part in name.split("/") if part != "..")


def _digest_of(file: Path) -> str:
    """Return the digest of a file; of YAML and its templates without comments, empty lines and spaces at the end."""
    content = file.read_bytes()
    if file.suffix in TEMPLATES:
        text = _COMMENT.sub("", content.decode("utf-8", errors="surrogateescape"))
        lines = (line.rstrip() for line in text.splitlines())
        kept = [line for line in lines if line and not (line.lstrip().startswith("#") and "#!" not in line)]
        content = "\n".join(kept).encode("utf-8", errors="surrogateescape")
    return hashlib.sha256(content).hexdigest()[:DIGITS]
