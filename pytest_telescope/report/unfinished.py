"""JUnit of a run that may not live to its end: what was running and what is not destroyed, as red cases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from pytest_telescope.report import junit


def add_cases(file: Path, red: Mapping[str, str]) -> None:
    """Add a failed case for each node id -> message to a junit.xml, unless it has that case; all of it or nothing."""
    tree = ElementTree.parse(file)
    suite = next(tree.iter("testsuite"))
    known = {(case.get("classname"), case.get("name")) for case in suite.iter("testcase")}
    for nodeid, message in red.items():
        path, _, name = nodeid.partition("::")
        classname = path.removesuffix(".py").replace("/", ".")
        if (classname, name) not in known:
            _add(suite, classname, name, message)
    junit.count(suite)
    junit.write(tree, file)


def _add(suite: ElementTree.Element, classname: str, name: str, message: str) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=junit.legal(classname), name=junit.legal(name))
    case.set("time", "0.000")
    ElementTree.SubElement(case, "failure", message=junit.message_of(message)).text = junit.legal(message)
