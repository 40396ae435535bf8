"""Warnings are errors in the tests of this project, never in a benchmark run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Turn warnings into errors for the items below this folder."""
    own = {path: HERE in path.parents for path in {item.path for item in items}}
    for item in items:
        if own[item.path]:
            item.add_marker(pytest.mark.filterwarnings("error"), append=False)
            # python-terraform calls the deprecated Logger.warn whenever Terraform exits with another code than 0
            item.add_marker(pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated:DeprecationWarning"))


@pytest.fixture(scope="session")
def browser() -> str:
    """The path of a Chromium; CI must have one."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is not None:
        return found
    text = "no Chromium on PATH: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)
