"""One junit.xml of several: the shards of a run, each written by another agent.

A case has the same name wherever its cell ran, so its history goes on. Attachments are named relative to the new file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from pytest_telescope.errors import UsageError
from pytest_telescope.report import junit

_TAG = re.compile(r"\[\[ATTACHMENT\|(.*?)\]\]")
ANYWHERE = {"check"}
"""Cases that every shard may have: they belong to no cell."""


def merge(files: Sequence[Path], out: Path) -> None:
    """Write the suites of `files` as one file `out`, in their order.

    Raises:
        UsageError: a file is none, or two have a case of the same name: they are not shards of one run.
    """
    if not files:
        raise UsageError("no junit.xml to merge")
    whole = ElementTree.Element("testsuites", name="pytest tests")
    seen: dict[tuple[str, str], Path] = {}
    for file in files:
        for suite in _suites(file):
            _take(suite, file, seen)
            _move(suite, file.parent, out.parent)
            whole.append(suite)
    out.parent.mkdir(parents=True, exist_ok=True)
    junit.write(ElementTree.ElementTree(whole), out)


def _suites(file: Path) -> list[ElementTree.Element]:
    try:
        root = ElementTree.parse(file).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise UsageError(f"{file}: no junit.xml: {error}") from error
    if root.tag not in {"testsuites", "testsuite"}:
        raise UsageError(f"{file}: no junit.xml: it begins with <{root.tag}>, expected <testsuites>")
    return [root] if root.tag == "testsuite" else root.findall("testsuite")


def _take(suite: ElementTree.Element, file: Path, seen: dict[tuple[str, str], Path]) -> None:
    """Note the cases of a suite; of one that every shard may have, the first stays."""
    for case in suite.findall("testcase"):
        key = (case.get("classname", ""), case.get("name", ""))
        if key not in seen:
            seen[key] = file
        elif key[1] in ANYWHERE:
            suite.remove(case)
        else:
            raise UsageError(
                f"{file} and {seen[key]} both have the case {key[1]}: give each shard of one run once; two attempts or "
                "two runs are no shards, and one file of both would hide one of the results"
            )
    junit.count(suite)


def _move(suite: ElementTree.Element, old: Path, new: Path) -> None:
    """Let attachments be found from another folder."""

    def moved(found: re.Match[str]) -> str:
        return f"[[ATTACHMENT|{os.path.relpath(old.resolve() / found[1], new.resolve())}]]"

    for part in suite.iter("system-out"):
        part.text = _TAG.sub(moved, part.text or "")
