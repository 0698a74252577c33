# SPDX-License-Identifier: Apache-2.0
"""EnvoyFilters as tests write them: JSON, which is YAML too."""

from __future__ import annotations

import json

MANAGER = "envoy.filters.network.http_connection_manager"
ROUTER = "envoy.filters.http.router"
TYPE = "type.googleapis.com/envoy."


def typed(name: str, type: str, **config) -> dict:
    """A filter: its name, its type without the `type.googleapis.com/envoy.`, its fields."""
    return {"name": name, "typed_config": {"@type": TYPE + type} | config}


def patch(apply_to: str, operation: str, value: dict | None = None, **match) -> dict:
    """A patch for gateways; `match` is what comes beside the context."""
    change = {"operation": operation} | ({"value": value} if value is not None else {})
    return {"applyTo": apply_to, "match": {"context": "GATEWAY"} | match, "patch": change}


def http_filter(operation: str, value: dict | None = None, at: str | None = ROUTER) -> dict:
    filter = {"name": MANAGER} | ({"subFilter": {"name": at}} if at else {})
    return patch("HTTP_FILTER", operation, value, listener={"filterChain": {"filter": filter}})


def network_filter(operation: str, value: dict | None = None, at: str = MANAGER) -> dict:
    match = {"filterChain": {"filter": {"name": at}}}
    return patch("NETWORK_FILTER", operation, value, listener=match)


def routes(apply_to: str, operation: str, value: dict | None = None, **vhost) -> dict:
    """A patch of routes; `vhost` is the match of the virtual host."""
    match = {"routeConfiguration": {"vhost": vhost}} if vhost else {}
    return patch(apply_to, operation, value, **match)


def envoy_filter(*patches: dict, name: str = "patch", **annotations: str) -> str:
    """Annotations are given without `skiff.dev/`."""
    metadata = {"name": name, "namespace": "istio-system"}
    metadata["annotations"] = {f"skiff.dev/{key}": value for key, value in annotations.items()}
    return json.dumps(
        {
            "apiVersion": "networking.istio.io/v1alpha3",
            "kind": "EnvoyFilter",
            "metadata": metadata,
            "spec": {"configPatches": patches},
        }
    )
