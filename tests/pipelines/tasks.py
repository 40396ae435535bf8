"""The few tasks that the pipelines use, as far as their effect can be had without Azure DevOps.

Sources: https://learn.microsoft.com/azure/devops/pipelines/tasks/reference/, azure-pipelines-agent
`src/Agent.Worker/TestResults/Legacy/JunitResultReader.cs`.
"""

from __future__ import annotations

import fnmatch
import math
import re
import shutil
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from xml.etree import ElementTree

Inputs = Mapping[str, str]
Say = Callable[[str], None]
NAME_LENGTH = 512
_ATTACHMENT = re.compile(r"\[\[ATTACHMENT\|([^\]]*)\]\]")


class TaskError(Exception):
    """A task failed, or this runner cannot stand in for it."""


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """One row of the Tests tab."""

    __test__ = False

    name: str
    storage: str
    outcome: str
    message: str
    attachments: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class TestRun:
    """One run in the Tests tab."""

    __test__ = False

    title: str
    platform: str
    configuration: str
    results: tuple[TestResult, ...]


@dataclass(kw_only=True)
class Server:
    """What Azure DevOps keeps of a build, and of the builds before it.

    Attributes:
        folder: where the artifacts of this build lie, one folder each.
        former: artifacts of the newest former build, by its tags.
        cache: what a cache holds already; None for a miss.
    """

    folder: Path
    former: Mapping[str, Path] = field(default_factory=dict)
    cache: Path | None = None
    tags: set[str] = field(default_factory=set)
    runs: list[TestRun] = field(default_factory=list)

    def artifacts(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []


def run(task: str, inputs: Inputs, server: Server, say: Say) -> None:
    """Do what a task does.

    Raises:
        TaskError: it fails, or is not known here.
    """
    if task not in _TASKS:
        raise TaskError(f"{task} is not known here; known are {', '.join(_TASKS)}")
    _TASKS[task](inputs, server, say)


def _python(_inputs: Inputs, _server: Server, say: Say) -> None:
    say("the Python on PATH is taken")


def _azure(inputs: Inputs, _server: Server, _say: Say) -> None:
    raise TaskError(f"there is no login at Azure here for the connection {inputs['azureSubscription']!r}")


def _cache(inputs: Inputs, server: Server, say: Say) -> None:
    path = Path(inputs["path"])
    if server.cache is None:
        say(f"cache miss: {inputs['key']}")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.symlink_to(server.cache)
    say(f"cache hit: {inputs['key']}")


def _publish(inputs: Inputs, server: Server, say: Say) -> None:
    source, target = Path(inputs["targetPath"]), server.folder / inputs["artifact"]
    if not source.exists():
        raise TaskError(f"Path does not exist: {source}")
    if target.exists():
        raise TaskError(f"Artifact {target.name} already exists")
    if set('\\/"":<>|*?') & set(target.name):
        raise TaskError(f"{target.name} is no name for an artifact")
    shutil.copytree(source, target)
    say(f"published {target.name}")


def _download(inputs: Inputs, server: Server, say: Say) -> None:
    if inputs["buildType"] == "current":
        source: Path | None = server.folder
    else:
        source = server.former.get(inputs["tags"])
    found = list(_matching(source, inputs["itemPattern"])) if source is not None else []
    if source is None or not found:
        raise TaskError(f"no build with the tag {inputs.get('tags')!r}, or nothing matches {inputs['itemPattern']}")
    for file in found:
        target = Path(inputs["targetPath"]) / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
    say(f"downloaded {len(found)} files")


def _matching(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the files that a minimatch pattern of the form `name-*/**` names."""
    first, _, rest = pattern.partition("/")
    if rest != "**":
        raise TaskError(f"the pattern {pattern} is of a form that is not known here")
    for top in sorted(folder.glob("*")):
        if fnmatch.fnmatch(top.name, first):
            yield from (file for file in top.rglob("*") if file.is_file())


def _test_results(inputs: Inputs, server: Server, say: Say) -> None:
    if inputs["testResultsFormat"] != "JUnit" or inputs.get("mergeTestResults", "false").casefold() != "false":
        raise TaskError("only JUnit, and no merging, is known here")
    folder = Path(inputs["searchFolder"])
    files = sorted(folder.glob(inputs["testResultsFiles"])) if folder.exists() else []
    if not files and inputs["failTaskOnMissingResultsFile"].casefold() == "true":
        raise TaskError(f"No test result files matching {inputs['testResultsFiles']} were found in {folder}")
    for file in files:
        found = TestRun(
            title=inputs["testRunTitle"],
            platform=inputs.get("buildPlatform", ""),
            configuration=inputs.get("buildConfiguration", ""),
            results=tuple(read_junit(file)),
        )
        server.runs.append(found)
        say(f"published {len(found.results)} results")


def read_junit(file: Path) -> Iterator[TestResult]:
    """Yield the results that Azure DevOps reads from a JUnit file.

    Raises:
        TaskError: it would drop the file, or a case of it, or cut a name.
    """
    if "," in file.name:
        raise TaskError(f"{file.name}: a comma parts file names")
    try:
        root = ElementTree.parse(file).getroot()
    except ElementTree.ParseError as error:
        raise TaskError(f"{file}: {error}") from error
    for case in root.iter("testcase"):
        name = case.get("name", "")
        seconds = float(case.get("time", "0"))
        if not name or len(name) > NAME_LENGTH or not math.isfinite(seconds) or seconds < 0:
            raise TaskError(f"{file}: a case named {name!r} that lasts {seconds} s")
        red = case.find("failure") if case.find("failure") is not None else case.find("error")
        skipped = case.find("skipped")
        yield TestResult(
            name=name,
            storage=case.get("classname", ""),
            outcome="Failed" if red is not None else "NotExecuted" if skipped is not None else "Passed",
            message=red.get("message", "") if red is not None else "",
            attachments=tuple(_attachments(file, case)),
        )


def _attachments(file: Path, case: ElementTree.Element) -> Iterator[Path]:
    out = case.find("system-out")  # of several elements only the first is read
    for name in _ATTACHMENT.findall(out.text or "" if out is not None else ""):
        path = file.parent / name
        if not path.is_file():
            raise TaskError(f"{file}: the attachment {name} of {case.get('name')} does not exist")
        yield path


_TASKS: Mapping[str, Callable[[Inputs, Server, Say], None]] = {
    "UsePythonVersion@0": _python,
    "AzureCLI@2": _azure,
    "Cache@2": _cache,
    "PublishPipelineArtifact@1": _publish,
    "DownloadPipelineArtifact@2": _download,
    "PublishTestResults@2": _test_results,
}
