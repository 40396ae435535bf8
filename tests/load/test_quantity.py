from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies

from pytest_telescope.errors import UsageError
from pytest_telescope.load.quantity import parse_quantity

KNOWN = {
    "4": "4",
    "500m": "0.5",
    "1500000u": "1.5",
    "250n": "0.00000025",
    "1k": "1000",
    "2M": "2000000",
    "3G": "3000000000",
    "1Ki": "1024",
    "1.5Gi": "1610612736",
    "7906776Ki": "8096538624",
    "1Ti": "1099511627776",
    "12e6": "12000000",
    "1E": "1000000000000000000",
    "1E3": "1000",
    ".5": "0.5",
    "-1Mi": "-1048576",
}


@pytest.mark.parametrize(("text", "value"), KNOWN.items())
def test_every_suffix_is_read(text: str, value: str) -> None:
    assert parse_quantity(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "4 cores", "1KI", "Ki", "1.2.3", "1eMi", "NaN"])
def test_what_is_no_quantity_is_refused_by_its_text(text: str) -> None:
    with pytest.raises(UsageError, match="is not a Kubernetes quantity"):
        parse_quantity(text)


@given(strategies.integers(min_value=0, max_value=10**18))
def test_milli_and_plain_agree(number: int) -> None:
    assert parse_quantity(f"{number}m") * 1000 == parse_quantity(number)
