# SPDX-License-Identifier: Apache-2.0
"""EnvoyFilter's operations in a real Envoy, seen by what the filters do to a request."""

from __future__ import annotations

import json

from skiff_e2e.gateway import route_yaml
from skiff_e2e.stage import seen

MANAGER = "envoy.filters.network.http_connection_manager"
ROUTER = "envoy.filters.http.router"
TYPE = "type.googleapis.com/"


def lua(name: str, word: str | None = None) -> dict:
    """A filter that appends a word, by default its name, to the request's x-order."""
    code = (
        "function envoy_on_request(handle)\n"
        '  local headers = handle:headers()\n  local former = headers:get("x-order") or ""\n'
        f'  headers:replace("x-order", former .. "{word or name} ")\nend\n'
    )
    config = f"{TYPE}envoy.extensions.filters.http.lua.v3.Lua"
    return {
        "name": name,
        "typed_config": {"@type": config, "default_source_code": {"inline_string": code}},
    }


def patch(operation: str, value: dict | None = None, *, at: str | None = None) -> dict:
    """A patch of the HTTP filters of gateways; `at` names the filter that it is about."""
    filter = {"name": MANAGER} | ({"subFilter": {"name": at}} if at else {})
    match = {"context": "GATEWAY", "listener": {"filterChain": {"filter": filter}}}
    change = {"operation": operation} | ({"value": value} if value else {})
    return {"applyTo": "HTTP_FILTER", "match": match, "patch": change}


def envoy_filter(*patches: dict, name: str = "order", priority: int = 0) -> str:
    """JSON is YAML, too."""
    return json.dumps(
        {
            "apiVersion": "networking.istio.io/v1alpha3",
            "kind": "EnvoyFilter",
            "metadata": {"name": name, "namespace": "istio-system"},
            "spec": {"priority": priority, "configPatches": patches},
        }
    )


def ordered(*names: str):
    """Whether the filters that touched the request are these, in this order."""
    return (
        lambda response: response.status == 200
        and seen(response)["headers"].get("x-order", "").split() == list(names)
    )


def test_inserted_filters_run_in_their_order(stage):
    inserts = [
        patch("INSERT_BEFORE", lua("one"), at=ROUTER),
        patch("INSERT_BEFORE", lua("two"), at=ROUTER),
        patch("INSERT_AFTER", lua("between"), at="one"),
        patch("INSERT_FIRST", lua("first")),
        patch("INSERT_BEFORE", lua("nowhere"), at="no.such.filter"),
    ]
    stage.write("filter.yaml", envoy_filter(*inserts))
    stage.answer(ordered("first", "one", "between", "two"))
    before = stage.pushes()
    stage.write("filter.yaml", envoy_filter(*inserts[:2]))
    stage.answer(ordered("one", "two"))
    assert stage.pushed_since(before) == {"lds": 1}


def test_filters_apply_by_priority(stage):
    late = envoy_filter(patch("INSERT_BEFORE", lua("late"), at=ROUTER), name="a", priority=5)
    early = envoy_filter(patch("INSERT_BEFORE", lua("early"), at=ROUTER), name="b", priority=-5)
    stage.write("late.yaml", late)
    stage.write("early.yaml", early)
    stage.answer(ordered("early", "late"))


def test_replace_and_remove(stage):
    inserts = [patch("INSERT_BEFORE", lua(name), at=ROUTER) for name in ("one", "two", "three")]
    stage.write("a.yaml", envoy_filter(*inserts))
    stage.answer(ordered("one", "two", "three"))
    replace = patch("REPLACE", lua("other"), at="two")
    stage.write("b.yaml", envoy_filter(replace, name="change", priority=1))
    stage.answer(ordered("one", "other", "three"))
    stage.write("b.yaml", envoy_filter(patch("REMOVE", at="one"), name="change", priority=1))
    stage.answer(ordered("two", "three"))
    (stage.config / "b.yaml").unlink()
    stage.answer(ordered("one", "two", "three"))


def test_merge_changes_a_part_of_a_filter(stage):
    """The router tells the backend the path before a rewrite, unless its headers are suppressed."""
    stage.write("route.yaml", route_yaml() + "    rewrite:\n      uri: /rewritten\n")
    told = stage.answer(lambda response: seen(response)["path"] == "/rewritten")
    assert seen(told)["headers"]["x-envoy-original-path"] == "/"
    router = f"{TYPE}envoy.extensions.filters.http.router.v3.Router"
    quiet = {"typed_config": {"@type": router, "suppress_envoy_headers": True}}
    stage.write("merge.yaml", envoy_filter(patch("MERGE", quiet, at=ROUTER)))
    untold = stage.answer(
        lambda response: "x-envoy-original-path" not in seen(response)["headers"]
    )
    assert seen(untold)["path"] == "/rewritten"

    # A part of what another object has inserted: its code goes, its name stays.
    insert = patch("INSERT_BEFORE", lua("mine"), at=ROUTER)
    stage.write("insert.yaml", envoy_filter(insert, name="insert", priority=-1))
    stage.answer(ordered("mine"))
    changed = {"typed_config": lua("mine", "merged")["typed_config"]}
    stage.write("merge.yaml", envoy_filter(patch("MERGE", changed, at="mine")))
    stage.answer(ordered("merged"))


def test_a_filter_and_its_configuration_by_ecds(stage, wasm_modules):
    """Two halves: the filter in the listener, and what it runs as a resource of its own."""
    wasm = f"{TYPE}envoy.extensions.filters.http.wasm.v3.Wasm"
    discovery = {
        "name": "pair",
        "config_discovery": {
            "config_source": {"ads": {}, "resource_api_version": "V3"},
            "type_urls": [wasm],
        },
    }

    def module(text: str) -> dict:
        code = {"local": {"filename": str(wasm_modules["response-headers"])}}
        config = {
            "name": "pair",
            "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": code},
            "configuration": {
                "@type": f"{TYPE}google.protobuf.StringValue",
                "value": json.dumps({"headers": {"x-said": text}}),
            },
        }
        return {
            "applyTo": "EXTENSION_CONFIG",
            "match": {"context": "GATEWAY"},
            "patch": {
                "operation": "ADD",
                "value": {"name": "pair", "typed_config": {"@type": wasm, "config": config}},
            },
        }

    stage.write("pair.yaml", envoy_filter(patch("INSERT_FIRST", discovery), module("one")))
    stage.answer(lambda response: response.headers.get("x-said") == "one")
    before = stage.pushes()
    stage.write("pair.yaml", envoy_filter(patch("INSERT_FIRST", discovery), module("two")))
    stage.answer(lambda response: response.headers.get("x-said") == "two")
    assert stage.pushed_since(before) == {"ecds": 1}


def test_a_patch_that_does_not_fit_takes_nothing_else_along(stage):
    good = patch("INSERT_BEFORE", lua("good"), at=ROUTER)
    bad = patch("INSERT_FIRST", {"name": "bad", "typed_config": {"@type": f"{TYPE}no.Such"}})
    stage.write("filter.yaml", envoy_filter(good, bad))
    stage.answer(ordered("good"))
    (problem,) = stage.skiffd.get("/debug/problemsz")
    assert (problem["severity"], problem["kind"], problem["name"]) == ("error", "EnvoyFilter", "order")
    assert problem["field"].startswith("spec.configPatches[1].patch.value.typed_config")
    assert stage.skiffd.get("/debug/rejectsz")["totalRejects"] == 0


def test_a_patch_that_envoy_would_refuse_does_not_reach_it(stage):
    """Istio sends this chain; Envoy refuses the listener then, and with it the good patch."""
    good = patch("INSERT_BEFORE", lua("good"), at=ROUTER)
    late = patch("ADD", lua("late"))
    empty = patch("INSERT_FIRST", {"name": "empty"})
    stage.write("filter.yaml", envoy_filter(good, late, empty))
    stage.answer(ordered("good"))
    assert [problem["field"] for problem in stage.skiffd.get("/debug/problemsz")] == [
        "spec.configPatches[1].patch.operation",
        "spec.configPatches[2].patch.value.typed_config",
    ]
    assert stage.skiffd.get("/debug/rejectsz")["totalRejects"] == 0
