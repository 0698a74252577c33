#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packs a Wasm module as OCI image layouts, one folder for every way in which registries hold
modules, so that each can be pushed, pulled and tested. Equal modules give equal bytes.

https://github.com/opencontainers/image-spec/blob/v1.0.0/image-layout.md
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import struct
import tempfile
import zlib
from pathlib import Path

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"
EPOCH = "1970-01-01T00:00:00Z"


class Layout:
    """Blobs by their digests, and the one entry of index.json."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def add(self, media_type: str, data: bytes | dict, **fields: object) -> dict:
        """Keeps a blob and returns its descriptor; a dict becomes JSON."""
        if isinstance(data, dict):
            data = json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data), **fields}

    def write(self, folder: Path, root: dict) -> None:
        """Blobs first, then the index that names them, then what it no longer names goes."""
        blobs = folder / "blobs/sha256"
        blobs.mkdir(parents=True, exist_ok=True)
        names = {digest.removeprefix("sha256:"): data for digest, data in self.blobs.items()}
        for name, data in sorted(names.items()):
            replace(blobs / name, data)
        root = root | {"annotations": {"org.opencontainers.image.ref.name": "latest"}}
        index = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": [root]}
        replace(folder / "oci-layout", b'{"imageLayoutVersion":"1.0.0"}\n')
        replace(folder / "index.json", json.dumps(index, indent=2, sort_keys=True).encode() + b"\n")
        for path in blobs.iterdir():
            if path.name not in names:
                path.unlink(missing_ok=True)


def replace(path: Path, data: bytes) -> None:
    """Writes a file in one step, and only if it would change."""
    if path.is_file() and path.read_bytes() == data:
        return
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)


def tar(name: str, data: bytes) -> bytes:
    """An archive of one file (ustar), owned by root and dated 1970."""
    header = bytearray(512)

    def put(offset: int, text: str) -> None:
        header[offset : offset + len(text)] = text.encode()

    put(0, name)
    for offset, text in ((100, "0000644\0"), (108, "0000000\0"), (116, "0000000\0")):
        put(offset, text)
    put(124, f"{len(data):011o}\0")
    put(136, f"{0:011o}\0")
    put(148, " " * 8)
    put(156, "0")
    put(257, "ustar\00000")
    put(148, f"{sum(header):06o}\0 ")
    return bytes(header) + data + bytes(-len(data) % 512 + 1024)


def gzip(data: bytes) -> bytes:
    """One gzip member without name and time; Python's own header differs by version."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = deflate.compress(data) + deflate.flush()
    return (
        b"\x1f\x8b\x08\0\0\0\0\0\x02\xff" + body + struct.pack("<II", zlib.crc32(data), len(data))
    )


def image(layout: Layout, module: bytes, *, docker: bool = False, arch: str = "amd64") -> dict:
    """The compat form: a container image whose only layer holds plugin.wasm."""
    archive = tar("plugin.wasm", module)
    types = {
        "manifest": f"{DOCKER}.distribution.manifest.v2+json"
        if docker
        else f"{OCI}.manifest.v1+json",
        "config": f"{DOCKER}.container.image.v1+json" if docker else f"{OCI}.config.v1+json",
        "layer": f"{DOCKER}.image.rootfs.diff.tar.gzip" if docker else f"{OCI}.layer.v1.tar+gzip",
    }
    config = {
        "architecture": arch,
        "config": {},
        "created": EPOCH,
        "history": [{"created": EPOCH, "created_by": "plugin.wasm"}],
        "os": "linux",
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(archive).hexdigest()}"],
        },
    }
    layers = [layout.add(types["layer"], gzip(archive))]
    platform = {"architecture": arch, "os": "linux"}
    config_descriptor = layout.add(types["config"], config)
    return manifest(layout, types["manifest"], config_descriptor, layers, platform=platform)


def manifest(
    layout: Layout, media_type: str, config: dict, layers: list, *, platform=None, **fields
) -> dict:
    content = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers}
    return layout.add(media_type, content | fields, **({"platform": platform} if platform else {}))


def compat(layout: Layout, module: bytes) -> dict:
    return image(layout, module)


def docker(layout: Layout, module: bytes) -> dict:
    return image(layout, module, docker=True)


def artifact(layout: Layout, module: bytes) -> dict:
    """The module as it is: one layer, and no configuration."""
    kind = "application/vnd.module.wasm.content.layer.v1+wasm"
    config = layout.add("application/vnd.oci.empty.v1+json", b"{}")
    layers = [layout.add(kind, module)]
    return manifest(layout, f"{OCI}.manifest.v1+json", config, layers, artifactType=kind)


def artifact_two_layers(layout: Layout, module: bytes) -> dict:
    """The older artifact, the only one that Istio takes: the module and its configuration."""
    config_type = "application/vnd.module.wasm.config.v1+json"
    config = layout.add(config_type, {"type": "envoy_proxy", "abiVersions": ["v0.2.1"]})
    layers = [
        layout.add("application/vnd.module.wasm.config.layer.v1+json", {"config": {}}),
        layout.add("application/vnd.module.wasm.content.layer.v1+wasm", module),
    ]
    return manifest(layout, f"{OCI}.manifest.v1+json", config, layers)


def wasm(layout: Layout, module: bytes) -> dict:
    """https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/"""
    layer = layout.add("application/wasm", module)
    config = {
        "architecture": "wasm",
        "created": EPOCH,
        "layerDigests": [layer["digest"]],
        "os": "wasip1",
    }
    descriptor = layout.add("application/vnd.wasm.config.v0+json", config)
    return manifest(layout, f"{OCI}.manifest.v1+json", descriptor, [layer])


def index(layout: Layout, module: bytes) -> dict:
    """An image for two platforms, as build tools make them."""
    images = [image(layout, module, arch=arch) for arch in ("amd64", "arm64")]
    content = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": images}
    return layout.add(f"{OCI}.index.v1+json", content)


FORMS = {
    "compat": compat,
    "docker": docker,
    "artifact": artifact,
    "artifact-two-layers": artifact_two_layers,
    "wasm": wasm,
    "index": index,
}


def pack(module: bytes, folder: Path) -> None:
    """Writes every form of a module to `folder`/<form>."""
    for name, form in FORMS.items():
        layout = Layout()
        layout.write(folder / name, form(layout, module))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", type=Path, help="a .wasm file")
    parser.add_argument("folder", type=Path, help=f"where to write {', '.join(FORMS)}")
    arguments = parser.parse_args()
    pack(arguments.module.read_bytes(), arguments.folder)
