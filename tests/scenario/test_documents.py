"""YAML is read by YAML 1.2's rules, with the line of every value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.scenario.document import parse
from pytest_telescope.scenario.placeholders import plain

settings.load_profile("ci")  # no time limit an example: these machines are busy

FILE = Path("scenario.yaml")
TEXT = st.text(st.characters(max_codepoint=0xD7FF), max_size=6)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("False", False),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("no", "no"),
        ("010", 10),
        ("0x10", 16),
        ("0o10", 8),
        ("-3", -3),
        ("1.30", 1.3),
        ("1e3", 1000.0),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("10m", "10m"),
        ("2024-01-01", "2024-01-01"),
        (".inf", ".inf"),
        ("=", "="),
        ('"3"', "3"),
        ("'null'", "null"),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(written: str, value: object) -> None:
    read = plain(parse(f"key: {written}\n", FILE))["key"]

    assert read == value
    assert type(read) is type(value)


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_json_is_read_as_what_it_is(value: dict[str, Any]) -> None:
    read = plain(parse(json.dumps(value), FILE))

    assert json.loads(json.dumps(read)) == value


def test_every_value_has_the_line_of_its_key() -> None:
    root = parse("a:\n  b:\n    - 1\n    - c:\n        2\n", FILE)

    content: Any = root.content
    inner = content["a"].content["b"]
    assert [str(node.place) for node in (content["a"], inner, inner.content[1].content["c"])] == [
        "scenario.yaml:1",
        "scenario.yaml:2",
        "scenario.yaml:4",
    ]


def test_own_keys_win_over_merged_ones() -> None:
    read = plain(parse("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\n", FILE))

    assert read["c"] == {"x": 3, "y": 1, "z": 2}
