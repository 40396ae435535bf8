"""What Azure DevOps and trend keys ask of a junit.xml, as a checker: `problems` returns what is wrong, in sentences.

Sources: PublishTestResults@2 and the agent's reader of JUnit (names, outcomes, attachments, limits), XML 1.0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

LONGEST_NAME = 512
LARGEST_ATTACHMENT = 75 * 1000 * 1000
LONGEST_MESSAGE = 600
VERDICTS = {"FAIL", "INVALID", "ERROR"}
NAME = re.compile(r"(?:test_(?:provision|load|slo|destroy)|leak)\[[a-z0-9]+(?:-{1,2}[a-z0-9]+)*\]|check")
VOLATILE = re.compile(r"\d{8}-\d{6}|0x[0-9a-f]+|/|@|\bgw\d+\b|\d{4}-\d\d-\d\d")
TAG = re.compile(r"\[\[ATTACHMENT\|(.*?)\]\]")
CLASSNAME = "scenarios.test_scenarios"

Element = ElementTree.Element


def problems(file: Path) -> list[str]:
    """Return what a reader of `file` would refuse, drop or show wrongly; attachments are to lie beside or below it."""
    if "," in file.name:
        return [f"{file.name}: the agent splits file names at commas"]
    try:
        root = ElementTree.parse(file).getroot()
    except ElementTree.ParseError as error:
        return [f"no XML: {error}"]
    return list(_of_root(root, file.parent))


def _of_root(root: Element, folder: Path) -> Iterator[str]:
    if root.tag != "testsuites":
        yield f"begins with {root.tag}"
    seen: set[tuple[str | None, str | None]] = set()
    for suite in root.iter("testsuite"):
        yield from _of_suite(suite)
        for case in suite.iter("testcase"):
            key = case.get("classname"), case.get("name")
            if key in seen:
                yield f"{key[1]}: twice"
            seen.add(key)
            yield from (f"{key[1]}: {one}" for one in _of_case(case, folder))


def _of_suite(suite: Element) -> Iterator[str]:
    cases = suite.findall("testcase")
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    yield from (f"{name}={suite.get(name)}, counted {n}" for name, n in counts.items() if suite.get(name) != str(n))
    try:
        moment = datetime.fromisoformat(suite.get("timestamp", ""))
    except ValueError:
        yield f"timestamp {suite.get('timestamp')!r}"
    else:
        if moment.tzinfo is None:
            yield "timestamp without a zone"
    yield from _of_time(suite)
    if not suite.get("hostname"):
        yield "no hostname"


def _of_time(element: Element) -> Iterator[str]:
    seconds = float(element.get("time", "nan"))
    if not (math.isfinite(seconds) and seconds >= 0):
        yield f"time {element.get('time')}"


def _of_case(case: Element, folder: Path) -> Iterator[str]:
    name = case.get("name", "")
    if not name:
        yield "a case without a name is dropped in silence"
    if len(name) > LONGEST_NAME:
        yield f"name of {len(name)} characters"
    if NAME.fullmatch(name) is None or VOLATILE.search(name):
        yield "a name that is no stable key"
    if case.get("classname") != CLASSNAME:
        yield f"classname {case.get('classname')}"
    yield from _of_time(case)
    yield from _of_outcome(case)
    yield from _of_output(case, folder)
    for one in case.iter("property"):
        if not one.get("name") or not re.fullmatch(r"[\w.:-]+", one.get("name", "")):
            yield f"property {one.get('name')!r}"


def _of_outcome(case: Element) -> Iterator[str]:
    tags = [one.tag for one in case if one.tag in {"failure", "error", "skipped"}]
    if len(tags) > 1:
        yield f"{tags}: only the first is read"
    if "error" in tags:
        yield "an error, whose message pytest begins with `failed on`"
    failure = case.find("failure")
    if failure is None:
        return
    message, text = failure.get("message", ""), failure.text or ""
    if (message.split(maxsplit=1) or [""])[0].rstrip(":") not in VERDICTS:
        yield f"message {message[:80]!r} does not begin with a verdict"
    if len(message) > LONGEST_MESSAGE:
        yield f"message of {len(message)} characters"
    if not text.strip():
        yield "a failure without a text"
    if "#x1B" in message + text:
        yield "colours of a terminal"


def _of_output(case: Element, folder: Path) -> Iterator[str]:
    outputs = case.findall("system-out")
    if len(outputs) > 1:
        yield "several system-out: only the first is read"
    text = "".join(one.text or "" for one in outputs)
    for path in TAG.findall(text):
        yield from _of_attachment(path, folder)


def _of_attachment(path: str, folder: Path) -> Iterator[str]:
    file = folder / path
    if Path(path).is_absolute() or ".." in Path(path).parts:
        yield f"attachment {path} is not below the XML"
    elif not file.is_file():
        yield f"attachment {path} does not exist"
    elif not 0 < file.stat().st_size <= LARGEST_ATTACHMENT:
        yield f"attachment {path} has {file.stat().st_size} bytes"
    if "," in path:
        yield f"attachment {path} has a comma"
