# SPDX-License-Identifier: Apache-2.0
"""From a directory of YAML to a real Envoy, and a rejection back to its object."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import ROOT
from skiff_e2e.backend import Backend
from skiff_e2e.gateway import (
    backend_yaml,
    free_port,
    gateway_envoy,
    gateway_yaml,
    get,
    lua_filter_yaml,
    route_yaml,
    wait_for_answer,
)
from skiff_e2e.skiffd import Skiffd, skiffctl, write

LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
EXTENSION = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
GOOD_LUA = 'function envoy_on_response(handle)\n  handle:headers():add("x-lua", "1")\nend'
BAD_LUA = "function envoy_on_response(handle"


@pytest.fixture
def stage(tmp_path):
    """skiffd, an Envoy as a gateway and a backend, running the manifests of `stage.config`."""
    with ExitStack() as running:
        stage = SimpleNamespace(config=tmp_path / "config", directory=tmp_path, port=free_port())
        stage.running = running
        stage.backend = running.enter_context(Backend("one"))
        write(stage.config / "gateway.yaml", gateway_yaml(stage.port))
        write(stage.config / "backend.yaml", backend_yaml(stage.backend.port))
        write(stage.config / "route.yaml", route_yaml("one"))
        stage.skiffd = running.enter_context(Skiffd(stage.config, tmp_path)).wait_until_ready()
        stage.envoy = running.enter_context(gateway_envoy(tmp_path, stage.skiffd.grpc))
        stage.envoy.wait_until_ready()
        yield stage


def pushes(skiffd: Skiffd) -> dict[str, float]:
    return {label[6:-1]: count for label, count in skiffd.metrics("pilot_xds_pushes").items()}


def answer(stage, expected, **options):
    return wait_for_answer(stage.envoy, stage.port, expected, **options)


def test_a_request_reaches_the_backend_and_an_unknown_host_gets_404(stage):
    response = answer(stage, lambda response: response.status == 200)
    assert response.headers["x-route"] == "one"
    assert '"backend": "one"' in response.body
    assert get(stage.port, host="unknown.example.com").status == 404


def test_an_edit_is_live_and_pushes_no_other_type(stage):
    answer(stage, lambda response: response.headers.get("x-route") == "one")
    before = pushes(stage.skiffd)
    write(stage.config / "route.yaml", route_yaml("two"))
    answer(stage, lambda response: response.headers.get("x-route") == "two")
    after = pushes(stage.skiffd)
    assert {type: after[type] - before[type] for type in after} == {
        "cds": 0,
        "eds": 0,
        "lds": 0,
        "rds": 1,
    }


def test_what_envoy_refuses_leads_back_to_its_object_and_traffic_goes_on(stage):
    write(stage.config / "lua.yaml", lua_filter_yaml(GOOD_LUA))
    answer(stage, lambda response: response.headers.get("x-lua") == "1")

    write(stage.config / "lua.yaml", lua_filter_yaml(BAD_LUA))
    skiffd = stage.skiffd
    rejects = skiffd.wait_for(
        "a rejection", lambda: skiffd.get("/debug/rejectsz")["rejects"] or None
    )
    assert len(rejects) == 1
    assert rejects[0]["proxy"] == "gateway.istio-system"
    assert rejects[0]["type"] == LISTENER
    assert rejects[0]["resources"] == [f"0.0.0.0_{stage.port}"]
    assert "script load error" in rejects[0]["reason"]
    assert rejects[0]["objects"] == [
        {
            "kind": "EnvoyFilter",
            "namespace": "istio-system",
            "name": "lua",
            "generation": 2,
            "field": "spec.configPatches[0]",
        }
    ]
    assert skiffd.metrics("pilot_total_xds_rejects") == {f'type="{LISTENER}"': 1}
    (status,) = skiffd.get("/debug/syncz")
    assert status["resources"][LISTENER]["status"] == "ERROR"
    assert "script load error" in status["resources"][LISTENER]["lastError"]
    assert "EnvoyFilter istio-system/lua@2" in skiffd.log
    printed = skiffctl("proxy-status", "--skiffd", f"127.0.0.1:{skiffd.http}")
    assert "ERROR" in printed.stdout and "script load error" in printed.stderr
    # The last good one stays.
    assert get(stage.port).headers["x-lua"] == "1"
    # Nothing is sent again until the bytes change.
    sent = pushes(skiffd)
    write(stage.config / "route.yaml", route_yaml("three"))
    answer(stage, lambda response: response.headers.get("x-route") == "three")
    assert pushes(skiffd) == sent | {"rds": sent["rds"] + 1}

    write(stage.config / "lua.yaml", lua_filter_yaml(GOOD_LUA.replace('"1"', '"2"')))
    answer(stage, lambda response: response.headers.get("x-lua") == "2")
    skiffd.wait_for("all clear", lambda: skiffd.get("/debug/rejectsz")["totalRejects"] == 0)
    (status,) = skiffd.get("/debug/syncz")
    assert {entry["status"] for entry in status["resources"].values()} == {"SYNCED"}


def test_the_hello_sample_answers_as_its_comments_say(tmp_path, wasm_modules):
    sample = tmp_path / "config"
    shutil.copytree(ROOT / "manifests/samples/hello", sample)
    doors = {"10000": free_port(), "10001": free_port()}
    with ExitStack() as running:
        backends = {
            "9001": running.enter_context(Backend("v1")).port,
            "9002": running.enter_context(Backend("v2")).port,
        }
        for path in sample.iterdir():
            text = path.read_text().replace("/tmp/skiff/wasm", str(ROOT / ".build/wasm"))
            for old, new in (doors | backends).items():
                text = text.replace(f": {old}\n", f": {new}\n")
            path.write_text(text)
        skiffd = running.enter_context(Skiffd(sample, tmp_path)).wait_until_ready()
        envoy = running.enter_context(gateway_envoy(tmp_path, skiffd.grpc))
        envoy.wait_until_ready()
        traffic, hello = doors.values()

        answered = wait_for_answer(
            envoy, hello, lambda response: response.status == 200, host="hello.example.com"
        )
        assert answered.headers["x-service-name"] == "my-custom-service"
        assert answered.body == "Hello from Wasm!\n"

        routed = get(traffic, host="hello.example.com")
        assert routed.headers["x-wasm-plugin"] == "response-headers"
        assert '"backend": "v1"' in routed.body
        for path, backend in {"/v2": "v2", "/v2/42": "v2", "/v2/x": "v1"}.items():
            assert f'"backend": "{backend}"' in get(traffic, path, host="hello.example.com").body

        unknown = get(traffic, host="unknown.example.com")
        assert (unknown.status, unknown.headers["x-wasm-plugin"]) == (404, "response-headers")

        answers = [get(traffic, host="weighted.example.com").body for _ in range(200)]
        second = sum('"backend": "v2"' in body for body in answers)
        # 200 draws at one tenth: outside of this once in a million runs.
        assert 3 <= second <= 43

        # A wrong module is refused by Envoy on ECDS and named; the plugin in force goes on.
        plugins = sample / "plugins.yaml"
        write(plugins, plugins.read_text().replace("/hello.wasm", "/nothing.wasm"))
        skiffd.wait_for("a rejection", lambda: skiffd.get("/debug/rejectsz")["totalRejects"])
        (reject,) = skiffd.get("/debug/rejectsz")["rejects"]
        assert (reject["type"], reject["objects"][0]["name"]) == (EXTENSION, "hello")
        assert get(hello, host="hello.example.com").body == "Hello from Wasm!\n"


def test_a_restart_of_skiffd_changes_nothing_for_traffic(stage):
    answer(stage, lambda response: response.status == 200)
    grpc = stage.skiffd.grpc
    stage.skiffd.child.kill()
    stage.skiffd.child.wait()
    assert get(stage.port).status == 200

    again = stage.running.enter_context(
        Skiffd(stage.config, stage.directory, grpc=grpc, name="skiffd-again")
    )
    again.wait_until_ready()
    again.wait_for("the proxy", lambda: again.get("/debug/connections")["totalClients"] == 1)
    again.wait_for(
        "its subscriptions",
        lambda: len(again.get("/debug/syncz")[0]["resources"]) == 4,
    )
    assert {entry["status"] for entry in again.get("/debug/syncz")[0]["resources"].values()} == {
        "SYNCED"
    }
    # Versions are hashes of bytes: Envoy has them all, so nothing is sent.
    assert pushes(again) == {}
    assert get(stage.port).status == 200

    write(stage.config / "route.yaml", route_yaml("after"))
    answer(stage, lambda response: response.headers.get("x-route") == "after")


def test_sigterm_drains_and_ends_with_zero(stage):
    answer(stage, lambda response: response.status == 200)
    assert stage.skiffd.stop() == 0
    assert get(stage.port).status == 200


def test_a_bad_file_changes_nothing_else(stage):
    answer(stage, lambda response: response.headers.get("x-route") == "one")
    write(stage.config / "route.yaml", "kind: VirtualService\n  broken: [")
    skiffd = stage.skiffd
    skiffd.wait_for("a problem", lambda: skiffd.get("/debug/problemsz") or None)
    (problem,) = skiffd.get("/debug/problemsz")
    assert (problem["severity"], problem["code"], problem["line"]) == ("error", "invalid", 2)
    assert Path(problem["file"]).name == "route.yaml"
    write(stage.config / "gateway2.yaml", gateway_yaml(stage.port).replace("web", "other"))
    assert get(stage.port).headers["x-route"] == "one"
    write(stage.config / "route.yaml", route_yaml("mended"))
    answer(stage, lambda response: response.headers.get("x-route") == "mended")
    skiffd.wait_for("no problem", lambda: not skiffd.get("/debug/problemsz"))
