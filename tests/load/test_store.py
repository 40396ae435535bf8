from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pytest_telescope.errors import LoadError
from pytest_telescope.errors import UsageError
from pytest_telescope.load.accounting import account
from pytest_telescope.load.engines import engine
from pytest_telescope.load.manifests import command
from pytest_telescope.load.model import LoadResult
from pytest_telescope.load.model import PodStart
from pytest_telescope.load.namespaces import namespace_of
from pytest_telescope.load.sizing import Sizing
from pytest_telescope.load.store import load_result_from
from pytest_telescope.load.store import save


def test_a_result_comes_back_from_its_folder_as_it_was(tmp_path: Path) -> None:
    starts = (
        PodStart(name="rc-1", node="n", created=1.5, scheduled=1.75, running=2.25, upper_bound=True),
        PodStart(
            name="rc-2", node=None, created=2.5, scheduled=None, running=None, reason="Unschedulable", detail="no"
        ),
    )
    result = LoadResult(
        outcome="incomplete",
        started=1.5,
        ended=9.0,
        steps={"wave-1": (1.5, 9.0)},
        pods=account(starts),
        starts=starts,
        asked_cpu=0.5,
        namespaces=("telescope-x",),
        message="1 of 2 pods ran",
        facts={"achieved_rate": 10.0},
    )

    saved = save(result, tmp_path)

    assert load_result_from(tmp_path) == saved
    assert dataclasses.replace(saved, files=()) == result
    assert [path.name for path in saved.files] == ["pods.jsonl", "load.json"]


def test_a_folder_without_a_load_says_so(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="not the folder of a load"):
        load_result_from(tmp_path)


def test_engines_are_known_by_name() -> None:
    assert engine("resource-consumer").name == "resource-consumer"
    assert engine("clusterloader2").name == "clusterloader2"
    with pytest.raises(UsageError, match="does not exist"):
        engine("kperf")


@pytest.mark.parametrize("cell", ["local-cri--p60", "aks-" + "x" * 80, "aks-" + "x" * 48 + "-y" * 10])
def test_namespaces_are_dns_labels_and_differ_by_cell(cell: str) -> None:
    name = namespace_of(cell)

    assert name.startswith("telescope-")
    assert len(name) <= 63
    assert name != namespace_of(cell + "z")


CPU = "/consume-cpu/consume-cpu -millicores=20 -duration-sec=61"
MEMORY = "stress --vm 1 --vm-bytes 2K --vm-hang 0 --timeout 61s"


@pytest.mark.parametrize(
    ("millicores", "memory", "line"),
    [
        (20, 2048, f"{CPU} & exec {MEMORY}"),
        (20, 0, f"exec {CPU}"),
        (0, 2048, f"exec {MEMORY}"),
        (0, 0, "exec sleep 61"),
    ],
)
def test_a_pod_runs_what_it_shall_consume_and_no_more(millicores: int, memory: int, line: str) -> None:
    sizing = Sizing(millicores=millicores, memory=memory, memory_request=1, landing={}, real=0, even=True)

    assert command(sizing, 60.2) == ["sh", "-c", line]
