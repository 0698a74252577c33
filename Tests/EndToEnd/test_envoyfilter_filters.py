# SPDX-License-Identifier: Apache-2.0
"""Filters that people put into gateways by EnvoyFilter, by what a real Envoy does with them."""

from __future__ import annotations

import gzip
import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from skiff_e2e.backend import Backend
from skiff_e2e.patches import envoy_filter, http_filter, network_filter, patch, routes, typed
from skiff_e2e.stage import Stage, seen, with_backend

HTTP = "extensions.filters.http."


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("filters")) as stage:
        yield with_backend(stage).start()


@pytest.fixture
def stage(running: Stage) -> Iterator[Stage]:
    """One Envoy for all tests; what a test has written goes with it."""
    yield running
    for path in running.config.glob("patch*.yaml"):
        path.unlink()


def test_a_local_rate_limit(stage):
    bucket = {"max_tokens": 2, "tokens_per_fill": 1, "fill_interval": "3600s"}
    on = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    limit = typed(
        "envoy.filters.http.local_ratelimit", f"{HTTP}local_ratelimit.v3.LocalRateLimit",
        stat_prefix="limit", token_bucket=bucket, filter_enabled=on, filter_enforced=on,
        response_headers_to_add=[{"header": {"key": "x-limited", "value": "yes"}}],
    )
    stage.write("patch.yaml", envoy_filter(http_filter("INSERT_BEFORE", limit)))
    limited = stage.answer(lambda response: response.status == 429)
    assert (limited.headers["x-limited"], limited.body) == ("yes", "local_rate_limited")
    assert stage.envoy.stats("^limit.http_local_rate_limit")["limit.http_local_rate_limit.ok"] == 2


def test_lua_and_a_route_without_it(stage):
    code = 'function envoy_on_response(handle) handle:headers():add("x-lua", "ran") end'
    lua = typed(
        "envoy.filters.http.lua", f"{HTTP}lua.v3.Lua", default_source_code={"inline_string": code}
    )
    stage.write("patch.yaml", envoy_filter(http_filter("INSERT_BEFORE", lua)))
    stage.answer(lambda response: response.headers.get("x-lua") == "ran")
    per_route = {"@type": f"type.googleapis.com/envoy.{HTTP}lua.v3.LuaPerRoute", "disabled": True}
    without = routes(
        "HTTP_ROUTE", "MERGE", {"typed_per_filter_config": {"envoy.filters.http.lua": per_route}},
        domainName="web.example.com",
    )
    stage.write("patch.yaml", envoy_filter(http_filter("INSERT_BEFORE", lua), without))
    stage.answer(lambda response: response.status == 200 and "x-lua" not in response.headers)


def test_an_authorization_service(stage):
    """The service is a cluster of its own, added by the same object."""
    with Backend("authorizer") as authorizer:
        address = {"socket_address": {"address": "127.0.0.1", "port_value": authorizer.port}}
        cluster = {
            "name": "authorizer", "type": "STATIC", "connect_timeout": "1s",
            "load_assignment": {
                "cluster_name": "authorizer",
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
            },
        }
        service = {
            "server_uri": {"uri": "http://authorizer", "cluster": "authorizer", "timeout": "5s"},
            "authorization_response": {
                "allowed_upstream_headers": {"patterns": [{"exact": "content-type"}]}
            },
        }
        authorize = typed(
            "envoy.filters.http.ext_authz", f"{HTTP}ext_authz.v3.ExtAuthz", http_service=service,
            allowed_headers={"patterns": [{"exact": "x-answers"}]},
        )
        stage.write(
            "patch.yaml",
            envoy_filter(patch("CLUSTER", "ADD", cluster), http_filter("INSERT_BEFORE", authorize)),
        )
        refused = {"x-answers": "403"}

        def is_denied(response) -> bool:
            return response.status == 403 and seen(response)["backend"] == "authorizer"

        stage.answer(is_denied, headers=refused)
        allowed = stage.get()
        assert (allowed.status, seen(allowed)["backend"]) == (200, "one")


def test_header_to_metadata(stage):
    """A header of the request becomes metadata, of which a virtual host makes another header."""
    value = {"metadata_namespace": "mine", "key": "tier", "type": "STRING"}
    filter = typed(
        "envoy.filters.http.header_to_metadata", f"{HTTP}header_to_metadata.v3.Config",
        request_rules=[{"header": "x-tier", "on_header_present": value, "remove": True}],
    )
    told = {"header": {"key": "x-told-tier", "value": "%DYNAMIC_METADATA(mine:tier)%"}}
    stage.write(
        "patch.yaml",
        envoy_filter(
            http_filter("INSERT_BEFORE", filter),
            routes("VIRTUAL_HOST", "MERGE", {"request_headers_to_add": [told]}),
        ),
    )
    gold = {"x-tier": "gold"}

    def is_told(response) -> bool:
        return response.status == 200 and seen(response)["headers"].get("x-told-tier") == "gold"

    response = stage.answer(is_told, headers=gold)
    assert "x-tier" not in seen(response)["headers"]


def test_compression(stage):
    library = typed("gzip", "extensions.compression.gzip.compressor.v3.Gzip")
    compressor = typed(
        "envoy.filters.http.compressor", f"{HTTP}compressor.v3.Compressor",
        compressor_library=library,
    )
    stage.write("patch.yaml", envoy_filter(http_filter("INSERT_BEFORE", compressor)))
    accepts = {"accept-encoding": "gzip"}
    stage.answer(
        lambda response: response.headers.get("content-encoding") == "gzip", headers=accepts
    )
    connection = http.client.HTTPConnection("127.0.0.1", stage.port, timeout=10)
    connection.request("GET", "/", headers={"host": "web.example.com"} | accepts)
    assert b'"backend": "one"' in gzip.decompress(connection.getresponse().read())
    connection.close()
    assert "content-encoding" not in stage.get().headers


def test_a_connection_limit(stage):
    limit = typed(
        "envoy.filters.network.connection_limit",
        "extensions.filters.network.connection_limit.v3.ConnectionLimit",
        stat_prefix="connections", max_connections=1,
    )
    stage.write("patch.yaml", envoy_filter(network_filter("INSERT_BEFORE", limit)))

    def is_limited() -> bool:
        first = http.client.HTTPConnection("127.0.0.1", stage.port, timeout=10)
        try:
            first.request("GET", "/", headers={"host": "web.example.com"})
            first.getresponse().read()
            stage.get()
        except OSError:
            return True
        finally:
            first.close()
        return False

    stage.envoy.wait_for("a second connection to be refused", is_limited)
    limited = "connection_limit.connections.limited_connections"
    assert stage.envoy.stats(f"^{limited}")[limited] >= 1


def test_an_access_log_and_its_format(stage, tmp_path: Path):
    log = tmp_path / "access.log"
    line = "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %ROUTE_NAME%|\n"
    file = typed(
        "mine", "extensions.access_loggers.file.v3.FileAccessLog", path=str(log),
        log_format={"text_format_source": {"inline_string": line}},
    )
    manager = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    stage.write(
        "patch.yaml",
        envoy_filter(
            network_filter("MERGE", {"typed_config": typed("", manager, access_log=[file])["typed_config"]}),
            routes("HTTP_ROUTE", "MERGE", {"name": "renamed"}, domainName="web.example.com"),
        ),
    )

    def is_logged() -> bool:
        stage.get("/logged?by=me")
        return log.exists() and "GET /logged?by=me 200 renamed|\n" in log.read_text()

    stage.envoy.wait_for("a line in the log", is_logged)


def test_a_removed_filter(stage):
    code = 'function envoy_on_response(handle) handle:headers():add("x-lua", "ran") end'
    lua = typed("mine", f"{HTTP}lua.v3.Lua", default_source_code={"inline_string": code})
    stage.write("patch.yaml", envoy_filter(http_filter("INSERT_BEFORE", lua), name="insert"))
    stage.answer(lambda response: response.headers.get("x-lua") == "ran")
    stage.write("patch-remove.yaml", envoy_filter(http_filter("REMOVE", at="mine"), name="remove"))
    stage.answer(lambda response: response.status == 200 and "x-lua" not in response.headers)
