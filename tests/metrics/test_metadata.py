"""Types of metrics as they are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics.metadata import agreed
from pytest_telescope.metrics.metadata import of_text
from pytest_telescope.metrics.metadata import save
from pytest_telescope.metrics.metadata import type_of
from pytest_telescope.metrics.metadata import types


def test_an_old_recording_knows_no_type(tmp_path: Path) -> None:
    assert types(tmp_path) == {}


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    save(tmp_path, {"b": "gauge", "a": "counter"})

    assert types(tmp_path) == {"a": "counter", "b": "gauge"}


@pytest.mark.parametrize("text", ["{", "[]", '{"types": 3}', "{}"])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "metadata.json").write_text(text)

    with pytest.raises(MetricsError, match="cannot be read as metadata"):
        types(tmp_path)


def test_a_type_on_which_targets_disagree_is_not_known() -> None:
    rows = [("a", "gauge"), ("a", "counter"), ("b", "gauge"), ("b", "gauge"), ("b", "unknown"), ("c", "unknown")]

    assert agreed(rows) == {"b": "gauge"}


def test_types_are_read_from_text() -> None:
    assert of_text("# TYPE a histogram\na_count 1\n# HELP b TYPE b counter\n# TYPE b gauge\n# EOF\n") == {
        "a": "histogram",
        "b": "gauge",
    }


@pytest.mark.parametrize(
    ("series", "kind"),
    [
        ("a", "gauge"),
        ("calls_total", "counter"),
        ("calls_created", "gauge"),
        ("h_bucket", "counter"),
        ("h_sum", "counter"),
        ("odd_total", "gauge"),
        ("h_other", None),
    ],
)
def test_a_series_has_the_type_of_its_metric(series: str, kind: str | None) -> None:
    known = {"a": "gauge", "calls": "counter", "h": "histogram", "odd_total": "gauge"}

    assert type_of(series, known) == kind
