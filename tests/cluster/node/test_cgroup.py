"""The subtree of a lease, on folders that stand for cgroup file systems."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_telescope.cluster.local import cgroup

LEASE = "0123abcd"
LIMITS = cgroup.Limits(cpu=1.5, memory=2**31, pids=500)
HYBRID = """\
24 1 0:22 / /proc rw,relatime - proc proc rw
30 25 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
31 25 0:27 / /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory
32 25 0:28 / /sys/fs/cgroup/systemd rw,relatime shared:9 - cgroup cgroup rw,xattr,name=systemd
33 25 0:26 / /elsewhere rw,relatime - cgroup cgroup rw,cpu,cpuacct
34 25 0:29 / {unified} rw,relatime - cgroup2 cgroup2 rw
"""


def written(file: Path) -> str:
    return file.read_text(encoding="ascii")


def v2_tree(folder: Path, offered: str = "cpu cpuset io memory pids") -> cgroup.Hierarchy:
    (folder / "cgroup.controllers").write_text(offered, encoding="ascii")
    (folder / "cgroup.subtree_control").write_text("", encoding="ascii")
    return cgroup.Hierarchy(mount=folder, version=2, controllers=frozenset(offered.split()))


def v1_tree(folder: Path, *controllers: str) -> cgroup.Hierarchy:
    folder.mkdir()
    return cgroup.Hierarchy(mount=folder, version=1, controllers=frozenset(controllers))


def test_each_hierarchy_is_read_once_with_its_controllers(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("hugetlb", encoding="ascii")
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(HYBRID.format(unified=tmp_path), encoding="ascii")

    trees = cgroup.hierarchies(mountinfo)

    assert [(tree.version, set(tree.controllers), tree.writable) for tree in trees] == [
        (1, {"cpu", "cpuacct"}, True),
        (1, {"memory"}, False),
        (1, {"name=systemd"}, True),
        (2, {"hugetlb"}, True),
    ]
    assert cgroup.version(trees) == 1


def test_a_v2_subtree_gets_all_limits_and_hands_controllers_down(tmp_path: Path) -> None:
    tree = v2_tree(tmp_path)

    cgroup.create(LEASE, LIMITS, [tree])

    own = tmp_path / "telescope" / LEASE
    assert written(own / "cpu.max") == "150000 100000"
    assert written(own / "memory.max") == str(2**31)
    assert written(own / "pids.max") == "500"
    for folder in (tmp_path, own.parent, own):
        assert written(folder / "cgroup.subtree_control").startswith("+")
    assert {path.name for path in own.iterdir() if path.is_dir()} == {"containerd", "kubelet", "node_exporter"}
    assert cgroup.version([tree]) == 2


def test_a_v2_tree_that_refuses_a_needed_controller_is_an_error(tmp_path: Path) -> None:
    tree = v2_tree(tmp_path)
    (tmp_path / "cgroup.subtree_control").unlink()
    (tmp_path / "cgroup.subtree_control").mkdir()

    with pytest.raises(OSError, match="subtree_control"):
        cgroup.create(LEASE, LIMITS, [tree])


def test_v1_subtrees_get_their_limits_and_a_filled_cpuset(tmp_path: Path) -> None:
    cpu = v1_tree(tmp_path / "cpu", "cpu", "cpuacct")
    memory = v1_tree(tmp_path / "memory", "memory")
    cpuset = v1_tree(tmp_path / "cpuset", "cpuset")
    for name, value in (("cpuset.cpus", "0-3\n"), ("cpuset.mems", "0\n")):
        (cpuset.mount / name).write_text(value, encoding="ascii")

    cgroup.create(LEASE, LIMITS, [cpu, memory, cpuset])

    own = f"telescope/{LEASE}"
    assert written(cpu.mount / own / "cpu.cfs_quota_us") == "150000"
    assert written(memory.mount / own / "memory.limit_in_bytes") == str(2**31)
    assert written(cpuset.mount / own / "kubelet" / "cpuset.cpus") == "0-3"


def test_a_controller_that_a_tree_lacks_is_not_written(tmp_path: Path) -> None:
    tree = v1_tree(tmp_path / "freezer", "freezer")

    cgroup.create(LEASE, LIMITS, [tree])

    assert not [path for path in (tree.mount / "telescope").rglob("*") if path.is_file()]


def test_empty_folders_are_removed_from_all_trees_and_other_leases_stay(tmp_path: Path) -> None:
    trees = [v1_tree(tmp_path / name, name) for name in ("freezer", "devices")]
    for lease in (LEASE, "other"):
        cgroup.create(lease, LIMITS, trees)

    left = cgroup.remove(LEASE, trees)

    assert left == []
    assert cgroup.roots(LEASE, trees) == []
    assert len(cgroup.roots("other", trees)) == 2


def test_a_folder_that_will_not_go_is_told_after_the_timeout(tmp_path: Path) -> None:
    tree = v1_tree(tmp_path / "cpu", "cpu")
    cgroup.create(LEASE, LIMITS, [tree])
    clock = iter(range(100))
    slept: list[float] = []

    left = cgroup.remove(LEASE, [tree], timeout=3, clock=lambda: next(clock), sleep=slept.append)

    assert left == [tree.mount / "telescope" / LEASE]
    assert len(slept) == 2


def test_every_process_in_the_subtree_is_killed(tmp_path: Path) -> None:
    tree = v1_tree(tmp_path / "pids", "pids")
    cgroup.create(LEASE, LIMITS, [tree])
    sleeper = subprocess.Popen(["sleep", "60"])
    members = tree.mount / "telescope" / LEASE / "kubelet" / "cgroup.procs"
    members.write_text(f"{sleeper.pid}\n0\n", encoding="ascii")

    alive = cgroup.kill(LEASE, [tree], sleep=empty_once_ended(sleeper, members))

    assert alive == set()
    assert sleeper.returncode == -9


def empty_once_ended(process: subprocess.Popen[bytes], members: Path) -> Callable[[float], None]:
    def sleep(_: float) -> None:
        process.wait(5)
        members.write_text("", encoding="ascii")

    return sleep


def test_lifting_the_cpu_limit_leaves_the_memory_limit(tmp_path: Path) -> None:
    tree = v2_tree(tmp_path)
    cgroup.create(LEASE, LIMITS, [tree])

    cgroup.lift_cpu(LEASE, [tree])

    own = tmp_path / "telescope" / LEASE
    assert written(own / "cpu.max") == "max"
    assert written(own / "memory.max") == str(2**31)
