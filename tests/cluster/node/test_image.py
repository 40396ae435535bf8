"""OCI archives written without a registry."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.cluster.local import image


@pytest.fixture
def small(tmp_path: Path) -> image.Image:
    program = tmp_path / "program"
    program.write_bytes(b"#!/bin/true\n")
    return image.Image(
        name="registry.example/thing:1.0",
        files={"usr/bin/program": program},
        links={"bin/sh": "../usr/bin/program"},
        folders=("tmp",),
        entrypoint=("/usr/bin/program",),
    )


def opened(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: (tar.extractfile(member) or io.BytesIO()).read() for member in tar}


def blob(members: dict[str, bytes], descriptor: dict[str, Any]) -> bytes:
    content = members["blobs/" + descriptor["digest"].replace(":", "/")]
    assert len(content) == descriptor["size"]
    assert descriptor["digest"] == "sha256:" + hashlib.sha256(content).hexdigest()
    return content


def test_index_manifest_config_and_layer_refer_to_each_other(small: image.Image) -> None:
    members = opened(image.archive(small))

    (manifest_descriptor,) = json.loads(members["index.json"])["manifests"]
    manifest = json.loads(blob(members, manifest_descriptor))
    config = json.loads(blob(members, manifest["config"]))
    layer = blob(members, manifest["layers"][0])
    assert manifest_descriptor["annotations"]["io.containerd.image.name"] == small.name
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]
    assert config["config"]["Entrypoint"] == ["/usr/bin/program"]


def test_the_layer_holds_files_links_and_folders_of_root(small: image.Image) -> None:
    members = opened(image.archive(small))
    (manifest_descriptor,) = json.loads(members["index.json"])["manifests"]
    layer = blob(members, json.loads(blob(members, manifest_descriptor))["layers"][0])

    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        entries = {member.name: member for member in tar}

    assert list(entries) == ["bin", "tmp", "usr", "usr/bin", "usr/bin/program", "bin/sh"]
    assert entries["usr/bin/program"].mode == 0o755
    assert entries["tmp"].mode == 0o1777
    assert entries["bin/sh"].linkname == "../usr/bin/program"
    assert {entry.uid for entry in entries.values()} == {0}


def test_the_same_content_is_the_same_archive_and_other_content_another(small: image.Image, tmp_path: Path) -> None:
    first = image.cached(small, tmp_path / "cache")
    again = image.cached(small, tmp_path / "cache")
    small.files["usr/bin/program"].write_bytes(b"#!/bin/false\n")
    other = image.cached(small, tmp_path / "cache")

    assert first == again
    assert first != other
    assert first.read_bytes() != other.read_bytes()
    assert other.read_bytes() == image.archive(small)
