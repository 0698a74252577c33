# SPDX-License-Identifier: Apache-2.0
"""What was measured at three real Envoys, each behind its agent, as kubectl shows and awaits it."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from skiff_e2e.agent import Agent, wasm_plugin_yaml
from skiff_e2e.gateway import backend_yaml, free_port, gateway_envoy, gateway_yaml, route_yaml
from skiff_e2e.kubectl import Kubectl
from skiff_e2e.skiffd import Skiffd, write
from test_envoyfilter_live import ROUTER, envoy_filter, lua, patch
from test_object_status import stopped

NAMES = ["east", "north", "west"]
PROGRAMMED = "--for=condition=Programmed"


def with_lua(name: str, code: str | None = None) -> str:
    value = lua(name)
    if code:
        value["typed_config"]["default_source_code"]["inline_string"] = code
    return envoy_filter(patch("INSERT_BEFORE", value, at=ROUTER))


class Mesh:
    """skiffd with its API, and what kubectl sees of it."""

    def __init__(self, skiffd: Skiffd, home) -> None:
        self.skiffd = skiffd
        self.kubectl = Kubectl(f"http://127.0.0.1:{skiffd.api}", home, "-n", "default")
        self.agents: dict[str, Agent] = {}

    def apply(self, text: str, *flags: str) -> None:
        self.kubectl("apply", "-f", "-", *flags, stdin=text)

    def conditions(self, *arguments: str) -> dict[str, tuple[str, str, str]]:
        status = self.kubectl.json("get", *arguments).get("status", {})
        return {
            c["type"]: (c["status"], c["reason"], c["message"]) for c in status.get("conditions", [])
        }

    def programmed(self, *arguments: str) -> tuple[str, str]:
        """What the two columns say."""
        header, row = (line.split() for line in self.kubectl("get", *arguments).splitlines())
        assert header[-3:] == ["PROGRAMMED", "REJECTED", "AGE"]
        return row[-3], row[-2]

    def wait_until(self, what: str, probe):
        return self.skiffd.wait_for(what, probe)

    def events(self, name: str) -> list[tuple[str, str, str, int]]:
        items = self.kubectl.json("get", "events", "-A")["items"]
        return [
            (e["type"], e["reason"], e["message"], e["count"])
            for e in items
            if e["involvedObject"]["name"] == name
        ]


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    directory = tmp_path_factory.mktemp("status")
    flags = ["--api-address", "127.0.0.1:0", "--data-dir", str(directory / "data")]
    with ExitStack() as stack:
        skiffd = stack.enter_context(Skiffd(None, directory, flags=flags)).wait_until_ready()
        mesh = Mesh(skiffd, directory / "home")
        with ThreadPoolExecutor() as pool:
            started = pool.map(lambda name: Agent(directory / name, skiffd.grpc, name=name), NAMES)
            mesh.agents = {name: stack.enter_context(agent) for name, agent in zip(NAMES, started)}
        mesh.apply(gateway_yaml(free_port()) + "---\n" + backend_yaml(free_port()))
        mesh.apply(route_yaml("one"))
        for agent in mesh.agents.values():
            agent.wait_until_ready()
        yield mesh


def test_wait_returns_when_the_last_proxy_has_answered(mesh):
    mesh.kubectl("wait", PROGRAMMED, "vs/web", "gw/web", "se/backend", "--timeout=20s")
    mesh.wait_until("all three", lambda: mesh.programmed("vs", "web") == ("3/3", "0"))
    shown = mesh.kubectl.json("get", "vs", "web")
    status = shown["status"]
    assert status["observedGeneration"] == shown["metadata"]["generation"] == 1
    assert status["proxies"] == {"total": 3, "programmed": 3, "pending": 0, "rejected": 0}
    assert {c["type"]: c["status"] for c in status["conditions"]} == {
        "Accepted": "True", "Programmed": "True", "Rejected": "False"}
    for condition in status["conditions"]:
        assert set(condition) == {
            "type", "status", "reason", "message", "observedGeneration", "lastTransitionTime"}
    # An edit, and who waits for it at once, is not told of the generation before.
    for edit in range(2, 8):
        mesh.apply(route_yaml(f"v{edit}"))
        mesh.kubectl("wait", PROGRAMMED, "vs/web", "--timeout=20s")
        status = mesh.kubectl.json("get", "vs", "web")["status"]
        assert (status["observedGeneration"], status["proxies"]["programmed"]) == (edit, 3)
    text = mesh.kubectl("describe", "vs", "web")
    assert re.search(r"Normal +Programmed +\S+( \(x\d+ over \S+\))? +skiff +3 of 3 proxies", text)
    managers = {
        (entry["manager"], entry.get("subresource", ""))
        for entry in mesh.kubectl.json("get", "vs", "web", "--show-managed-fields")["metadata"][
            "managedFields"
        ]
    }
    assert ("skiff", "status") in managers


def test_a_proxy_that_reads_nothing_is_named(mesh):
    mesh.kubectl("wait", PROGRAMMED, "vs/web", "--timeout=20s")
    with mesh.kubectl.start(mesh.kubectl.home, "watch", "get", "vs", "web", "-w") as watch:
        watch.wait_for("the first row", lambda: "3/3" in watch.log)
        with stopped(mesh.agents["west"].envoy_pid):
            mesh.apply(route_yaml("stopped"))
            mesh.wait_until("the others", lambda: mesh.programmed("vs", "web") == ("2/3", "0"))
            assert mesh.conditions("vs", "web")["Programmed"] == (
                "False", "Pending", "2 of 3 proxies run it; waiting for west.istio-system")
            error = mesh.kubectl.fails("wait", PROGRAMMED, "vs/web", "--timeout=300ms")
            assert "timed out" in error
            # What is not touched by the edit stays as it is.
            assert mesh.programmed("se", "backend") == ("3/3", "0")
        mesh.kubectl("wait", PROGRAMMED, "vs/web", "--timeout=20s")
        assert mesh.programmed("vs", "web") == ("3/3", "0")
        rows = watch.wait_for(
            "the rows",
            lambda: (r := [line.split()[-3] for line in watch.log.splitlines()[1:]])[-1] == "3/3"
            and len(r) > 2 and r)
        assert rows[0] == "3/3" and "2/3" in rows and "0/3" in rows


def test_what_envoy_refuses_is_told_in_its_words_on_that_object_only(mesh):
    where = ("-n", "istio-system", "envoyfilter", "order")
    mesh.apply(with_lua("fine"), "-n", "istio-system")
    mesh.kubectl("wait", PROGRAMMED, "envoyfilter/order", "-n", "istio-system", "--timeout=20s")
    before = {name: mesh.kubectl.json("get", kind, name)["metadata"]["resourceVersion"]
              for kind, name in [("vs", "web"), ("se", "backend")]}
    mesh.apply(with_lua("broken", "function envoy_on_request("), "-n", "istio-system")
    mesh.kubectl(
        "wait", "--for=condition=Rejected", "envoyfilter/order", "-n", "istio-system",
        "--timeout=20s")
    mesh.wait_until("all three", lambda: mesh.programmed(*where) == ("0/3", "3"))
    found = mesh.conditions(*where)
    assert found["Rejected"][:2] == ("True", "RejectedByProxy")
    assert "script load error" in found["Rejected"][2]
    assert "(east.istio-system, north.istio-system, west.istio-system, since " in (
        found["Rejected"][2])
    assert found["Programmed"][:2] == ("False", "Rejected")
    # Of the refused listeners, too, what is not to blame goes on as it was.
    assert mesh.programmed("gw", "web") == ("3/3", "0")
    for name, kind in [("web", "vs"), ("backend", "se")]:
        assert mesh.programmed(kind, name) == ("3/3", "0")
        # Not even touched.
        version = mesh.kubectl.json("get", kind, name)["metadata"]["resourceVersion"]
        assert version == before[name]
    # Back to the last good one.
    mesh.apply(with_lua("fine"), "-n", "istio-system")
    mesh.kubectl("wait", PROGRAMMED, "envoyfilter/order", "-n", "istio-system", "--timeout=20s")
    assert mesh.programmed(*where) == ("3/3", "0")
    assert mesh.conditions(*where)["Rejected"][0] == "False"
    header = mesh.kubectl("get", "events", *where[:2]).splitlines()[0]
    assert header.split() == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    text = mesh.kubectl("describe", *where)
    assert re.search(r"Warning +RejectedByProxy .* skiff .*script load error", text)
    reasons = [(kind, reason) for kind, reason, _, _ in mesh.events("order")]
    assert ("Warning", "RejectedByProxy") in reasons and ("Normal", "Programmed") in reasons
    mesh.kubectl("delete", "envoyfilter", "order", "-n", "istio-system")


def test_a_module_that_cannot_be_had(mesh):
    text = wasm_plugin_yaml("http://127.0.0.1:1/none.wasm", {"x-a": "b"}, name="absent")
    mesh.apply(text, "-n", "istio-system")
    where = ("-n", "istio-system", "wasmplugin", "absent")
    mesh.kubectl(
        "wait", "--for=condition=Degraded", "wasmplugin/absent", "-n", "istio-system",
        "--timeout=30s")
    found = mesh.conditions(*where)
    assert (found["ModuleReady"][0], found["Accepted"][0]) == ("False", "True")
    mesh.kubectl("delete", "wasmplugin", "absent", "-n", "istio-system")


def test_an_object_that_no_proxy_needs(mesh):
    text = gateway_yaml(free_port()).replace("name: web", "name: nobody")
    mesh.apply(text.replace("istio: ingressgateway", "istio: nobody"))
    mesh.kubectl("wait", "--for=condition=Accepted", "gw/nobody", "--timeout=20s")
    assert mesh.conditions("gw", "nobody")["Programmed"][:2] == ("False", "NoProxies")
    assert mesh.programmed("gw", "nobody") == ("0/0", "0")
    assert "timed out" in mesh.kubectl.fails("wait", PROGRAMMED, "gw/nobody", "--timeout=300ms")
    mesh.kubectl("delete", "gw", "nobody")


def test_what_others_write_into_the_status_stays_and_ours_is_put_right(mesh):
    mesh.kubectl("wait", PROGRAMMED, "vs/web", "--timeout=20s")
    mine = {"type": "Reviewed", "status": "True", "reason": "ByHand", "message": "looks good"}
    lie = {"type": "Programmed", "status": "False", "reason": "Lie", "message": ""}
    patch = {"status": {"conditions": [mine, lie], "note": "mine"}}
    mesh.kubectl(
        "patch", "vs", "web", "--subresource=status", "--type=merge", "-p", json.dumps(patch))
    mesh.kubectl("wait", PROGRAMMED, "vs/web", "--timeout=20s")
    status = mesh.kubectl.json("get", "vs", "web")["status"]
    assert (status["conditions"][0], status["note"]) == (mine, "mine")
    assert mesh.conditions("vs", "web")["Programmed"][:2] == ("True", "Programmed")
    # It is no configuration: the next edit of another object is all that is sent.
    before = mesh.skiffd.metrics("pilot_xds_pushes")
    mesh.apply(backend_yaml(free_port()))
    mesh.kubectl("wait", PROGRAMMED, "se/backend", "--timeout=20s")
    after = mesh.skiffd.metrics("pilot_xds_pushes")
    sent = {kind: after[kind] - before[kind] for kind in after if after[kind] != before[kind]}
    assert sent == {'type="eds"': 3}


def test_a_restart_measures_anew_also_what_is_in_files(tmp_path):
    manifest = gateway_yaml(free_port())
    write(tmp_path / "config/gateway.yaml", manifest)
    flags = ["--api-address", "127.0.0.1:0", "--data-dir", str(tmp_path / "data")]

    def started() -> Mesh:
        skiffd = Skiffd(tmp_path / "config", tmp_path, flags=flags)
        return Mesh(skiffd.wait_until_ready(), tmp_path / "home")

    mesh = started()
    with mesh.skiffd:
        mesh.apply(backend_yaml(free_port()) + "---\n" + route_yaml())
        with gateway_envoy(tmp_path, mesh.skiffd.grpc):
            mesh.kubectl("wait", PROGRAMMED, "vs/web", "gw/web", "--timeout=20s")
            assert mesh.programmed("gw", "web") == ("1/1", "0")
            mesh.skiffd.child.kill()
    mesh = started()
    with mesh.skiffd:
        for kind in ("vs", "gw"):
            mesh.wait_until("no proxy", lambda: mesh.programmed(kind, "web") == ("0/0", "0"))
            assert mesh.conditions(kind, "web")["Programmed"][:2] == ("False", "NoProxies")
        with gateway_envoy(tmp_path, mesh.skiffd.grpc):
            mesh.kubectl("wait", PROGRAMMED, "vs/web", "gw/web", "--timeout=20s")
    assert (tmp_path / "config/gateway.yaml").read_text() == manifest
