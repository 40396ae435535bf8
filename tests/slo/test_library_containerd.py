"""Every generation of containerd names its metrics anew; the library finds them all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.slo.model import Verdict
from tests.slo.library_worlds import GENERATIONS
from tests.slo.library_worlds import MIB
from tests.slo.library_worlds import Node
from tests.slo.library_worlds import judged
from tests.slo.library_worlds import ramp
from tests.slo.library_worlds import served_world
from tests.slo.library_worlds import step
from tests.slo.library_worlds import used
from tests.slo.world import World
from tests.slo.world import observed


def runtimes() -> World:
    """Return a containerd of each generation that all did the same."""
    made = World()
    for generation in GENERATIONS:
        target = Node(made, f"containerd {generation}")
        moves = "containerd_cri_sandboxed" if generation in GENERATIONS[1:3] else "containerd_cri"
        shown = ("containerd_cri", "containerd_cri_sandboxed") if generation.startswith("1.7") else (moves,)
        for prefix in shown:
            _runtime(target, prefix, prefix == moves)
    return made


def _runtime(target: Node, prefix: str, moves: bool) -> None:
    took = observed(396, 0.2) + observed(4, 3.0) if moves else []
    for name in ("sandbox_create_network", "sandbox_delete_network"):
        target.histogram(f"{prefix}_{name}_seconds", took)
    if not moves:
        return  # labelled ones are there from their first observation on
    for name in ("sandbox_runtime_create", "container_create", "container_start", "container_remove"):
        target.histogram(f"{prefix}_{name}_seconds", took, runtime="io.containerd.runc.v2")
    target.histogram(f"{prefix}_network_plugin_operations_duration_seconds_seconds", took, operation_type="set_up_pod")
    operations = f"{prefix}_network_plugin_operations"
    target.series(f"{operations}_total_total", step(400), operation_type="set_up_pod")
    target.series(f"{operations}_errors_total_total", step(2, None), operation_type="set_up_pod")


@pytest.fixture(scope="module")
def containerds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    yield from served_world(tmp_path_factory.mktemp("containerds"), runtimes())


@pytest.mark.e2e
@pytest.mark.parametrize(
    "name",
    [
        "cni/add",
        "cni/delete",
        "cni/set-up",
        "containerd/sandbox-runtime-create",
        "containerd/container-create",
        "containerd/container-start",
        "containerd/container-remove",
    ],
)
def test_every_generation_of_containerd_gives_the_same_answer(containerds: Prometheus, name: str) -> None:
    found = [judged(containerds, used(name, job=f"containerd {generation}")) for generation in GENERATIONS]

    assert {one.verdict for one in found} == {Verdict.PASS}, [one.message for one in found]
    assert len({(one.value, one.count, one.bucket) for one in found}) == 1
    assert found[0].count == 400


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["cni/add", "containerd/container-create"])
def test_slow_containerd_fails_by_either_generation(containerds: Prometheus, name: str) -> None:
    slow = [
        judged(containerds, used(name, job=f"containerd {generation}", max="100ms")).verdict
        for generation in GENERATIONS
    ]

    assert slow == [Verdict.FAIL] * 4


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("name", "generation", "version"),
    [
        ("cni/errors", "1.7", "1.7.32"),
        ("cni/errors", "2.4", "2.4.2"),
        ("cni/errors-sandboxed", "1.7 with CRI sandboxes", "1.7.32"),
        ("cni/errors-sandboxed", "2.0", "2.0.0"),
    ],
)
def test_failures_of_the_network_plugin_are_seen_by_the_name_of_their_generation(
    containerds: Prometheus, name: str, generation: str, version: str
) -> None:
    found = judged(containerds, used(name, job=f"containerd {generation}"), containerd=version)

    assert (found.verdict, found.value, found.count) == (Verdict.FAIL, 2 / 400, 400)


@pytest.mark.e2e
def test_name_of_the_other_generation_is_never_green(containerds: Prometheus) -> None:
    missing = judged(containerds, used("cni/errors", job="containerd 2.0"), containerd="2.0.0")
    untrusted = judged(containerds, used("cni/errors-sandboxed", job="containerd 2.4"), containerd="2.4.2")

    assert (missing.verdict, untrusted.verdict) == (Verdict.INVALID, Verdict.INVALID)
    assert "containerd 2.4.2 is outside <2.1" in untrusted.message


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("shown", "pulled"),
    [
        (("containerd_cri", "containerd_cri_sandboxed"), "containerd_cri"),
        (("containerd_cri", "containerd_cri_sandboxed"), "containerd_cri_sandboxed"),
        (("containerd_cri_sandboxed",), "containerd_cri_sandboxed"),
    ],
)
def test_mean_throughput_of_pulls_is_that_of_the_name_that_moved(
    tmp_path: Path, shown: tuple[str, ...], pulled: str
) -> None:
    made = World()
    target = Node(made, "containerd")
    for prefix in shown:
        moved = float(prefix == pulled)
        target.series(f"{prefix}_image_pulling_throughput_sum", ramp(20 * moved))
        target.series(f"{prefix}_image_pulling_throughput_count", ramp(moved))
    for prom in served_world(tmp_path / "pulls", made):
        found = judged(prom, used("containerd/image-throughput"))

    assert found.verdict is Verdict.PASS
    assert found.value == pytest.approx(20 * 8 * MIB)


@pytest.mark.e2e
def test_throughput_without_a_pull_is_invalid_and_not_zero(tmp_path: Path) -> None:
    made = World()
    target = Node(made, "containerd")
    target.series("containerd_cri_sandboxed_image_pulling_throughput_sum", 0.0)
    target.series("containerd_cri_sandboxed_image_pulling_throughput_count", 0.0)
    for prom in served_world(tmp_path / "none", made):
        found = judged(prom, used("containerd/image-throughput"))

    assert found.verdict is Verdict.INVALID
    assert "NaN" in found.message
