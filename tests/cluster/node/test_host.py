"""What the machine can carry, and what changed on it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.cluster.local import cgroup
from pytest_telescope.cluster.local import host
from pytest_telescope.cluster.local import node
from pytest_telescope.cluster.local import node_ready
from pytest_telescope.errors import ProvisionError

GIB = 1024**3
ALL_CAPABILITIES = "000001ffffffffff"
TREES = (cgroup.Hierarchy(mount=Path("/"), version=1, controllers=frozenset({"cpu", "memory", "pids"})),)
CLEAN: dict[str, Any] = {
    "mounts": ["/", "/home"],
    "links": ["1:lo", "2:eth0"],
    "routes": ["0.0.0.0 via 192.0.2.1 dev eth0"],
    "addresses": ["127.0.0.1", "192.0.2.2"],
    "rules": [],
    "sysctls": {"kernel/panic": "0", "vm/overcommit_memory": "0"},
    "cgroups": [],
}


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a /proc of a machine on which root may do everything."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name in ("net", "mnt", "pid", "ipc", "uts"):
        (tmp_path / "self/ns" / name).mkdir(parents=True)
    (tmp_path / "self/uid_map").write_text("         0          0 4294967295\n", encoding="ascii")
    (tmp_path / "self/status").write_text(f"Name:\tx\nCapEff:\t{ALL_CAPABILITIES}\n", encoding="ascii")
    (tmp_path / "self/mountinfo").write_text("", encoding="ascii")
    (tmp_path / "meminfo").write_text("MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n", encoding="ascii")
    return tmp_path


def why(proc: Path, trees: tuple[cgroup.Hierarchy, ...] = TREES) -> str:
    return host.why_no_real_node(proc, system="linux", trees=trees) or "nothing"


def test_a_whole_machine_can_carry_a_node(proc: Path) -> None:
    assert why(proc) == "nothing"


def test_another_system_is_named() -> None:
    assert "needs Linux, this is darwin" in (host.why_no_real_node(system="darwin") or "")


def test_another_user_is_told_to_be_root(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert "needs root" in why(proc)


def test_missing_capabilities_are_named(proc: Path) -> None:
    (proc / "self/status").write_text("CapEff:\t00000000a80425fb\n", encoding="ascii")

    assert "CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_SYS_ADMIN" in why(proc)


def test_root_of_a_user_namespace_is_not_enough(proc: Path) -> None:
    (proc / "self/uid_map").write_text("0 1000 1\n", encoding="ascii")

    assert "user namespace" in why(proc)


def test_a_forbidden_namespace_names_the_sysctl(proc: Path) -> None:
    (proc / "sys/user").mkdir(parents=True)
    (proc / "sys/user/max_net_namespaces").write_text("0\n", encoding="ascii")

    assert "user.max_net_namespaces is 0" in why(proc)


def test_missing_controllers_are_named(proc: Path) -> None:
    trees = (cgroup.Hierarchy(mount=Path("/"), version=2, controllers=frozenset({"cpu"})),)

    assert "offers memory, pids" in why(proc, trees)


def test_a_read_only_cgroup_file_system_is_named(proc: Path) -> None:
    tree = cgroup.Hierarchy(mount=Path("/cg"), version=1, controllers=TREES[0].controllers, writable=False)

    assert "/cg is mounted read-only" in why(proc, (tree,))


def test_a_container_whose_cgroup_holds_processes_is_told_so(proc: Path, tmp_path: Path) -> None:
    for name, text in (("cgroup.type", "domain"), ("cgroup.subtree_control", ""), ("cgroup.procs", "1\n")):
        (tmp_path / name).write_text(text, encoding="ascii")
    tree = cgroup.Hierarchy(mount=tmp_path, version=2, controllers=TREES[0].controllers)

    assert "holds processes itself" in why(proc, (tree,))


def test_the_answer_comes_at_once() -> None:
    started = time.perf_counter()

    host.why_no_real_node()

    assert time.perf_counter() - started < 0.5


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux files")
def test_the_default_is_half_of_what_is_available_and_a_core_is_left(proc: Path) -> None:
    limits = host.default_limits(proc)

    assert limits.memory == 2 * GIB
    assert limits.cpu == max(len(os.sched_getaffinity(0)) - 1, 1)


def test_a_narrower_cgroup_counts_instead_of_the_machine(proc: Path, tmp_path: Path) -> None:
    own = tmp_path / "cg/mine/deep"
    own.mkdir(parents=True)
    (own.parent / "memory.limit_in_bytes").write_text(str(2 * GIB), encoding="ascii")
    (own.parent / "memory.usage_in_bytes").write_text(str(GIB), encoding="ascii")
    (proc / "self/cgroup").write_text("4:memory:/mine/deep\n", encoding="ascii")
    mount = f"31 25 0:27 / {tmp_path / 'cg'} rw - cgroup cgroup rw,memory\n"
    (proc / "self/mountinfo").write_text(mount, encoding="ascii")

    assert host.available_memory(proc) == GIB


def test_an_unchanged_host_has_nothing_left() -> None:
    assert host.compare(CLEAN, CLEAN) == []


def test_changes_of_others_are_not_ours() -> None:
    after = CLEAN | {
        "mounts": ["/", "/home", "/mnt/usb", "/var/lib/docker/overlay2/x/merged"],
        "links": ["1:lo", "2:eth0", "7:veth12ab34c"],
        "routes": [*CLEAN["routes"], "172.17.0.0 via 0.0.0.0 dev docker0"],
        "addresses": [*CLEAN["addresses"], "172.17.0.1"],
        "rules": ["-A DOCKER -d 172.17.0.2/32 -j ACCEPT"],
        "sysctls": {"kernel/panic": "30", "vm/overcommit_memory": "0"},
    }

    assert host.compare(CLEAN, after) == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"mounts": [*CLEAN["mounts"], "/run/telescope-0123abcd/x"]}, "mount"),
        ({"routes": [*CLEAN["routes"], "198.19.0.5 via 0.0.0.0 dev veth1"]}, "route"),
        ({"addresses": [*CLEAN["addresses"], "198.18.0.1"]}, "link"),
        ({"rules": ["-A POSTROUTING -s 198.19.0.7/32 -j MASQUERADE"]}, "rule"),
        ({"rules": [":KUBE-FIREWALL - [0:0]"]}, "rule"),
        ({"sysctls": {"kernel/panic": "10", "vm/overcommit_memory": "0"}}, "sysctl"),
        ({"cgroups": ["/sys/fs/cgroup/kubepods"]}, "cgroup"),
    ],
)
def test_what_a_node_could_leave_is_seen(change: dict[str, Any], kind: str) -> None:
    found = host.compare(CLEAN, CLEAN | change)

    assert [leftover.kind for leftover in found] == [kind]


def test_chains_of_another_kubelet_are_not_ours() -> None:
    before = CLEAN | {"rules": [":KUBE-FIREWALL - [0:0]"]}

    assert host.compare(before, before | {"rules": [":KUBE-FIREWALL - [0:0]", ":KUBE-SVC-X - [0:0]"]}) == []


def test_a_long_folder_gets_a_short_socket(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)

    assert node.egress_socket("0123abcd", Path("/short")) == Path("/short/egress.sock")
    assert node.egress_socket("0123abcd", long) == Path("/run/telescope-0123abcd/egress.sock")


def test_stopping_what_never_was_does_nothing(tmp_path: Path) -> None:
    node.stop("ffffffff", tmp_path / "none")
    node.stop("ffffffff", None)

    assert node.leftovers("ffffffff", tmp_path / "none") == []


def test_a_node_that_is_not_ready_in_time_says_what_is_known() -> None:
    clock = iter(range(100))
    not_ready = {"status": {"conditions": [{"type": "Ready", "status": "False", "message": "cni not initialized"}]}}

    with pytest.raises(ProvisionError, match="not Ready after 5 s: cni not initialized"):
        node_ready.wait(lambda: not_ready, lambda: None, timeout=5, clock=lambda: next(clock), sleep=lambda _: None)


def test_a_node_that_ended_is_not_waited_for() -> None:
    with pytest.raises(ProvisionError, match="ended at start"):
        node_ready.wait(lambda: None, lambda: "node x ended at start", timeout=60)
