# SPDX-License-Identifier: Apache-2.0
"""The OCI layouts of the plugins: their digests, their forms, and a registry that takes them."""

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from conftest import ROOT
from skiff_e2e.oci import OCILayout
from skiff_e2e.registry import Registry

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONTENT = "application/vnd.module.wasm.content.layer.v1+wasm"
# Of each form: the root's type, and the types of a manifest, its configuration and its layers.
FORMS = {
    "compat": (
        OCI_MANIFEST,
        [OCI_MANIFEST],
        "application/vnd.oci.image.config.v1+json",
        ["application/vnd.oci.image.layer.v1.tar+gzip"],
    ),
    "docker": (
        DOCKER_MANIFEST,
        [DOCKER_MANIFEST],
        "application/vnd.docker.container.image.v1+json",
        ["application/vnd.docker.image.rootfs.diff.tar.gzip"],
    ),
    "artifact": (OCI_MANIFEST, [OCI_MANIFEST], "application/vnd.oci.empty.v1+json", [CONTENT]),
    "artifact-two-layers": (
        OCI_MANIFEST,
        [OCI_MANIFEST],
        "application/vnd.module.wasm.config.v1+json",
        ["application/vnd.module.wasm.config.layer.v1+json", CONTENT],
    ),
    "wasm": (
        OCI_MANIFEST,
        [OCI_MANIFEST],
        "application/vnd.wasm.config.v0+json",
        ["application/wasm"],
    ),
    "index": (
        OCI_INDEX,
        [OCI_MANIFEST, OCI_MANIFEST, OCI_INDEX],
        "application/vnd.oci.image.config.v1+json",
        ["application/vnd.oci.image.layer.v1.tar+gzip"],
    ),
}
PLUGINS = ("basic-auth", "body-rewrite", "hello", "response-headers")


@pytest.fixture(scope="module")
def layouts(wasm_modules) -> Path:
    return ROOT / ".build/plugins/oci"


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with Registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


def module_of(media_type: str, layer: bytes) -> bytes | None:
    """The module in a layer, however it is wrapped."""
    if media_type in (CONTENT, "application/wasm"):
        return layer
    if not media_type.endswith(("tar+gzip", "tar.gzip")):
        return None
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as archive:
        (entry,) = archive.getmembers()
        assert (entry.name, entry.mtime, entry.uid, entry.mode) == ("plugin.wasm", 0, 0, 0o644)
        return archive.extractfile(entry).read()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_layout_is_whole_and_holds_the_module(wasm_modules, layouts, plugin, form):
    root_type, manifest_types, config_type, layer_types = FORMS[form]
    layout = OCILayout(layouts / plugin / form)
    manifests = layout.manifests()
    assert layout.root["mediaType"] == root_type
    assert [descriptor["mediaType"] for descriptor in manifests] == manifest_types
    named = {descriptor["digest"] for descriptor in [*manifests, *layout.blobs()]}
    on_disk = {f"sha256:{path.name}" for path in (layout.folder / "blobs/sha256").iterdir()}
    assert on_disk == named
    for descriptor in manifests:
        content = json.loads(layout.blob(descriptor))
        assert (content["schemaVersion"], content["mediaType"]) == (2, descriptor["mediaType"])
        if descriptor["mediaType"] == OCI_INDEX:
            continue
        assert content["config"]["mediaType"] == config_type
        assert [layer["mediaType"] for layer in content["layers"]] == layer_types
        layers = [(layer["mediaType"], layout.blob(layer)) for layer in content["layers"]]
        modules = [found for layer in layers if (found := module_of(*layer)) is not None]
        assert modules == [wasm_modules[plugin].read_bytes()]
        check_configuration(json.loads(layout.blob(content["config"])), config_type, layers)


def check_configuration(config: dict, media_type: str, layers: list[tuple[str, bytes]]) -> None:
    digests = [f"sha256:{hashlib.sha256(data).hexdigest()}" for _, data in layers]
    if media_type.endswith(("image.config.v1+json", "container.image.v1+json")):
        unpacked = [hashlib.sha256(gzip.decompress(data)).hexdigest() for _, data in layers]
        assert config["rootfs"]["diff_ids"] == [f"sha256:{digest}" for digest in unpacked]
        assert config["os"] == "linux"
    elif media_type.endswith("vnd.wasm.config.v0+json"):
        assert (config["architecture"], config["layerDigests"]) == ("wasm", digests)
    elif media_type.endswith("empty.v1+json"):
        assert config == {}


def test_an_index_names_an_image_for_every_platform(layouts):
    layout = OCILayout(layouts / "basic-auth/index")
    first, second, _ = layout.manifests()
    assert [each["platform"] for each in (first, second)] == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux"},
    ]
    assert first["digest"] != second["digest"]
    assert first["digest"] == OCILayout(layouts / "basic-auth/compat").digest


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_packing_is_reproducible_and_leaves_nothing_behind(wasm_modules, layouts, tmp_path):
    pack = [ROOT / "scripts/oci_layout.py"]
    subprocess.run([*pack, wasm_modules["hello"], tmp_path / "x"], check=True, timeout=60)
    # Over another module's layouts: its blobs go.
    subprocess.run([*pack, wasm_modules["basic-auth"], tmp_path / "x"], check=True, timeout=60)
    assert contents(tmp_path / "x") == contents(layouts / "basic-auth")


@pytest.mark.parametrize("form", FORMS)
def test_a_registry_takes_a_layout_and_gives_it_back(wasm_modules, layouts, registry, form):
    layout = OCILayout(layouts / "basic-auth" / form)
    repository = f"plugins/{form}"
    assert registry.push(layout.folder, repository, "v1") == layout.digest
    client = registry.client()
    digest, manifest = client.manifest(repository, "v1", accept=FORMS[form][0])
    assert (digest, manifest) == (layout.digest, layout.blob(layout.root))
    assert client.manifest(repository, digest, accept=FORMS[form][0]) == (digest, manifest)
    for descriptor in layout.blobs():
        assert client.blob(repository, descriptor["digest"]) == layout.blob(descriptor)
