"""Where the parts of one local cluster lie below its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one local cluster; every folder is 0700, every key 0600."""

    folder: Path

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.folder / "pki"

    @property
    def logs(self) -> Path:
        """One file a component; the only thing that `down` leaves."""
        return self.folder / "logs"

    @property
    def processes(self) -> Path:
        """One record a process that was started."""
        return self.folder / "processes"

    @property
    def etcd(self) -> Path:
        """The data of etcd."""
        return self.folder / "etcd"

    @property
    def tsdb(self) -> Path:
        """The data of Prometheus."""
        return self.folder / "prometheus"

    @property
    def node(self) -> Path:
        """All that belongs to the real node."""
        return self.folder / "node"

    @property
    def kubeconfigs(self) -> Path:
        """One kubeconfig a component."""
        return self.folder / "kubeconfigs"

    @property
    def config(self) -> Path:
        """Configuration files of the components."""
        return self.folder / "config"

    @property
    def kubeconfig(self) -> Path:
        """The admin's kubeconfig."""
        return self.kubeconfigs / "admin"

    @property
    def facts(self) -> Path:
        """What became of it, as JSON; written last, so its presence means ready."""
        return self.folder / "facts.json"

    @property
    def error(self) -> Path:
        """Why it did not come up, in whole lines: Terraform breaks them."""
        return self.logs / "up.error"

    def certificate(self, name: str) -> Path:
        """File of a certificate."""
        return self.pki / f"{name}.crt"

    def key(self, name: str) -> Path:
        """File of a key."""
        return self.pki / f"{name}.key"

    def log(self, name: str) -> Path:
        """Log of a component."""
        return self.logs / f"{name}.log"
