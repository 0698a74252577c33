# SPDX-License-Identifier: Apache-2.0
"""TrafficExtensions in a real Envoy: Lua, Wasm for connections, and one order with WasmPlugins."""

from __future__ import annotations

import json

import pytest

from skiff_e2e.agent import wasm_plugin_yaml
from skiff_e2e.http import Response
from skiff_e2e.stage import Stage, with_backend
from skiff_e2e.wasm import closing_module


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("extensions")) as stage:
        yield with_backend(stage).start()


@pytest.fixture
def stage(running):
    """The same stage for all cases, without extensions when one begins."""
    kept = {path.name for path in running.config.iterdir()}
    running.answer(lambda response: response.status == 200 and not marks(response))
    yield running
    for path in running.config.iterdir():
        if path.name not in kept:
            path.unlink()
    running.answer(lambda response: response.status == 200 and not marks(response))


def extension_yaml(name: str, **spec) -> str:
    return json.dumps(
        {
            "apiVersion": "extensions.istio.io/v1alpha1",
            "kind": "TrafficExtension",
            "metadata": {"name": name, "namespace": "istio-system"},
            "spec": spec,
        }
    )


def lua(name: str) -> dict:
    """Adds its name to the end of `x-marks`, of a request and of its response."""
    return {
        "inlineCode": f"""
local function mark(handle)
  local marks = handle:headers():get("x-marks")
  handle:headers():replace("x-marks", marks and marks .. ",{name}" or "{name}")
end
function envoy_on_request(handle) mark(handle) end
function envoy_on_response(handle) mark(handle) end
"""
    }


def marks(response: Response) -> list[str]:
    """The extensions that the response has passed, the innermost first."""
    found = response.headers.get("x-marks") or response.headers.get("x-said") or ""
    return found.split(",") if found else []


def request_marks(response: Response) -> list[str]:
    """The extensions that the request has passed, in their order."""
    return dict(json.loads(response.body)["headers"])["x-marks"].split(",")


def test_lua_acts_on_requests_and_responses(stage):
    stage.write("mark.yaml", extension_yaml("mark", lua=lua("one")))
    response = stage.answer(lambda response: marks(response) == ["one"])
    assert request_marks(response) == ["one"]
    stage.write("mark.yaml", extension_yaml("mark", lua=lua("two")))
    stage.answer(lambda response: marks(response) == ["two"])


def test_extensions_run_by_phase_and_priority(stage):
    stage.write("a.yaml", extension_yaml("late", lua=lua("late"), phase="STATS"))
    stage.write("b.yaml", extension_yaml("low", lua=lua("low"), phase="AUTHN", priority=-1))
    stage.write("c.yaml", extension_yaml("high", lua=lua("high"), phase="AUTHN", priority=1))
    stage.write("d.yaml", extension_yaml("unset", lua=lua("unset"), phase="AUTHN"))
    stage.write("e.yaml", extension_yaml("last", lua=lua("last")))
    order = ["high", "low", "unset", "late", "last"]
    response = stage.answer(lambda response: len(marks(response)) == len(order))
    assert request_marks(response) == order
    assert marks(response) == order[::-1]


def test_wasm_and_lua_stand_in_one_chain(stage, wasm_modules):
    """The module replaces x-said on the way back; what is further out sees and replaces that."""
    module = wasm_modules["response-headers"]
    wasm = {"url": f"file://{module}", "pluginConfig": {"headers": {"x-said": "wasm"}}}
    stage.write("wasm.yaml", extension_yaml("wasm", wasm=wasm, phase="AUTHZ", priority=5))
    stage.answer(lambda response: marks(response) == ["wasm"])
    code = 'function envoy_on_response(handle) handle:headers():replace("x-said", "lua") end'
    stage.write(
        "lua.yaml",
        extension_yaml("lua", lua={"inlineCode": code}, phase="AUTHZ", priority=6),
    )
    stage.answer(lambda response: marks(response) == ["lua"])
    stage.write(
        "lua.yaml",
        extension_yaml("lua", lua={"inlineCode": code}, phase="AUTHZ", priority=4),
    )
    stage.answer(lambda response: marks(response) == ["wasm"])
    # A WasmPlugin stands in the same order.
    plugin = wasm_plugin_yaml(
        f"file://{module}", {"x-said": "plugin"}, name="plugin", phase="AUTHZ", priority=7
    )
    stage.write("plugin.yaml", plugin)
    stage.answer(lambda response: marks(response) == ["plugin"])


def test_an_extension_for_another_port_or_direction_is_not_there(stage):
    stage.write("here.yaml", extension_yaml("here", lua=lua("here")))
    for name, match in {
        "inbound": {"mode": "SERVER"},
        "elsewhere": {"mode": "CLIENT", "ports": [{"number": 1}]},
    }.items():
        stage.write(f"{name}.yaml", extension_yaml(name, lua=lua(name), match=[match]))
    matching = [{"mode": "CLIENT", "ports": [{"number": stage.port}]}]
    stage.write("also.yaml", extension_yaml("port", lua=lua("port"), match=matching))
    response = stage.answer(lambda response: len(marks(response)) == 2)
    assert request_marks(response) == ["here", "port"]


def test_a_network_extension_sees_connections(stage, tmp_path):
    module = tmp_path / "close.wasm"
    module.write_bytes(closing_module())
    wasm = {"url": f"file://{module}", "type": "NETWORK"}
    stage.write("close.yaml", extension_yaml("close", wasm=wasm))

    def is_closed() -> bool:
        try:
            stage.get()
        except OSError:
            return True
        return False

    stage.envoy.wait_for("closed connections", is_closed)
    assert stage.skiffd.get("/debug/rejectsz")["rejects"] == []


def test_bad_lua_is_refused_and_the_last_listener_stays(stage):
    stage.write("mark.yaml", extension_yaml("mark", lua=lua("one")))
    stage.answer(lambda response: marks(response) == ["one"])
    stage.write("mark.yaml", extension_yaml("mark", lua={"inlineCode": "function ("}))
    skiffd = stage.skiffd
    (reject,) = skiffd.wait_for("a rejection", lambda: skiffd.get("/debug/rejectsz")["rejects"])
    assert [each["name"] for each in reject["objects"]] == ["mark"]
    assert marks(stage.get()) == ["one"]


