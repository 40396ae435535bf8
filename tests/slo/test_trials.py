"""`telescope slo test`: series written by hand, judged by the real Prometheus."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pytest

from pytest_telescope.cli import main
from pytest_telescope.errors import UsageError
from pytest_telescope.slo import slo_command
from pytest_telescope.slo.trials.model import HistogramOf
from pytest_telescope.slo.trials.model import Observed
from pytest_telescope.slo.trials.model import Trial
from pytest_telescope.slo.trials.notation import expand
from pytest_telescope.slo.trials.reading import read
from pytest_telescope.slo.trials.world import openmetrics

TRIALS = Path(__file__).parent / "data" / "trials.yaml"
SHORT = """\
counted:
  window: [15s, 75s]
  slos:
    - {id: depth, query: 'max(max_over_time(depth{job="a"}[${w}]))', unit: count, max: 3}
  targets: {a: [i1]}
  series: {'depth{job="a", instance="i1"}': 1x15}
  expect: {depth: {verdict: PASS, value: 1}}
"""


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5", [5]),
        ("5x2", [5, 5, 5]),
        ("0+10x3", [0, 10, 20, 30]),
        ("1e2-25x2 _ 7", [100, 75, 50, None, 7]),
        ("_x3 -1.5", [None, None, None, -1.5]),
    ],
)
def test_series_are_written_as_promtool_writes_them(text: str, values: list[float | None]) -> None:
    assert expand(text) == values


def test_not_a_number_and_infinity_can_be_written() -> None:
    not_a_number, infinite = expand("NaN +Inf")

    assert not_a_number is not None
    assert math.isnan(not_a_number)
    assert infinite == math.inf


@pytest.mark.parametrize("text", ["", "5+1", "x3", "1,2", "stale", "1+1xx2", "0x100001"])
def test_what_is_no_series_is_an_error(text: str) -> None:
    with pytest.raises(UsageError):
        expand(text)


def test_a_histogram_counts_its_observations_from_their_time_on() -> None:
    written = HistogramOf(
        name="d", labels={"a": "b"}, buckets=(1.0, 5.0), before=2, observations=(Observed(at=7.0, value=3.0, count=4),)
    )
    lines = openmetrics(Trial(window=(0.0, 10.0), histograms=(written,), expect={})).splitlines()

    assert [line.rpartition(" ")[0] for line in lines if line.startswith("d_bucket") and 'le="5"' in line] == [
        'd_bucket{a="b",le="5"} 2.0',
        'd_bucket{a="b",le="5"} 2.0',
        'd_bucket{a="b",le="5"} 6.0',
    ]
    assert [line.split()[1] for line in lines if line.startswith("d_sum")] == ["0", "0", "12.0"]


def test_the_shipped_trials_say_what_they_should() -> None:
    out = io.StringIO()

    assert slo_command.test(out, [TRIALS]) == 0, out.getvalue()
    assert out.getvalue().splitlines()[-1] == "4 of 4 judgements as expected"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("verdict: PASS", "verdict: FAIL"), "expected FAIL, found PASS"),
        (("value: 1", "value: 2"), "expected the value 2, found 1"),
        (("value: 1", "says: slow"), "expected the words 'slow'"),
        (("1x15", "7x15"), "expected PASS, found FAIL"),
    ],
)
def test_a_judgement_that_is_not_as_expected_is_red(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], words: str
) -> None:
    file = tmp_path / "trials.yaml"
    file.write_text(SHORT.replace(*change))

    assert main(["slo", "test", str(file)]) == 1
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("max: 3", "max: 3s"), 4, "max:"),
        (("window:", "windows:"), 2, "window"),
        (("expect: {depth", "expect: {deep"), 1, "no SLO of that id"),
        (("verdict: PASS", "verdict: GREEN"), 7, "verdict"),
        (("counted:\n", "counted: 3\nother:\n"), 1, "is no trial"),
    ],
)
def test_mistakes_are_told_with_their_line_before_anything_runs(
    tmp_path: Path, change: tuple[str, str], line: int, words: str
) -> None:
    file = tmp_path / "trials.yaml"
    file.write_text(SHORT.replace(*change))

    with pytest.raises(UsageError) as caught:
        read(file)
    assert any(text.startswith(f"{file}:{line}: ") and words in text for text in str(caught.value).splitlines())


def test_the_library_can_be_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slo", "list", "kubelet"]) == 0
    listed = capsys.readouterr().out
    assert main(["slo", "show", "kubelet/sandbox-create"]) == 0
    shown = capsys.readouterr().out

    assert "kubelet/sandbox-create" in listed
    assert "etcd/" not in listed
    assert "3.05" in shown
    assert "run_podsandbox" in shown
    assert "https://" in shown


def test_an_unknown_entry_is_named_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slo", "show", "kubelet/sandbox-creat"]) == 4
    assert "did you mean kubelet/sandbox-create?" in capsys.readouterr().err
    assert main(["slo", "list", "kubelets"]) == 4
    assert "its files are" in capsys.readouterr().err
