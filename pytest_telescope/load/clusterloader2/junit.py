"""CL2's junit.xml to test cases."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_telescope.errors import LoadError
from pytest_telescope.load.clusterloader2 import junit_failures
from pytest_telescope.load.clusterloader2.junit_names import Place
from pytest_telescope.load.clusterloader2.junit_names import places
from pytest_telescope.load.clusterloader2.model import Case

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SUITE = "ClusterLoaderV2"
LARGEST = 64 * 1024 * 1024
"""Bytes; what CL2 writes is far below."""
NO_WORDS = "it failed without a word"

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", re.ASCII)


def read(file: Path) -> tuple[Case, ...]:
    """Return all test cases: for each test first the whole of it, then its steps in order.

    Raises:
        LoadError: the file is missing, empty, cut off, or not one of CL2's; CL2 writes it after all tests, so then it
            was killed or crashed.
    """
    try:
        return tuple(_cases(_parsed(_text(file))))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise LoadError(f"{file}: no report of clusterloader2 that can be read: {reason}") from error


def _text(file: Path) -> str:
    if (size := file.stat().st_size) > LARGEST:
        raise ValueError(f"too large: {size} bytes")
    content = file.read_bytes()
    if not content.strip():
        raise ValueError("it is empty")
    return content.decode("utf-8")


def _parsed(text: str) -> Element:
    """Return the root; CL2 writes elements and text only, so whatever else XML can do is refused unread."""
    from xml.etree import ElementTree

    if "<!" in text:
        raise ValueError("it has a document type, comments or raw sections, which clusterloader2 does not write")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"not XML, or cut off: {error}") from error
    if root.tag != "testsuite" or root.get("name") != SUITE:
        raise ValueError(f"its root is not the test suite {SUITE}")
    return root


def _cases(root: Element) -> Iterator[Case]:
    elements = list(root)
    if not elements:
        raise ValueError("it has no test case")
    if stranger := next((element.tag for element in elements if element.tag != "testcase"), None):
        raise ValueError(f"it has an element {stranger!r}")
    for element, place in zip(elements, places([element.get("name", "") for element in elements]), strict=True):
        yield _case(element, place)
    failed = sum(element.find("failure") is not None for element in elements)
    if root.get("failures") != str(failed):
        raise ValueError(f"it says that {root.get('failures')} cases failed, and has {failed} that did")


def _case(element: Element, place: Place) -> Case:
    failure = _failure(element)
    lines = () if failure is None else junit_failures.lines(failure) or (NO_WORDS,)
    violations, errors = junit_failures.told_apart(lines)
    return Case(
        step=place.step,
        number=place.number,
        measurement=place.measurement,
        seconds=_seconds(element),
        failure=failure,
        violations=violations,
        errors=errors,
    )


def _failure(element: Element) -> str | None:
    found = [child for child in element if child.tag != "system-out"]
    if not found:
        return None
    if len(found) > 1 or found[0].tag != "failure" or len(found[0]):
        raise ValueError(f"test case {element.get('name')!r} has more than a failure")
    return junit_failures.cleaned(found[0].text or "")


def _seconds(element: Element) -> float:
    text = element.get("time", "")
    seconds = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(seconds):
        raise ValueError(f"test case {element.get('name')!r} took {text!r} s")
    return seconds
