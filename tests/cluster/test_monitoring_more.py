"""Jobs that a cluster may have or not: which are expected afterwards, and what is said of the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_telescope.cluster import monitoring_more as more


def row(job: str, health: str = "up", *, image: str = "", error: str = "") -> dict[str, Any]:
    found = {"__meta_kubernetes_pod_container_image": image} if image else {}
    return {"labels": {"job": job}, "discoveredLabels": found, "health": health, "lastError": error}


def test_what_discovery_does_not_find_is_not_expected() -> None:
    found = more.sort([row("coredns"), row("coredns")], {"node": 0})

    assert found.targets == {"coredns": 2}
    assert found.lacking == {}


def test_a_job_without_any_target_up_is_not_expected_but_named_with_the_reason() -> None:
    found = more.sort([row("kube-proxy", "down", error="connection refused")], {})

    assert found.targets == {}
    assert found.lacking == {"kube-proxy": "0 of 1 up (connection refused)"}


def test_a_job_with_a_part_of_its_targets_is_expected_whole() -> None:
    found = more.sort([row("node"), row("node", "down", error="timeout")], {"node": 3})

    assert found.targets == {"node": 3}
    assert found.lacking == {"node": "1 of 3 up (timeout)"}


def test_a_target_that_was_never_asked_is_not_up() -> None:
    assert more.sort([row("coredns", "unknown")], {}).targets == {}


def test_versions_are_those_of_all_images() -> None:
    rows = [
        row("coredns", image="r/coredns:v1.12.0"),
        row("coredns", image="r/coredns:v1.11.3"),
        row("node", image="n:1"),
    ]

    assert more.sort(rows, {}).versions == {"coredns": "v1.11.3, v1.12.0"}


def test_waiting_ends_when_all_is_up_and_leaves_other_jobs_alone() -> None:
    answers: Iterator[list[dict[str, Any]]] = iter(
        [[row("coredns", "unknown"), row("kubelet", "down")], [row("coredns"), row("kubelet", "down")]]
    )
    told: list[str] = []

    found = more.wait(lambda: next(answers), {}, ["kubelet"], told.append)

    assert found.targets == {"coredns": 1}
    assert len(told) == 1
    assert "kubelet" not in told[0]


def test_waiting_for_what_does_not_come_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(more, "WITHIN", 0.0)

    assert more.wait(list, {"node": 2}, [], lambda _text: None).lacking == {"node": "0 of 2 up"}
