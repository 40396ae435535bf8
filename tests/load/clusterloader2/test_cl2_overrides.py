"""Every override reaches the config as it was written, as CL2 itself sees it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.errors import UsageError
from pytest_telescope.load.clusterloader2.overrides import override_text
from pytest_telescope.load.clusterloader2.overrides import write_overrides
from pytest_telescope.scenario.names import Scalar
from tests.load.clusterloader2.dry_runs import HEAD
from tests.load.clusterloader2.dry_runs import compiled
from tests.load.clusterloader2.dry_runs import seen

settings.register_profile("ci", deadline=None)
settings.load_profile("ci")  # no time limit an example: these machines are busy

SMALL: tuple[int | float, ...] = (0, 5, -7, 999_999, 0.5, -0.25, 0.0001, 999_999.5)
"""Numbers that stay numbers."""
GREAT: tuple[int | float, ...] = (1_000_000, 2**40, -3_000_000, 1234567.25, 1e-7, -1.5e-9, 3e21)
"""Numbers that Go would print with an exponent, so they are written as text."""
NUMBERS = {f"CL2_{number}": value for number, value in enumerate((*SMALL, *GREAT))}
TEXTS = (
    *(
        "1",
        "1.0",
        "007",
        "1e3",
        "0x1f",
        "1_000",
        ".inf",
        "true",
        "no",
        "null",
        "~",
        "",
        "=",
        "<<",
        "2026-01-01",
        "12:30:45",
    ),
    *("a: b", "# c", "- a", "*x", "&x", "{a: b}", "[a]", "%x", "@x", "`x`", "!x", "|", "  lead", "trail ", "---"),
    *("it's", 'say "x"', "back\\slash", "a\nb", "a\n---\nb", "tab\there", "größe …", "😀", "{{x}}", "\x85", "\u2028"),
)
"""Texts that YAML or a template could take for something else."""


def used(template: str, names: Iterable[str]) -> dict[str, str]:
    return {name: template.replace("X", f".{name}") for name in names}


def test_a_number_printed_alone_is_that_number(tmp_path: Path) -> None:
    assert seen(used("{{X}}", NUMBERS), NUMBERS, tmp_path) == NUMBERS


def test_a_number_within_a_text_has_no_exponent(tmp_path: Path) -> None:
    found = seen(used("{{X}}s", NUMBERS), NUMBERS, tmp_path)

    assert "e" not in "".join(map(str, found.values()))
    assert {name: float(str(text).removesuffix("s")) for name, text in found.items()} == NUMBERS


def test_a_number_that_a_default_stands_in_for_is_that_number(tmp_path: Path) -> None:
    assert seen(used("{{$x := DefaultParam X 1}}{{$x}}", NUMBERS), NUMBERS, tmp_path) == NUMBERS


@pytest.mark.parametrize(
    ("template", "factor"),
    [
        ("{{$n := MultiplyFloat X 2}}{{$n}}", 2.0),
        ("{{$x := DefaultParam X 1}}{{$n := MultiplyFloat $x 3}}{{$n}}", 3.0),
        ("{{$n := AddFloat X X}}{{$n}}", 2.0),
    ],
)
def test_a_variable_may_be_counted_from_any_number(template: str, factor: float, tmp_path: Path) -> None:
    found = seen(used(template, NUMBERS), NUMBERS, tmp_path)

    assert found == {name: pytest.approx(value * factor) for name, value in NUMBERS.items()}


@pytest.mark.parametrize(
    "template", ["{{MultiplyInt X 2}}", "{{$n := MultiplyInt X 2}}{{$n}}", "{{$n := AddInt X X}}{{$n}}"]
)
def test_whole_numbers_below_a_million_may_be_counted_with_anywhere(template: str, tmp_path: Path) -> None:
    whole = {name: value for name, value in NUMBERS.items() if value in SMALL and isinstance(value, int)}

    assert seen(used(template, whole), whole, tmp_path) == {name: value * 2 for name, value in whole.items()}


@pytest.mark.parametrize("value", [1_000_000, 1e-7])
@pytest.mark.parametrize(
    "template", ["{{MultiplyInt .N 2}}", "{{AddInt .N 1}}", "{{$x := DefaultParam .N 1}}{{AddInt $x 1}}"]
)
def test_what_is_counted_from_a_text_and_printed_at_once_is_refused(
    template: str, value: float, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="cannot cast baseline to float64"):
        seen({"use": template}, {"N": value}, tmp_path)


def test_a_condition_may_ask_for_any_number_once_counted(tmp_path: Path) -> None:
    uses = {
        name: f"{{{{if eq (AddFloat .{name} 0) {value:.40f}}}}}same{{{{else}}}}other{{{{end}}}}"
        for name, value in NUMBERS.items()
    }

    assert set(seen(uses, NUMBERS, tmp_path).values()) == {"same"}


@pytest.mark.parametrize(
    ("use", "values"),
    [
        ("{{eq .N 5}}", {"N": 5}),  # a float64 is never the int that the template has
        ("{{eq .N 1000000.0}}", {"N": 1_000_000}),
        ("{{IfThenElse .N 1 2}}", {"N": 1}),
        ("{{Concat .N 1}}", {"N": 1}),
        ("{{YamlQuote .N 0}}", {"N": 1}),
    ],
)
def test_what_a_number_cannot_be_used_for_is_refused_and_never_wrong(
    use: str, values: dict[str, Scalar], tmp_path: Path
) -> None:
    with pytest.raises(
        UsageError, match=r"incompatible types|incorrect argument type|wrong type for value|expected string"
    ):
        seen({"use": use}, values, tmp_path)


def test_a_small_number_is_compared_with_a_number_that_has_a_point(tmp_path: Path) -> None:
    assert seen({"eq": "{{eq .N 5.0}}", "lt": "{{lt .N 6.0}}"}, {"N": 5}, tmp_path) == {"eq": True, "lt": True}


def test_a_bool_is_a_bool(tmp_path: Path) -> None:
    uses = {
        "bare": "{{.T}} ",
        "if": "{{if .F}}a{{else}}b{{end}}",
        "then": '{{IfThenElse .T "a" "b"}}',
        "eq": "{{eq .F false}}",
        "not": "{{not .T}}",
        "default": "{{DefaultParam .F true}}",
    }

    found = seen(uses, {"T": True, "F": False}, tmp_path)

    assert found == {"bare": True, "if": "b", "then": "a", "eq": True, "not": False, "default": False}


def test_any_text_is_itself_where_it_is_quoted(tmp_path: Path) -> None:
    values = {f"CL2_{number}": text for number, text in enumerate(TEXTS)}

    assert seen({name: f"{{{{YamlQuote .{name} 4}}}}" for name in values}, values, tmp_path) == values


def test_a_text_is_compared_with_a_text(tmp_path: Path) -> None:
    values = {"A": "true", "B": "5", "C": "null"}

    found = seen({name: f'{{{{eq .{name} "{text}"}}}}' for name, text in values.items()}, values, tmp_path)

    assert found == {"A": True, "B": True, "C": True}


def test_a_text_that_would_change_the_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="YAML Injection Detected"):
        seen({"use": "{{.X}}"}, {"X": "a: b"}, tmp_path)


def test_names_that_yaml_takes_for_bools_are_names(tmp_path: Path) -> None:
    names = ("N", "Y", "n", "y", "on", "Off", "yes", "No", "null", "true_", "e1")
    values = {name: f"is {name}" for name in names}

    assert seen({f"is_{name}": f"{{{{.{name}}}}}" for name in names}, values, tmp_path) == {
        f"is_{name}": text for name, text in values.items()
    }


def test_the_file_is_sorted_and_its_folder_is_made(tmp_path: Path) -> None:
    text = write_overrides(tmp_path / "deep" / "er" / "overrides.yaml", {"B": 1, "A": "x"}).read_text(encoding="utf-8")

    assert text == '"A": "x"\n"B": 1\n'


def test_the_last_file_wins(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"{HEAD}      a: {{{{.A}}}}\n      b: {{{{.B}}}}\n", encoding="utf-8")
    first = write_overrides(tmp_path / "first.yaml", {"A": 1, "B": 1})
    second = write_overrides(tmp_path / "second.yaml", {"B": "two"})

    (call,) = compiled(config, tmp_path, (first, second)).calls

    assert call.params == {"a": 1, "b": "two"}


SCALARS = st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.dictionaries(st.text(min_size=1), SCALARS, max_size=5))
def test_every_value_comes_back_from_the_file(values: dict[str, Scalar]) -> None:
    values = {_whole(name): _whole(value) if isinstance(value, str) else value for name, value in values.items()}

    found = yaml.safe_load(override_text(values)) or {}

    assert found.keys() == values.keys()
    assert all(_same(found[name], value) for name, value in values.items())


def _whole(text: str) -> str:
    """Without lone halves of a character, which are in no file."""
    return text.encode("utf-8", "replace").decode()


def _same(found: Scalar, value: Scalar) -> bool:
    if isinstance(value, bool | str):
        return type(found) is type(value) and found == value
    return (int(found) if isinstance(value, int) else float(found)) == value and "e" not in str(found).lower()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_go_never_prints_an_exponent(value: float) -> None:
    (line,) = override_text({"N": value}).splitlines()
    text = line.removeprefix('"N": ')

    if not text.startswith('"'):
        assert value == 0 or 1e-4 <= abs(float(text)) < 1e6
    assert float(text.strip('"')) == value
