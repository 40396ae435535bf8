"""Container images without a registry: OCI archives written from the pinned tools, byte for byte the same each time.

They carry the upstream names, so that a pod spec written for a managed cluster runs here unchanged.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from pytest_telescope import paths
from pytest_telescope.cluster.durable import write_private

RESOURCE_CONSUMER = "registry.k8s.io/e2e-test-images/resource-consumer:1.13"
APPLETS = (
    "sh",
    "sleep",
    "cat",
    "echo",
    "ls",
    "ps",
    "env",
    "head",
    "tail",
    "kill",
    "true",
    "false",
    "wget",
    "date",
    "grep",
)
LAYOUT = "1"
"""Raise when this file writes other bytes from the same inputs."""
_MEDIA = "application/vnd.oci.image."
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What an image holds: path in it -> file on disk, path -> link target, folders, and its entry point."""

    name: str
    files: Mapping[str, Path]
    links: Mapping[str, str] = field(default_factory=dict)
    folders: Sequence[str] = ()
    entrypoint: Sequence[str] = ()


def pause(name: str, binary: Path) -> Image:
    """Return the sandbox image."""
    return Image(name=name, files={"pause": binary}, entrypoint=("/pause",))


def resource_consumer(*, consumer: Path, consume_cpu: Path, busybox: Path, stress: Path) -> Image:
    """Return the resource-consumer image; `stress` is a folder that holds usr/bin/stress and its libraries."""
    unpacked = {str(file.relative_to(stress)): file for file in sorted(stress.rglob("*")) if file.is_file()}
    programs = {"consumer": consumer, "consume-cpu/consume-cpu": consume_cpu, "bin/busybox": busybox}
    return Image(
        name=RESOURCE_CONSUMER,
        files={**unpacked, **programs},
        links={f"bin/{name}": "busybox" for name in APPLETS},
        folders=("tmp",),
        entrypoint=("/consumer",),
    )


def prometheus(name: str, binary: Path) -> Image:
    """Return Prometheus under the name that manifests ask for; its program lies where upstream's image has it."""
    return Image(name=name, files={"bin/prometheus": binary}, folders=("tmp",), entrypoint=("/bin/prometheus",))


def node_exporter(name: str, binary: Path) -> Image:
    """Return node_exporter likewise."""
    return Image(name=name, files={"bin/node_exporter": binary}, entrypoint=("/bin/node_exporter",))


def cached(image: Image, folder: Path | None = None) -> Path:
    """Return the image's archive, written unless the cache has it from the same content."""
    place = (folder or paths.cache() / "images") / f"{_key(image)}.tar"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        write_private(place, archive(image))
    return place


def _key(image: Image) -> str:
    digest = hashlib.sha256(f"{LAYOUT}{image.name}{image.links}{image.folders}{image.entrypoint}".encode())
    for path, file in sorted(image.files.items()):
        digest.update(f"{path}\0".encode())
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()[:20]


def archive(image: Image) -> bytes:
    """Return the image as an uncompressed OCI archive."""
    layer = _layer(image)
    config = _json(_config(image, layer))
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_MEDIA}manifest.v1+json",
            "config": _descriptor("config.v1+json", config),
            "layers": [_descriptor("layer.v1.tar", layer)],
        }
    )
    named = {"io.containerd.image.name": image.name, "org.opencontainers.image.ref.name": image.name.rpartition(":")[2]}
    index = {"schemaVersion": 2, "manifests": [_descriptor("manifest.v1+json", manifest) | {"annotations": named}]}
    blobs = {f"blobs/sha256/{_sha256(blob)}": blob for blob in (layer, config, manifest)}
    return _tar({"oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": _json(index), **blobs})


def _config(image: Image, layer: bytes) -> dict[str, object]:
    return {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {
            "Entrypoint": list(image.entrypoint),
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
            "WorkingDir": "/",
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256(layer)}"]},
    }


def _layer(image: Image) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for folder in _folders(image):
            tar.addfile(_entry(folder, kind=tarfile.DIRTYPE, mode=0o1777 if folder == "tmp" else 0o755))
        for path, file in sorted(image.files.items()):
            content = file.read_bytes()
            tar.addfile(_entry(path, size=len(content)), io.BytesIO(content))
        for path, target in sorted(image.links.items()):
            tar.addfile(_entry(path, kind=tarfile.SYMTYPE, target=target))
    return buffer.getvalue()


def _folders(image: Image) -> list[str]:
    parents = {str(parent) for path in (*image.files, *image.links) for parent in Path(path).parents}
    return sorted((parents | set(image.folders)) - {"."})


def _entry(
    name: str, *, size: int = 0, kind: bytes = tarfile.REGTYPE, mode: int = 0o755, target: str = ""
) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    entry.type = kind
    entry.mode = mode
    entry.linkname = target
    return entry


def _tar(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members.items():
            tar.addfile(_entry(name, size=len(content), mode=0o644), io.BytesIO(content))
    return buffer.getvalue()


def _descriptor(kind: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": _MEDIA + kind, "digest": f"sha256:{_sha256(blob)}", "size": len(blob)}


def _sha256(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def _json(document: object) -> bytes:
    return json.dumps(document, sort_keys=True).encode()
