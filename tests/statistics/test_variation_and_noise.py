"""How much runs vary, and the file that keeps it."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.errors import UsageError
from pytest_telescope.statistics import noise
from pytest_telescope.statistics import variation
from pytest_telescope.statistics.noise import Noise
from pytest_telescope.statistics.variation import Variation

settings.load_profile("ci")


def drawn(source: random.Random, pairs: int, spread: float, correlation: float) -> tuple[list[float], list[float]]:
    """Return log-normal pairs whose logarithms have that spread and correlation."""
    common = [source.gauss(0, spread * math.sqrt(correlation)) for _ in range(pairs)]
    rest = spread * math.sqrt(1 - correlation)
    return tuple([math.exp(one + source.gauss(0, rest)) for one in common] for _ in range(2))  # type: ignore[return-value]  # two


def some(found: Variation | None) -> Variation:
    assert found is not None
    return found


@pytest.mark.parametrize(("spread", "correlation"), [(0.05, 0.0), (0.1, 0.7), (0.3, 0.9)])
def test_many_pairs_show_the_spread_and_correlation_they_were_drawn_with(spread: float, correlation: float) -> None:
    found = some(variation.of_pairs(*drawn(random.Random(1), 4000, spread, correlation)))

    assert found.spread == pytest.approx(spread, rel=0.05)
    assert found.correlation == pytest.approx(correlation, abs=0.05)
    assert found.pair_spread == pytest.approx(spread * math.sqrt(2 * (1 - correlation)), rel=0.05)


def test_the_intervals_of_few_pairs_hold_what_they_promise() -> None:
    source, held, correlated, count = random.Random(2), 0, 0, 1500
    cv = math.sqrt(math.expm1(0.1**2))

    for _ in range(count):
        found = some(variation.of_pairs(*drawn(source, 8, 0.1, 0.7)))
        assert found.cv_low is not None
        assert found.cv_high is not None
        assert found.correlation_low is not None
        assert found.correlation_high is not None
        held += found.cv_low <= cv <= found.cv_high
        correlated += found.correlation_low <= 0.7 <= found.correlation_high

    assert 0.92 <= held / count <= 0.98
    assert 0.93 <= correlated / count <= 0.97


def test_single_runs_have_a_spread_and_no_correlation() -> None:
    found = some(variation.of_runs([1.0, 1.1, 0.9]))

    assert (found.runs, found.pairs, found.df, found.correlation) == (3, 0, 2.0, None)


def test_one_value_tells_nothing_of_its_spread() -> None:
    assert variation.of_runs([1.0]) is None
    assert variation.of_pairs([1.0], [1.0]) is None


def test_counts_that_are_all_zero_have_no_share_to_vary_by() -> None:
    found = some(variation.of_pairs([0.0, 0.0], [0.0, 0.0]))

    assert (found.scale, found.spread, found.cv) == ("linear", 0.0, None)


def entry(cell: str = "local-x", metric: str = "running", **changed: object) -> Noise:
    found = Noise(
        cell=cell,
        metric=metric,
        unit="s",
        fingerprint="abc",
        sessions=("run-1",),
        variation=some(variation.of_pairs([1.0, 1.1, 1.2], [1.05, 1.1, 1.15])),
    )
    return replace(found, **changed)  # type: ignore[arg-type]  # fields by name


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "new" / noise.FILE

    assert noise.write(file, [entry(), entry(metric="other")]) == 2
    assert noise.read(file)[("local-x", "running")] == entry()
    assert noise.read_noise(file)[("local-x", "other")] == entry().variation.cv


def test_a_new_calibration_takes_the_place_of_the_old_one_and_leaves_the_rest(tmp_path: Path) -> None:
    noise.write(tmp_path / "n", [entry(), entry(metric="other")])

    assert noise.write(tmp_path / "n", [entry(sessions=("run-2",))]) == 2
    assert noise.read(tmp_path / "n")[("local-x", "running")].sessions == ("run-2",)


def test_no_file_is_no_noise(tmp_path: Path) -> None:
    assert noise.read_noise(tmp_path / "nothing") == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": 2, "noise": []}',
        '{"schema": 1}',
        '{"schema": 1, "noise": [1]}',
        '{"schema": 1, "noise": [{"cell": "x"}]}',
        '{"schema": 1, "noise": 7}',
    ],
)
def test_what_is_no_noise_floor_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "n").write_text(text)

    with pytest.raises(UsageError, match="--calibrate"):
        noise.read(tmp_path / "n")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(field=st.sampled_from(["cell", "unit", "sessions", "spread", "df", "scale", "cv", "extra"]), value=JSON)
def test_a_damaged_entry_is_never_misread(tmp_path_factory: pytest.TempPathFactory, field: str, value: object) -> None:
    file = tmp_path_factory.mktemp("noise") / "n"
    noise.write(file, [entry()])
    document = json.loads(file.read_text())
    document["noise"][0][field] = value
    file.write_text(json.dumps(document))

    try:
        (found,) = noise.read(file).values()
    except UsageError:
        return
    assert field != "extra"
    whole = {**vars_of(found), **vars_of(found.variation)}
    assert whole[field] == (tuple(value) if isinstance(value, list) else value)


def vars_of(one: object) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}  # type: ignore[attr-defined]  # a dataclass
