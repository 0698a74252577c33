# SPDX-License-Identifier: Apache-2.0
"""The samples in a real Envoy: the curl lines in their comments, answered as the comments say."""

from __future__ import annotations

from collections import Counter

import pytest

from conftest import ROOT
from skiff_e2e.ads import EXTENSION
from skiff_e2e.backend import Backend
from skiff_e2e.gateway import free_port
from skiff_e2e.stage import Stage, seen, with_sample

SAMPLES = ROOT / "manifests/samples"
MODULES = ROOT / ".build/wasm"


@pytest.fixture
def start_sample(empty_stage, wasm_modules):
    """Starts a sample with its port moved to the stage's and two backends, v1 and v2."""

    def start(name: str, port: int, more: dict[int, int] | None = None) -> Stage:
        backends = {
            number: empty_stage.enter(Backend(backend)).port
            for number, backend in {9001: "v1", 9002: "v2"}.items()
        }
        ports = {port: empty_stage.port} | (more or {}) | backends
        return with_sample(empty_stage, SAMPLES / name, ports, MODULES).start()

    return start


def test_hello(start_sample):
    hello = free_port()
    stage = start_sample("hello", 10000, {10001: hello})
    web = {"host": "hello.example.com"}

    routed = stage.answer(lambda response: response.status == 200, **web)
    assert routed.headers["x-wasm-plugin"] == "response-headers"
    for path, backend in {"/": "v1", "/v2": "v2", "/v2/42": "v2", "/v2/x": "v1"}.items():
        assert seen(stage.get(path, **web))["backend"] == backend
    unknown = stage.get(host="unknown.example.com")
    assert (unknown.status, unknown.headers["x-wasm-plugin"]) == (404, "response-headers")

    answers = Counter(
        seen(stage.get(host="weighted.example.com"))["backend"] for _ in range(200)
    )
    # 200 draws at one tenth: outside of this less than once in 100,000 runs.
    assert answers.total() == 200 and 3 <= answers["v2"] <= 43

    stage.port = hello
    answered = stage.answer(lambda response: response.status == 200, **web)
    assert answered.headers["x-service-name"] == "my-custom-service"
    assert answered.body == "Hello from Wasm!\n"

    # A wrong module is refused by Envoy on ECDS and named; the plugin in force goes on.
    plugins = (stage.config / "plugins.yaml").read_text()
    stage.write("plugins.yaml", plugins.replace("/hello.wasm", "/nothing.wasm"))
    page = "/debug/rejectsz"
    stage.skiffd.wait_for("a rejection", lambda: stage.skiffd.get(page)["totalRejects"])
    (reject,) = stage.skiffd.get(page)["rejects"]
    assert (reject["type"], reject["objects"][0]["name"]) == (EXTENSION, "hello")
    assert stage.get(**web).body == "Hello from Wasm!\n"


def test_kubernetes_service(start_sample):
    stage = start_sample("kubernetes-service", 10004)
    store = {"host": "store.example.com"}
    stage.answer(lambda response: response.status == 200, **store)
    answers = Counter(seen(stage.get(**store))["backend"] for _ in range(100))
    # A hundred draws of two, never of the third, which is not ready.
    assert answers.total() == 100 and min(answers["v1"], answers["v2"]) >= 20

    # Only the endpoints change when one is not ready any more.
    before = stage.pushes()
    service = (stage.config / "service.yaml").read_text()
    stage.write("service.yaml", service.replace("ready: true", "ready: false", 1))
    # Nine answers of one backend in a row, with both there once in 512 runs; asked for again.
    stage.envoy.wait_for(
        "one backend alone",
        lambda: {seen(stage.get(**store))["backend"] for _ in range(9)} == {"v2"},
    )
    assert stage.pushed_since(before) == {"eds": 1}


def test_wasmplugin(start_sample):
    stage = start_sample("wasmplugin", 10003)
    plugin = {"host": "plugin.example.com"}
    answered = stage.answer(lambda response: response.status == 200, **plugin)
    assert answered.headers["x-service-name"] == "my-custom-service"
    assert answered.body == "Hello from Wasm!\n"
