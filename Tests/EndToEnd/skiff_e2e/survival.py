# SPDX-License-Identifier: Apache-2.0
"""A skiffd to be ill-treated, and the question that ends every case: does the service go on?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from .ads import CLUSTER, ROUTE, ADSClient, names
from .gateway import backend_yaml, gateway_yaml, route_yaml
from .skiffd import Skiffd, write


@contextmanager
def small_mesh(directory: Path) -> Iterator[SimpleNamespace]:
    """skiffd with one gateway, and a client that each case asks whether the service goes on."""
    mesh = SimpleNamespace(config=directory / "config", directory=directory, step=0)
    write(mesh.config / "gateway.yaml", gateway_yaml(8080))
    write(mesh.config / "backend.yaml", backend_yaml(9000))
    write(mesh.config / "route.yaml", route_yaml("start"))
    with Skiffd(mesh.config, directory) as skiffd:
        mesh.skiffd = skiffd.wait_until_ready()
        with ADSClient(skiffd.grpc) as mesh.client:
            mesh.client.subscribe(ROUTE, ["http.8080"])
            yield mesh


def assert_alive(mesh: SimpleNamespace) -> None:
    """An edit reaches the client that was there before, and a new client is served."""
    mesh.step += 1
    marker = f"alive-{mesh.step}"
    write(mesh.config / "route.yaml", route_yaml(marker))
    response = mesh.client.receive(ROUTE)
    assert marker.encode() in response.resources[0].value
    mesh.client.ack(response, ["http.8080"])
    with ADSClient(mesh.skiffd.grpc, name="newcomer") as newcomer:
        assert len(names(newcomer.subscribe(CLUSTER))) == 2


def problems_of(skiffd: Skiffd, file: str) -> list[dict]:
    """The problems that name a file, by their location or in their words."""
    return [
        problem
        for problem in skiffd.get("/debug/problemsz")
        if file in problem.get("file", "") or file in problem["reason"]
    ]


def added(mesh: SimpleNamespace, name: str, text: str | bytes) -> list[dict]:
    """Adds a file with something wrong, gives back what is said of it, and takes it away again."""
    path = mesh.config / name
    if isinstance(text, bytes):
        hidden = path.with_name(f".{name}")
        hidden.write_bytes(text)
        hidden.rename(path)
    else:
        write(path, text)
    found = mesh.skiffd.wait_for("problems", lambda: problems_of(mesh.skiffd, name))
    assert_alive(mesh)
    path.unlink()
    mesh.skiffd.wait_for("all clear", lambda: not problems_of(mesh.skiffd, name))
    return found
