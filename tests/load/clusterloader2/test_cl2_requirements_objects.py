"""What object templates need of a cluster, and that doubt speaks for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_telescope.load.clusterloader2.generated import Filled
from pytest_telescope.load.clusterloader2.requirements_objects import lacking

IMAGES = {"why": "issues load", "capability": "real-nodes", "patterns": ["request-benchmark", "perf-tests-util/tokens"]}
KINDS = {"why": "is foreign", "capability": "real-nodes"}
POD = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: {image}\n"
FOREIGN = "apiVersion: agents.example.io/v1\nkind: Sandbox\n"
DEFINITION = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"


def told(folder: Path, texts: Mapping[str, str], *, values: Mapping[str, object] | None = None) -> list[str]:
    for name, text in texts.items():
        (folder / name).write_text(text)
    filled = [Filled(template=name, values=values or {}) for name in texts]
    return lacking(filled, folder, images=IMAGES, kinds=KINDS)


@pytest.mark.parametrize(
    "text",
    [
        POD.format(image="registry.example/perf/request-benchmark:v1"),
        '{{$image := DefaultParam .IMAGE "registry.example/request-benchmark:v1"}}\n' + POD.format(image="{{$image}}"),
    ],
)
def test_an_image_that_puts_load_on_is_told_with_its_template(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, {"pod.yaml": text}) == [
        "pod.yaml: image request-benchmark issues load (capability real-nodes)"
    ]


def test_an_image_is_found_where_it_is_filled_in(tmp_path: Path) -> None:
    values = {"Image": "example/perf-tests-util/tokens:v1", "Replicas": 3}

    found = told(tmp_path, {"pod.yaml": POD.format(image="{{.Image}}")}, values=values)

    assert found == ["pod.yaml: image perf-tests-util/tokens issues load (capability real-nodes)"]


@pytest.mark.parametrize(
    "text",
    [
        POD.format(image="registry.k8s.io/pause:3.10  # not request-benchmark"),
        "# see util-images/request-benchmark\n" + POD.format(image="registry.k8s.io/pause:3.10"),
        POD.format(image="pause") + "  {{if .Busy}}\n  - image: example/request-benchmark\n  {{end}}\n",
    ],
)
def test_what_is_not_there_for_certain_is_no_reason(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, {"pod.yaml": text}) == []


def test_a_kind_that_is_not_of_kubernetes_is_told(tmp_path: Path) -> None:
    found = told(tmp_path, {"sandbox.yaml": FOREIGN})

    assert found == ["sandbox.yaml: Sandbox (agents.example.io/v1) is foreign (capability real-nodes)"]


@pytest.mark.parametrize(
    "texts",
    [
        {"sandbox.yaml": FOREIGN, "definition.yaml": DEFINITION},
        {"route.yaml": "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"},
        {"deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\n"},
        {"made.yaml": "apiVersion: {{.Version}}\nkind: Sandbox\n"},
    ],
)
def test_a_kind_that_may_be_served_is_no_reason(tmp_path: Path, texts: dict[str, str]) -> None:
    assert told(tmp_path, texts) == []


def test_nothing_is_asked_for_that_the_cluster_has(tmp_path: Path) -> None:
    (tmp_path / "sandbox.yaml").write_text(FOREIGN)

    assert lacking([Filled(template="sandbox.yaml", values={})], tmp_path, images=None, kinds=None) == []


def test_a_template_that_is_not_there_is_left_to_cl2(tmp_path: Path) -> None:
    assert lacking([Filled(template="none.yaml", values={})], tmp_path, images=IMAGES, kinds=KINDS) == []
