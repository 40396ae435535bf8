"""The ways of a recording: whole from the disk, whole over HTTP, and only what is wanted where that is too large."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_telescope.errors import MetricsError
from pytest_telescope.errors import UsageError
from pytest_telescope.metrics import metadata
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.recording import load
from pytest_telescope.metrics.recording import record
from pytest_telescope.metrics.recording import save
from pytest_telescope.metrics.scrapes import wait_for_scrapes
from pytest_telescope.metrics.serving import serve
from pytest_telescope.metrics.size import size_limit
from pytest_telescope.slo import queries

pytestmark = pytest.mark.e2e

WANTED = ('work_total{kind!="none"}',)
EXTRA = '# TYPE pods gauge\npods{job="telescope"} 7 %.3f\n# EOF\n'


@pytest.fixture(scope="module")
def window(scraping: Prometheus) -> Window:
    """A window in which a series went and came back, which takes eight scrapes at most."""
    start = wait_for_scrapes(scraping, {"churn": 1, "itself": 1}, after=scraping.now(), count=1, timeout=20)
    end = wait_for_scrapes(scraping, {"churn": 1, "itself": 1}, after=start, count=8, timeout=40)
    return Window(start=start, end=end, steps={})


def on_disk(endpoint: Endpoint) -> Endpoint:
    return endpoint


def over_http(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, data=None, assets="/user")


def only_asked(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, data=None)


@pytest.fixture(scope="module")
def whole(scraping: Prometheus, window: Window, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(scraping.endpoint, window, 0.0, EXTRA % window.end, tmp_path_factory.mktemp("whole"), wanted=WANTED)


@pytest.fixture(scope="module", params=[on_disk, over_http, only_asked])
def chosen(
    request: pytest.FixtureRequest, scraping: Prometheus, window: Window, tmp_path_factory: pytest.TempPathFactory
) -> Recording:
    """A recording that may have 1,000 bytes, by each way to it."""
    way: Callable[[Endpoint], Endpoint] = request.param
    folder = tmp_path_factory.mktemp("chosen")
    return record(way(scraping.endpoint), window, 0.0, EXTRA % window.end, folder, wanted=WANTED, limit=1000)


def test_a_snapshot_within_the_limit_is_recorded_whole_from_the_disk_and_over_http(
    scraping: Prometheus, whole: Recording, window: Window, tmp_path: Path
) -> None:
    fetched = record(over_http(scraping.endpoint), window, 0.0, "", tmp_path / "fetched", wanted=WANTED)

    assert whole.selectors is None
    assert json.loads((whole.path / "recording.json").read_text())["selectors"] == "whole"
    assert fetched.selectors is None
    assert fetched.why == whole.why == ""


def test_beyond_the_limit_only_what_is_wanted_is_recorded_and_said_so(chosen: Recording) -> None:
    with serve(chosen) as prom:
        names = set(prom.metric_names())

    assert names == {"up", "process_start_time_seconds", "work_total", "pods"}
    assert chosen.selectors == ("up", "process_start_time_seconds", *WANTED)
    assert "limit is 0.0 MiB (TELESCOPE_RECORDING_LIMIT)" in chosen.why or "neither be read" in chosen.why
    assert load(chosen.path) == chosen


@pytest.mark.parametrize("kind", ["steady", "churn"])
def test_chosen_series_say_what_the_whole_recording_says(chosen: Recording, whole: Recording, kind: str) -> None:
    span = queries.span(chosen.window, 1.0)
    selected = f'work_total{{kind="{kind}"}}'
    asked = [
        (f"{selected}[{span.with_baseline}]", span.end),
        *((queries.delta(selected, (), span), span.end), (queries.resets(selected, span), span.end)),
        *((selected, when / 1000) for when in range(span.start_ms, span.end_ms, 137)),
        (selected, span.end),
    ]

    with serve(whole) as one, serve(chosen) as other:
        for query, when in asked:
            ask = Prometheus.samples if query.endswith("]") else Prometheus.query
            theirs, ours = ask(one, query, when), ask(other, query, when)
            assert getattr(ours, "series", ours) == getattr(theirs, "series", theirs), f"{query} at {when}"


def test_series_did_go_and_come_back_in_the_window(whole: Recording) -> None:
    span = queries.span(whole.window, 1.0)

    with serve(whole) as prom:
        there = [
            prom.query('work_total{kind="churn"}', when / 1000).series
            for when in range(span.start_ms, span.end_ms, 100)
        ]

    assert {len(one) for one in there} == {0, 1}


def test_without_anything_wanted_too_much_is_an_error_that_names_the_setting(
    scraping: Prometheus, window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELESCOPE_RECORDING_LIMIT", "1KiB")
    assert scraping.endpoint.data is not None
    snapshots = scraping.endpoint.data / "snapshots"
    before = set(snapshots.glob("*"))

    with pytest.raises(MetricsError, match=r"MiB in \d+ files.*TELESCOPE_RECORDING_LIMIT=8GiB moves the limit"):
        record(scraping.endpoint, window, 0.0, "", tmp_path)

    assert list(tmp_path.iterdir()) == []
    assert set(snapshots.glob("*")) == before


@pytest.mark.parametrize(
    ("told", "size"), [("", 4 * 2**30), ("500MiB", 500 * 2**20), ("1.5 GiB", 3 * 2**29), ("1000", 1000)]
)
def test_the_limit_is_read_from_the_environment(told: str, size: int) -> None:
    assert size_limit({"TELESCOPE_RECORDING_LIMIT": told}) == size


@pytest.mark.parametrize("told", ["much", "4G", "-1GiB"])
def test_a_limit_that_is_no_size_is_a_usage_error(told: str) -> None:
    with pytest.raises(UsageError, match=f"{told} is no size"):
        size_limit({"TELESCOPE_RECORDING_LIMIT": told})


def test_a_recording_of_schema_1_is_whole(whole: Recording, tmp_path: Path) -> None:
    facts = json.loads((whole.path / "recording.json").read_text())
    del facts["selectors"], facts["why"]
    (tmp_path / "recording.json").write_text(json.dumps({**facts, "schema": 1}))

    assert load(tmp_path) == replace(whole, path=tmp_path)


def test_a_recording_of_a_later_schema_is_refused(whole: Recording, tmp_path: Path) -> None:
    save(replace(whole, path=tmp_path))
    text = (tmp_path / "recording.json").read_text()
    (tmp_path / "recording.json").write_text(text.replace('"schema": 2', '"schema": 3'))

    with pytest.raises(MetricsError, match="schema is 3"):
        load(tmp_path)


def test_types_of_metrics_are_kept_with_the_recording(whole: Recording, chosen: Recording) -> None:
    for recording in (whole, chosen):
        found = metadata.types(recording.path)

        assert found["backlog"] == found["pods"] == "gauge"
        assert found["prometheus_http_request_duration_seconds"] == "histogram"
        assert metadata.type_of("work_total", found) == "counter"
        assert metadata.type_of("prometheus_http_request_duration_seconds_bucket", found) == "counter"
        assert metadata.type_of("never_heard_of", found) is None
