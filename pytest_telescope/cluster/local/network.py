"""The network of a node: addresses that exist only inside its own network namespace.

198.18.0.0/15 is set aside for benchmarks of interconnected devices (RFC 2544, RFC 6890): nothing on the Internet has
these addresses, and the host has no link to them. The node's own address sits on the namespace's loopback device, pods
hang on point-to-point links (CNI `ptp`), and the rest of the world is reached by nobody. The address of the service
`kubernetes` sits on the loopback device too, where the node's relay listens: no kube-proxy runs here.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import socket
import struct

RANGE = ipaddress.ip_network("198.18.0.0/15")
NODE_ADDRESS = "198.18.0.1"
PODS = ipaddress.ip_network("198.19.0.0/16")
KUBERNETES_SERVICE = ("10.0.0.1", 443)
"""Cluster IP of the service `kubernetes`: the first of the API server's range, and named in its certificate."""
KUBELET_PORT = 10250
CONTAINERD_METRICS_PORT = 10257
"""What the nodes of AKS have; its managed Prometheus scrapes it (job `node_runtime` of Azure/prometheus-collector)."""
NODE_EXPORTER_PORT = 9100

_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_SIOCSIFADDR = 0x8916
_SIOCSIFNETMASK = 0x891C
_IFF_UP = 0x1


def is_inside(host: str) -> bool:
    """Tell whether `host` is an address of the node or of one of its pods."""
    try:
        return ipaddress.ip_address(host) in RANGE
    except ValueError:
        return False


def bring_up() -> None:
    """Raise the loopback device of the caller's network namespace; give it the node's and the API server's address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        _raise_link(control, "lo")
        for label, address in (("lo:node", NODE_ADDRESS), ("lo:api", KUBERNETES_SERVICE[0])):
            fcntl.ioctl(control, _SIOCSIFADDR, _with_address(label, address))
            fcntl.ioctl(control, _SIOCSIFNETMASK, _with_address(label, "255.255.255.255"))


def _raise_link(control: socket.socket, name: str) -> None:
    request = struct.pack("16sH14x", name.encode(), 0)
    (flags,) = struct.unpack_from("H", fcntl.ioctl(control, _SIOCGIFFLAGS, request), 16)
    fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", name.encode(), flags | _IFF_UP))


def _with_address(name: str, address: str) -> bytes:
    return struct.pack("16sHH4s8x", name.encode(), socket.AF_INET, 0, socket.inet_aton(address))


def cni(data_folder: str = "/run/cni") -> str:
    """Return the CNI configuration list of the node, as JSON."""
    ipam = {
        "type": "host-local",
        "dataDir": data_folder,
        "ranges": [[{"subnet": str(PODS)}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugin = {"type": "ptp", "ipMasq": False, "ipam": ipam}
    return json.dumps({"cniVersion": "1.0.0", "name": "telescope", "plugins": [plugin]}, indent=1)
