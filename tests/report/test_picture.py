"""The picture of an SLO: a sound SVG that shows what was measured and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.report.chart import Area
from pytest_telescope.report.chart import Scale
from pytest_telescope.report.picture import picture
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Trace
from pytest_telescope.slo.model import Verdict
from tests.report.busy_node import WINDOW
from tests.report.busy_node import judged
from tests.report.busy_node import latency

T = 1_700_000_000.0
SVG = "{http://www.w3.org/2000/svg}"


def trace(*values: float | None, name: str = "p99 in slices of 20s, node n1", unit: str = "s") -> Trace:
    return Trace(name=name, unit=unit, points=tuple((T + 10 * n, one) for n, one in enumerate(values, 1)), query="")


def red(*traces: Trace, limit: float = 5.0, signals: tuple[Trace, ...] = ()) -> Judgement:
    return Judgement(
        slo="running",
        verdict=Verdict.FAIL,
        message="running p99 6 s > 5 s",
        unit=traces[0].unit if traces else "s",
        bound=Bound(operator="max", values=(limit,), unit="s", text=""),
        window=(T, T + 100),
        traces=traces,
        signals=signals,
    )


def parsed(judgement: Judgement, **steps: tuple[float, float]) -> ET.Element:
    return ET.fromstring(picture(judgement, steps))


def drawn(root: ET.Element, tag: str, style: str) -> list[ET.Element]:
    return [one for one in root.iter(f"{SVG}{tag}") if style in (one.get("class") or "").split()]


def words(root: ET.Element) -> list[str]:
    return [one.text or "" for one in root.iter(f"{SVG}text")]


def test_a_gap_breaks_the_line_is_marked_and_is_told() -> None:
    root = parsed(red(trace(1, 2, None, None, 6, 6)))

    assert [len((one.get("points") or "").split()) for one in drawn(root, "polyline", "l0")] == [2, 2]
    assert len(drawn(root, "rect", "gap")) == 2
    assert any("2 of 6 points without a value" in one for one in words(root))


def test_a_point_alone_is_a_dot() -> None:
    root = parsed(red(trace(1, 1, None, 6, None, 1, 1)))

    assert len(drawn(root, "circle", "f0")) == 1


@pytest.mark.parametrize("values", [[3.0], [0.0, 0.0], [-1.0, -2.0], [1e-9, 2e-9], [1e12, 3.0]])
def test_any_numbers_make_a_picture_within_its_frame(values: list[float]) -> None:
    root = parsed(red(trace(*values)))

    numbers = [
        float(one) for line in drawn(root, "polyline", "l0") for one in re.split(r"[ ,]", line.get("points") or "")
    ]
    assert all(0 <= one <= 760 for one in numbers)
    assert "nan" not in ET.tostring(root, "unicode").lower()


def test_the_bound_is_a_line_with_its_value() -> None:
    root = parsed(red(trace(1, 6)))

    assert len(drawn(root, "line", "bound")) == 1
    assert "bound 5 s" in words(root)


def test_both_ends_of_a_range_are_lines() -> None:
    one = replace(red(trace(1, 6)), bound=Bound(operator="between", values=(2.0, 5.0), unit="s", text=""))

    assert len(drawn(parsed(one), "line", "bound")) == 2


def test_a_bound_far_above_is_told_instead_of_flattening_the_line() -> None:
    root = parsed(red(trace(0.01, 0.02), limit=5.0))

    assert drawn(root, "line", "bound") == []
    assert any("the bound, 5 s, is far above" in one for one in words(root))


def test_steps_of_the_load_are_bands_with_names_and_those_too_short_are_left_out() -> None:
    root = parsed(red(trace(1, 6)), **{"wave-1": (T, T + 50), "hold-1": (T + 50, T + 99), "blink": (T + 99, T + 99.1)})

    assert "wave-1" in words(root)
    assert "hold-1" in words(root)
    assert "blink" not in ET.tostring(root, "unicode")


def test_each_element_has_a_line_of_its_own_and_the_sixth_is_left_out() -> None:
    root = parsed(red(*(trace(1, 2, name=f"p99 in slices of 20s, node n{number}") for number in range(7))))

    assert [len(drawn(root, "polyline", f"l{number}")) for number in range(6)] == [1, 1, 1, 1, 1, 0]
    assert any(one.startswith("node n4: 1 s to 2 s") for one in words(root))


def test_signals_that_stand_out_come_first_and_say_so() -> None:
    calm = trace(0.2, 0.3, name="memory available n1", unit="ratio")
    hot = trace(0.2, 0.98, name="CPU busy n1", unit="ratio")

    told = [one for one in words(parsed(red(trace(1, 6), signals=(calm, hot)))) if one.endswith(("out", "%"))]

    assert told[-2:] == ["CPU busy n1: 20 % to 98 %, stands out", "memory available n1: 20 % to 30 %"]


def test_without_a_line_there_is_no_picture() -> None:
    assert not picture(red())
    assert not picture(red(trace(None, None)))


def test_labels_cannot_break_out_of_the_picture() -> None:
    root = parsed(red(trace(1, 6, name='p99, path </text><script>"&')))

    assert any('path </text><script>"&' in one for one in words(root))
    assert not list(root.iter(f"{SVG}script"))


def test_a_picture_has_colours_for_light_and_dark_and_loads_nothing() -> None:
    text = picture(red(trace(1, 6)))

    assert "prefers-color-scheme:dark" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_the_picture_of_a_real_judgement_is_small(busy: Prometheus) -> None:
    text = picture(judged(busy, latency()), WINDOW.steps)

    assert ET.fromstring(text).tag == f"{SVG}svg"
    assert len(text) < 20_000


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 6.3), (-4.0, 9.0), (0.0, 1e-7), (0.0, 7e11)])
def test_ticks_are_few_round_and_within_the_scale(low: float, high: float) -> None:
    scale = Scale.over([low, high])

    ticks = scale.ticks()

    assert 2 <= len(ticks) <= 8
    assert all(scale.low <= one <= scale.high for one in ticks)


def test_times_outside_are_kept_at_the_edge() -> None:
    area = Area(top=0, height=10, start=0, end=10)

    assert area.x(-5) == area.left
    assert area.x(15) == area.right
