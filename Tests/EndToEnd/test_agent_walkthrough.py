# SPDX-License-Identifier: Apache-2.0
"""The walk-through of remote Wasm modules, all real: skiffd from YAML, skiff-agent, Envoy, and the
basic-auth module from a web server."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import ROOT
from skiff_e2e.ads import EXTENSION
from skiff_e2e.agent import AgentStage, filter_yaml
from skiff_e2e.backend import Backend
from skiff_e2e.gateway import route_yaml
from skiff_e2e.http import Response
from skiff_e2e.module_server import ModuleServer
from skiff_e2e.oci import basic
from skiff_e2e.private_ca import PrivateCA
from skiff_e2e.skiffd import Skiffd
from skiff_e2e.stage import seen, with_backend, with_sample
from skiff_e2e.wasm import digest

SAMPLE = ROOT / "manifests/samples/basic-auth"
URL = "https://github.com/istio-ecosystem/wasm-extensions/releases/download/1.9.2/basic-auth.wasm"
HINT = "# sha256: <64 hexadecimal digits>"
LABELS = "istio=bookinfo-gateway"
HOST = "bookinfo.example.com"


@pytest.fixture
def stage(tmp_path):
    with AgentStage(tmp_path) as stage:
        yield stage


@pytest.fixture
def module(wasm_modules) -> bytes:
    return wasm_modules["basic-auth"].read_bytes()


def with_walkthrough(stage: AgentStage, url: str, sha256: str | None) -> AgentStage:
    """The sample with the module at another URL, and with the checksum that it leaves open."""
    backend = stage.enter(Backend("productpage"))
    with_sample(stage, SAMPLE, {10005: stage.port, 9001: backend.port}, ROOT / ".build/wasm")
    text = (SAMPLE / "extension-config.yaml").read_text()
    assert (text.count(URL), text.count(HINT)) == (1, 1)
    text = text.replace(URL, url)
    if sha256:
        text = text.replace(HINT, f"sha256: {sha256}")
    stage.write("extension-config.yaml", text)
    return stage


def credentials(login: str) -> dict[str, str]:
    return {"authorization": f"Basic {basic(*login.split(':'))}"}


def assert_guarded(stage: AgentStage) -> None:
    """The answers that the sample promises."""
    denied = stage.answer(lambda response: response.status == 401, path="/productpage", host=HOST)
    assert denied == Response(
        401,
        {
            "www-authenticate": 'Basic realm="istio"',
            "content-length": str(len(denied.body)),
            "content-type": "text/plain",
            "server": "istio-envoy",
        },
        denied.body,
    )
    for login, expected in {
        "ok:test": 200,
        "admin3:admin3": 200,
        "ok:wrong": 401,
    }.items():
        answer = stage.get("/productpage", host=HOST, headers=credentials(login))
        assert (login, answer.status) == (login, expected)
    passed = stage.get("/other", host=HOST)
    assert (passed.status, seen(passed)["path"]) == (200, "/other")


def test_the_module_over_http_with_its_checksum(stage, module):
    with ModuleServer() as server:
        url = server.serve("basic-auth.wasm", module)
        with_walkthrough(stage, url, digest(module)).start(labels=LABELS)
        assert_guarded(stage)

        # What the seed lists, and the pages.
        agent, skiffd = stage.agent, stage.skiffd
        assert agent.fetches() == {"success": 1}
        assert agent.conversions() == {"success": 1}
        assert agent.metrics("istio_agent_wasm_cache_lookup_count") == {'hit="false"': 1}
        assert agent.metrics("istio_agent_wasm_cache_entries") == {"": 1}
        durations = agent.metrics("istio_agent_wasm_config_conversion_duration_bucket")
        assert (len(durations), durations['le="+Inf"']) == (16, 1)
        assert stage.wait_for_phase("READY") == [
            {
                "resource": "istio.basic_auth",
                "plugin": "istio.basic_auth",
                "url": url,
                "phase": "READY",
                "sha256": digest(module),
                "attempts": 0,
            }
        ]
        assert skiffd.is_synced("gateway", EXTENSION)
        assert skiffd.rejections("gateway") == []
        (file,) = agent.page()["cache"]
        assert stage.local_modules() == {"istio.basic_auth": Path(file["path"])}

        # Other rules are one push, and no download.
        before = stage.pushes()
        config = (stage.config / "extension-config.yaml").read_text()
        stage.write("extension-config.yaml", config.replace('"/productpage"', '"/other"'))
        stage.answer(lambda response: response.status == 401, path="/other", host=HOST)
        assert stage.get("/productpage", host=HOST).status == 200
        assert stage.pushed_since(before) == {"ecds": 1}
        assert [seen.path for seen in server.seen()] == ["/basic-auth.wasm"]
        assert agent.fetches() == {"success": 1}
        assert agent.conversions() == {"success": 2}
        assert agent.metrics("istio_agent_wasm_cache_lookup_count")['hit="true"'] == 1


def test_the_module_over_https_with_a_private_ca(stage, module, tmp_path):
    """Without a checksum, too: what comes is verified by TLS alone."""
    ca = PrivateCA(tmp_path / "ca")
    with ModuleServer(certificate=ca.issue("modules")) as server:
        url = server.serve("basic-auth.wasm", module)
        trusted = f"{server.host}={ca.bundle}"
        with_walkthrough(stage, url, None).start(
            labels=LABELS, flags=["--wasm-ca-bundle", trusted]
        )
        assert_guarded(stage)
        assert [seen.path for seen in server.seen()] == ["/basic-auth.wasm"]


def test_until_the_module_is_there_the_listener_accepts_no_request(stage, module, tmp_path):
    """The first configuration is refused; initial_fetch_timeout 0 lets nobody pass unguarded."""
    ca = PrivateCA(tmp_path / "ca")
    with ModuleServer(certificate=ca.issue("modules")) as server:
        url = server.serve("basic-auth.wasm", module)
        with_walkthrough(stage, url, None).start(labels=LABELS, ready=False)
        (rejection,) = stage.agent.wait_for(
            "a rejection", lambda: stage.skiffd.rejections("gateway")
        )
        assert rejection["reason"].endswith(
            f"{url}: the server's certificate is not trusted; give the CA of {server.host}, "
            "or name it in WASM_INSECURE_REGISTRIES"
        )
        with pytest.raises(OSError):
            stage.get("/other", host=HOST)

        # The same URL with a certificate that the agent trusts.
        plain = (stage.config / "extension-config.yaml").read_text()
        with ModuleServer() as other:
            stage.write(
                "extension-config.yaml",
                plain.replace(url, other.serve("basic-auth.wasm", module)),
            )
            assert_guarded(stage)


def test_interception_can_be_switched_off(stage, module):
    """Envoy then sees the resource as skiffd made it, and refuses it by itself."""
    with ModuleServer() as server:
        url = server.serve("basic-auth.wasm", module)
        off = {"ISTIO_AGENT_ENABLE_WASM_REMOTE_LOAD_CONVERSION": "false"}
        with_walkthrough(stage, url, digest(module)).start(
            labels=LABELS, environment=off, ready=False
        )
        (rejection,) = stage.agent.wait_for(
            "a rejection", lambda: stage.skiffd.rejections("gateway")
        )
        assert (rejection["type"], rejection["resources"]) == (EXTENSION, ["istio.basic_auth"])
        assert url in rejection["reason"]
        assert "Proto constraint validation failed" in rejection["reason"]
        assert server.seen() == []
        assert stage.agent.fetches() == stage.agent.conversions() == {}
        assert stage.modules() == stage.agent.modules() == []


def test_skiffd_comes_again_and_nothing_is_sent_to_envoy_again(stage, wasm_modules):
    with ModuleServer() as server:
        url = server.serve("mark.wasm", wasm_modules["response-headers"].read_bytes())
        stage.write("mark.yaml", filter_yaml(url, "one"))
        with_backend(stage).start().said("one")
        (module,) = stage.wait_for_phase("READY")
        agent, port = stage.agent, stage.skiffd.grpc
        agent.wait_for("all in sync", lambda: stage.skiffd.is_synced("gateway", EXTENSION))
        before = updates(stage)

        stage.skiffd.child.kill()
        agent.wait_for_log("no stream to the control plane")
        stage.said("one")
        assert agent.is_ready
        stage.skiffd = stage.enter(
            Skiffd(stage.config, stage.directory, grpc=port, name="skiffd-again")
        ).wait_until_ready()
        assert stage.wait_for_phase("READY") == [module]
        agent.wait_for("all in sync", lambda: stage.skiffd.is_synced("gateway", EXTENSION))
        stage.said("one")
        assert updates(stage) == before
        assert [seen.path for seen in server.seen()] == ["/mark.wasm"]

        # The stream is alive: what changes now goes through.
        stage.write("route.yaml", route_yaml("two"))
        stage.answer(lambda response: response.headers.get("x-route") == "two")
        after = updates(stage)
        changed = {name: after[name] - before.get(name, 0) for name in after}
        prefix = f"http.outbound_0.0.0.0_{stage.port}.rds.http.{stage.port}"
        assert {name: count for name, count in changed.items() if count} == {
            f"{prefix}.config_reload": 1,
            f"{prefix}.update_success": 1,
        }
        # Before skiffd, which would give it time to find another server.
        agent.stop()


def updates(stage: AgentStage) -> dict[str, int]:
    """How many responses Envoy was sent, by their places in its statistics."""
    return stage.agent.stats("(update_success|update_rejected|config_reload)$")
