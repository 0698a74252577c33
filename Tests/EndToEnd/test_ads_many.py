# SPDX-License-Identifier: Apache-2.0
"""Many clients of one skiffd: what they share, and what one that stops reading costs the others."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path

from skiff_e2e.ads import CLUSTER, EXTENSION, LISTENER, ROUTE, ADSClient, names, route_header
from skiff_e2e.gateway import (
    PLUGIN,
    backend_yaml,
    gateway_envoy,
    gateway_yaml,
    lua_filter_yaml,
    plugin_yaml,
    route_yaml,
)
from skiff_e2e.skiffd import Skiffd, write


def test_proxies_of_one_class_share_a_translation_and_others_do_not(tmp_path):
    config = tmp_path / "config"
    write(config / "gateway.yaml", gateway_yaml(8080))
    write(config / "route.yaml", route_yaml("one"))
    write(config / "backend.yaml", backend_yaml(9000))
    write(config / "plugin.yaml", plugin_yaml("a", selector="{matchLabels: {team: blue}}"))
    base = {"istio": "ingressgateway"}
    with ExitStack() as running:
        skiffd = running.enter_context(Skiffd(config, tmp_path)).wait_until_ready()

        def translations() -> float:
            return sum(skiffd.metrics("skiff_translations_total").values())

        def connect(name: str, **labels: str) -> ADSClient:
            client = running.enter_context(
                ADSClient(skiffd.grpc, name=name, labels=base | labels)
            )
            client.subscribe(CLUSTER)
            client.subscribe(ROUTE, ["http.8080"])
            return client

        before = translations()
        clients = [connect("one"), connect("two")]
        assert translations() == before + 1
        # A label that no selector uses makes no class, one that a selector uses makes another.
        clients.append(connect("three", color="red"))
        assert translations() == before + 1
        clients.append(connect("four", team="blue"))
        assert translations() == before + 2
        clients.append(connect("five", team="blue"))
        assert translations() == before + 2
        blue = clients[-1].subscribe(EXTENSION, [PLUGIN])
        assert names(blue) == [PLUGIN]
        # One change, two classes, five proxies: two translations.
        write(config / "route.yaml", route_yaml("two"))
        for client in clients:
            assert route_header(client.receive(ROUTE)) == "two"
        assert translations() == before + 4


def test_a_client_that_stops_reading_delays_nobody_and_costs_little(tmp_path):
    config = tmp_path / "config"
    size, edits = 500_000, 14
    write(config / "gateway.yaml", gateway_yaml(8080))
    write(config / "route.yaml", route_yaml("one"))
    write(config / "backend.yaml", backend_yaml(9000))

    def lua(step: int) -> str:
        return lua_filter_yaml(f"-- {step} " + "x" * size)

    write(config / "lua.yaml", lua(0))
    with ExitStack() as running:
        skiffd = running.enter_context(Skiffd(config, tmp_path)).wait_until_ready()
        stopped = []
        for number in range(4):
            envoy = running.enter_context(
                gateway_envoy(tmp_path, skiffd.grpc, name=f"stopped-{number}")
            )
            running.callback(os.kill, envoy.child.pid, signal.SIGCONT)
            stopped.append(envoy)
        for envoy in stopped:
            skiffd.wait_for("its listener", lambda: skiffd.is_synced(envoy.name, LISTENER))
            os.kill(envoy.child.pid, signal.SIGSTOP)
        client = running.enter_context(ADSClient(skiffd.grpc))
        client.subscribe(CLUSTER)
        client.subscribe(LISTENER)
        # The first rounds reach the high-water mark of one reader; what follows must add nothing.
        for step in range(1, 5):
            write(config / "lua.yaml", lua(step))
            client.ack(client.receive(LISTENER))
        settled = skiffd.rss_kib
        for step in range(5, 5 + edits):
            write(config / "lua.yaml", lua(step))
            response = client.receive(LISTENER, seconds=5)
            assert f"-- {step} ".encode() in response.resources[0].value
            client.ack(response)
        # Kept back for each of four clients, or once for all, these versions would take 7 MB.
        assert skiffd.rss_kib - settled < 5 << 10
        for envoy in stopped:
            assert not skiffd.is_synced(envoy.name, LISTENER)
            os.kill(envoy.child.pid, signal.SIGCONT)
        for envoy in stopped:
            skiffd.wait_for("the newest", lambda: skiffd.is_synced(envoy.name, LISTENER))


def test_two_hundred_clients_at_once_are_all_served(tmp_path):
    config = tmp_path / "config"
    write(config / "gateway.yaml", gateway_yaml(8080))
    write(config / "route.yaml", route_yaml("one"))
    write(config / "backend.yaml", backend_yaml(9000))
    with Skiffd(config, tmp_path) as skiffd:
        serve_a_crowd(skiffd.wait_until_ready(), config)


def serve_a_crowd(skiffd: Skiffd, config: Path) -> None:
    with ExitStack() as running:
        clients = [
            running.enter_context(ADSClient(skiffd.grpc, name=f"crowd-{number}"))
            for number in range(200)
        ]
        for client in clients:
            client.send(CLUSTER)
            client.send(ROUTE, ["http.8080"])
        versions = set()
        for client in clients:
            for response in (client.receive(), client.receive()):
                versions.add((response.type_url, response.version_info))
                client.ack(response, ["http.8080"] if response.type_url == ROUTE else [])
        assert {type_url for type_url, _ in versions} == {CLUSTER, ROUTE}
        assert len(versions) == 2
        write(config / "route.yaml", route_yaml("crowd"))
        for client in clients:
            response = client.receive(ROUTE)
            assert route_header(response) == "crowd"
            client.ack(response, ["http.8080"])
        skiffd.wait_for(
            "all acks",
            lambda: sum(
                entry["resources"][ROUTE]["status"] == "SYNCED"
                for entry in skiffd.get("/debug/syncz")
                if entry["proxy"].startswith("crowd-")
            )
            == 200,
        )
    skiffd.wait_for(
        "their end",
        lambda: not any(
            "~crowd-" in entry["connectionId"]
            for entry in skiffd.get("/debug/connections")["clients"]
        ),
    )
