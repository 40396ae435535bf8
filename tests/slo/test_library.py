"""Every library entry can be used as it is, and Prometheus can read what it asks."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pytest_telescope.slo import library
from pytest_telescope.slo import queries
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.resolve import resolve
from pytest_telescope.toolchain import tool
from tests.slo.test_resolving import EVERYTHING
from tests.slo.test_resolving import cell
from tests.slo.world import WINDOW

SPAN = queries.span(WINDOW, 5.0)


def everything() -> tuple[Slo, ...]:
    names = [name for name in library.entries() if not name.startswith("builtin/")]
    uses = [{"use": name, "id": name.replace("/", "-")} for name in names]
    return resolve(cell(*uses), EVERYTHING)


def asked(slo: Slo) -> list[str]:
    if slo.form == "query":
        return [queries.fill(slo.query, SPAN, {"nodes": ["n1"]})]
    names = [f"{metric}_bucket" for metric in slo.metrics] if slo.form == "histogram" else [slo.total]
    chosen = [queries.selector(name, queries.is_job(slo.job), slo.where) for name in names]
    made = [queries.delta, queries.born_safe_increase]
    return [build(one, slo.by, SPAN) for one in chosen for build in made]


def test_every_entry_resolves_with_its_default_bound() -> None:
    found = everything()

    of_the_other_engine = {"engine-thresholds"}
    assert len(found) == len(library.entries()) - len(of_the_other_engine)
    assert all(slo.description and slo.job and slo.look_at for slo in found)


def test_every_exponential_layout_is_that_of_the_go_client() -> None:
    found = library.entry("kubelet/sandbox-create").buckets_of("1.36")

    assert found[:4] == (0.005, 0.0125, 0.03125, 0.078125)
    assert len(found) == 14


def test_buckets_are_those_of_the_newest_version_that_is_not_newer() -> None:
    entry = library.Entry(name="x/y", keys={}, buckets={"default": (1.0,), "1.30": (2.0,), "1.9": (3.0,)})

    assert [entry.buckets_of(version) for version in ("1.8", "1.10", "1.36", None)] == [(1.0,), (3.0,), (2.0,), (1.0,)]


@pytest.mark.e2e
def test_prometheus_can_read_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"r{n}", "expr": text} for n, text in enumerate(q for slo in everything() for q in asked(slo))]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "library", "rules": rules}]}))

    done = subprocess.run(
        [str(tool("promtool")), "check", "rules", str(file)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
