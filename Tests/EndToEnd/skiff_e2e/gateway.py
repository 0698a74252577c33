# SPDX-License-Identifier: Apache-2.0
"""An Envoy that skiffd configures, and the manifests of a small gateway in front of a backend."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from .envoy import Envoy
from .http import Response, request
from .skiffd import skiffctl

LABELS = "istio=ingressgateway"
# The name that proxies ask for `plugin_yaml` by.
PLUGIN = "extensions.istio.io/wasmplugin/istio-system.hello"


def free_port() -> int:
    """A port that nobody listens on; a Gateway cannot ask for port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def gateway_envoy(
    directory: Path,
    grpc_port: int,
    *,
    name: str = "gateway",
    role: str = "router",
    namespace: str = "istio-system",
    labels=LABELS,
    metadata: dict | None = None,
    flags=(),
) -> Envoy:
    """Starts an Envoy from the bootstrap that skiffctl prints; `flags` are more of its own."""
    printed = skiffctl(
        *["bootstrap", "--type", role, "--id", name, "--namespace", namespace],
        *["--labels", labels, "--xds-address", f"127.0.0.1:{grpc_port}"],
        *flags,
    )
    assert printed.returncode == 0, printed.stderr
    bootstrap = json.loads(printed.stdout)
    bootstrap["node"]["metadata"] |= metadata or {}
    bootstrap["admin"]["address"]["socket_address"]["port_value"] = 0
    return Envoy(bootstrap, directory, name=name)


def get(port: int, path: str = "/", *, host: str = "web.example.com", **options) -> Response:
    return request(port, path, host=host, **options)


def wait_for_answer(envoy: Envoy, port: int, expected, **options) -> Response:
    """Asks until `expected(response)` is true."""

    def probe() -> Response | None:
        try:
            response = get(port, **options)
        except OSError:
            return None
        return response if expected(response) else None

    return envoy.wait_for("the expected answer", probe)


def gateway_yaml(port: int, hosts: str = "'*'") -> str:
    return f"""\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: web
  namespace: default
spec:
  selector:
    istio: ingressgateway
  servers:
  - port:
      number: {port}
      name: http
      protocol: HTTP
    hosts:
    - {hosts}
"""


def backend_yaml(port: int, name: str = "backend") -> str:
    return f"""\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: {name}
  namespace: default
spec:
  hosts:
  - {name}.internal
  location: MESH_EXTERNAL
  resolution: STATIC
  ports:
  - number: 80
    name: http
    protocol: HTTP
  endpoints:
  - address: 127.0.0.1
    ports:
      http: {port}
"""


def route_yaml(header: str = "one", destination: str = "backend.internal") -> str:
    """Sends web.example.com to a backend and marks the responses with `x-route: <header>`."""
    return f"""\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: web
  namespace: default
spec:
  hosts:
  - web.example.com
  gateways:
  - web
  http:
  - route:
    - destination:
        host: {destination}
        port:
          number: 80
    headers:
      response:
        set:
          x-route: {header}
"""


def lua_filter_yaml(code: str, name: str = "lua") -> str:
    """An EnvoyFilter that runs Lua before the router."""
    indented = "\n".join(f"              {line}" for line in code.splitlines())
    return f"""\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata:
  name: {name}
  namespace: istio-system
spec:
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: GATEWAY
      listener:
        filterChain:
          filter:
            name: envoy.filters.network.http_connection_manager
            subFilter:
              name: envoy.filters.http.router
    patch:
      operation: INSERT_BEFORE
      value:
        name: envoy.filters.http.lua
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
          default_source_code:
            inline_string: |
{indented}
"""


def plugin_yaml(greeting: str, *, selector: str = "{}") -> str:
    """A WasmPlugin whose module is nowhere, for clients that do not load it."""
    return f"""\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata:
  name: hello
  namespace: istio-system
spec:
  selector: {selector}
  url: file:///nowhere/hello.wasm
  pluginConfig:
    greeting: {greeting}
"""
