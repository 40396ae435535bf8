"""The configuration files of a node: pure text from plain values.

JSON is YAML, so kubelet's files are written as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_telescope.cluster.local import cgroup
from pytest_telescope.cluster.local import network
from pytest_telescope.cluster.local.node_init import CONTAINERD_CONFIG
from pytest_telescope.cluster.local.node_init import SNAPSHOTTER_MARK
from pytest_telescope.cluster.local.node_plan import BIN
from pytest_telescope.cluster.local.node_plan import CONTAINERD_SOCKET

PAUSE = "registry.k8s.io/pause:3.10"
SETTINGS = "/etc/telescope"
MIB = 1024 * 1024
LEAST_MEMORY = 512 * MIB
"""Smallest limit a node starts with: the daemons take half of it."""
DAEMON_CPU = 0.2
"""Cores set aside for kubelet and containerd."""

_KUBELET_MAY_SET = (
    "kubernetes.io/hostname",
    "kubernetes.io/arch",
    "kubernetes.io/os",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
)
_KUBELET_MAY_SET_BELOW = ("kubelet.kubernetes.io", "node.kubernetes.io")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What kubelet sees of the whole machine: CPUs, bytes."""

    cpus: int
    memory: int


def split_labels(labels: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the labels kubelet may give itself, and those an administrator must set through the API."""
    own = {key: value for key, value in labels.items() if _may_set(key)}
    return own, {key: value for key, value in labels.items() if key not in own}


def _may_set(key: str) -> bool:
    prefix = key.rpartition("/")[0]
    reserved = any(prefix == domain or prefix.endswith(f".{domain}") for domain in ("kubernetes.io", "k8s.io"))
    below = any(prefix == domain or prefix.endswith(f".{domain}") for domain in _KUBELET_MAY_SET_BELOW)
    return not reserved or key in _KUBELET_MAY_SET or below


def kubelet(
    *, lease_id: str, capacity: Capacity, limits: cgroup.Limits, max_pods: int, taints: Sequence[str]
) -> dict[str, object]:
    """Return the KubeletConfiguration; allocatable is the limit of the subtree minus what the daemons need."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        **_access(),
        **_resources(lease_id, capacity, limits, max_pods),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "makeIPTablesUtilChains": False,
        "registerWithTaints": [taint(text) for text in taints],
        "resolvConf": "/etc/resolv.conf",
        # Nobody listens there, so a pod's name look-up fails at once; without any, each pod costs a warning event.
        "clusterDNS": ["127.0.0.1"],
        "clusterDomain": "cluster.local",
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "serializeImagePulls": False,
        "nodeStatusUpdateFrequency": "5s",
        "containerLogMaxSize": "10Mi",
        "containerLogMaxFiles": 2,
        # A disk that was already rather full is no reason to evict pods or to delete the imported images.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": dict.fromkeys(
            ("memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree"),
            "0%",
        ),
    }


def _access() -> dict[str, object]:
    return {
        "address": network.NODE_ADDRESS,
        "port": network.KUBELET_PORT,
        "readOnlyPort": 0,
        "healthzPort": 0,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{SETTINGS}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
    }


def _resources(lease_id: str, capacity: Capacity, limits: cgroup.Limits, max_pods: int) -> dict[str, object]:
    root = cgroup.path(lease_id)
    others = {"cpu": millicores(capacity.cpus - limits.cpu), "memory": str(max(capacity.memory - limits.memory, 0))}
    return {
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": root,
        "kubeletCgroups": f"{root}/kubelet",
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "maxPods": max_pods,
        "enforceNodeAllocatable": ["pods"],
        "systemReserved": others,
        "kubeReserved": {"cpu": millicores(DAEMON_CPU), "memory": str(daemon_memory(limits, max_pods))},
    }


def daemon_memory(limits: cgroup.Limits, max_pods: int) -> int:
    """Return the bytes set aside for kubelet, containerd and its shims, one a pod.

    255 MiB and 11 MiB a pod is what EKS reserves (github.com/awslabs/amazon-eks-ami); never more than half the limit.
    """
    return min((255 + 11 * max_pods) * MIB, limits.memory // 2)


def millicores(cores: float) -> str:
    """Spell cores as a Kubernetes quantity."""
    return f"{max(round(cores * 1000), 0)}m"


def taint(text: str) -> dict[str, str]:
    """Read `key=value:Effect` (or `key:Effect`)."""
    rest, _, effect = text.rpartition(":")
    key, _, value = rest.partition("=")
    return {"key": key, "value": value, "effect": effect}


def kubelet_arguments(*, lease_id: str, name: str, labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return kubelet's command line; what has no place in its configuration file."""
    return (
        f"{BIN}/kubelet",
        f"--config={SETTINGS}/kubelet.json",
        f"--kubeconfig={SETTINGS}/kubeconfig.json",
        f"--hostname-override={name}",
        f"--node-ip={network.NODE_ADDRESS}",
        f"--runtime-cgroups={cgroup.path(lease_id)}/containerd",
        "--root-dir=/var/lib/kubelet",
        "--cert-dir=/var/lib/kubelet/pki",
        "--v=2",
        *((f"--node-labels={','.join(f'{key}={value}' for key, value in sorted(labels.items()))}",) if labels else ()),
    )


def kubeconfig(server: str) -> dict[str, object]:
    """Return kubelet's kubeconfig; the API server has the same address inside the node."""
    files = {"client-certificate": f"{SETTINGS}/kubelet.crt", "client-key": f"{SETTINGS}/kubelet.key"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {"server": server, "certificate-authority": f"{SETTINGS}/ca.crt"}}],
        "users": [{"name": "kubelet", "user": files}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "kubelet"}}],
        "current-context": "local",
    }


def containerd() -> str:
    """Return containerd's configuration, version 3; the snapshotter is filled in where it can be tried."""
    return f"""version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.erofs", "io.containerd.internal.v1.tracing"]

[grpc]
address = "{CONTAINERD_SOCKET}"

[metrics]
address = "{network.NODE_ADDRESS}:{network.CONTAINERD_METRICS_PORT}"

# A hundred series a container that cAdvisor has too, read anew at each scrape.
[plugins.'io.containerd.monitor.task.v1.cgroups']
no_prometheus = true

[plugins.'io.containerd.cri.v1.images']
snapshotter = "{SNAPSHOTTER_MARK}"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "{PAUSE}"

[plugins.'io.containerd.transfer.v1.local']
[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
platform = "linux"
snapshotter = "{SNAPSHOTTER_MARK}"

[plugins.'io.containerd.cri.v1.runtime']
# A pod must not become harder to kill than the host's own processes; nor may every root do that.
restrict_oom_score_adj = true
# Profiles would be loaded into the host's kernel and stay there.
disable_apparmor = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ["{BIN}"]
conf_dir = "/etc/cni/net.d"
[plugins.'io.containerd.cri.v1.runtime'.containerd]
default_runtime_name = "runc"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = "{BIN}/runc"
SystemdCgroup = false
"""


def files(
    *, name: str, lease_id: str, server: str, kubelet_config: Mapping[str, object], credentials: Mapping[str, Path]
) -> dict[str, bytes]:
    """Return the node's whole /etc: path -> content."""
    texts = {
        CONTAINERD_CONFIG: containerd(),
        "cni/net.d/10-telescope.conflist": network.cni(),
        "telescope/kubelet.json": json.dumps(kubelet_config, indent=1),
        "telescope/kubeconfig.json": json.dumps(kubeconfig(server), indent=1),
        "hostname": f"{name}\n",
        "hosts": f"127.0.0.1 localhost\n{network.NODE_ADDRESS} {name}\n",
        "machine-id": lease_id.encode().hex().ljust(32, "0")[:32] + "\n",
        "passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
        "group": "root:x:0:\nnogroup:x:65534:\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
        "resolv.conf": "# no name server: nothing outside this node can be reached\n",
        "os-release": _os_release(),
    }
    keys = {f"telescope/{target}": source.read_bytes() for target, source in credentials.items()}
    return {path: text.encode() for path, text in texts.items()} | keys


def _os_release() -> str:
    for file in (Path("/etc/os-release"), Path("/usr/lib/os-release")):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return 'NAME="Linux"\nPRETTY_NAME="Linux"\n'
