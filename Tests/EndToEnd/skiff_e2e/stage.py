# SPDX-License-Identifier: Apache-2.0
"""The whole path on free ports: manifests in a directory, skiffd, an Envoy as a gateway, backends."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from .backend import Backend
from .gateway import (
    backend_yaml,
    free_port,
    gateway_envoy,
    gateway_yaml,
    get,
    route_yaml,
    wait_for_answer,
)
from .http import Response
from .skiffd import Skiffd, write


class Stage:
    """skiffd and an Envoy that run the manifests in `config`; use it as a context manager."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config = directory / "config"
        self.port = free_port()
        self._running = ExitStack()

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *error: object) -> None:
        self._running.__exit__(*error)

    def enter(self, program):
        """Starts something that ends with the stage."""
        return self._running.enter_context(program)

    def start(self, *, labels: str = "istio=ingressgateway") -> Stage:
        self.skiffd = self.enter(Skiffd(self.config, self.directory)).wait_until_ready()
        self.envoy = self.enter(gateway_envoy(self.directory, self.skiffd.grpc, labels=labels))
        self.envoy.wait_until_ready()
        return self

    def write(self, name: str, text: str) -> None:
        write(self.config / name, text)

    def get(self, path: str = "/", **options) -> Response:
        return get(self.port, path, **options)

    def answer(self, expected: Callable[[Response], bool], **options) -> Response:
        """Asks until the answer is as expected."""
        return wait_for_answer(self.envoy, self.port, expected, **options)

    def pushes(self) -> dict[str, float]:
        """How many responses were sent so far, by short type."""
        return {
            label[6:-1]: count for label, count in self.skiffd.metrics("pilot_xds_pushes").items()
        }

    def pushed_since(self, before: dict[str, float]) -> dict[str, float]:
        """What was sent since, types without a response left out."""
        after = self.pushes()
        sent = {kind: after[kind] - before.get(kind, 0) for kind in after}
        return {kind: count for kind, count in sent.items() if count}


def with_backend(stage: Stage) -> Stage:
    """A gateway for every host, and web.example.com routed to one backend."""
    stage.backend = stage.enter(Backend("one"))
    stage.write("gateway.yaml", gateway_yaml(stage.port))
    stage.write("backend.yaml", backend_yaml(stage.backend.port))
    stage.write("route.yaml", route_yaml("one"))
    return stage


def with_sample(stage: Stage, folder: Path, ports: dict[int, int], modules: Path) -> Stage:
    """A sample on other ports than its own, with the modules of this build."""
    for path in folder.iterdir():
        text = path.read_text().replace("/tmp/skiff/wasm", str(modules))
        for old, new in ports.items():
            text = text.replace(f": {old}\n", f": {new}\n")
        stage.write(path.name, text)
    return stage


def seen(response: Response) -> dict:
    """What the backend says that it was sent, its headers as a dict."""
    request = json.loads(response.body)
    return request | {"headers": dict(request["headers"])}
