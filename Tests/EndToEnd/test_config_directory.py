# SPDX-License-Identifier: Apache-2.0
"""Directories that vanish, are replaced or hold very much, and a process that dies in between."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack

import pytest

from skiff_e2e.ads import CLUSTER, ROUTE, ADSClient, names
from skiff_e2e.gateway import backend_yaml, gateway_yaml, route_yaml
from skiff_e2e.skiffd import Skiffd, write
from skiff_e2e.survival import assert_alive, small_mesh


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    with small_mesh(tmp_path_factory.mktemp("mesh")) as mesh:
        yield mesh


def test_a_directory_that_vanishes_leaves_its_objects_in_force(mesh):
    skiffd, away = mesh.skiffd, mesh.directory / "away"
    mesh.config.rename(away)
    (problem,) = skiffd.wait_for("a problem", lambda: skiffd.get("/debug/problemsz"))
    assert (problem["severity"], problem["code"]) == ("error", "unavailable")
    assert problem["reason"] == f"{mesh.config}: no such file or directory"
    with ADSClient(skiffd.grpc, name="during") as client:
        assert len(names(client.subscribe(CLUSTER))) == 2
        assert names(client.subscribe(ROUTE, ["http.8080"])) == ["http.8080"]
    away.rename(mesh.config)
    skiffd.wait_for("all clear", lambda: not skiffd.get("/debug/problemsz"))
    assert_alive(mesh)


def test_a_directory_that_is_replaced_by_an_equal_one_is_followed(mesh):
    other = mesh.directory / "other"
    shutil.copytree(mesh.config, other)
    mesh.config.rename(mesh.directory / "former")
    other.rename(mesh.config)
    assert_alive(mesh)
    shutil.rmtree(mesh.directory / "former")


def test_a_subdirectory_that_comes_and_goes_is_followed(mesh):
    skiffd = mesh.skiffd

    def is_there() -> bool:
        return "below.internal" in str(skiffd.get("/debug/registryz"))

    write(mesh.config / "a/b/c/below.yaml", backend_yaml(9002, "below"))
    skiffd.wait_for("the service", is_there)
    shutil.rmtree(mesh.config / "a")
    skiffd.wait_for("its end", lambda: not is_there())
    assert_alive(mesh)


def test_the_layout_of_a_kubernetes_volume_is_followed(tmp_path):
    config = tmp_path / "config"
    config.mkdir()

    def publish(version: str, header: str) -> None:
        """As the kubelet does: a dated directory, and a link that is swapped in one step."""
        folder = config / f"..{version}"
        folder.mkdir()
        (folder / "all.yaml").write_text(
            "---\n".join([gateway_yaml(8080), backend_yaml(9000), route_yaml(header)])
        )
        former = os.readlink(config / "..data") if (config / "..data").is_symlink() else None
        (config / "..data_tmp").symlink_to(folder.name)
        (config / "..data_tmp").rename(config / "..data")
        if not (config / "all.yaml").is_symlink():
            (config / "all.yaml").symlink_to("..data/all.yaml")
        if former:
            shutil.rmtree(config / former)

    publish("2026_01", "first")
    with ExitStack() as running:
        skiffd = running.enter_context(Skiffd(config, tmp_path)).wait_until_ready()
        client = running.enter_context(ADSClient(skiffd.grpc))
        assert b"first" in client.subscribe(ROUTE, ["http.8080"]).resources[0].value
        for version, header in [("2026_02", "second"), ("2026_03", "third")]:
            publish(version, header)
            response = client.receive(ROUTE)
            assert header.encode() in response.resources[0].value
            client.ack(response, ["http.8080"])
        assert skiffd.get("/debug/problemsz") == []
        objects = skiffd.get("/debug/configz")
        assert sorted(object["kind"] for object in objects) == [
            "Gateway",
            "ServiceEntry",
            "VirtualService",
        ]


@pytest.mark.parametrize("layout", ["one file", "many files"])
def test_a_thousand_objects_are_served(tmp_path, layout):
    config = tmp_path / "config"
    texts = [backend_yaml(9000, f"service-{number}") for number in range(1000)]
    write(config / "gateway.yaml", gateway_yaml(8080))
    if layout == "one file":
        write(config / "all.yaml", "---\n".join(texts))
    else:
        for number, text in enumerate(texts):
            (config / f"{number}.yaml").write_text(text)
    write(config / "route.yaml", route_yaml("one", "service-999.internal"))
    with ExitStack() as running:
        skiffd = running.enter_context(Skiffd(config, tmp_path)).wait_until_ready()
        assert skiffd.get("/debug/problemsz") == []
        assert len(skiffd.get("/debug/registryz")) == 1000
        client = running.enter_context(ADSClient(skiffd.grpc))
        assert "outbound|80||service-999.internal" in names(client.subscribe(CLUSTER))
        client.subscribe(ROUTE, ["http.8080"])
        write(config / "route.yaml", route_yaml("two", "service-999.internal"))
        assert b"two" in client.receive(ROUTE).resources[0].value


def test_sigkill_in_a_burst_of_edits_and_a_restart_serve_the_last_edit(tmp_path):
    config = tmp_path / "config"
    write(config / "gateway.yaml", gateway_yaml(8080))
    write(config / "backend.yaml", backend_yaml(9000))
    write(config / "route.yaml", route_yaml("start"))
    with ExitStack() as running:
        skiffd = running.enter_context(Skiffd(config, tmp_path)).wait_until_ready()
        with ADSClient(skiffd.grpc) as client:
            client.subscribe(ROUTE, ["http.8080"])
            for step in range(200):
                write(config / "route.yaml", route_yaml(f"burst-{step}"))
                write(config / f"extra-{step % 7}.yaml", backend_yaml(9100, f"extra-{step % 7}"))
                if step == 150:
                    skiffd.child.kill()
        skiffd.child.wait()
        again = running.enter_context(Skiffd(config, tmp_path, name="again")).wait_until_ready()
        assert again.get("/debug/problemsz") == []
        with ADSClient(again.grpc) as client:
            assert b"burst-199" in client.subscribe(ROUTE, ["http.8080"]).resources[0].value
            write(config / "route.yaml", route_yaml("after"))
            assert b"after" in client.receive(ROUTE).resources[0].value
