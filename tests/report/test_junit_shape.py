"""What pytest wrote is brought into the one shape that readers take, and shards into one file."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import junitparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_telescope.errors import UsageError
from pytest_telescope.report import junit
from pytest_telescope.report.junit_merge import merge
from pytest_telescope.report.unfinished import add_cases
from tests.report.junit_rules import problems

CASE = '<testcase classname="scenarios.test_scenarios" name="{name}" time="{time}">{inside}</testcase>'
NAME = "test_load[local-a]"


def file_of(tmp_path: Path, *cases: str, name: str = "junit.xml") -> Path:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f'<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="telescope" tests="9" failures="9" '
        f'errors="9" skipped="9" time="1.5" timestamp="2026-11-26T07:48:02.658151+00:00" hostname="h">{"".join(cases)}'
        "</testsuite></testsuites>",
        encoding="utf-8",
    )
    return file


def case(name: str = NAME, inside: str = "", time: str = "1.0") -> str:
    return CASE.format(name=name, inside=inside, time=time)


def settled(file: Path) -> ElementTree.Element:
    junit.settle(file)
    assert problems(file) == []
    return next(ElementTree.parse(file).iter("testcase"))


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ('<failure message="FAIL x">t</failure>', "FAIL x"),
        ('<failure message="AssertionError: x">t</failure>', "ERROR AssertionError: x"),
        ('<error message="failed on setup with &quot;ERROR gone&quot;">t</error>', "ERROR gone"),
        ('<error message="failed on teardown with &quot;OSError: x&quot;">t</error>', "ERROR in teardown: OSError: x"),
        ('<failure message="" />', "ERROR no reason given"),
        ('<failure message="ERROR #x1B[31mred#x1B[0m">t</failure>', "ERROR red"),
        (f'<failure message="{"x" * 9000}">t</failure>', "ERROR " + "x" * 494 + "..."),
    ],
)
def test_a_red_case_has_one_failure_that_begins_with_its_verdict(tmp_path: Path, inside: str, message: str) -> None:
    found = settled(file_of(tmp_path, case(inside=inside)))

    assert [one.tag for one in found] == ["failure"]
    assert found[0].get("message") == message


def test_a_failure_of_the_call_and_of_the_teardown_are_one_case_with_both_texts(tmp_path: Path) -> None:
    file = file_of(
        tmp_path,
        case(inside='<properties><property name="a" value="1"/></properties><failure message="FAIL x">first</failure>'),
        case(
            inside='<properties><property name="a" value="1"/></properties><error message="late">second</error>',
            time="3",
        ),
    )

    found = settled(file)

    assert [one.tag for one in found] == ["properties", "failure"]
    assert found.findtext("failure") == "first\n\nlate\nsecond\n"
    assert (found.get("time"), len(found[0])) == ("3.000", 1)


def test_a_case_without_a_name_goes_and_what_is_left_is_counted(tmp_path: Path) -> None:
    file = file_of(
        tmp_path,
        '<testcase time="0.000"/>',
        case(),
        case("test_destroy[local-a]", "<skipped message='m'>/p:1: m</skipped>"),
    )

    settled(file)

    suite = next(ElementTree.parse(file).iter("testsuite"))
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "2",
        "failures": "0",
        "errors": "0",
        "skipped": "1",
    }


@pytest.mark.parametrize(
    ("time", "shown"), [("nan", "0.000"), ("inf", "0.000"), ("-1", "0.000"), ("2.5", "2.500"), ("x", "0.000")]
)
def test_a_time_is_a_finite_number(tmp_path: Path, time: str, shown: str) -> None:
    assert settled(file_of(tmp_path, case(time=time))).get("time") == shown


def test_output_is_one_element_with_the_tags_first(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("a")
    heading = f"{' Captured Out ':-^80}\n"
    said = f"<system-out>{heading}said\n[[ATTACHMENT|a.log]]\n</system-out>"
    inside = f'<failure message="FAIL x">t</failure>{said}<system-out>{heading}\n</system-out>'

    found = settled(file_of(tmp_path, case(inside=inside)))

    assert [one.text for one in found.findall("system-out")] == ["[[ATTACHMENT|a.log]]\nsaid"]


@given(st.text(max_size=300))
def test_any_text_becomes_a_message_that_xml_holds(text: str) -> None:
    message = junit.message_of(text)

    element = ElementTree.Element("failure", message=message)
    again = ElementTree.fromstring(ElementTree.tostring(element)).get("message", "")
    assert again.split()[0].rstrip(":") in junit.VERDICTS
    assert len(message) <= junit.MOST_MESSAGE + 3


def test_cases_of_a_run_that_is_cut_short_hold_any_message(tmp_path: Path) -> None:
    file = file_of(tmp_path, case())

    add_cases(file, {"scenarios/test_scenarios.py::leak[local-a]": "ERROR leak: \x1b[1m\x00" + "y" * 10_000})

    assert problems(file) == []


def test_a_file_that_is_no_xml_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    file.write_text("<testsuites>")

    with pytest.raises(ElementTree.ParseError):
        junit.settle(file)

    assert file.read_text() == "<testsuites>"
    assert list(tmp_path.iterdir()) == [file]


def test_shards_merge_under_the_same_names_with_their_attachments(tmp_path: Path) -> None:
    inside = '<failure message="FAIL x">t</failure><system-out>[[ATTACHMENT|cells/c/a.log]]</system-out>'
    files = [
        file_of(tmp_path, case(f"test_load[local-{shard}]", inside), name=f"runs/{shard}/publish/junit.xml")
        for shard in "ab"
    ]
    for file in files:
        (file.parent / "cells" / "c").mkdir(parents=True)
        (file.parent / "cells" / "c" / "a.log").write_text("a")
        junit.settle(file)

    merge(files, tmp_path / "merged.xml")

    assert problems(tmp_path / "merged.xml") == []
    suites = junitparser.JUnitXml.fromfile(str(tmp_path / "merged.xml"))
    assert [case.name for suite in suites for case in suite] == ["test_load[local-a]", "test_load[local-b]"]
    assert "runs/b/publish/cells/c/a.log" in (tmp_path / "merged.xml").read_text()


def test_two_runs_of_one_cell_are_no_shards(tmp_path: Path) -> None:
    files = [file_of(tmp_path, case(), name=f"{shard}.xml") for shard in "ab"]

    with pytest.raises(UsageError, match=re.escape("both have the case test_load[local-a]")):
        merge(files, tmp_path / "merged.xml")

    assert not (tmp_path / "merged.xml").exists()


def test_a_check_that_was_interrupted_in_every_shard_is_one_case(tmp_path: Path) -> None:
    red = '<failure message="ERROR interrupted">t</failure>'
    files = [file_of(tmp_path, case("check", red), name=f"{shard}.xml") for shard in "ab"]

    merge(files, tmp_path / "merged.xml")

    assert problems(tmp_path / "merged.xml") == []


@pytest.mark.parametrize("text", ["", "<html/>", "<testsuites>"])
def test_what_is_no_junit_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.xml").write_text(text)

    with pytest.raises(UsageError, match=r"odd\.xml: no junit\.xml"):
        merge([tmp_path / "odd.xml"], tmp_path / "merged.xml")


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        ('<failure message="late FAIL">t</failure>', "does not begin with a verdict"),
        ('<error message="FAIL x">t</error>', "an error"),
        ('<failure message="FAIL x">t</failure><system-out>[[ATTACHMENT|/etc/passwd]]</system-out>', "is not below"),
        ('<failure message="FAIL x">t</failure><system-out>[[ATTACHMENT|none.log]]</system-out>', "does not exist"),
        ('<failure message="FAIL x"/>', "without a text"),
        ("<system-out>a</system-out><system-out>b</system-out>", "several system-out"),
    ],
)
def test_the_rules_find_what_breaks_them(tmp_path: Path, inside: str, says: str) -> None:
    assert any(says in one for one in problems(file_of(tmp_path, case(inside=inside))))


@pytest.mark.parametrize(
    "name", ["test_load[local-a@gw0]", "test_slo[/tmp/x]", "test_load[20261126-074802-7c5c]", "", "x" * 600]
)
def test_the_rules_find_names_that_are_no_keys(tmp_path: Path, name: str) -> None:
    assert problems(file_of(tmp_path, case(name)))[-1].startswith(f"{name}: ")
