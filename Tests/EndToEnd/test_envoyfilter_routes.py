# SPDX-License-Identifier: Apache-2.0
"""Patches of routes, virtual hosts, clusters and listeners, by what a real Envoy then does."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from skiff_e2e.gateway import free_port, get
from skiff_e2e.patches import MANAGER, ROUTER, envoy_filter, http_filter, patch, routes, typed
from skiff_e2e.skiffd import skiffctl
from skiff_e2e.stage import Stage, seen, with_backend

HOST = "web.example.com"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("routes")) as stage:
        yield with_backend(stage).start()


@pytest.fixture
def stage(running: Stage) -> Iterator[Stage]:
    """One Envoy for all tests; what a test has written goes with it."""
    yield running
    for path in running.config.glob("patch*.yaml"):
        path.unlink()


def has(name: str, value: str | None):
    """Whether the backend was sent a header of this value, or none."""
    return lambda response: response.status == 200 and seen(response)["headers"].get(name) == value


def test_a_route_timeout_and_a_replaced_router(stage):
    """The router tells the backend the path before a rewrite, unless its option says otherwise."""
    original = "x-envoy-original-path"
    change = {"route": {"timeout": "0.3s", "prefix_rewrite": "/rewritten"}}
    rewrite = routes("HTTP_ROUTE", "MERGE", change, domainName=HOST)
    stage.write("patch.yaml", envoy_filter(rewrite))
    stage.answer(has(original, "/"))
    late = stage.get(headers={"x-hold": "yes"})
    stage.backend.let_go()
    assert (late.status, late.body) == (504, "upstream request timeout")

    quiet = typed(ROUTER, "extensions.filters.http.router.v3.Router", suppress_envoy_headers=True)
    stage.write("patch.yaml", envoy_filter(rewrite, http_filter("REPLACE", quiet)))
    assert seen(stage.answer(has(original, None)))["path"] == "/rewritten"


def test_routes_are_added_inserted_and_removed(stage):
    def answer(status: int) -> dict:
        return {"match": {"prefix": "/"}, "direct_response": {"status": status}}

    host = {"name": "mine", "domains": ["mine.example.com"], "routes": [answer(201)]}
    stage.write("patch.yaml", envoy_filter(routes("VIRTUAL_HOST", "ADD", host)))
    stage.answer(lambda response: response.status == 201, host="mine.example.com")
    assert stage.get().status == 200

    first = answer(418) | {"match": {"path": "/tea"}}
    stage.write("patch.yaml", envoy_filter(routes("HTTP_ROUTE", "INSERT_FIRST", first, domainName=HOST)))
    stage.answer(lambda response: response.status == 418, path="/tea")
    assert stage.get().status == 200

    remove = routes("HTTP_ROUTE", "REMOVE", domainName=HOST, route={"action": "ROUTE"})
    stage.write("patch.yaml", envoy_filter(remove))
    stage.answer(lambda response: response.status == 404)

    web = host | {"name": f"{HOST}:{stage.port}", "domains": [HOST]}
    both = [routes("VIRTUAL_HOST", "REMOVE", domainName=HOST), routes("VIRTUAL_HOST", "ADD", web)]
    stage.write("patch.yaml", envoy_filter(*both))
    stage.answer(lambda response: response.status == 201)


def test_only_an_explicit_false_is_false(stage):
    counted = "x-envoy-attempt-count"
    stage.answer(has(counted, "1"))
    off = routes("VIRTUAL_HOST", "MERGE", {"include_request_attempt_count": False}, domainName=HOST)
    mark = routes(
        "VIRTUAL_HOST", "MERGE",
        {"request_headers_to_add": [{"header": {"key": "x-mark", "value": "set"}}]},
    )
    stage.write("patch.yaml", envoy_filter(off, mark))
    stage.answer(has("x-mark", "set"))
    assert seen(stage.get())["headers"][counted] == "1"
    stage.write("patch.yaml", envoy_filter(off, mark, presence="explicit"))
    stage.answer(has(counted, None))


def test_a_cluster_is_changed_and_removed(stage):
    name = "outbound|80||backend.internal"
    limits = {"circuit_breakers": {"thresholds": [{"max_requests": 0}]}}
    match = {"cluster": {"service": "backend.internal", "portNumber": 80}}
    stage.write(
        "patch.yaml", envoy_filter(patch("CLUSTER", "MERGE_AND_REPLACE_LIST", limits, **match))
    )
    stage.answer(lambda response: response.status == 503 and "overflow" in response.body)
    stage.write("patch.yaml", envoy_filter(patch("CLUSTER", "REMOVE", **match)))
    stage.answer(lambda response: response.status == 500)
    assert name not in stage.envoy.admin("/clusters")


def test_a_listener_of_ones_own(stage):
    """In strict order a later patch finds what an earlier one has added."""
    port = free_port()
    answer = {"match": {"prefix": "/"}, "direct_response": {"status": 202}}
    manager = typed(
        MANAGER, "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="mine",
        route_config={"virtual_hosts": [{"name": "mine", "domains": ["*"], "routes": [answer]}]},
        http_filters=[typed(ROUTER, "extensions.filters.http.router.v3.Router")],
    )
    listener = {
        "name": "mine",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [manager]}],
    }
    code = 'function envoy_on_response(handle) handle:headers():add("x-lua", "ran") end'
    lua = typed(
        "lua", "extensions.filters.http.lua.v3.Lua", default_source_code={"inline_string": code}
    )
    insert = patch(
        "HTTP_FILTER", "INSERT_FIRST", lua,
        listener={"name": "mine", "filterChain": {"filter": {"name": MANAGER}}},
    )
    patches = [patch("LISTENER", "ADD", listener), insert]

    def answers(header: str | None):
        def probe() -> bool:
            try:
                response = get(port)
            except OSError:
                return False
            return response.status == 202 and response.headers.get("x-lua") == header

        return probe

    stage.write("patch.yaml", envoy_filter(*patches))
    stage.envoy.wait_for("the listener by Istio's passes", answers(None))
    stage.write("patch.yaml", envoy_filter(*patches, order="strict"))
    stage.envoy.wait_for("the listener with its filter", answers("ran"))


def test_a_bootstrap_with_patches(start_envoy, tmp_path):
    """BOOTSTRAP changes what skiffctl prints, and a real Envoy starts with it."""
    stats = {"stats_config": {"stats_tags": [{"tag_name": "mine", "fixed_value": "yes"}]}}
    (tmp_path / "patch.yaml").write_text(envoy_filter(patch("BOOTSTRAP", "MERGE", stats)))
    arguments = ["bootstrap", "--type", "router", "--id", "gw", "--namespace", "default"]
    arguments += ["--xds-address", "127.0.0.1:1", "-f", str(tmp_path / "patch.yaml")]
    printed = skiffctl(*arguments)
    assert printed.returncode == 0, printed.stderr
    bootstrap = json.loads(printed.stdout)
    assert bootstrap["stats_config"] == stats["stats_config"]
    bootstrap["admin"]["address"]["socket_address"]["port_value"] = 0
    # It would wait for its control plane for ever.
    del bootstrap["dynamic_resources"]
    envoy = start_envoy(bootstrap)
    assert 'mine="yes"' in envoy.admin("/stats/prometheus?filter=server.live")

    bad = envoy_filter(patch("BOOTSTRAP", "MERGE", {"stats_confg": {}, "admin": {"address": 1}}))
    refused = skiffctl(*arguments[:-1], "-", stdin=bad)
    assert refused.returncode == 1
    assert "spec.configPatches[0].patch.value.admin.address: expected an object" in refused.stderr
