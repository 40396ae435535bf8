"""Every query of some SLOs read by Prometheus itself, before anything is built; answers are remembered on disk."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_telescope import paths
from pytest_telescope.errors import ToolError
from pytest_telescope.metrics.model import Window
from pytest_telescope.slo import queries
from pytest_telescope.slo import sliced_queries
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.promql import split

if TYPE_CHECKING:
    from pytest_telescope.scenario.model import Cell
    from pytest_telescope.scenario.model import Place
    from pytest_telescope.scenario.model import SloSpec
    from pytest_telescope.slo.planned import Planned

SPAN = queries.span(Window(start=0.0, end=600.0, steps={}), 5.0)
"""Window of the queries that the harness makes of the other forms."""
SAMPLES = {
    "${w_s}": "600.0",
    "${w}": "600s",
    "%v": "9m",
    "${start}": "1000.000",
    "${end}": "1600.0",
    "${scrape}": "0005000ms",
    "${nodes}": "n1|n2|n3",
}
"""Variables with values of the same width, so that the columns that Prometheus names are those of what is written."""
WITHIN = 60.0
"""Seconds that promtool may take for all queries; thousands take less than one."""
MOST = 50_000
"""Answers kept on disk; with more the file starts anew."""
_FOUND = re.compile(r'group "[^"]*", rule \d+, "q(?P<number>\d+)": (?:could not parse expression: )?(?P<words>.*)')


def unreadable(plans: Iterable[Planned]) -> list[str]:
    """Return what Prometheus cannot read of the SLOs of some cells, a line each with file and line, none twice.

    Raises:
        ToolError: promtool cannot be built, started or understood.
    """
    texts: dict[str, str] = {}
    for planned in plans:
        for slo in planned.slos:
            for key, query in asked(slo):
                texts[f"{_place(planned.cell, slo, key)}: slo {slo.id}: {key}"] = query
    return [f"{name}: Prometheus cannot read it: {words}" for name, words in syntax(texts).items()]


def asked(slo: Slo) -> Iterator[tuple[str, str]]:
    """Yield (key, query) of everything that a person wrote as PromQL, in the queries that it becomes."""
    if slo.where:
        yield "where", f"x{{{slo.where}}}"
    if slo.form == "query":
        yield "query", slo.query
        return
    for key, name, inner, by in _counters(slo):
        selected = queries.selector(name, queries.is_job(slo.job), inner, slo.where)
        whole = slo.slices is None
        yield key, queries.delta(selected, by, SPAN) if whole else _sliced(slo, selected, by)


def syntax(texts: Mapping[str, str]) -> dict[str, str]:
    """Return name -> Prometheus' own words of every query that it cannot read; one process for all new ones.

    Args:
        texts: name -> query; variables that are left in it get sample values.

    Raises:
        ToolError: promtool cannot be built, started or understood.
    """
    filled = {name: _filled(text) for name, text in texts.items()}
    file = paths.cache() / "promql" / f"{_reader()}.json"
    known = _read(file)
    new = list(dict.fromkeys(text for text in filled.values() if _digest(text) not in known))
    if new:
        known = known if len(known) + len(new) <= MOST else {}
        new = [text for text in dict.fromkeys(filled.values()) if _digest(text) not in known]
        known |= {_digest(text): words for text, words in _ask(new).items()}
        _write(file, known)
    return {name: words for name, text in filled.items() if (words := known[_digest(text)])}


def _filled(query: str) -> str:
    for name, value in SAMPLES.items():
        query = query.replace(name, value)
    return query


def _counters(slo: Slo) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Yield key, metric, its own matchers and the labels that are kept."""
    if slo.form == "histogram":
        for metric in slo.metrics:
            yield "histogram", f"{metric}_bucket", "", (*slo.by, "le")
        return
    for key, written in (("bad", slo.bad), ("total", slo.total), ("counter", slo.counter)):
        if written:
            yield key, *split(written), slo.by


def _sliced(slo: Slo, selected: str, by: tuple[str, ...]) -> str:
    assert slo.slices is not None
    return sliced_queries.delta(selected, by, slo.slices)


def _place(cell: Cell, slo: Slo, key: str) -> Place:
    """Return where a key of an SLO was written: in the scenario, or the `use:` that took it from the library."""
    spec = next((one for one in cell.slos if _id(one) == slo.id), None)
    if spec is None:
        return cell.place
    return spec.place_of(key if getattr(spec, key) is not None else "use") or cell.place


def _id(spec: SloSpec) -> str:
    return spec.id or (spec.use or "").rpartition("/")[2]


def _ask(texts: list[str]) -> dict[str, str]:
    """Return query -> what is wrong with it, empty where nothing is."""
    import subprocess
    import tempfile

    from pytest_telescope.toolchain import tool

    rules = [{"record": f"q{number}", "expr": text} for number, text in enumerate(texts)]
    with tempfile.TemporaryDirectory(prefix="telescope-promql-") as folder:
        file = Path(folder) / "rules.json"  # JSON is YAML, and needs no quoting of ours
        document = {"groups": [{"name": "slos", "rules": rules}]}
        file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        command = [str(tool("promtool")), "check", "rules", "--lint=none", str(file)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ToolError(f"promtool did not check {len(texts)} queries: {error}") from error
    return _told(texts, done.returncode, done.stdout + done.stderr)


def _told(texts: list[str], code: int, output: str) -> dict[str, str]:
    wrong = {int(found["number"]): found["words"].strip() for found in _FOUND.finditer(output)}
    if (code != 0) != bool(wrong):
        raise ToolError(f"promtool ended with {code} over {len(texts)} queries and named none of them: {output[-500:]}")
    return {text: wrong.get(number, "") for number, text in enumerate(texts)}


def _reader() -> str:
    """Return the name of what reads: the pinned version, or the user's own binary as it is now."""
    from pytest_telescope.toolchain.overrides import overridden
    from pytest_telescope.toolchain.recipes import recipe

    own = overridden("promtool")
    if own is None:
        return recipe("promtool").version
    state = own.stat()
    return "own-" + _digest(f"{own} {state.st_size} {state.st_mtime_ns}")[:16]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _read(file: Path) -> dict[str, str]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(file: Path, known: Mapping[str, str]) -> None:
    """Write the answers; a cache that cannot be written is asked again the next time."""
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(known), encoding="utf-8")
        partial.replace(file)
