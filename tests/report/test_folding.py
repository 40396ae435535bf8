"""Commands for Azure Pipelines and GitHub Actions: ours are well-formed, those in other people's text are none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_telescope.report import folding
from pytest_telescope.report.folding import Shield


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"TF_BUILD": "True"}, "azure"),
        ({"GITHUB_ACTIONS": "true"}, "github"),
        ({}, None),
        ({"TF_BUILD": "", "GITHUB_ACTIONS": "false", "CI": "true"}, None),
    ],
)
def test_the_service_is_known_by_its_own_variable(environ: dict[str, str], found: str | None) -> None:
    assert folding.service(environ) == found


def test_groups_are_what_each_service_reads() -> None:
    assert folding.group("azure", "load") == "##[group]load"
    assert folding.end_group("azure") == "##[endgroup]"
    assert folding.group("github", "load 50%") == "::group::load 50%25"
    assert folding.end_group("github") == "::endgroup::"


def test_errors_are_escaped_as_each_service_needs() -> None:
    assert (
        folding.error("azure", "FAIL 50 %\nx]", "test_slo[a]")
        == "##vso[task.logissue type=error]test_slo[a]: FAIL 50 %AZP25%0Ax]"
    )
    assert folding.error("github", "FAIL 50 %\nx::y", "a:b,c") == "::error title=a%3Ab%2Cc::FAIL 50 %25%0Ax::y"


@pytest.mark.parametrize(
    "text",
    [
        "##vso[task.setvariable variable=x]y\n",
        "node ##vso[task.complete result=Succeeded]\n",
        "\x1b[31m##[endgroup]\x1b[0m\n",
        "::error::x\n",
        "  \t::set-output name=a::b\n",
        "a line\n::stop-commands::x\n",
        "\x1b[31m::error::x\x1b[0m\n",
        "progress\r::error::x\n",
        "#########[group]x\n",
        ":::error::x\n",
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_command_in_the_text_of_others_is_none_however_it_is_cut(text: str, size: int) -> None:
    shield = Shield()

    shown = "".join(shield(text[start : start + size]) for start in range(0, len(text), size))

    assert is_harmless(shown)
    assert shown.replace(" ", "") == text.replace(" ", "")


def is_harmless(text: str) -> bool:
    """Say whether neither service would find a command; written apart from the shield, from what the services do."""
    bare = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = re.split(r"[\r\n]", bare)
    return "##" not in text and not any(line.lstrip().startswith("::") for line in lines)


@given(st.lists(st.text(alphabet="#:[ \r\n\tav", max_size=6), max_size=12))
def test_no_pieces_whatever_make_a_command(pieces: list[str]) -> None:
    shield = Shield()

    assert is_harmless("".join(shield(piece) for piece in pieces))


def test_ordinary_text_is_left_alone() -> None:
    text = "test_scenarios.py::test_slo[a] PASSED [ 50%]\n# one\nC::D  12:30:00\n"

    assert Shield()(text) == text
