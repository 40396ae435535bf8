"""The command line of every process of a local cluster; nothing here starts one."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_telescope.cluster.local.layout import Layout

PORTS = ("etcd", "etcd-peer", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "prometheus")
LOOPBACK = "127.0.0.1"
UNLIMITED_QPS = 5000
"""What kwokctl's `--disable-qps-limits` gives to the clients of the API server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One process, and its arguments.

    Attributes:
        tool: the pinned tool it is made from, or the absolute path of another program.
    """

    name: str
    tool: str
    arguments: tuple[str, ...]


def etcd(layout: Layout, ports: Mapping[str, int]) -> Component:
    """Return etcd: mutual TLS to clients and peers; no fsync, because its data ends with the cluster."""
    client = f"https://{LOOPBACK}:{ports['etcd']}"
    peer = f"https://{LOOPBACK}:{ports['etcd-peer']}"
    tls: dict[str, object] = {"cert-file": layout.certificate("etcd"), "key-file": layout.key("etcd")}
    trust: dict[str, object] = {"trusted-ca-file": layout.certificate("etcd-ca"), "client-cert-auth": "true"}
    return Component(
        name="etcd",
        tool="etcd",
        arguments=_flags(
            {
                "name": "telescope",
                "data-dir": layout.etcd,
                "listen-client-urls": client,
                "advertise-client-urls": client,
                "listen-peer-urls": peer,
                "initial-advertise-peer-urls": peer,
                "initial-cluster": f"telescope={peer}",
                **tls,
                **trust,
                **{f"peer-{flag}": value for flag, value in {**tls, **trust}.items()},
                "unsafe-no-fsync": "true",
                "quota-backend-bytes": 8 * 1024**3,
                "auto-compaction-retention": "1",
                "log-level": "warn",
            }
        ),
    )


def apiserver(layout: Layout, ports: Mapping[str, int], egress: Path) -> Component:
    """Return kube-apiserver: loopback, no anonymous user; `egress` says how it reaches nodes, pods and services."""
    flags: dict[str, object] = {
        "bind-address": LOOPBACK,
        "advertise-address": LOOPBACK,
        "secure-port": ports["kube-apiserver"],
        # Endpoints of a service must not be loopback addresses; the node's relay serves the cluster IP of `kubernetes`.
        "endpoint-reconciler-type": "none",
        "service-cluster-ip-range": "10.0.0.0/16",
        "allow-privileged": "true",
        "profiling": "false",
        **_apiserver_trust(layout, ports),
        # What kwokctl's --disable-qps-limits does: the benchmark's own rate decides, not the server's defaults.
        "max-requests-inflight": 0,
        "max-mutating-requests-inflight": 0,
        "enable-priority-and-fairness": "false",
        "egress-selector-config-file": egress,
    }
    return Component(name="kube-apiserver", tool="kube-apiserver", arguments=_flags(flags))


def _apiserver_trust(layout: Layout, ports: Mapping[str, int]) -> dict[str, object]:
    return {
        "anonymous-auth": "false",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "client-ca-file": layout.certificate("ca"),
        "tls-cert-file": layout.certificate("apiserver"),
        "tls-private-key-file": layout.key("apiserver"),
        "etcd-servers": f"https://{LOOPBACK}:{ports['etcd']}",
        "etcd-cafile": layout.certificate("etcd-ca"),
        "etcd-certfile": layout.certificate("etcd-client"),
        "etcd-keyfile": layout.key("etcd-client"),
        "kubelet-client-certificate": layout.certificate("apiserver-kubelet-client"),
        "kubelet-client-key": layout.key("apiserver-kubelet-client"),
        "kubelet-preferred-address-types": "InternalIP,Hostname",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": layout.pki / "service-account.pub",
        "service-account-signing-key-file": layout.key("service-account"),
    }


def controller_manager(layout: Layout, ports: Mapping[str, int]) -> Component:
    """Return kube-controller-manager; its metrics ask the API server who may read them."""
    flags = {
        **_client_flags(layout, ports, "kube-controller-manager"),
        "root-ca-file": layout.certificate("ca"),
        "service-account-private-key-file": layout.key("service-account"),
        "allocate-node-cidrs": "false",
    }
    return Component(name="kube-controller-manager", tool="kube-controller-manager", arguments=_flags(flags))


def scheduler(layout: Layout, ports: Mapping[str, int]) -> Component:
    """Return kube-scheduler with its default profile."""
    flags = _client_flags(layout, ports, "kube-scheduler")
    return Component(name="kube-scheduler", tool="kube-scheduler", arguments=_flags(flags))


def _client_flags(layout: Layout, ports: Mapping[str, int], name: str) -> dict[str, object]:
    kubeconfig = layout.kubeconfigs / name
    return {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authentication-skip-lookup": "true",
        "authorization-kubeconfig": kubeconfig,
        "client-ca-file": layout.certificate("ca"),
        "tls-cert-file": layout.certificate(name),
        "tls-private-key-file": layout.key(name),
        "bind-address": LOOPBACK,
        "secure-port": ports[name],
        "leader-elect": "false",
        "profiling": "false",
        "kube-api-qps": UNLIMITED_QPS,
        "kube-api-burst": UNLIMITED_QPS,
    }


def kwok(layout: Layout, configs: Iterable[Path]) -> Component:
    """Return the kwok controller; without a server address it listens nowhere."""
    flags: dict[str, object] = {
        "kubeconfig": layout.kubeconfigs / "kwok",
        "manage-all-nodes": "false",
        "manage-nodes-with-annotation-selector": "kwok.x-k8s.io/node=fake",
        "node-lease-duration-seconds": 40,
        "node-ip": LOOPBACK,
    }
    files = tuple(f"--config={config}" for config in configs)
    return Component(name="kwok", tool="kwok", arguments=(*_flags(flags), *files))


def prometheus(layout: Layout, ports: Mapping[str, int], config: Path, web: Path) -> Component:
    """Return Prometheus: mutual TLS on loopback, snapshots allowed, new targets looked for ten times a second."""
    flags = {
        "config.file": config,
        "web.config.file": web,
        "web.listen-address": f"{LOOPBACK}:{ports['prometheus']}",
        "storage.tsdb.path": layout.tsdb,
        "storage.tsdb.retention.time": "15d",
        "scrape.discovery-reload-interval": "100ms",
        "log.level": "info",
    }
    return Component(name="prometheus", tool="prometheus", arguments=(*_flags(flags), "--web.enable-admin-api"))


def _flags(values: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(f"--{name}={value}" for name, value in values.items())
