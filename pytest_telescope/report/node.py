"""Run the program that makes the report, `modules/report/report.mjs`, with the pinned Allure."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_telescope import paths
from pytest_telescope.errors import ToolError

SECONDS = 900.0
"""Five thousand results take about ten seconds; what takes this long hangs."""

_PASSED_ON = re.compile(r"(PATH|HOME|TMPDIR|TZ|LANG|LC_\w+|(BUILD|SYSTEM|AGENT|RELEASE|GITHUB|RUNNER)_\w+)")
"""What Allure finds out about the build comes from the agent's variables."""
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|CREDENTIAL|_KEY\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the program says of the report it made."""

    results: int
    statuses: Mapping[str, int]
    broken: tuple[str, ...]
    """Rules of the gate that are broken, one line each."""
    unreadable: tuple[str, ...]
    """Result files that could not be read and are not in the report."""


def generate(order: Mapping[str, Any], work: Path, say: Callable[[str], None]) -> Answer:
    """Make the report that `order` asks for; `work` is a folder for what is read and written on the way.

    Raises:
        ToolError: Node.js or Allure cannot be had, or Allure failed.
    """
    from pytest_telescope.toolchain import ensure
    from pytest_telescope.toolchain import nodejs
    from pytest_telescope.toolchain import process

    def beat(seconds: float) -> None:
        say(f"still at it after {seconds:.0f} s")

    allure = ensure(["allure"], say)["allure"]
    asked, answered, log = work / "order.json", work / "answer.json", work / "report.log"
    asked.write_text(json.dumps({**order, "allure": str(allure)}), encoding="utf-8")
    node = nodejs.node(beat)
    command = [str(node), str(paths.modules() / "report" / "report.mjs"), str(asked), str(answered)]
    try:
        code = process.run(command, cwd=work, env=_environment(), log=log, beat=beat, seconds=SECONDS)
    except (OSError, TimeoutError) as error:
        raise ToolError(f"Allure made no report with {node}: {error}") from error
    if code or not answered.exists():
        raise ToolError(f"Allure made no report (exit code {code}). The last lines of its output:\n{process.tail(log)}")
    return _answer(json.loads(answered.read_text(encoding="utf-8")))


def _environment() -> dict[str, str]:
    """Return what the program may know: it makes pages that the world may read."""
    known = {
        name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name) and not _SECRET.search(name)
    }
    return {**known, "NO_COLOR": "1"}


def _answer(document: Mapping[str, Any]) -> Answer:
    return Answer(
        results=document["results"],
        statuses=document["statuses"],
        broken=tuple(document["gate"]),
        unreadable=tuple(document["unreadable"]),
    )
