"""Certificates of one cluster: three authorities that do not trust each other's clients.

`ca` signs what Kubernetes knows, `etcd-ca` the members and the only client of etcd, `prometheus-ca` the two sides of
Prometheus; so a kubelet's certificate opens neither etcd nor Prometheus.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.local.network import KUBERNETES_SERVICE

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate
    from cryptography.x509 import CertificateBuilder

LIFE = datetime.timedelta(days=30)
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Subject:
    """One certificate to make: its file name, who it names, and who signs it."""

    file: str
    name: str
    group: str | None = None
    authority: str = "ca"
    hosts: tuple[str, ...] = ()


SUBJECTS = (
    Subject(
        "apiserver",
        "kube-apiserver",
        hosts=(LOOPBACK, "localhost", "kubernetes", "kubernetes.default", KUBERNETES_SERVICE[0]),
    ),
    Subject("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
    Subject("admin", "telescope:admin", "system:masters"),
    # One identity with every right instead of a token per controller: it saves some forty requests at start-up.
    Subject("kube-controller-manager", "system:kube-controller-manager", "system:masters", hosts=(LOOPBACK,)),
    Subject("kube-scheduler", "system:kube-scheduler", hosts=(LOOPBACK,)),
    Subject("kwok", "telescope:kwok", "system:masters"),
    Subject("scraper", "telescope:prometheus", "system:monitoring"),
    Subject("etcd", "etcd", authority="etcd-ca", hosts=(LOOPBACK,)),
    Subject("etcd-client", "kube-apiserver-etcd-client", authority="etcd-ca"),
    Subject("etcd-scraper", "telescope:prometheus", authority="etcd-ca"),
    Subject("prometheus", "prometheus", authority="prometheus-ca", hosts=(LOOPBACK, "localhost")),
    Subject("prometheus-client", "telescope:harness", authority="prometheus-ca"),
)
AUTHORITIES = ("ca", "etcd-ca", "prometheus-ca")


def kubelet_subject(node: str) -> Subject:
    """Return the certificate of a node's kubelet, good as client and as server."""
    return Subject("kubelet", f"system:node:{node}", "system:nodes", hosts=(LOOPBACK, node))


def write_pki(layout: Layout, extra: Iterable[Subject] = ()) -> None:
    """Make all keys and certificates of a cluster below `layout.pki`."""
    private_folder(layout.pki)
    authorities = {name: _authority(layout, name) for name in AUTHORITIES}
    for subject in (*SUBJECTS, *extra):
        _issue(layout, subject, *authorities[subject.authority])
    _service_account_key(layout)


def _authority(layout: Layout, name: str) -> tuple[EllipticCurvePrivateKey, Certificate]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    key = _new_key()
    builder = _builder(_name(f"telescope {name}", None), _name(f"telescope {name}", None), key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    _write(layout, name, key, certificate)
    return key, certificate


def _issue(layout: Layout, subject: Subject, signer: EllipticCurvePrivateKey, authority: Certificate) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = _new_key()
    builder = _builder(_name(subject.name, subject.group), authority.subject, key)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if subject.hosts else [])]
    builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    if subject.hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(_hosts(subject.hosts)), critical=False)
    _write(layout, subject.file, key, builder.sign(signer, hashes.SHA256()))


def _hosts(hosts: tuple[str, ...]) -> list[x509.GeneralName]:
    from cryptography import x509

    return [x509.IPAddress(ipaddress.ip_address(h)) if h[0].isdigit() else x509.DNSName(h) for h in hosts]


def _builder(subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey) -> CertificateBuilder:
    from cryptography import x509

    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFE)
    )


def _name(common: str, group: str | None) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, authority: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _new_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _write(layout: Layout, name: str, key: EllipticCurvePrivateKey, certificate: Certificate) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    write_private(layout.key(name), _pem(key))
    write_private(layout.certificate(name), certificate.public_bytes(Encoding.PEM))


def _service_account_key(layout: Layout) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.hazmat.primitives.serialization import PublicFormat

    key = _new_key()
    write_private(layout.key("service-account"), _pem(key))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    write_private(layout.pki / "service-account.pub", public)


def _pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
