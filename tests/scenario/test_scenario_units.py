"""Numbers with units are read exactly, and a wrong kind is told."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pytest_telescope.scenario.model import ResourceConsumerSpec
from pytest_telescope.scenario.units import FROM_FILE
from pytest_telescope.scenario.units import KINDS
from pytest_telescope.scenario.units import UnitError
from pytest_telescope.scenario.units import parse
from pytest_telescope.scenario.units import per_second
from pytest_telescope.scenario.units import quantity
from pytest_telescope.scenario.units import read_quantity
from pytest_telescope.scenario.units import seconds

settings.load_profile("ci")  # no time limit an example: these machines are busy

NUMBERS = st.floats(min_value=0, max_value=1e12, allow_nan=False)
SUFFIXES = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
BINARY = {f"{suffix}i": 1024.0**power for power, suffix in enumerate("KMGTPE", start=1)}


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("5s", 5, "s"),
        ("3.0517578125s", 3.0517578125, "s"),
        ("1m30s", 90, "s"),
        ("1h", 3600, "s"),
        ("2h30m", 9000, "s"),
        ("1m5ms", 60.005, "s"),
        ("250us", 0.00025, "s"),
        ("250µs", 0.00025, "s"),
        ("7ns", 7e-9, "s"),
        (".5 s", 0.5, "s"),
        ("-5ms", -0.005, "s"),
        ("1KB", 1000, "B"),
        ("1KiB", 1024, "B"),
        ("2MiB", 2 * 1024**2, "B"),
        ("1.5GB", 1.5e9, "B"),
        ("1GiB", 1024**3, "B"),
        ("0.1%", 0.001, "ratio"),
        ("0.3 ratio", 0.3, "ratio"),
        ("10/s", 10, "/s"),
        ("0.5 cores", 0.5, "cores"),
        ("1 core", 1, "cores"),
        ("10Gbit/s", 1e10, "bit/s"),
        ("5kbit/s", 5000, "bit/s"),
        ("5 count", 5, "count"),
        ("5", 5, "count"),
        (7, 7, "count"),
        (0.5, 0.5, "count"),
    ],
)
def test_a_quantity_is_read_in_its_base_unit(text: object, value: float, unit: str) -> None:
    assert read_quantity(text) == (value, unit)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fast", "'fast' is not a number with a unit: write e.g. 5s, 1GiB, 0.1%, 10/s or 5"),
        ("", "'' is not a number with a unit: write e.g. 5s, 1GiB, 0.1%, 10/s or 5"),
        ("s", "'s' is not a number with a unit: write e.g. 5s, 1GiB, 0.1%, 10/s or 5"),
        (True, "True is not a number with a unit: write e.g. 5s, 1GiB, 0.1%, 10/s or 5"),
        (None, "None is not a number with a unit: write e.g. 5s, 1GiB, 0.1%, 10/s or 5"),
        (float("nan"), "nan is not a finite number"),
        ("1e999", "'1e999' is not a finite number"),
    ],
)
def test_no_quantity_is_told(text: object, says: str) -> None:
    with pytest.raises(UnitError) as caught:
        read_quantity(text)

    assert str(caught.value) == says


def test_an_unknown_unit_is_told_with_the_known_ones() -> None:
    with pytest.raises(UnitError, match="'5 parsec' has an unknown unit 'parsec': known are h, m, s, ms,"):
        read_quantity("5 parsec")


@pytest.mark.parametrize(
    ("text", "unit", "says"),
    [
        ("1GiB", "s", "'1GiB' is a size, but metric x_seconds wants a duration: write e.g. 5s"),
        ("5s", "B", "'5s' is a duration, but metric x_seconds wants a size: write e.g. 1GiB"),
        ("5%", "count", "'5%' is a ratio, but metric x_seconds wants a count: write e.g. 5"),
        (5, "s", "5 has no unit, but metric x_seconds wants a duration: write e.g. 5s"),
        ("0.99", "ratio", "'0.99' has no unit, but metric x_seconds wants a ratio: write e.g. 0.1%"),
        ("soon", "s", "'soon' is not a number with a unit, but metric x_seconds wants a duration: write e.g. 5s"),
    ],
)
def test_a_bound_of_another_kind_is_told(text: object, unit: str, says: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text, unit, of="metric x_seconds")

    assert str(caught.value) == says


@pytest.mark.parametrize("unit", list(KINDS))
def test_nought_needs_no_unit(unit: str) -> None:
    assert parse(0, unit) == parse("0", unit) == 0


@pytest.mark.parametrize("unit", list(KINDS))
def test_the_example_of_every_kind_is_of_that_kind(unit: str) -> None:
    assert parse(KINDS[unit][1], unit) > 0


@given(NUMBERS)
def test_a_duration_in_seconds_comes_back_exactly(value: float) -> None:
    assert seconds(f"{value!r}s") == value


@given(hours=st.integers(0, 99), minutes=st.integers(0, 99), secs=st.integers(0, 99), millis=st.integers(0, 999))
def test_the_parts_of_a_duration_add_up(hours: int, minutes: int, secs: int, millis: int) -> None:
    milliseconds = ((hours * 60 + minutes) * 60 + secs) * 1000 + millis

    assert seconds(f"{hours}h{minutes}m{secs}s{millis}ms") == milliseconds / 1000


@given(st.integers(1, 10**9))
def test_a_rate_a_minute_is_sixty_times_one_a_second(value: int) -> None:
    assert per_second(f"{value * 60}/m") == per_second(f"{value}/s") == value


@given(st.integers(0, 10**6), st.sampled_from([*SUFFIXES, *BINARY]))
def test_a_kubernetes_quantity_is_number_times_suffix(value: int, suffix: str) -> None:
    assert quantity(f"{value}{suffix}") == pytest.approx(value * (SUFFIXES | BINARY)[suffix], rel=1e-15)


@pytest.mark.parametrize(("text", "value"), [("1E", 1e18), ("1E3", 1000), ("1e3", 1000), ("12e-1", 1.2), ("5.", 5)])
def test_the_exponents_of_kubernetes_quantities_are_read(text: str, value: float) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize("text", ["", "1Kb", "1 Gi", "Gi", "1K", "1e", "--1", "1e3M"])
def test_what_kubernetes_refuses_is_no_quantity(text: str) -> None:
    with pytest.raises(UnitError, match=r"is not a Kubernetes quantity: write e\.g\. 500m, 2, 512Mi or 64Gi"):
        quantity(text)


@pytest.mark.parametrize("reader", [read_quantity, quantity, seconds, per_second], ids=lambda reader: reader.__name__)
@given(st.text(max_size=12) | st.from_regex(r"[-+]?[0-9.]{1,6}[eE]?[-+]?[0-9]{0,4}[A-Za-z/%]{0,3}", fullmatch=True))
def test_any_text_is_read_or_told(reader: Callable[[str], object], text: str) -> None:
    with contextlib.suppress(UnitError):
        assert reader(text) is not None


def test_code_gives_durations_and_rates_in_base_units() -> None:
    load = ResourceConsumerSpec(pods=1, hold=30.5, rate=20)

    assert (load.hold, load.rate) == (30.5, 20)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("hold", 30, "30 has no unit: write 30s, 30m or 30h"),
        ("hold", True, "True is not a duration: write e.g. 10s, 10m or 10h"),
        ("hold", "-5s", "'-5s' is negative: a duration is 0 or more"),
        ("rate", 5, "5 has no unit: write 5/s or 5/m"),
        ("rate", "5", "'5' is not a rate: write e.g. 10/s or 600/m"),
        ("rate", "0/s", "'0/s' is not more than 0: write e.g. 10/s"),
    ],
)
def test_a_file_gives_durations_and_rates_with_units(key: str, value: object, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ResourceConsumerSpec.model_validate({"pods": 1, key: value}, context=FROM_FILE)

    assert str(caught.value.errors()[0]["ctx"]["error"]) == says


def test_a_file_may_give_a_duration_of_nought_without_unit() -> None:
    load = ResourceConsumerSpec.model_validate({"pods": 1, "hold": 0}, context=FROM_FILE)

    assert load.hold == 0
