# SPDX-License-Identifier: Apache-2.0
"""Static Envoy configuration for tests that need no control plane."""

from __future__ import annotations

from pathlib import Path

TYPE = "type.googleapis.com/"
CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager"
ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": f"{TYPE}envoy.extensions.filters.http.router.v3.Router"},
}


def wasm_filter(
    module: Path,
    configuration: str | None = None,
    *,
    root_id: str = "",
    vm_configuration: str | None = None,
    environment: dict[str, str] | None = None,
) -> dict:
    """A Wasm HTTP filter that runs a module from disk."""
    vm = {
        "vm_id": module.stem,
        "runtime": "envoy.wasm.runtime.v8",
        "code": {"local": {"filename": str(module)}},
    }
    if vm_configuration is not None:
        vm["configuration"] = _string_value(vm_configuration)
    if environment:
        vm["environment_variables"] = {"key_values": environment}
    plugin = {"name": module.stem, "root_id": root_id, "vm_config": vm}
    if configuration is not None:
        plugin["configuration"] = _string_value(configuration)
    return {
        "name": module.stem,
        "typed_config": {
            "@type": f"{TYPE}envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": plugin,
        },
    }


def listener(name: str, http_filters: list[dict], routes: list[dict]) -> dict:
    """An HTTP listener on a free port of the loopback interface, for every host."""
    manager = {
        "@type": f"{TYPE}envoy.extensions.filters.network.http_connection_manager.v3"
        ".HttpConnectionManager",
        "stat_prefix": name,
        "codec_type": "AUTO",
        "http_protocol_options": {"enable_trailers": True},
        "route_config": {
            "name": name,
            "virtual_hosts": [{"name": "any", "domains": ["*"], "routes": routes}],
        },
        "http_filters": [*http_filters, ROUTER],
    }
    chain = {"filters": [{"name": CONNECTION_MANAGER, "typed_config": manager}]}
    return {
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [chain],
    }


def direct_response(body: str, status: int = 200) -> dict:
    """A route that answers every path by itself."""
    return {
        "match": {"prefix": "/"},
        "direct_response": {"status": status, "body": {"inline_string": body}},
    }


def cluster_route(cluster: str) -> dict:
    return {"match": {"prefix": "/"}, "route": {"cluster": cluster}}


def static_cluster(name: str, port: int) -> dict:
    """A cluster of one endpoint on the loopback interface."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return {
        "name": name,
        "type": "STATIC",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http_protocol_options": {"enable_trailers": True}},
            }
        },
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }


def static_bootstrap(listeners: list[dict], clusters: list[dict] | None = None) -> dict:
    return {"static_resources": {"listeners": listeners, "clusters": clusters or []}}


def _string_value(text: str) -> dict:
    return {"@type": f"{TYPE}google.protobuf.StringValue", "value": text}
