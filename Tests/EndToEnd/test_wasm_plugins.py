# SPDX-License-Identifier: Apache-2.0
"""The sample plugins in a real Envoy, without a control plane."""

import subprocess

import pytest

from conftest import ROOT
from skiff_e2e.bootstrap import direct_response, listener, static_bootstrap, wasm_filter
from skiff_e2e.http import Response, request

UPSTREAM = direct_response("from upstream\n")
PLAIN = {"content-length": "14", "content-type": "text/plain", "server": "envoy"}


def serve(start_envoy, *filters: dict, **options):
    return start_envoy(static_bootstrap([listener("in", list(filters), [UPSTREAM])]), **options)


def test_hello_answers_by_itself_and_logs_host_and_path(wasm_modules, start_envoy):
    envoy = serve(start_envoy, wasm_filter(wasm_modules["hello"]))
    answer = request(envoy.port("in"), "/productpage?a=1", host="shop.example.com")
    assert answer == Response(
        200,
        {
            "x-service-name": "my-custom-service",
            "content-length": "17",
            "content-type": "text/plain",
            "server": "envoy",
        },
        "Hello from Wasm!\n",
    )
    envoy.wait_for_log("Received request for: shop.example.com /productpage?a=1")


def test_hello_answers_a_request_with_a_body(wasm_modules, start_envoy):
    envoy = serve(start_envoy, wasm_filter(wasm_modules["hello"]))
    answer = request(envoy.port("in"), method="POST", body="x" * 100_000)
    assert (answer.status, answer.body) == (200, "Hello from Wasm!\n")


def test_response_headers_adds_what_its_configuration_says(wasm_modules, start_envoy):
    configuration = r'{"headers": {"x-wasm": "yes", "x-said": "\u0022quoted\u0022"}}'
    envoy = serve(start_envoy, wasm_filter(wasm_modules["response-headers"], configuration))
    added = {"x-wasm": "yes", "x-said": '"quoted"'}
    assert request(envoy.port("in")) == Response(200, PLAIN | added, "from upstream\n")


def test_two_plugins_in_one_chain_run_in_order(wasm_modules, start_envoy):
    first = wasm_filter(wasm_modules["response-headers"], '{"headers": {"x-order": "outer"}}')
    second = wasm_filter(wasm_modules["hello"])
    envoy = serve(start_envoy, first, second)
    answer = request(envoy.port("in"))
    assert (answer.headers["x-order"], answer.headers["x-service-name"], answer.body) == (
        "outer",
        "my-custom-service",
        "Hello from Wasm!\n",
    )


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        (None, "line 1, column 1: expected a value, found the end"),
        ('{"headers": ', "line 1, column 13: expected a value, found the end"),
        ("{}", "headers: expected an object, found nothing"),
        ('{"headers": []}', "headers: expected an object, found an array"),
        ('{"headers": {"x-n": 1}}', "headers.x-n: expected a string, found the number 1"),
    ],
)
def test_a_broken_configuration_keeps_the_plugin_from_starting(
    wasm_modules, start_envoy, configuration, reason
):
    broken = wasm_filter(wasm_modules["response-headers"], configuration)
    envoy = serve(start_envoy, broken, ready=False)
    # A static listener that cannot be built ends Envoy; nothing is ever served without the plugin.
    assert envoy.child.wait(timeout=20) == 1
    assert reason in envoy.log
    assert "Unable to create Wasm plugin response-headers" in envoy.log


def test_builds_are_reproducible_and_incremental(wasm_modules, tmp_path):
    for folder in ("wasm", "scripts"):
        subprocess.run(["cp", "-r", ROOT / folder, tmp_path / folder], check=True)
    build = tmp_path / "scripts/build-wasm.sh"
    subprocess.run([build, tmp_path / "wasm/plugins/hello"], check=True, cwd="/", timeout=300)
    copy = tmp_path / ".build/wasm/hello.wasm"
    assert copy.read_bytes() == wasm_modules["hello"].read_bytes()
    built_at = copy.stat().st_mtime_ns
    subprocess.run([build, tmp_path / "wasm/plugins/hello"], check=True, timeout=300)
    assert copy.stat().st_mtime_ns == built_at


def test_a_module_is_small_and_imports_only_what_it_uses(wasm_modules):
    module = wasm_modules["hello"].read_bytes()
    assert len(module) < 80_000
    assert b"proxy_http_call" not in module
    assert str(ROOT).encode() not in module
