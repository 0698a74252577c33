# SPDX-License-Identifier: Apache-2.0
"""VirtualServices on one gateway, each with a host of its own, in front of named backends."""

from __future__ import annotations

import json
import uuid

from .backend import Backend
from .gateway import backend_yaml, gateway_yaml
from .http import Response
from .stage import Stage


def virtual_service(name: str, http: list[dict], **spec) -> dict:
    """A VirtualService for `<name>.example.com` on the gateway, in the namespace `default`."""
    namespace = spec.pop("namespace", "default")
    fields = {"hosts": [f"{name}.example.com"], "gateways": ["default/web"], "http": http}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": namespace}
        | {key: spec.pop(key) for key in ["creationTimestamp"] if key in spec},
        "spec": {key: value for key, value in (fields | spec).items() if value is not None},
    }


def to(backend: str = "one", mark: str | None = None, **fields) -> dict:
    """A route to a backend, which marks the response with `x-route`."""
    route = {"route": [{"destination": {"host": f"{backend}.internal"}}], **fields}
    if mark:
        route["headers"] = {"response": {"set": {"x-route": mark}}}
    return route


class Routes:
    """A stage with backends and VirtualServices, running."""

    def __init__(self, stage: Stage, backends: list[str], services: list[dict]) -> None:
        self.stage = stage
        self.backends = {name: stage.enter(Backend(name)) for name in backends}
        stage.write("gateway.yaml", gateway_yaml(stage.port))
        for name, backend in self.backends.items():
            stage.write(f"{name}.yaml", backend_yaml(backend.port, name))
        self.write(services)
        stage.start()
        stage.answer(lambda response: response.status == 204, host="ready.example.com")

    def write(self, services: list[dict]) -> None:
        ready = virtual_service("ready", [{"directResponse": {"status": 204}}])
        self.stage.write("routes.yaml", "\n---\n".join(map(json.dumps, [*services, ready])))

    def get(self, name: str, path: str = "/", **options) -> Response:
        return self.stage.get(path, host=f"{name}.example.com", **options)



def new_key() -> dict[str, str]:
    """A header by which a backend tells one request, with its retries and copies, from all others."""
    return {"x-key": uuid.uuid4().hex}
