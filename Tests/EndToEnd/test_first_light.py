# SPDX-License-Identifier: Apache-2.0
"""From a directory of YAML to a real Envoy, and a rejection back to its object."""

from __future__ import annotations

from pathlib import Path

from skiff_e2e.ads import LISTENER
from skiff_e2e.gateway import gateway_yaml, lua_filter_yaml, route_yaml
from skiff_e2e.skiffd import Skiffd, skiffctl

GOOD_LUA = 'function envoy_on_response(handle)\n  handle:headers():add("x-lua", "1")\nend'
BAD_LUA = "function envoy_on_response(handle"


def test_a_request_reaches_the_backend_and_an_unknown_host_gets_404(stage):
    response = stage.answer(lambda response: response.status == 200)
    assert response.headers["x-route"] == "one"
    assert '"backend": "one"' in response.body
    assert stage.get(host="unknown.example.com").status == 404


def test_an_edit_is_live_and_pushes_no_other_type(stage):
    stage.answer(lambda response: response.headers.get("x-route") == "one")
    before = stage.pushes()
    stage.write("route.yaml", route_yaml("two"))
    stage.answer(lambda response: response.headers.get("x-route") == "two")
    assert stage.pushed_since(before) == {"rds": 1}


def test_what_envoy_refuses_leads_back_to_its_object_and_traffic_goes_on(stage):
    stage.write("lua.yaml", lua_filter_yaml(GOOD_LUA))
    stage.answer(lambda response: response.headers.get("x-lua") == "1")

    stage.write("lua.yaml", lua_filter_yaml(BAD_LUA))
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
    assert stage.get().headers["x-lua"] == "1"
    # Nothing is sent again until the bytes change.
    sent = stage.pushes()
    stage.write("route.yaml", route_yaml("three"))
    stage.answer(lambda response: response.headers.get("x-route") == "three")
    assert stage.pushed_since(sent) == {"rds": 1}

    stage.write("lua.yaml", lua_filter_yaml(GOOD_LUA.replace('"1"', '"2"')))
    stage.answer(lambda response: response.headers.get("x-lua") == "2")
    skiffd.wait_for("all clear", lambda: skiffd.get("/debug/rejectsz")["totalRejects"] == 0)
    (status,) = skiffd.get("/debug/syncz")
    assert {entry["status"] for entry in status["resources"].values()} == {"SYNCED"}


def test_a_restart_of_skiffd_changes_nothing_for_traffic(stage):
    stage.answer(lambda response: response.status == 200)
    grpc = stage.skiffd.grpc
    stage.skiffd.child.kill()
    stage.skiffd.child.wait()
    assert stage.get().status == 200

    again = stage.enter(
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
    assert again.metrics("pilot_xds_pushes") == {}
    assert stage.get().status == 200

    stage.write("route.yaml", route_yaml("after"))
    stage.answer(lambda response: response.headers.get("x-route") == "after")


def test_sigterm_drains_and_ends_with_zero(stage):
    stage.answer(lambda response: response.status == 200)
    assert stage.skiffd.stop() == 0
    assert stage.get().status == 200


def test_a_bad_file_changes_nothing_else(stage):
    stage.answer(lambda response: response.headers.get("x-route") == "one")
    stage.write("route.yaml", "kind: VirtualService\n  broken: [")
    skiffd = stage.skiffd
    skiffd.wait_for("a problem", lambda: skiffd.get("/debug/problemsz") or None)
    (problem,) = skiffd.get("/debug/problemsz")
    assert (problem["severity"], problem["code"], problem["line"]) == ("error", "invalid", 2)
    assert Path(problem["file"]).name == "route.yaml"
    stage.write("gateway2.yaml", gateway_yaml(stage.port).replace("web", "other"))
    assert stage.get().headers["x-route"] == "one"
    stage.write("route.yaml", route_yaml("mended"))
    stage.answer(lambda response: response.headers.get("x-route") == "mended")
    skiffd.wait_for("no problem", lambda: not skiffd.get("/debug/problemsz"))
