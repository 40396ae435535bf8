"""The report of 5,000 results against what the Allure CLI alone takes for the same report of the same files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.sidebyside import Pairs
from benchmarks.sidebyside import side_by_side
from pytest_telescope import paths
from pytest_telescope.report.allure_run import categories
from pytest_telescope.toolchain import nodejs
from pytest_telescope.toolchain import tool

RESULTS = 5000
SLOS = 20
"""Items of a cell."""
RUN = "20261126-120000-abcd"
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 240">' + '<path d="M0 0L720 240"/>' * 100 + "</svg>"
COMMAND = """\
import argparse, sys
from pytest_telescope.report import command
parser = argparse.ArgumentParser()
command.arguments(parser)
sys.exit(command.run(parser.parse_args(), sys.stdout))
"""
CONFIG = """\
import {config} from "%s";
export default config(%s);
"""


def measure(pairs: int = 5) -> Iterator[Pairs]:
    """Yield the figure; both make the same single page, and each remembers it in a history of its own."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        publish = base / "runs" / RUN / "publish"
        _write(publish)
        allure, node = tool("allure"), nodejs.node(lambda _seconds: None)
        command = [str(node), str(allure / "node_modules" / "allure" / "cli.js"), "generate", "-c", str(_config(base))]
        yield side_by_side(
            f"report of {RESULTS} results against the Allure CLI alone",
            lambda: _run([sys.executable, "-c", COMMAND, RUN, "--telescope-dir", str(base)]),
            lambda: _run([*command, str(publish / "allure-results")]),
            pairs=pairs,
            target=1.2,
        )


def _run(command: list[str]) -> None:
    subprocess.run(
        command, cwd=paths.checkout(), check=True, stdout=subprocess.DEVNULL, env=dict(os.environ), timeout=300
    )


def _config(base: Path) -> Path:
    order = {
        "name": RUN,
        "output": str(base / "by-hand"),
        "history": str(base / "by-hand.jsonl"),
        "historyLimit": 30,
        "singleFile": True,
        "variables": {},
        "categories": categories(),
        "attachments": [],
        "rules": [],
    }
    file = base / "allurerc.mjs"
    file.write_text(CONFIG % (paths.modules() / "report" / "allurerc.mjs", json.dumps(order)))
    return file


def _write(publish: Path) -> None:
    """Write results as allure-pytest does, one in ten red and with its picture, and the run's records."""
    results = publish / "allure-results"
    results.mkdir(parents=True)
    records = []
    for number in range(RESULTS):
        cell, slo = f"aks-bench--r{number // SLOS}", f"slo-{number % SLOS}"
        document = _result(number, cell, slo)
        (results / f"{document['uuid']}-result.json").write_text(json.dumps(document))
        for attachment in document["attachments"]:
            (results / attachment["source"]).write_text(PICTURE)
        records.append(_record(number, cell, slo))
    samples = [_sample(record) for record in records]
    (results / f"{uuid.uuid4()}-perf.json").write_text(json.dumps(samples))
    (publish / "results.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


def _result(number: int, cell: str, slo: str) -> dict[str, Any]:
    is_red = number % 10 == 0
    start = 1_795_000_000_000 + 100 * number
    line = f"FAIL {slo} p99 3.2 s > 3 s (+7 %), node n1, n=400"
    labels = {
        "tag": "aks",
        "parentSuite": "aks",
        "suite": "bench",
        "subSuite": cell,
        "severity": "critical",
        "framework": "pytest",
        "language": "cpython3",
        "package": "scenarios.test_scenarios",
    }
    return {
        "uuid": str(uuid.uuid4()),
        "name": f"{cell} {slo}",
        "status": "failed" if is_red else "passed",
        **({"statusDetails": {"message": line, "trace": f"{line}\n" + "detail\n" * 40}} if is_red else {}),
        "parameters": [{"name": "cell", "value": f"'{cell}'"}, {"name": "slo", "value": f"'{slo}'"}],
        "attachments": [
            {"name": f"{slo} over the window", "source": f"{uuid.uuid4()}-attachment.svg", "type": "image/svg+xml"}
        ][: int(is_red)],
        "steps": [
            {"name": f"query {step}", "status": "passed", "start": start, "stop": start + 10} for step in range(3)
        ],
        "start": start,
        "stop": start + 90,
        "testCaseId": "t",
        "fullName": "scenarios.test_scenarios#test_slo",
        "labels": [{"name": name, "value": value} for name, value in labels.items()],
        "titlePath": ["scenarios", "test_scenarios.py"],
    }


def _record(number: int, cell: str, slo: str) -> dict[str, Any]:
    return {
        "schema": 1,
        "run": RUN,
        "cell": cell,
        "fingerprint": "f",
        "functional": False,
        "reused": False,
        "position": 1,
        "metric": slo,
        "value": 1.0 + number % 7,
        "unit": "s",
        "n": 400.0,
        "slo": slo,
        "verdict": "PASS",
        "bound": [9.0],
        "operator": "max",
        "margin": 0.5,
        "message": f"{slo} p99 1 s <= 9 s",
    }


def _sample(record: dict[str, Any]) -> dict[str, Any]:
    key = f"{record['cell']}/{record['metric']}"
    return {"id": key, "key": key, "value": record["value"], "start": 1, "stop": 2, "unit": "s", "better": "lower"}
