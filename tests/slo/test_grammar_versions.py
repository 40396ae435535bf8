"""Which versions an SLO trusts, before a run and over its recording."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_telescope.slo.versions import COMPONENTS
from pytest_telescope.slo.versions import mistakes
from pytest_telescope.slo.versions import outside
from pytest_telescope.slo.versions import unknown


@pytest.mark.parametrize(
    ("condition", "version", "trusted"),
    [
        (">=1.36", "v1.36.3", True),
        (">=1.36", "1.35", False),
        (">=1.36", "v1.100.0", True),
        ("<1.36", "v1.36.0", False),
        ("<=1.36", "v1.36.9", True),
        (">1.36", "v1.36.9", False),
        (">1.36", "v1.37.0", True),
        ("==1.36", "v1.36.2", True),
        ("==1.36", "v1.37.0", False),
        (">=1.34, <1.36", "v1.35.1", True),
        (">=1.34, <1.36", "v1.36.0", False),
        (">=1.34.8, <1.35 or >=1.35.4", "v1.34.9-gke.1829001", True),
        (">=1.34.8, <1.35 or >=1.35.4", "v1.35.3", False),
        (">=1.36", "v1.36.0-beta.0", False),
        (">=1.36", "v1.36.1-rc.1", True),
        (">=1.36.1", "v1.36.1-rc.1", False),
        (">= v1.36", "v1.36.0", True),
        (">=2", "1.7.28", False),
    ],
)
def test_versions_are_compared_by_the_numbers_that_a_condition_has(condition: str, version: str, trusted: bool) -> None:
    found = outside({"kubernetes": condition}, {"kubernetes": version})

    assert (found is None) is trusted
    assert found is None or found.startswith(f"kubernetes {version} is outside {condition}")


@pytest.mark.parametrize(
    ("component", "facts", "version"),
    [
        ("kubernetes", {"kubernetes_version": "v0.9.0"}, "v0.9.0"),
        ("kubelet", {"kubelet": "v1.36.3, v0.9.1"}, "v0.9.1"),
        ("kubelet", {"node-kubelet": ["v1.36.3", "v0.9.2"]}, "v0.9.2"),
        ("containerd", {"node-container_runtime": "containerd://0.9.2+unknown"}, "0.9.2+unknown"),
        ("containerd", {"containerd": "containerd://1.7.2, containerd://0.9.3"}, "0.9.3"),
        ("coredns", {"addons": "kube-proxy=v1.34.0,coredns=v0.9.4"}, "v0.9.4"),
        ("kernel", {"kernel": "0.9.5-azure"}, "0.9.5-azure"),
    ],
)
def test_versions_are_found_under_the_names_that_providers_give_them(
    component: str, facts: dict[str, Any], version: str
) -> None:
    found = outside({component: ">=1"}, facts)

    assert found is not None
    assert f"{component} {version} is outside" in found


def test_prometheus_is_told_by_the_version_of_its_go_module() -> None:
    facts = {"prometheus": "v0.313.5 (module)"}

    assert outside({"prometheus": "==3.13.5"}, facts) is None
    assert outside({"prometheus": ">=3.14"}, facts) is not None


@pytest.mark.parametrize(
    ("condition", "facts"),
    [
        (">=1.35.4", {"kubernetes": "1.35"}),
        (">=1.36", {}),
        (">=1.36", {"kubernetes": None}),
        (">=1.36", {"kubernetes": "unknown"}),
    ],
)
def test_a_version_that_is_not_known_is_neither_trusted_nor_not(condition: str, facts: dict[str, Any]) -> None:
    assert outside({"kubernetes": condition}, facts) is None
    assert unknown({"kubernetes": condition}, facts) == ("kubernetes",)


def test_another_runtime_is_not_taken_for_containerd() -> None:
    assert unknown({"containerd": ">=1.7"}, {"containerd": "cri-o://1.31.0"}) == ("containerd",)


def test_all_components_must_be_trusted() -> None:
    facts = {"kubernetes": "v1.36.0", "containerd": "containerd://1.7.2"}

    assert outside({"kubernetes": ">=1.36", "containerd": ">=2"}, facts) is not None
    assert outside({"kubernetes": ">=1.36", "containerd": ">=1.7"}, facts) is None


@pytest.mark.parametrize(
    ("trust", "text"),
    [
        ({"kubernets": ">=1.36"}, "unknown component 'kubernets': did you mean kubernetes?"),
        ({"spaceship": ">=1.36"}, f"unknown component 'spaceship': {', '.join(COMPONENTS)}"),
        ({"kubernetes": "1.36"}, "kubernetes: '1.36' is no condition on a version"),
        ({"kubernetes": "=>1.36"}, "is no condition"),
        ({"kubernetes": ">=1.34,"}, "kubernetes: '' is no condition"),
        ({"kubernetes": 1.36}, "kubernetes: 1.36 is no condition on a version: write e.g. '>=1.36' in quotes"),
    ],
)
def test_mistakes_of_a_trust_are_named(trust: dict[str, Any], text: str) -> None:
    assert [one for one in mistakes(trust) if text in one]


def test_sound_trust_has_no_mistakes() -> None:
    assert mistakes({"kubernetes": ">=1.34.8, <1.35 or >=1.35.4", "containerd": "== 2.1"}) == []
