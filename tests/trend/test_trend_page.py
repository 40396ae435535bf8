"""The page of trends is whole, asks for nothing and can be searched, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from pytest_telescope.trend.drawing import NEWEST
from pytest_telescope.trend.drawing import picture
from pytest_telescope.trend.gathering import gather
from pytest_telescope.trend.page import page
from pytest_telescope.trend.verdicts import trends
from tests.trend import made_runs
from tests.trend.test_trend_verdicts import METRIC
from tests.trend.test_trend_verdicts import records
from tests.trend.test_trend_verdicts import wave

if TYPE_CHECKING:
    from playwright.sync_api import Page

EVIL = '<script>alert("x")</script>'


def made() -> str:
    found = records([*wave(30), None, *wave(8, 2.5)], low=None)
    found += [
        made_runs.record(n, "steady-one", one, fingerprint="a" if n < 9 else "b") for n, one in enumerate(wave(20))
    ]
    found += [made_runs.record(n, EVIL, one, cell="local-cri") for n, one in enumerate(wave(8))]
    return page(trends(gather(found)))


def test_a_picture_is_xml_with_a_dot_a_run_and_a_mark_a_change() -> None:
    (trend,) = trends(gather(records([*wave(30), None, *wave(8, 2.5)], bound=2.6, operator="max")))

    tree = ElementTree.fromstring(picture(trend))

    classes = [one.get("class", "") for one in tree.iter()]
    assert len(tree.findall("circle")) == 38
    assert classes.count("mark regression") == classes.count("gap") == classes.count("bound") == 1
    assert classes.count("level") == 2


def test_a_long_history_shows_its_newest_runs_and_counts_the_others() -> None:
    (trend,) = trends(gather(records(wave(NEWEST + 50))))

    drawn = picture(trend)

    assert drawn.count("<circle") == NEWEST
    assert "50 older runs not shown" in drawn


@pytest.mark.parametrize("values", [[0.0] * 8, [5.0] * 8, [-1.0] * 8, [None] * 8, [1.0], [1e-9, 1e9] * 4])
def test_any_values_can_be_drawn(values: list[float | None]) -> None:
    (trend,) = trends(gather(records(values)))

    drawn = picture(trend)

    assert "nan" not in drawn
    assert "inf" not in drawn


def test_the_page_holds_no_address_and_no_foreign_markup() -> None:
    told = made()

    assert "http:" not in told
    assert "https:" not in told
    assert EVIL not in told


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, browser: str) -> Iterator[Page]:
    from playwright.sync_api import sync_playwright

    file = tmp_path_factory.mktemp("page") / "trend.html"
    file.write_text(made(), encoding="utf-8")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        shown = chromium.new_page()
        shown.set_default_timeout(10_000)
        asked: list[str] = []
        shown.on("request", lambda request: asked.append(request.url))
        shown.on("pageerror", lambda error: asked.append(str(error)))
        shown.goto(file.as_uri())
        assert asked == [file.as_uri()]
        yield shown
        chromium.close()


def test_a_browser_shows_the_regression_first_and_searches(opened: Page) -> None:
    assert "regression since" in opened.locator("article").first.inner_text()

    opened.fill("[type=search]", "steady-one")

    assert opened.locator("article:visible h3").all_inner_texts() == ["steady-one\nsteady"]
    assert opened.locator("section:visible").count() == 1


def test_states_can_be_switched_off(opened: Page) -> None:
    opened.fill("[type=search]", "")
    opened.uncheck("[value=steady]")

    assert [one.split()[0] for one in opened.locator("article:visible h3").all_inner_texts()] == [METRIC]
