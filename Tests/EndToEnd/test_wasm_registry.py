# SPDX-License-Identifier: Apache-2.0
"""The test registry and module server themselves: that they fail in the way that tests ask for."""

import http.client
import json
import ssl
import threading
import urllib.error
import urllib.request

import pytest

from conftest import ROOT
from skiff_e2e.module_server import (
    ModuleServer,
    body,
    gated,
    hang,
    redirect,
    registry_script,
    stall,
    status,
    truncate,
    zeros,
)
from skiff_e2e.oci import OCILayout, RegistryClient, docker_config
from skiff_e2e.private_ca import PrivateCA
from skiff_e2e.registry import Registry
from skiff_e2e.token_server import TokenServer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture(scope="module")
def ca(tmp_path_factory) -> PrivateCA:
    return PrivateCA(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def layout(wasm_modules) -> OCILayout:
    return OCILayout(ROOT / ".build/plugins/oci/hello/compat")


@pytest.fixture
def server():
    with ModuleServer() as running:
        yield running


def fetch(url: str, *, timeout: float = 10, **options) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=timeout, **options) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_registry_with_a_password_wants_it(tmp_path, layout):
    with Registry(tmp_path, password=True) as registry:
        assert registry.push(layout.folder, "private/hello") == layout.digest
        stranger = RegistryClient(registry.port)
        code, headers, _ = stranger.ask("GET", "/v2/private/hello/manifests/latest")
        assert (code, headers["www-authenticate"]) == (401, 'Basic realm="skiff"')
        wrong = RegistryClient(registry.port, login=(registry.login[0], "wrong"))
        assert wrong.ask("GET", "/v2/private/hello/manifests/latest")[0] == 401
        digest, _ = registry.client().manifest("private/hello", "latest", MANIFEST)
        assert digest == layout.digest
        config = json.loads(docker_config({registry.host: registry.login}))
        assert list(config["auths"]) == [registry.host]


def test_a_registry_behind_a_token_server_wants_its_tokens(tmp_path, layout):
    with TokenServer(tmp_path) as tokens, Registry(tmp_path, tokens=tokens) as registry:
        assert registry.push(layout.folder, "private/hello") == layout.digest
        path = "/v2/private/hello/manifests/latest"
        code, headers, _ = RegistryClient(registry.port).ask("GET", path)
        assert (code, headers["www-authenticate"]) == (
            401,
            f'Bearer realm="{tokens.url}",service="registry.test",'
            'scope="repository:private/hello:pull"',
        )
        query = "?service=registry.test&scope=repository:private/hello:pull"
        assert fetch(tokens.url + query)[0] == 401
        login = urllib.request.Request(tokens.url + query)
        login.add_header("authorization", "Basic cHVsbGVyOnB1bGwtbWU=")
        with urllib.request.urlopen(login, timeout=10) as answer:
            token = json.load(answer)["token"]
        puller = RegistryClient(registry.port, token=token)
        assert puller.manifest("private/hello", "latest", MANIFEST)[0] == layout.digest
        # The token is for pulling this repository and no more.
        assert puller.ask("GET", "/v2/other/hello/manifests/latest")[0] == 401
        assert puller.ask("POST", "/v2/private/hello/blobs/uploads/")[0] == 401
        assert tokens.seen[-1].scope == "repository:private/hello:pull"
        assert f"GET {path}" in registry.requests("manifests")
        tokens.failure = 500
        assert fetch(tokens.url + query)[0] == 500


def test_a_registry_over_https_is_trusted_by_its_ca_alone(tmp_path, ca, layout):
    with Registry(tmp_path, tls=(ca, ca.issue("registry"))) as registry:
        assert registry.url.startswith("https://localhost:")
        assert registry.push(layout.folder, "hello", "v1") == layout.digest
        with pytest.raises(ssl.SSLCertVerificationError):
            RegistryClient(registry.port, context=ssl.create_default_context()).ask("GET", "/v2/")


def test_a_registry_that_was_down_comes_again_with_what_it_had(tmp_path, layout):
    with Registry(tmp_path) as first:
        first.push(layout.folder, "hello")
        port, storage = first.port, first.storage
    with pytest.raises(OSError):
        RegistryClient(port).ask("GET", "/v2/")
    with Registry(tmp_path, name="again", port=port, storage=storage) as second:
        assert second.client().manifest("hello", "latest", MANIFEST)[0] == layout.digest
        assert second.reference("hello") == f"oci://127.0.0.1:{port}/hello:latest"


def test_answers_come_in_the_order_of_the_script(server):
    url = server.script("/m.wasm", status(500), status(404, "gone"), body(b"\0asm"))
    assert [fetch(url) for _ in range(4)] == [
        (500, b""),
        (404, b"gone"),
        (200, b"\0asm"),
        (200, b"\0asm"),
    ]
    assert fetch(server.url + "/else")[0] == 404
    assert [seen.path for seen in server.seen()] == ["/m.wasm"] * 4 + ["/else"]
    assert len(server.seen("/m.wasm")) == 4


def test_a_module_is_served_over_https_with_a_private_ca(ca):
    with ModuleServer(certificate=ca.issue("modules")) as server:
        url = server.serve("m.wasm", b"\0asm")
        assert fetch(url, context=ca.client_context()) == (200, b"\0asm")
        with pytest.raises(urllib.error.URLError):
            fetch(url)


def test_redirects_lead_on(server):
    target = server.serve("m.wasm", b"\0asm")
    assert fetch(server.script("/old", redirect(target))) == (200, b"\0asm")


def test_a_hanging_server_sends_nothing_and_stops_all_the_same(server):
    url = server.script("/m.wasm", hang())
    with pytest.raises((TimeoutError, urllib.error.URLError)):
        fetch(url, timeout=0.3)
    assert server.sent == 0


def test_a_stalling_server_sends_a_part_and_then_nothing(server):
    url = server.script("/m.wasm", stall(b"x" * 100, after=60))
    with pytest.raises(TimeoutError):
        fetch(url, timeout=0.3)
    assert server.sent == 60


def test_a_truncated_body_is_shorter_than_promised(server):
    url = server.script("/m.wasm", truncate(b"x" * 100, after=60))
    with pytest.raises(http.client.IncompleteRead) as error:
        fetch(url)
    assert len(error.value.partial) == 60


@pytest.mark.parametrize("announced", [True, False])
def test_zeros_are_as_many_as_asked_for(server, announced):
    url = server.script("/m.wasm", zeros(3_000_001, announced=announced))
    assert fetch(url) == (200, bytes(3_000_001))


def test_an_answer_waits_for_its_gate(server):
    gate, answers = threading.Event(), []
    url = server.script("/m.wasm", gated(body(b"\0asm"), gate))
    asking = threading.Thread(target=lambda: answers.append(fetch(url)))
    asking.start()
    asking.join(timeout=0.2)
    assert answers == []
    gate.set()
    asking.join(timeout=10)
    assert answers == [(200, b"\0asm")]


def test_a_module_server_can_play_a_registry_that_misbehaves(server, layout):
    manifest = layout.blob(layout.root)
    blobs = [layout.blob(descriptor) for descriptor in layout.blobs()]
    digest = registry_script(server, "hello", "latest", manifest, blobs)
    client = RegistryClient(server.port)
    assert client.manifest("hello", "latest", MANIFEST) == (digest, manifest)
    layer = json.loads(manifest)["layers"][0]["digest"]
    assert client.blob("hello", layer) in blobs
    server.script(f"/v2/hello/blobs/{layer}", body(b"something else"))
    assert client.blob("hello", layer) == b"something else"
