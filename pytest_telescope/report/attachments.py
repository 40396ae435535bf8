"""What lies beside a red item, and how to go on from it: files, the picture, the commands that judge and ask again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from pytest_telescope.report.failure_text import laid_out
from pytest_telescope.report.folder import CellFolder
from pytest_telescope.report.folder import RunFolder
from pytest_telescope.scenario.ids import slo_item_id
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Trace

MOST = 40
"""Files of one case."""
LARGEST = 75 * 1000 * 1000
"""Bytes of a file that Azure DevOps attaches: 75 MB (Microsoft Learn, Attachments - Create)."""
KINDS = ("*.json*", "load/*.*", "load/*/*.*", "load/*/reports/*", "logs/*")
"""What is attached, in the order in which it helps."""
Lister = Callable[[CellFolder], list[Path]]
_BREAKS = set("|],\n")
SERVER = "127.0.0.1:9090"


def picture_file(folder: CellFolder, slo: str) -> Path:
    """Return where the picture of an SLO is, drawn or not."""
    return folder.path / "pictures" / f"{slo}.svg"


def attached(folder: CellFolder, slo: str | None, of_cell: Lister | None = None) -> list[Path]:
    """Return the cell's files that help with a red item, the SLO's picture first.

    `of_cell` is `files_of`, or one that remembers.
    """
    picture = [picture_file(folder, slo)] if slo is not None else []
    return [*filter(_fits, picture), *(of_cell or files_of)(folder)][:MOST]


def files_of(folder: CellFolder) -> list[Path]:
    """Return a cell's files without those that a reader would refuse: empty, too large, with a name that ends a tag."""
    files = [found for kind in KINDS for found in sorted(folder.path.glob(kind))]
    return [file for file in dict.fromkeys(files) if _fits(file)]


def _fits(file: Path) -> bool:
    return file.is_file() and 0 < file.stat().st_size <= LARGEST and not set(file.name) & _BREAKS


def tags(files: list[Path], root: Path) -> str:
    """Return the tags by which Azure DevOps attaches files; `root`: the folder of junit.xml."""
    return "\n".join(f"[[ATTACHMENT|{os.path.relpath(file, root)}]]" for file in files)


def tags_of_case(name: str, cells: Path, root: Path, of_cell: Lister | None = None) -> str:
    """Return the tags of a case by its name: `test_slo[<cell>--<slo>]`, `leak[<cell>]`; none where no cell is in it.

    Args:
        name: of the case.
        cells: folder of the cells' folders.
        root: the folder of junit.xml.
        of_cell: see `attached`.
    """
    parts = name.partition("[")[2].rstrip("]").split("--")
    for number in range(len(parts), 0, -1):
        folder = cells / "--".join(parts[:number])
        if parts[0] and folder.is_dir():
            return tags(attached(CellFolder(folder), "--".join(parts[number:]) or None, of_cell), root)
    return ""


def going_on(run: RunFolder, cell: str, judgement: Judgement, picture: Path | None) -> str:
    """Return the last lines under a red SLO: its picture, how to judge again, how to ask what was recorded."""
    shown = [str(picture.relative_to(run.path))] if picture is not None else []
    again = f"pytest --replay {run.run_id} -k {shlex.quote(slo_item_id(cell, judgement.slo))}"
    ask = list(_asking(run, cell, judgement)) if run.cell(cell).path.joinpath("recording").exists() else []
    return laid_out([("picture", shown), ("judge again", [again]), ("ask again", ask)])


def _asking(run: RunFolder, cell: str, judgement: Judgement) -> Iterator[str]:
    """Yield the commands that serve the recording and ask for the worst line, else the last query.

    Prometheus writes to what it serves, so it gets a copy.
    """
    if judgement.time is None or not judgement.queries:
        return
    recording = run.cell(cell).path.joinpath("recording").relative_to(run.path)
    copy = shlex.quote(f"/tmp/{cell}")
    yield (
        f"cp -r {shlex.quote(str(recording))} {copy} && prometheus --config.file=/dev/null "
        f"--storage.tsdb.path={copy} --storage.tsdb.retention.time=100y --web.listen-address={SERVER}"
    )
    drawn = next((one for one in judgement.traces if one.query and len(one.points) > 1), None)
    yield _ranged(drawn) if drawn is not None else _instant(judgement)


def _instant(judgement: Judgement) -> str:
    return f"promtool query instant --time={judgement.time:.3f} http://{SERVER} {shlex.quote(judgement.queries[-1])}"


def _ranged(trace: Trace) -> str:
    (first, _), (second, _), (last, _) = trace.points[0], trace.points[1], trace.points[-1]
    span = f"--start={first:.3f} --end={last:.3f} --step={1000 * (second - first):.0f}ms"
    return f"promtool query range {span} http://{SERVER} {shlex.quote(trace.query)}"
