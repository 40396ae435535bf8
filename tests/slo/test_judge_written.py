"""What a backfill cannot write: series that were marked as ended, and native histograms; over remote write."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import pytest

from pytest_telescope.metrics import remote_write
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.recording import save
from pytest_telescope.metrics.serving import serve
from pytest_telescope.metrics.writing import writing
from pytest_telescope.slo.model import Verdict
from tests.slo.asked import counter
from tests.slo.asked import histogram
from tests.slo.asked import judged
from tests.slo.asked import peak
from tests.slo.asked import query
from tests.slo.world import INTERVAL
from tests.slo.world import SCRAPES
from tests.slo.world import T0
from tests.slo.world import WINDOW

pytestmark = pytest.mark.e2e

FAILED = T0 + 27
Values = Sequence[tuple[float, float | None]]
"""Unix seconds and a value; None is the mark that the series ended."""


def series(name: str, labels: Mapping[str, str], values: Values) -> tuple[bytes, bytes]:
    named = {"__name__": name, **labels}
    return remote_write.labels(named), remote_write.samples([(round(when * 1000), value) for when, value in values])


def native(name: str, labels: Mapping[str, str], count: int) -> tuple[bytes, bytes]:
    """Return a native histogram of `count` observations between 0.5 and 1 s more at each scrape."""
    made = b""
    for number, when in enumerate(SCRAPES, start=1):
        seen = remote_write.varint(number * count)
        deltas = remote_write.varint(2 * number * count)
        fields = (
            b"\x08" + seen,
            b"\x19" + struct.pack("<d", 0.6 * number * count),
            b"\x20\x00",
            b"\x29" + struct.pack("<d", 1e-9),
            b"\x30\x00",
            b"\x5a\x04\x08\x00\x10\x01",
            b"\x62" + remote_write.varint(len(deltas)) + deltas,
            b"\x78" + remote_write.varint(round(when * 1000)),
        )
        body = b"".join(fields)
        made += b"\x22" + remote_write.varint(len(body)) + body
    return remote_write.labels({"__name__": name, **labels}), made


def written() -> list[tuple[bytes, bytes]]:
    made = []
    for job in ("native", "pods", "flaky"):
        labels = {"job": job, "instance": "i1"}
        ups = [(when, 0.0 if job == "flaky" and when == FAILED else 1.0) for when in SCRAPES]
        starts = [(when, T0 - 3600) for when in SCRAPES if not (job == "flaky" and when == FAILED)]
        made += [series("up", labels, ups), series("process_start_time_seconds", labels, starts)]
    made.append(native("native_seconds", {"job": "native", "instance": "i1"}, 10))
    ends: Values = [*((when, 9.0) for when in SCRAPES if when < T0 + 30), (T0 + 32, None)]
    made.append(series("depth", {"job": "pods", "instance": "i1", "pod": "ends"}, ends))
    made.append(series("depth", {"job": "pods", "instance": "i1", "pod": "stays"}, [(when, 1.0) for when in SCRAPES]))
    counts: Values = [(when, None if when == FAILED else 1e6 + when - T0) for when in SCRAPES]
    made.append(series("calls_total", {"job": "flaky", "instance": "i1"}, counts))
    return made


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("written")
    with writing(folder) as writer:
        writer.write(written())
    made = Recording(path=folder, window=WINDOW, scrape_interval=INTERVAL, clock_offset=0.0, prometheus_version="x")
    save(made)
    with serve(made) as prometheus:
        yield prometheus


def test_real_native_histogram_is_invalid_and_says_what_to_switch_on(served: Prometheus) -> None:
    found = judged(served, histogram("native", metrics=("native_seconds",), by=()))

    assert found.verdict is Verdict.INVALID
    assert "always_scrape_classic_histograms: true" in found.message


def test_query_that_answers_native_histograms_is_never_green(served: Prometheus) -> None:
    found = judged(served, query("sum(rate(native_seconds[${w}]))", job="native"))

    assert found.verdict is Verdict.ERROR
    assert "native histograms" in found.message


def test_bare_gauge_of_a_deleted_pod_is_invalid_and_says_how_to_see_it(served: Prometheus) -> None:
    bare = judged(served, query("max(depth)", 5, job="pods"))
    ranged = judged(served, query("max(max_over_time(depth[${w}]))", 5, job="pods"))

    assert bare.verdict is Verdict.INVALID
    assert "1 series of depth ended before the window did" in bare.message
    assert (ranged.verdict, ranged.value) == (Verdict.FAIL, 9.0)


def test_slice_that_starts_behind_a_failed_scrape_does_not_count_a_lifetime(served: Prometheus) -> None:
    found = judged(served, counter("calls_total", 40, job="flaky", slices=peak(30, 1)))

    assert (found.elements[0].verdict, found.value) == (Verdict.PASS, 35.0)
