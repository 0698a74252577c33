# SPDX-License-Identifier: Apache-2.0
"""Wasm plugins on single routes, hosts and gateways: extension providers of the mesh configuration,
named by VirtualServices and Gateways, in a real Envoy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from skiff_e2e.gateway import free_port, gateway_envoy, get
from skiff_e2e.http import Response
from skiff_e2e.stage import Stage, with_backend

HOST = "app.example.com"
LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
PREFIX = "extensions.istio.io/extensionprovider/"


def provider(name: str, module: Path, said: str, **more) -> dict:
    """An extension provider that sets `x-<name>` of responses, and `x-last`."""
    headers = {f"x-{name}": said, "x-last": name}
    wasm = {"url": f"file://{module}", "pluginConfig": {"headers": headers}}
    return {"name": name, "wasm": wasm | more}


def mesh_yaml(*providers: dict, **more) -> str:
    """The IstioOperator of the mesh. JSON is YAML, too."""
    spec = {"meshConfig": {"extensionProviders": list(providers)} | more}
    return json.dumps(
        {
            "apiVersion": "install.istio.io/v1alpha1",
            "kind": "IstioOperator",
            "metadata": {"name": "mesh", "namespace": "istio-system"},
            "spec": spec,
        }
    )


def route(path: str, wasm=None) -> dict:
    """A route below a path, which answers by itself."""
    found = {"match": [{"uri": {"prefix": path}}], "directResponse": {"status": 200}}
    return found | ({"wasm": wasm} if wasm is not None else {})


def service_yaml(*routes: dict, name: str = "app", host: str = HOST, wasm=None) -> str:
    spec = {"hosts": [host], "gateways": ["web"], "http": list(routes)}
    if wasm is not None:
        spec["wasm"] = wasm
    return json.dumps(
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": {"name": name, "namespace": "default"},
            "spec": spec,
        }
    )


def named(*names: str):
    """What a route says to run these."""
    references = [{"pluginName": name} for name in names]
    return references[0] if len(references) == 1 else references


def plugins(response: Response) -> dict[str, str]:
    """What the plugins of these tests have set."""
    own = ("x-one", "x-two", "x-last")
    return {name: value for name, value in response.headers.items() if name in own}


class Routes(Stage):
    """A stage whose tests ask app.example.com."""

    def ask(self, path: str, *, host: str = HOST) -> tuple[int, dict[str, str]]:
        response = self.get(path, host=host)
        return response.status, plugins(response)

    def until(self, path: str, status: int = 200, *, host: str = HOST, **found: str) -> None:
        """Asks a path until just these plugins act."""
        expected = {f"x-{name}": said for name, said in found.items()}
        self.answer(
            lambda response: (response.status, plugins(response)) == (status, expected),
            path=path,
            host=host,
        )


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    """One skiffd and one Envoy for all cases; each starts with the mesh and its routes unset."""
    with Routes(tmp_path_factory.mktemp("routes")) as stage:
        yield with_backend(stage).start()


@pytest.fixture
def stage(routes):
    yield routes
    for name in ("mesh.yaml", "app.yaml", "other.yaml"):
        (routes.config / name).unlink(missing_ok=True)
    routes.write("gateway.yaml", (routes.config / "gateway.yaml").read_text().split("  wasm:")[0])
    routes.answer(lambda response: response.status == 404, host=HOST)


@pytest.fixture
def fresh(tmp_path):
    """A stage of its own: an Envoy keeps what it refused for as long as a listener drains."""
    with Routes(tmp_path) as stage:
        yield with_backend(stage).start()


@pytest.fixture
def module(wasm_modules) -> Path:
    return wasm_modules["response-headers"]


def test_a_plugin_acts_on_its_route_and_not_on_the_neighbour(stage, module):
    stage.write("mesh.yaml", mesh_yaml(provider("one", module, "a")))
    stage.write("app.yaml", service_yaml(route("/with", named("one")), route("/plain")))
    stage.until("/with", one="a", last="one")
    assert stage.ask("/plain") == (200, {})
    assert stage.ask("/with/more") == (200, {"x-one": "a", "x-last": "one"})
    # Another host of the same listener.
    assert plugins(stage.get("/with")) == {}


def test_what_changes_costs_what_it_must(stage, module):
    """The provider's settings are ECDS alone, a route that starts to use it is RDS alone."""
    stage.write("mesh.yaml", mesh_yaml(provider("one", module, "a")))
    stage.write("app.yaml", service_yaml(route("/with", named("one")), route("/plain")))
    stage.until("/with", one="a", last="one")
    before = stage.pushes()
    stage.write("mesh.yaml", mesh_yaml(provider("one", module, "b")))
    stage.until("/with", one="b", last="one")
    assert stage.pushed_since(before) == {"ecds": 1}
    before = stage.pushes()
    stage.write("app.yaml", service_yaml(route("/with", named("one")), route("/plain", named("one"))))
    stage.until("/plain", one="b", last="one")
    assert stage.pushed_since(before) == {"rds": 1}


def test_plugins_of_a_whole_host(stage, module):
    stage.write("mesh.yaml", mesh_yaml(provider("one", module, "a"), provider("two", module, "b")))
    stage.write(
        "app.yaml", service_yaml(route("/both", named("two")), route("/"), wasm=named("one"))
    )
    stage.write("other.yaml", service_yaml(route("/"), name="other", host="other.example.com"))
    # On the way back the first in the chain has the last word.
    stage.until("/both", one="a", two="b", last="one")
    stage.until("/else", one="a", last="one")
    stage.until("/", host="other.example.com")


def test_plugins_of_a_gateway(stage, module):
    stage.write("mesh.yaml", mesh_yaml(provider("one", module, "a")))
    gateway = (stage.config / "gateway.yaml").read_text()
    stage.write("gateway.yaml", gateway + "  wasm:\n    pluginName: one\n")
    stage.write("app.yaml", service_yaml(route("/")))
    stage.until("/", one="a", last="one")
    assert plugins(stage.get("/")) == {"x-one": "a", "x-last": "one"}


def test_plugins_of_a_route_run_by_phase_priority_and_place(stage, module):
    one, two = provider("one", module, "a"), provider("two", module, "b")
    stage.write("app.yaml", service_yaml(route("/", named("one", "two"))))
    stage.write("mesh.yaml", mesh_yaml(one, two))
    stage.until("/", one="a", two="b", last="one")
    stage.write("mesh.yaml", mesh_yaml(one, provider("two", module, "b", phase="AUTHN")))
    stage.until("/", one="a", two="b", last="two")
    later = provider("two", module, "b", phase="AUTHN", priority=1)
    earlier = provider("one", module, "a", phase="AUTHN", priority=2)
    stage.write("mesh.yaml", mesh_yaml(later, earlier))
    stage.until("/", one="a", two="b", last="one")
    # The list of the route says otherwise.
    stage.write("app.yaml", service_yaml(route("/", named("two", "one"))))
    warned = stage.skiffd.wait_for("the warning", lambda: problems(stage, "VirtualService"))
    assert [(each["severity"], each["field"]) for each in warned] == [
        ("warning", "spec.http[0].wasm[1].pluginName")
    ]


def test_plugins_of_the_routes_of_a_sidecar(stage, module, tmp_path):
    """A VirtualService for the mesh: the client's proxy runs the plugin, on that route alone."""
    number = free_port()
    entry = {
        "hosts": [HOST], "location": "MESH_INTERNAL", "resolution": "STATIC",
        "ports": [{"number": number, "name": "http", "protocol": "HTTP"}],
        "endpoints": [{"address": "127.0.0.1"}],
    }
    header = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry"}
    metadata = {"name": "app", "namespace": "default"}
    stage.write("other.yaml", json.dumps(header | {"metadata": metadata, "spec": entry}))
    stage.write("mesh.yaml", mesh_yaml(provider("one", module, "hello")))
    text = service_yaml(route("/plugin", named("one")), route("/plain"))
    stage.write("app.yaml", text.replace('"gateways": ["web"]', '"gateways": ["mesh"]'))
    with gateway_envoy(
        tmp_path, stage.skiffd.grpc, name="client", role="sidecar", namespace="default",
        metadata={"INTERCEPTION_MODE": "NONE"},
    ) as client:
        client.wait_until_ready()

        def ask(path: str) -> tuple[int, dict[str, str]] | None:
            try:
                response = get(number, path, host=HOST)
            except OSError:
                return None
            return response.status, plugins(response)

        wanted = (200, {"x-one": "hello", "x-last": "one"})
        client.wait_for("the plugin", lambda: ask("/plugin") == wanted)
        assert ask("/plain") == (200, {})


def test_an_unknown_plugin_is_an_error_and_its_route_is_closed(stage, module):
    stage.write("mesh.yaml", mesh_yaml(provider("one", module, "a")))
    stage.write("app.yaml", service_yaml(route("/with", named("oen")), route("/plain")))
    stage.until("/with", 500)
    assert stage.ask("/plain") == (200, {})
    (problem,) = problems(stage, "VirtualService")
    assert problem["severity"] == "error"
    assert problem["field"] == "spec.http[0].wasm.pluginName"
    assert 'did you mean "one"?' in problem["reason"]
    stage.write("app.yaml", service_yaml(route("/with", named("one")), route("/plain")))
    stage.until("/with", one="a", last="one")


def test_a_module_that_does_not_load_closes_its_routes_and_no_others(fresh, module, tmp_path):
    """A guard that is missing must not let traffic pass, nor hold up the listener."""
    missing = tmp_path / "not-there.wasm"
    fresh.write("mesh.yaml", mesh_yaml(provider("one", missing, "a")))
    fresh.write("app.yaml", service_yaml(route("/with", named("one")), route("/plain")))
    fresh.until("/with", 403)
    assert fresh.ask("/plain") == (200, {})
    skiffd = fresh.skiffd
    (reject,) = skiffd.wait_for("a rejection", lambda: skiffd.get("/debug/rejectsz")["rejects"])
    assert reject["resources"] == [PREFIX + "one"]
    (blamed,) = reject["objects"]
    assert (blamed["kind"], blamed["field"]) == (
        "IstioOperator",
        "spec.meshConfig.extensionProviders[0].wasm",
    )
    fresh.write("mesh.yaml", mesh_yaml(provider("one", module, "a")))
    fresh.until("/with", one="a", last="one")


def test_a_listener_refused_for_its_module_comes_once_that_is_mended(fresh, module, tmp_path):
    """While a former listener with the filter drains, Envoy holds a new one against its bytes."""
    guarded = service_yaml(route("/with", named("one")), route("/plain"))
    fresh.write("mesh.yaml", mesh_yaml(provider("one", module, "a")))
    fresh.write("app.yaml", guarded)
    fresh.until("/with", one="a", last="one")
    for name in ("mesh.yaml", "app.yaml"):
        (fresh.config / name).unlink()
    fresh.until("/with", 404)

    def listeners() -> str:
        return fresh.skiffd.status("gateway")["resources"][LISTENER]["status"]

    fresh.write("mesh.yaml", mesh_yaml(provider("one", tmp_path / "nothing.wasm", "b")))
    fresh.write("app.yaml", guarded)
    fresh.skiffd.wait_for("a refused listener", lambda: listeners() == "ERROR")
    fresh.write("mesh.yaml", mesh_yaml(provider("one", module, "c")))
    fresh.until("/with", one="c", last="one")
    assert listeners() == "SYNCED"
    assert fresh.ask("/plain") == (200, {})


def test_a_plugin_that_may_fail_open_does(fresh, tmp_path):
    missing = tmp_path / "not-there.wasm"
    fresh.write("mesh.yaml", mesh_yaml(provider("one", missing, "a", failStrategy="FAIL_OPEN")))
    fresh.write("app.yaml", service_yaml(route("/with", named("one"))))
    fresh.until("/with")


def test_a_listener_that_changes_keeps_its_plugins(stage, module):
    """No request of a guarded route passes or is refused while listeners are replaced."""
    stage.write("mesh.yaml", mesh_yaml(provider("one", module, "a")))
    stage.write("app.yaml", service_yaml(route("/with", named("one"))))
    stage.until("/with", one="a", last="one")
    stage.write("mesh.yaml", mesh_yaml(provider("one", module, "a"), accessLogFile="/dev/null"))
    before = stage.envoy.stats("listener_manager.listener_modified")
    seen: set[tuple] = set()

    def replaced() -> bool:
        status, found = stage.ask("/with")
        seen.add((status, *sorted(found.items())))
        return stage.envoy.stats("listener_manager.listener_modified") != before

    stage.envoy.wait_for("another listener", replaced)
    for _ in range(20):
        replaced()
    assert seen == {(200, ("x-last", "one"), ("x-one", "a"))}


def test_a_proxy_without_wasm_gets_none(stage, module, tmp_path):
    stage.write("mesh.yaml", mesh_yaml(provider("one", module, "a")))
    stage.write("app.yaml", service_yaml(route("/with", named("one"))))
    stage.until("/with", one="a", last="one")
    config = tmp_path / "proxy.yaml"
    config.write_text(
        json.dumps(
            {
                "apiVersion": "networking.istio.io/v1beta1",
                "kind": "ProxyConfig",
                "metadata": {"name": "no-wasm", "namespace": "istio-system"},
                "spec": {"environmentVariables": {"WASM_ENABLED": "false", "ISTIO_META_RACK": "r"}},
            }
        )
    )
    other = free_port()
    # A second Envoy cannot take the port of the first: this one's Gateway has its own.
    gateway = (stage.config / "gateway.yaml").read_text()
    stage.write(
        "other.yaml",
        gateway.replace("name: web", "name: plain")
        .replace("istio: ingressgateway", "istio: plain")
        .replace(str(stage.port), str(other))
        + "---\n"
        + service_yaml(route("/with", named("one")), name="plain").replace('"web"', '"plain"'),
    )
    plain = gateway_envoy(
        tmp_path,
        stage.skiffd.grpc,
        name="plain",
        labels="istio=plain",
        flags=["-f", str(config)],
    )
    with plain as envoy:
        envoy.wait_until_ready()

        def answered() -> Response | None:
            try:
                return get(other, "/with", host=HOST)
            except OSError:
                return None

        response = envoy.wait_for("an answer", answered)
        assert (response.status, plugins(response)) == (200, {})
        assert "extensionprovider" not in envoy.admin("/config_dump")
        # The pages show what a proxy was started with.
        rows = stage.skiffd.get("/debug/connections")["clients"]
        assert {row["connectionId"].split("~")[2]: row["wasmEnabled"] for row in rows} == {
            "gateway.istio-system": True,
            "plain.istio-system": False,
        }
        (row,) = stage.skiffd.get("/debug/adsz?proxyID=plain")["clients"]
        assert row["metadata"]["WASM_ENABLED"] == "false"
        assert row["metadata"]["RACK"] == "r"


def problems(stage: Stage, kind: str) -> list[dict]:
    """What skiffd says of the objects of a kind."""
    return [each for each in stage.skiffd.get("/debug/problemsz") if each.get("kind") == kind]
