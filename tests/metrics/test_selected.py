"""Recording chosen series: the copy answers as the original does, to the bit and to the millisecond."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics import remote_write
from pytest_telescope.metrics import selected
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.selected import Ask
from pytest_telescope.metrics.selected import merged
from pytest_telescope.metrics.selected import pieces
from pytest_telescope.metrics.selected import plan
from pytest_telescope.metrics.selected import record_selected
from pytest_telescope.metrics.serving import serve
from pytest_telescope.metrics.writing import writing
from pytest_telescope.slo import queries

START = 1_700_000_000_000
SECOND = 1000
WINDOW = Window(start=START / 1000 + 0.4, end=START / 1000 + 90.7, steps={})
JITTER = (0, 7, 998, 3, 501, 2)
SCRAPES = tuple(START - 650_000 + 5000 * k + JITTER[k % 6] for k in range(150))
"""Every 5 s and a little, from 650 s before the window until after its end."""
SPAN = queries.span(WINDOW, 5.0)
BEGIN, END = START - 600_000, START + 91_000
SELECTORS = ("calls_total", "pods{kind='a'}", 'pods{kind=~"a|b"}', "own_stamps", "odd")

World = dict[tuple[str, ...], list[remote_write.Sample]]


def scraped(first: int, last: int, *, ended: bool = True, step: float = 1.0) -> list[remote_write.Sample]:
    """Return a counter at the scrapes of [first, last), seconds from START, and the mark at the next scrape."""
    times = [when for when in SCRAPES if START + first * SECOND <= when < START + last * SECOND]
    found: list[remote_write.Sample] = [(when, 0.1 + step * k) for k, when in enumerate(times)]
    after = [when for when in SCRAPES if when >= START + last * SECOND]
    return [*found, (after[0], None)] if ended and after else found


def world() -> World:
    """Return everything that can become of a series, by name and labels."""
    always = scraped(-700, 9999, ended=False)
    made: World = {("up", "n1"): [(when, 1.0) for when, _ in always], ("calls_total", "steady"): always}
    made["calls_total", "born"] = scraped(20, 9999, ended=False)
    made["calls_total", "ended"] = scraped(-700, 40)
    made["calls_total", "reborn"] = [*scraped(-700, -30), *scraped(33, 9999, ended=False)]
    made["calls_total", "ended just before the start"] = scraped(-700, -7)
    made["calls_total", "ended with the last scrape"] = scraped(-700, 84)
    made["calls_total", "came and went"] = [*scraped(-20, 10), *scraped(22, 31), *scraped(41, 52), *scraped(66, 71)]
    made["calls_total", "lost without a mark"] = scraped(-700, 30, ended=False)
    made["calls_total", "one scrape missed"] = [one for one in always if one[0] != SCRAPES[140]]
    for kind in "abc":
        made["pods", kind] = scraped(-40, 60, step=ord(kind))
    made["own_stamps", "x"] = [(START - 600_000 + 11_003 * k, float(k)) for k in range(60)]
    odd = (math.nan, math.inf, -math.inf, 5e-324, 0.1 + 0.2, 2.0**53 + 1, -0.0, 1e300)
    made["odd", "x"] = list(zip(SCRAPES[-len(odd) - 2 :], odd, strict=False))
    return made


def labels(series: tuple[str, ...]) -> bytes:
    """Return a series' labels; `up` is the target itself."""
    kind = {} if series[0] == "up" else {"kind": series[1]}
    return remote_write.labels({"__name__": series[0], "job": "j", "instance": "i:1", **kind})


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("original")
    with writing(folder) as writer:
        writer.write((labels(series), remote_write.samples(values)) for series, values in world().items())
    with serve(_recording(folder)) as prom:
        yield prom


@pytest.fixture(scope="module", params=[100_000, 60], ids=["one piece", "many pieces"])
def copy(
    request: pytest.FixtureRequest, original: Prometheus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """The recording of the chosen series, read at once or a few samples at a time."""
    folder = tmp_path_factory.mktemp("copy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selected, "MOST_SAMPLES", request.param)
        record_selected(original, WINDOW, SELECTORS, folder)
    with serve(_recording(folder)) as prom:
        yield prom


def _recording(folder: Path) -> Recording:
    return Recording(path=folder, window=WINDOW, scrape_interval=5.0, clock_offset=0.0, prometheus_version="")


@pytest.mark.parametrize("selector", ["up", *SELECTORS])
def test_every_sample_is_the_same_to_the_bit_and_the_millisecond(
    original: Prometheus, copy: Prometheus, selector: str
) -> None:
    over = f"{selector}[{END - BEGIN}ms]"

    theirs, ours = (prom.samples(over, SPAN.end) for prom in (original, copy))

    assert repr(ours) == repr(theirs)  # by text, since NaN is not NaN
    assert ours


def test_what_was_not_asked_for_is_not_there(copy: Prometheus) -> None:
    found = copy.query("count by (__name__, kind) ({__name__=~'.+'})", SPAN.start)

    assert {one.labels["__name__"] for one in found.series} == {"up", "calls_total", "pods", "own_stamps"}
    assert {one.labels["kind"] for one in found.series if one.labels["__name__"] == "pods"} == {"a", "b"}


def test_series_are_there_and_away_at_the_same_milliseconds(original: Prometheus, copy: Prometheus) -> None:
    marks = {when for series in world().values() for when, value in series if value is None}
    times = sorted({*range(SPAN.start_ms, SPAN.end_ms, 500), SPAN.end_ms, *marks, *(when - 1 for when in marks)})

    for when in (one for one in times if SPAN.start_ms <= one <= SPAN.end_ms):
        theirs, ours = (prom.query('calls_total or pods{kind!="c"}', when / 1000).series for prom in (original, copy))
        assert ours == theirs, f"{when - START} ms after the start"


@pytest.mark.parametrize(
    "query",
    [
        queries.delta("calls_total", ("kind",), SPAN),
        queries.born_safe_increase("calls_total", ("kind",), SPAN),
        queries.resets("calls_total", SPAN),
        f"last_over_time(own_stamps[{SPAN.range}])",
        "own_stamps",
        f"rate(calls_total[5m] @ {SPAN.start:.3f})",
        "max_over_time(rate(calls_total[5m])[90s:5s])",
    ],
)
def test_what_the_judge_asks_is_answered_the_same(original: Prometheus, copy: Prometheus, query: str) -> None:
    theirs, ours = (prom.query(query, SPAN.end).series for prom in (original, copy))

    assert ours == theirs
    assert ours


def test_a_series_that_ended_before_the_start_and_was_born_again_has_no_value_at_the_start(
    original: Prometheus, copy: Prometheus
) -> None:
    """So a plain selector there finds nothing, and what it counts from then on counts from zero."""
    at_start, later = 'calls_total{kind="reborn"} @ %.3f', 'last_over_time(calls_total{kind="reborn"}[90s])'

    for prom in (original, copy):
        assert prom.query(at_start % SPAN.start, SPAN.end).series == ()
        assert len(prom.query(later, SPAN.end).series) == 1


def test_selectors_of_many_targets_are_asked_a_few_targets_at_a_time(
    original: Prometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selected, "MOST_SERIES", 2)

    asks = plan(original, "pods{kind!='c'}", BEGIN, END), plan(original, "calls_total", BEGIN, END)

    assert [[ask.series for ask in one] for one in asks] == [[2], [9]]
    assert asks[0][0].selector == "pods{kind!='c'}"
    assert asks[1][0].selector == 'calls_total{job="j", instance=~"i:1"}'
    assert len(original.query(asks[1][0].selector, SPAN.start).series) == 6


def test_targets_share_an_answer_while_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selected, "MOST_SERIES", 5)
    targets = [({"instance": name}, count) for name, count in (("a", 2), ("b", 3), ("c", 1), ("d", 9), ("e", 1))]

    assert list(selected._batches(targets)) == [(["a", "b"], 5), (["c"], 1), (["d"], 9), (["e"], 1)]


def test_a_metric_that_is_there_whole_is_not_asked_for_twice() -> None:
    assert merged(["up", 'a{x="1"}', "b", "up{}", 'a{x="2"}', 'b{y="1"}', 'a{x="1"}']) == (
        "up",
        'a{x="1"}',
        'a{x="2"}',
        "b",
    )


def test_pieces_hold_every_millisecond_once_and_no_more_samples_than_allowed() -> None:
    found = list(pieces([Ask(name="a", selector="a", series=2_000)], 3, 1_000_003, 5000))

    assert found[0].start <= 3
    assert found[-1].end == 1_000_003
    assert [one.end for one in found[:-1]] == [one.start for one in found[1:]]
    assert all(2_000 * (one.ahead - one.start) / 5000 <= selected.MOST_SAMPLES for one in found)


def test_nothing_found_is_an_error_that_names_what_was_asked_for(tmp_path: Path, original: Prometheus) -> None:
    nowhere = Window(start=1_000_000.0, end=1_000_060.0, steps={})

    with pytest.raises(MetricsError, match="has no sample of up, process_start_time_seconds, x in the window"):
        record_selected(original, nowhere, ["x"], tmp_path)


def test_the_time_for_reading_is_bounded(tmp_path: Path, original: Prometheus) -> None:
    ticks = iter(range(10**6))

    with pytest.raises(MetricsError, match="could not be read within 2 s"):
        record_selected(original, WINDOW, SELECTORS, tmp_path, within=2.0, clock=lambda: next(ticks))

    assert list(tmp_path.iterdir()) == []
