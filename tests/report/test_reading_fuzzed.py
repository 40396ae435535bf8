"""Whatever stands in a results.jsonl: either a record that says what the line says, or a refusal; nothing between."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.errors import UsageError
from pytest_telescope.report.reading import parse_record
from pytest_telescope.report.reading import read_results
from pytest_telescope.report.record import Record
from pytest_telescope.report.records import write_lines
from tests.report.test_reading import FIELDS
from tests.report.test_reading import V1_JUDGED
from tests.report.test_reading import V1_STAGE

AT = (Path("results.jsonl"), 1)
OFTEN = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAME = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,2}", fullmatch=True)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60)
SCALAR = st.none() | st.booleans() | NUMBER | st.floats() | TEXT | st.integers()
ANY = st.recursive(SCALAR, lambda of: st.lists(of, max_size=3) | st.dictionaries(TEXT, of, max_size=3), max_leaves=5)
GOOD = {"schema": 2, **FIELDS}


def maybe(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | of


@st.composite
def valid(draw: st.DrawFn) -> Record:
    """Any record that a run could write."""
    provider, scenario = draw(st.sampled_from(["aks", "eks", "gke", "local"])), draw(NAME)
    row, engine = draw(maybe(NAME)), draw(maybe(st.sampled_from(["clusterloader2", "resource-consumer"])))
    cell = f"{provider}-{scenario}" + "".join(f"--{part}" for part in (row, engine) if part)
    bound = draw(maybe(st.tuples(NUMBER, NUMBER).map(sorted)))
    operator = draw(st.sampled_from(["max", "min", "below", "above", "equals", "between"])) if bound else None
    ends = draw(st.tuples(maybe(NUMBER), maybe(NUMBER)).map(ordered))
    window = draw(st.tuples(maybe(NUMBER), maybe(NUMBER)).map(ordered))
    free = {
        "run": NAME,
        "started": maybe(NUMBER),
        "arm": maybe(NAME),
        "repeat": maybe(st.integers(1, 2**40)),
        "metric": NAME,
        "slo": maybe(NAME),
        "value": maybe(NUMBER),
        "unit": st.sampled_from(["s", "B", "ratio", "count", "cores", "/s", "bit/s", "USD"]),
        "n": maybe(st.integers(0, 2**40) | st.floats(0, 1e15)),
        "better": st.sampled_from(["lower", "higher", None]),
        "verdict": st.sampled_from(["PASS", "FAIL", "INVALID", "ERROR", "SKIP", None]),
        "level": st.sampled_from(["gate", "warn", "info", None]),
        "margin": maybe(NUMBER),
        "labels": maybe(TEXT),
        "message": maybe(TEXT),
        "fingerprint": maybe(NAME),
        "functional": maybe(st.booleans()),
        "reused": maybe(st.booleans()),
        "position": maybe(st.integers(1, 100)),
    }
    fields = {name: draw(strategy) for name, strategy in free.items()}
    fields |= {"provider": provider, "scenario": scenario, "row": row, "engine": engine, "cell": cell}
    fields |= {"operator": operator, "bound": bound[0] if bound else None}
    fields |= {"bound_high": bound[1] if bound and operator == "between" else None}
    fields |= {"low": ends[0], "high": ends[1], "window_start": window[0], "window_end": window[1]}
    return Record.model_validate(fields)


def ordered(ends: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    low, high = ends
    return (high, low) if low is not None and high is not None and low > high else ends


@OFTEN
@given(record=valid())
def test_any_record_is_written_and_read_back_as_it_was(record: Record, tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"

    assert write_lines(file, [record]) == []

    assert list(read_results(file)) == [record]


@OFTEN
@given(line=st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(line: bytes) -> None:
    with pytest.raises(UsageError, match=r"^results.jsonl:1: "):
        parse_record(line, AT)


@OFTEN
@given(document=ANY)
def test_arbitrary_json_is_refused(document: object) -> None:
    with pytest.raises(UsageError, match=r"^results.jsonl:1: "):
        parse_record(json.dumps(document).encode(), AT)


@OFTEN
@given(data=st.data(), base=st.sampled_from([GOOD, V1_STAGE, V1_JUDGED]))
def test_a_line_with_anything_in_any_field_is_read_as_it_says_or_refused(
    data: st.DataObject, base: dict[str, Any]
) -> None:
    known = sorted({*base, *Record.model_fields} - {"schema_version"})
    changed = data.draw(st.dictionaries(st.sampled_from(known) | TEXT, ANY, min_size=1, max_size=3))
    gone = data.draw(st.sets(st.sampled_from(sorted(base)), max_size=2))
    document = {name: value for name, value in (base | changed).items() if name not in gone or name in changed}

    try:
        record = parse_record(json.dumps(document).encode(), AT)
    except UsageError:
        return

    says_the_same(document, record.model_dump(by_alias=True))


def says_the_same(document: dict[str, Any], record: dict[str, Any]) -> None:
    """Assert that each field of a line is in its record, of its own kind, and that what is not in it is null."""
    bounds = document["bound"] if document["schema"] == 1 else [document.get("bound"), document.get("bound_high")]
    said = {**document, "schema": 2, **dict(zip(("bound", "bound_high"), [*(bounds or []), None, None], strict=False))}
    for name, value in record.items():
        if name in said:
            assert value == (float(said[name]) if isinstance(value, float) else said[name])
            assert isinstance(value, bool) == isinstance(said[name], bool)
            assert not isinstance(value, float) or math.isfinite(value)
        elif document["schema"] == 1 and name in {"provider", "scenario", "row", "engine", "better"}:
            continue  # they follow from the cell's id and the operator
        else:
            assert value is None
    assert set(said) <= set(record)


@OFTEN
@given(record=valid(), cut=st.floats(0, 1, exclude_max=True))
def test_a_line_cut_anywhere_is_refused(record: Record, cut: float) -> None:
    line = record.model_dump_json(by_alias=True).encode()

    with pytest.raises(UsageError):
        parse_record(line[: int(len(line) * cut)], AT)


@OFTEN
@given(record=valid(), at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_damaged_line_is_refused_or_still_says_what_stands_there(record: Record, at: float, bit: int) -> None:
    line = bytearray(record.model_dump_json(by_alias=True).encode())
    line[int(len(line) * at)] ^= 1 << bit

    try:
        found = parse_record(bytes(line), AT)
    except UsageError:
        return

    assert found.model_dump(by_alias=True) == json.loads(line)
