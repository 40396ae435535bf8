"""No page of a report asks another machine for anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_telescope.report import trackers

SNIPPET = """\
<script async src="https://www.googletagmanager.com/gtag/js?id=G-X"></script>
    <script>
        window.dataLayer = window.dataLayer || [];
        function gtag(){dataLayer.push(arguments);}
        gtag('config', 'G-X', {"report": "awesome"});
    </script>
"""
PROGRAM = "<script>window.allure = {}; render();</script>"
PAGE = f'<!DOCTYPE html><html><head lang="en"><title>x</title></head><body>{PROGRAM}\n{SNIPPET}{PROGRAM}</body></html>'


def test_a_tracker_goes_and_the_program_stays() -> None:
    found = trackers.strip(PAGE)

    assert "googletagmanager" not in found
    assert "dataLayer" not in found
    assert found.count(PROGRAM) == 2
    assert trackers.external(found) == []


def test_the_page_gets_a_policy_that_forbids_other_machines() -> None:
    found = trackers.strip(PAGE)

    assert found.index("Content-Security-Policy") < found.index("<script")
    assert "http" not in trackers.POLICY


@pytest.mark.parametrize(
    "element",
    [
        "<script src='//cdn.example/x.js'></script>",
        "<SCRIPT defer SRC=https://example.org/x.js ></SCRIPT>",
    ],
)
def test_scripts_from_elsewhere_go_however_they_are_spelled(element: str) -> None:
    assert trackers.external(element) != []
    assert trackers.external(trackers.strip(element)) == []


def test_a_program_that_mentions_a_tracker_far_inside_is_not_taken_for_one() -> None:
    program = f"<script>{'x();' * 2000} gtag(1)</script>"

    assert trackers.strip(program) == program


def test_what_is_left_is_said_with_its_page(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "index.html").write_text('<link rel="stylesheet" href="https://example.org/x.css">')

    assert trackers.strip_folder(tmp_path) == ["a/index.html: https://example.org/x.css"]


def test_links_that_a_reader_must_click_are_no_trackers() -> None:
    assert trackers.external('<a href="https://kubernetes.io">docs</a><img src="data:image/png;base64,AA">') == []


def test_text_inside_a_program_loads_nothing() -> None:
    assert trackers.external("<script>const a = '<img src=\"https://example.org\">'</script>") == []


def test_a_page_that_cannot_be_read_is_not_taken_for_a_clean_one() -> None:
    assert trackers.external("<p>x</p><![A-Z[ y") != []
