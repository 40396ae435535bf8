"""Recording from a real Prometheus, moving the recording, and serving it again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.clock import clock_offset
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.recording import load
from pytest_telescope.metrics.recording import record
from pytest_telescope.metrics.scrapes import wait_for_scrapes
from pytest_telescope.metrics.serving import serve

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def recorded(scraping: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    start = wait_for_scrapes(scraping, {"itself": 1}, after=scraping.now(), count=1, timeout=20)
    end = wait_for_scrapes(scraping, {"itself": 1}, after=start, count=2, timeout=20)
    window = Window(start=start, end=end, steps={"hold-1": (start, end)})
    extra = f'pods{{job="telescope"}} 7 {end:.3f}\n# EOF\n'
    destination = tmp_path_factory.mktemp("run") / "recording"
    return record(scraping.endpoint, window, 0.25, extra, destination, clock_drift=0.01)


def test_wait_counts_scrapes_after_the_given_time(recorded: Recording) -> None:
    assert 1.0 <= recorded.window.seconds < 15.0


def test_recording_survives_being_moved(recorded: Recording, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(recorded.path, tmp_path / "elsewhere"))
    again = load(moved)

    with serve(again) as prom:
        scraped = prom.query('sum_over_time(up{job="itself"}[20s])', again.window.end)
        told = prom.query("pods", again.window.end)

    assert again == replace(recorded, path=moved)
    assert scraped.series[0].value >= 2
    assert [one.value for one in told.series] == [7.0]


def test_serving_leaves_the_recording_as_it_was_and_nothing_beside_it(recorded: Recording) -> None:
    before = _contents(recorded.path.parent)

    with serve(recorded) as prom:
        address = prom.endpoint.url
        prom.query("up", recorded.window.end)

    assert _contents(recorded.path.parent) == before
    assert not Prometheus(Endpoint(url=address), retries=0).ready()


def _contents(folder: Path) -> dict[str, int]:
    return {str(file.relative_to(folder)): file.stat().st_size for file in folder.rglob("*") if file.is_file()}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_serving_prometheus_ends_with_a_killed_parent(recorded: Recording) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from pytest_telescope.metrics.recording import load\n"
        "from pytest_telescope.metrics.serving import serve\n"
        "with serve(load(Path(sys.argv[1]))):\n    print('up', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(recorded.path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"up\n"
    children = psutil.Process(parent.pid).children()

    parent.kill()
    parent.wait(10)
    parent.stdout.close()
    _, alive = psutil.wait_procs(children, 5)

    assert len(children) == 1
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]
    for left in recorded.path.parent.glob(".serving-*"):
        shutil.rmtree(left)


def test_missing_target_is_named_when_the_wait_gives_up(scraping: Prometheus) -> None:
    with pytest.raises(MetricsError, match=r"nobody: 1 of 1 .*127\.0\.0\.1:9 is down"):
        wait_for_scrapes(scraping, {"itself": 1, "nobody": 1}, after=scraping.now(), count=1, timeout=3)


def test_clock_of_the_same_machine_is_the_same(scraping: Prometheus) -> None:
    found = clock_offset(scraping)

    assert abs(found.seconds) <= found.uncertainty + 0.05


def test_taken_folder_is_refused_before_anything_is_asked(tmp_path: Path, recorded: Recording) -> None:
    (tmp_path / "here").write_text("")

    with pytest.raises(MetricsError, match="is not empty"):
        record(Endpoint(url="http://127.0.0.1:9"), recorded.window, 0.0, "", tmp_path)


def test_text_that_is_no_openmetrics_is_refused_with_promtools_words(recorded: Recording, tmp_path: Path) -> None:
    from pytest_telescope.metrics.recording import backfill

    with pytest.raises(MetricsError, match="promtool refused"):
        backfill("no metrics here\n", tmp_path)

    assert recorded.path.exists()


def test_folder_without_facts_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(MetricsError, match=r"recording\.json is not there"):
        load(tmp_path)


def test_recording_without_blocks_cannot_be_served(recorded: Recording, tmp_path: Path) -> None:
    shutil.copy(recorded.path / "recording.json", tmp_path)

    with pytest.raises(MetricsError, match="holds no Prometheus block"), serve(load(tmp_path)):
        pass


def test_unwilling_prometheus_answers_an_error_with_its_own_words(scraping: Prometheus) -> None:
    with pytest.raises(MetricsError, match=r"HTTP 400: .*parse error.*\(query: up\[\)"):
        scraping.query("up[")


def test_query_longer_than_any_url_is_answered(scraping: Prometheus) -> None:
    long = " + ".join(["vector(1)"] * 4000)

    assert scraping.query(long).series[0].value == 4000


def test_snapshot_without_admin_api_is_an_error(recorded: Recording) -> None:
    with serve(recorded) as prom, pytest.raises(MetricsError, match="admin APIs disabled"):
        prom.snapshot()
