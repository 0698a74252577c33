# SPDX-License-Identifier: Apache-2.0
"""WasmPlugins with modules from a real registry: every layout, by tag and by digest, with logins,
by mirrors, and what happens while the registry refuses or is away."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from conftest import ROOT
from skiff_e2e.ads import EXTENSION
from skiff_e2e.agent import AgentStage, wasm_plugin_yaml
from skiff_e2e.oci import basic, docker_config
from skiff_e2e.private_ca import PrivateCA
from skiff_e2e.registry import Registry
from skiff_e2e.skiffd import skiffctl
from skiff_e2e.stage import with_backend
from skiff_e2e.token_server import TokenRequest, TokenServer
from skiff_e2e.wasm import digest

OCI = ROOT / ".build/plugins/oci/response-headers"
LAYOUTS = ["artifact", "artifact-two-layers", "compat", "docker", "index", "wasm"]
PLUGIN = "extensions.istio.io/wasmplugin/istio-system"


@pytest.fixture
def stage(tmp_path):
    with AgentStage(tmp_path) as stage:
        yield with_backend(stage)


@pytest.fixture
def module(wasm_modules: dict[str, Path]) -> bytes:
    return wasm_modules["response-headers"].read_bytes()


def login(folder: Path, host: str, name: tuple[str, str]) -> dict[str, str]:
    """The environment of an agent with a docker configuration, in the form of a pull secret."""
    folder.mkdir()
    (folder / "config.json").write_text(docker_config({host: name}))
    return {"DOCKER_CONFIG": str(folder)}


def ready(name: str, url: str, module: bytes) -> dict:
    return {
        "resource": f"{PLUGIN}.{name}",
        "plugin": f"istio-system.{name}",
        "url": url,
        "phase": "READY",
        "sha256": digest(module),
        "attempts": 0,
    }


def test_every_layout_by_tag_and_by_digest(stage, module, tmp_path):
    with Registry(tmp_path) as registry:
        plugins = {}
        for layout in LAYOUTS:
            manifest = registry.push(OCI / layout, layout, "v1")
            plugins[f"{layout}-tag"] = registry.reference(layout, "v1")
            plugins[f"{layout}-digest"] = registry.reference(layout, manifest)
        for name, url in plugins.items():
            stage.write(f"{name}.yaml", wasm_plugin_yaml(url, {f"x-{name}": "there"}, name=name))
        stage.start()
        expected = {f"x-{name}": "there" for name in plugins}
        stage.answer(lambda response: expected.items() <= response.headers.items())
        assert stage.wait_for_phase("READY", count=len(plugins)) == [
            ready(name, url, module) for name, url in sorted(plugins.items())
        ]
        # Layers with the same bytes are one file.
        assert [path.stem for path in stage.agent.cached_files() if path.suffix == ".wasm"] == [
            digest(module)
        ]
        # By tag and by digest it is the same image, and is downloaded once; an index is known by
        # its own digest as well as by that of the manifest in it.
        layers = [line for line in registry.requests("/blobs/") if line.startswith("GET")]
        downloads = dict.fromkeys(LAYOUTS, 1) | {"index": 2}
        assert Counter(line.split("/")[2] for line in layers) == downloads
        assert stage.agent.fetches() == {"success": 7}
        assert stage.agent.conversions() == {"success": 12}


def test_a_registry_over_https_with_a_private_ca_verifies_the_digest(stage, module, tmp_path):
    ca = PrivateCA(tmp_path / "ca")
    with Registry(tmp_path, tls=(ca, ca.issue("registry"))) as registry:
        manifest = registry.push(OCI / "compat", "filters/mark", "v1")
        url = registry.reference("filters/mark", "v1")
        checked = wasm_plugin_yaml(url, {"x-said": "one"}, sha256=manifest.removeprefix("sha256:"))
        stage.write("mark.yaml", checked)
        stage.start(flags=["--wasm-ca-bundle", f"{registry.host}={ca.bundle}"]).said("one")
        assert stage.wait_for_phase("READY") == [ready("mark", url, module)]

        # The checksum of an image is the digest of its manifest, not that of the module.
        wrong = digest(module)
        stage.write("mark.yaml", wasm_plugin_yaml(url, {"x-said": "two"}, sha256=wrong))
        skiffd = stage.skiffd
        (rejection,) = stage.agent.wait_for("a rejection", lambda: skiffd.rejections("gateway"))
        assert rejection["reason"] == (
            f"extension config {PLUGIN}.mark: Wasm module {url}: checksum_mismatched: {url}: "
            f"expected sha256:{wrong}, found {manifest}"
        )
        stage.said("one")


def test_a_password_by_the_agents_docker_configuration(stage, module, tmp_path):
    with Registry(tmp_path, password=True) as registry:
        registry.push(OCI / "compat", "private/mark", "v1")
        url = registry.reference("private/mark", "v1")
        stage.write("mark.yaml", wasm_plugin_yaml(url, {"x-said": "one"}))
        stage.start(environment=login(tmp_path / "docker", registry.host, registry.login))
        stage.said("one")
        assert stage.wait_for_phase("READY") == [ready("mark", url, module)]
        assert_secret(stage, registry.login)


def test_a_password_by_the_pull_secret_of_the_plugin(stage, module, tmp_path):
    with Registry(tmp_path, password=True) as registry:
        registry.push(OCI / "compat", "private/mark", "v1")
        url = registry.reference("private/mark", "v1")
        plugin = wasm_plugin_yaml(url, {"x-said": "one"}, imagePullSecret="registry")
        stage.write("mark.yaml", plugin)
        stage.start(ready=False)
        skiffd = stage.skiffd
        (warning,) = skiffd.wait_for("the warning", lambda: named_secret(skiffd))
        assert warning["reason"] == (
            "there is no Secret istio-system/registry; the image is not pulled"
        )
        # Whoever makes the Secret needs to do nothing else.
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "registry", "namespace": "istio-system"},
            "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": docker_config({registry.host: registry.login})},
        }
        stage.write("secret.yaml", json.dumps(secret))
        stage.said("one")
        assert stage.wait_for_phase("READY")[0]["url"] == url
        assert_secret(stage, registry.login)
        pages = ["configz", "problemsz", "wasmz", "adsz", "syncz", "rejectsz", "registryz"]
        pages += ["config_dump?proxyID=gateway", "ecdsz?proxyID=gateway"]
        shown = [json.dumps(stage.skiffd.get(f"/debug/{page}")) for page in pages]
        config = ["-f", str(stage.config)]
        node = "router~127.0.0.1~gateway.istio-system~istio-system.svc.cluster.local"
        labels = ["--labels", "istio=ingressgateway"]
        shown += [skiffctl("translate", *config, "--node", node, *labels).stdout]
        shown += [skiffctl("validate", *config).stdout]
        assert "[redacted]" in shown[-2]
        for text in shown:
            assert registry.login[1] not in text
            assert basic(*registry.login) not in text


def named_secret(skiffd) -> list[dict]:
    """What skiffd says of pull secrets."""
    problems = skiffd.get("/debug/problemsz")
    return [each for each in problems if each["field"] == "spec.imagePullSecret"]


def test_tokens_by_the_agents_docker_configuration(stage, module, tmp_path):
    with TokenServer(tmp_path) as tokens, Registry(tmp_path, tokens=tokens) as registry:
        registry.push(OCI / "artifact", "private/mark", "v1")
        url = registry.reference("private/mark", "v1")
        stage.write("mark.yaml", wasm_plugin_yaml(url, {"x-said": "one"}))
        stage.start(environment=login(tmp_path / "docker", registry.host, tokens.login))
        stage.said("one")
        assert stage.wait_for_phase("READY") == [ready("mark", url, module)]
        # One token for manifest and layer.
        authorization = f"Basic {basic(*tokens.login)}"
        assert tokens.seen == [TokenRequest("repository:private/mark:pull", authorization)]
        assert_secret(stage, tokens.login)


def assert_secret(stage: AgentStage, name: tuple[str, str]) -> None:
    """The password is in nothing that is logged or shown."""
    shown = [stage.agent.log, stage.skiffd.log, json.dumps(stage.agent.page())]
    for text in (*shown, stage.agent.admin("/config_dump?include_eds")):
        assert name[1] not in text
        assert basic(*name) not in text


def test_a_token_server_that_refuses_is_told_and_overcome(stage, module, tmp_path):
    with TokenServer(tmp_path) as tokens, Registry(tmp_path, tokens=tokens) as registry:
        registry.push(OCI / "compat", "private/mark", "v1")
        url = registry.reference("private/mark", "v1")
        stage.write("mark.yaml", wasm_plugin_yaml(url, {"x-said": "one"}))
        environment = login(tmp_path / "docker", registry.host, (tokens.login[0], "wrong"))
        stage.start(environment=environment, ready=False)
        # The token that would be asked for is in the query of the URL, and left out.
        assert_refused(
            stage,
            url,
            f"manifest_failure: {tokens.url}?…: status 401 Unauthorized; the registry refuses "
            f"the credentials of the pull secret for {registry.host}",
        )
        assert basic(tokens.login[0], "wrong") not in stage.agent.log
        # Whoever changes the login changes the file, and the agent reads it again.
        config = tmp_path / "docker/config.json"
        config.write_text(docker_config({registry.host: tokens.login}))
        stage.said("one")
        assert_live(stage, url, module, "manifest_failure")


def test_a_registry_that_wants_a_login_says_so(stage, tmp_path):
    with Registry(tmp_path, password=True) as registry:
        registry.push(OCI / "compat", "private/mark", "v1")
        url = registry.reference("private/mark", "v1")
        stage.write("mark.yaml", wasm_plugin_yaml(url, {"x-said": "one"}))
        stage.start(ready=False)
        assert_refused(
            stage,
            url,
            f"manifest_failure: {registry.url}/v2/private/mark/manifests/v1: status 401 "
            "Unauthorized; the registry wants credentials and there is no pull secret for "
            f"{registry.host}",
        )


def test_a_registry_that_was_away_is_found_again(stage, module, tmp_path):
    with Registry(tmp_path) as registry:
        registry.push(OCI / "compat", "mark", "v1")
        port, storage, url = registry.port, registry.storage, registry.reference("mark", "v1")
    stage.write("mark.yaml", wasm_plugin_yaml(url, {"x-said": "one"}))
    stage.start(flags=["--wasm-request-attempts", "1"], ready=False)
    assert_refused(
        stage,
        url,
        f"download_failure: https://127.0.0.1:{port}/v2/mark/manifests/v1: no connection to "
        f"127.0.0.1, port {port}: Connection refused",
    )
    agent = stage.agent
    agent.wait_for("another round", lambda: agent.fetches()["download_failure"] >= 2)
    with Registry(tmp_path, name="again", port=port, storage=storage):
        stage.said("one")
    assert_live(stage, url, module, "download_failure")


def assert_refused(stage: AgentStage, url: str, error: str) -> None:
    """skiffd shows the plugin as refused for the reason; Envoy has no listener yet."""
    agent, skiffd = stage.agent, stage.skiffd
    (rejection,) = agent.wait_for("a rejection", lambda: skiffd.rejections("gateway"))
    resource = f"{PLUGIN}.mark"
    assert rejection["reason"] == f"extension config {resource}: Wasm module {url}: {error}"
    assert (rejection["type"], rejection["resources"]) == (EXTENSION, [resource])
    assert rejection["objects"] == [
        {
            "kind": "WasmPlugin",
            "namespace": "istio-system",
            "name": "mark",
            "generation": 1,
            "field": "",
        }
    ]
    (status,) = stage.wait_for_phase("FAILED")
    assert status.pop("attempts") >= 1
    assert status | {"attempts": 0} == ready("mark", url, b"") | {
        "phase": "FAILED",
        "sha256": "",
        "refused": True,
        "error": error,
    }
    assert agent.fetches().keys() == {error.partition(":")[0]}
    with pytest.raises(OSError):
        stage.get()


def assert_live(stage: AgentStage, url: str, module: bytes, failure: str) -> None:
    """The module came after some rounds, and all is well."""
    (status,) = stage.wait_for_phase("READY")
    assert status.pop("attempts") >= 1
    assert status | {"attempts": 0} == ready("mark", url, module)
    agent, skiffd = stage.agent, stage.skiffd
    agent.wait_for("all in sync", lambda: skiffd.is_synced("gateway", EXTENSION))
    assert skiffd.rejections("gateway") == []
    assert skiffd.metrics("pilot_total_xds_rejects") == {f'type="{EXTENSION}"': 1}
    assert agent.fetches().keys() == {failure, "success"}
    assert agent.conversions() == {"fetch_failure": 1, "success": 1}


def test_a_mirror_is_asked_first_and_the_registry_after_it(stage, module, tmp_path):
    with Registry(tmp_path, name="mirror") as mirror, Registry(tmp_path) as origin:
        mirror.push(OCI / "compat", "copies/both", "v1")
        origin.push(OCI / "compat", "both", "v1")
        only = origin.push(OCI / "docker", "origin-only", "v1")
        for name in ("both", "origin-only"):
            url = origin.reference(name, "v1")
            stage.write(f"{name}.yaml", wasm_plugin_yaml(url, {f"x-{name}": "there"}, name=name))
        pushed = len(origin.requests(""))
        stage.start(flags=["--wasm-mirror", f"{origin.host}={mirror.url}/copies"])
        expected = {"x-both": "there", "x-origin-only": "there"}
        stage.answer(lambda response: expected.items() <= response.headers.items())
        asked = origin.requests("")[pushed:]
        assert [line for line in asked if "/both/" in line] == []
        assert "GET /v2/origin-only/manifests/v1" in asked
        assert f"GET /v2/origin-only/manifests/{only}" in asked
        assert "GET /v2/copies/both/manifests/v1" in mirror.requests("")
        assert "GET /v2/copies/origin-only/manifests/v1" in mirror.requests("")


def test_a_mirror_stands_in_for_a_registry_that_cannot_be_reached(stage, module, tmp_path):
    """With its own certificate, under its own name: nothing of the origin's settings is used."""
    ca = PrivateCA(tmp_path / "ca")
    with Registry(tmp_path, tls=(ca, ca.issue("mirror"))) as mirror:
        mirror.push(OCI / "wasm", "hub/mark", "v1")
        url = "oci://registry.invalid/mark:v1"
        stage.write("mark.yaml", wasm_plugin_yaml(url, {"x-said": "one"}))
        flags = ["--wasm-mirror", f"registry.invalid={mirror.url}/hub"]
        stage.start(flags=[*flags, "--wasm-ca-bundle", f"{mirror.host}={ca.bundle}"])
        stage.said("one")
        assert stage.wait_for_phase("READY") == [ready("mark", url, module)]
