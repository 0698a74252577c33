# SPDX-License-Identifier: Apache-2.0
"""skiffctl diff: what it says of a change, its exit codes, and that Envoy drains what it marks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from skiff_e2e.ads import LISTENER, ROUTE
from skiff_e2e.gateway import (
    LABELS,
    backend_yaml,
    free_port,
    gateway_yaml,
    lua_filter_yaml,
    plugin_yaml,
    route_yaml,
)
from skiff_e2e.skiffd import skiffctl, write
from skiff_e2e.stage import Stage

NODE = "router~127.0.0.1~gateway.istio-system~istio-system.svc.cluster.local"
AS_GATEWAY = ["--node", NODE, "--labels", LABELS]
LUA = "function envoy_on_request(handle)\nend"
MANAGER = "filter_chains[0].filters[0].typed_config"
WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"


def base(port: int = 8080, **changes: str | None) -> dict[str, str]:
    """A gateway and a route to a backend, with files replaced, added, or (None) left out."""
    files = {
        "gateway": gateway_yaml(port),
        "backend": backend_yaml(9000),
        "route": route_yaml("one"),
    }
    return {name: text for name, text in (files | changes).items() if text is not None}


@pytest.fixture
def diff(tmp_path):
    """Compares two sets of files as a gateway would get them."""

    def run(old: dict[str, str], new: dict[str, str], *arguments: str):
        for side, files in (("old", old), ("new", new)):
            (tmp_path / side).mkdir()
            for name, text in files.items():
                write(tmp_path / side / f"{name}.yaml", text)
        sides = ["-f", str(tmp_path / "old"), "-f", str(tmp_path / "new")]
        return skiffctl("diff", *sides, *AS_GATEWAY, *arguments)

    return run


def test_equal_manifests_print_nothing_and_exit_with_0(diff):
    result = diff(base(), {"all": "---\n".join(base().values())})
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_equal_manifests_as_json(diff):
    result = diff(base(), base(), "-o", "json")
    assert result.returncode == 0
    assert json.loads(result.stdout) == {"added": 0, "changed": 0, "removed": 0, "resources": []}


def test_a_changed_route(diff):
    timeout = route_yaml("one") + "    timeout: 5s\n"
    result = diff(base(route=timeout), base(route=timeout.replace("5s", "10s")))
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout == (
        "RDS http.8080: changed\n"
        "  virtual_hosts[0].routes[0].route.timeout: 5s -> 10s\n"
        "\n"
        "0 added, 1 changed, 0 removed; connections of 0 listeners drained\n"
    )


def test_an_added_route_in_front_is_one_addition(diff):
    rule = "  - match:\n    - uri:\n        exact: /new\n    redirect:\n      uri: /old\n"
    added = route_yaml("one").replace("  http:\n", f"  http:\n{rule}")
    result = diff(base(), base(route=added))
    assert result.returncode == 1
    assert result.stdout == (
        "RDS http.8080: changed\n"
        '  virtual_hosts[0].routes[0]: added {"match":{"path":"/new"},"redirect":{"path_redirect":'
        '"/old"},"metadata":{"filter_metadata":{"istio"…\n'
        "\n"
        "0 added, 1 changed, 0 removed; connections of 0 listeners drained\n"
    )


def test_an_inserted_filter(diff):
    result = diff(base(), base(lua=lua_filter_yaml(LUA)))
    assert result.returncode == 1
    assert result.stdout == (
        "LDS 0.0.0.0_8080: changed, drains the connections of filter_chains[0]\n"
        f'  {MANAGER}.http_filters[2]: added {{"name":"envoy.filters.http.lua","typed_config":'
        '{"@type":"type.googleapis.com/envoy.extensions.filt…\n'
        "\n"
        "0 added, 1 changed, 0 removed; connections of 1 listener drained\n"
    )


def test_every_kind_of_change_as_json_and_as_yaml(diff, tmp_path):
    old = base(plugin=plugin_yaml("hello"), other=backend_yaml(9001, "other"))
    new = base(9090, plugin=plugin_yaml("good day"), other=backend_yaml(9002, "third"))
    result = diff(old, new, "-o", "json")
    assert result.returncode == 1
    found = json.loads(result.stdout)
    endpoint = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
    cluster = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
    extension = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
    nothing, everything = {"drains": "nothing"}, {"drains": "listener", "because": []}
    configuration = "typed_config.config.configuration.value"
    assert found == {
        "added": 4,
        "changed": 1,
        "removed": 4,
        "resources": [
            {"type": cluster, "name": "outbound|80||other.internal", "change": "removed"},
            {"type": cluster, "name": "outbound|80||third.internal", "change": "added"},
            {"type": endpoint, "name": "outbound|80||other.internal", "change": "removed"},
            {"type": endpoint, "name": "outbound|80||third.internal", "change": "added"},
            {
                "type": extension,
                "name": "extensions.istio.io/wasmplugin/istio-system.hello",
                "change": "changed",
                "fields": [
                    {
                        "path": configuration,
                        "change": "changed",
                        "old": '{"greeting":"hello"}',
                        "new": '{"greeting":"good day"}',
                    }
                ],
            },
            {"type": LISTENER, "name": "0.0.0.0_8080", "change": "removed", "drain": everything},
            {"type": LISTENER, "name": "0.0.0.0_9090", "change": "added", "drain": nothing},
            {"type": ROUTE, "name": "http.8080", "change": "removed"},
            {"type": ROUTE, "name": "http.9090", "change": "added"},
        ],
    }
    sides = ["-f", str(tmp_path / "old"), "-f", str(tmp_path / "new")]
    as_yaml = skiffctl("diff", *sides, *AS_GATEWAY, "-o", "yaml")
    assert as_yaml.returncode == 1
    assert yaml.safe_load(as_yaml.stdout) == found


def test_an_error_in_the_new_manifests_exits_with_2(diff, tmp_path):
    broken = route_yaml("one").replace("  http:\n", "  http: 5\n  x:\n")
    result = diff(base(), base(route=broken))
    assert result.returncode == 2
    assert result.stderr.startswith("new: VirtualService default/web: spec.http: expected ")
    assert f"({tmp_path}/new/route.yaml:11)\n" in result.stderr
    # What would differ is said all the same.
    assert "RDS http.8080: changed\n" in result.stdout


def test_an_error_that_the_new_manifests_mend_is_no_error(diff, tmp_path):
    broken = route_yaml("one").replace("  http:\n", "  http: 5\n  x:\n")
    result = diff(base(route=broken), base())
    assert result.returncode == 1
    assert result.stderr.startswith("old: VirtualService default/web: spec.http: expected ")


def test_one_side_comes_from_standard_input(tmp_path):
    for name, text in base().items():
        write(tmp_path / f"{name}.yaml", text)
    stdin = "---\n".join(base(route=route_yaml("two")).values())
    for sides, arrow in ((("-", str(tmp_path)), "two -> one"), ((str(tmp_path), "-"), "one -> two")):
        flags = [word for side in sides for word in ("-f", side)]
        result = skiffctl("diff", *flags, *AS_GATEWAY, stdin=stdin)
        assert (result.returncode, result.stderr) == (1, "")
        path = "virtual_hosts[0].routes[0].response_headers_to_add[0].header.value"
        assert f"  {path}: {arrow}\n" in result.stdout


WRONG_USAGE = {
    "one side": (["-f", "."], "expected -f twice, the old manifests and the new ones, found it once"),
    "three sides": (
        ["-f", ".", "-f", ".", "-f", "."],
        "expected -f twice, the old manifests and the new ones, found it 3 times",
    ),
    "standard input twice": (
        ["-f", "-", "-f", "-"],
        "standard input can be only one of the two",
    ),
    "a path that is not there": (
        ["-f", ".", "-f", "/nowhere/at/all"],
        "/nowhere/at/all: no such file or directory",
    ),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG_USAGE.values(), ids=WRONG_USAGE)
def test_wrong_usage_exits_with_64_and_a_sentence(arguments, words):
    result = skiffctl("diff", *arguments, *AS_GATEWAY)
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr.startswith(f"Error: {words}\n")


# The mark against a real Envoy.


@dataclass
class Change:
    """Two sets of manifests, what is said of the listeners, and what Envoy counts."""

    old: dict[str, str]
    new: dict[str, str]
    drains: list[dict]
    counts: dict[str, int]


COUNTERS = ["listener_added", "listener_modified", "listener_removed", "listener_in_place_updated"]
GAUGES = ["total_listeners_draining", "total_filter_chains_draining"]
IN_PLACE = {"drains": "filterChains", "filterChains": ["filter_chains[0]"]}
GONE = {"drains": "listener", "because": []}
KEPT = {"drains": "nothing"}


def access_log(path: str) -> str:
    return f"""\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata:
  name: mesh
  namespace: istio-system
spec:
  meshConfig:
    accessLogFile: {path}
"""


def patched(applyTo: str, operation: str, value: dict, **match) -> str:
    """An EnvoyFilter with one patch."""
    change = {"applyTo": applyTo, "match": match, "patch": {"operation": operation, "value": value}}
    return json.dumps(
        {
            "apiVersion": "networking.istio.io/v1alpha3",
            "kind": "EnvoyFilter",
            "metadata": {"name": "patched", "namespace": "istio-system"},
            "spec": {"configPatches": [change]},
        }
    )


def filters(*names: str) -> dict:
    """Listener filters in this order."""
    types = "type.googleapis.com/envoy.extensions.filters.listener"
    messages = {
        "tls_inspector": f"{types}.tls_inspector.v3.TlsInspector",
        "http_inspector": f"{types}.http_inspector.v3.HttpInspector",
    }
    return {
        "listener_filters": [
            {"name": f"envoy.filters.listener.{name}", "typed_config": {"@type": messages[name]}}
            for name in names
        ]
    }


def chain(name: str, server: str, **more) -> dict:
    """A filter chain for one server name that echoes."""
    echo = "type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo"
    return more | {
        "name": name,
        "filter_chain_match": {"server_names": [server]},
        "filters": [{"name": "envoy.filters.network.echo", "typed_config": {"@type": echo}}],
    }


def wasm_yaml(greeting: str, modules: dict[str, Path]) -> str:
    text = plugin_yaml(greeting).replace("/nowhere/hello.wasm", str(modules["response-headers"]))
    return text.replace("greeting: ", "headers:\n      x-greeting: ")


def two_ports(first: int, second: int) -> str:
    """A gateway with two servers."""
    server = gateway_yaml(second).split("  servers:\n")[1].replace("name: http", "name: other")
    return gateway_yaml(first) + server


@pytest.fixture(scope="module")
def changes(wasm_modules) -> dict[str, Change]:
    port, other = free_port(), free_port()
    plain = base(port)
    lua, plugin = lua_filter_yaml(LUA), wasm_yaml("hello", wasm_modules)
    changed_plugin = wasm_yaml("bye", wasm_modules)
    in_place = {
        "listener_modified": 1,
        "listener_in_place_updated": 1,
        "total_filter_chains_draining": 1,
    }
    removed = {"listener_removed": 1, "total_listeners_draining": 1}
    replaced = {"listener_modified": 1, "total_listeners_draining": 1}
    no_drain = {"listener_modified": 1, "listener_in_place_updated": 1}

    def listener(value: dict) -> dict[str, str]:
        return base(port, patch=patched("LISTENER", "MERGE", value))

    def because(*fields: str) -> list[dict]:
        return [{"drains": "listener", "because": list(fields)}]

    log = {"@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"}
    log = {"name": "log", "typed_config": log | {"path": "/dev/null"}}
    inspectors = filters("tls_inspector", "http_inspector")
    reversed_inspectors = filters("http_inspector", "tls_inspector")

    def with_chain(*arguments, **more) -> dict[str, str]:
        return base(port, patch=patched("FILTER_CHAIN", "ADD", chain(*arguments, **more)))

    return {
        "a route": Change(plain, base(port, route=route_yaml("two")), [], {}),
        "an endpoint": Change(plain, base(port, backend=backend_yaml(9001)), [], {}),
        "a service": Change(plain, base(port, more=backend_yaml(9001, "more")), [], {}),
        "a filter": Change(plain, base(port, lua=lua), [IN_PLACE], in_place),
        "a filter's settings": Change(
            base(port, lua=lua),
            base(port, lua=lua_filter_yaml(f"-- changed\n{LUA}")),
            [IN_PLACE],
            in_place,
        ),
        "a plugin": Change(plain, base(port, plugin=plugin), [IN_PLACE], in_place),
        "a plugin's settings": Change(
            base(port, plugin=plugin), base(port, plugin=changed_plugin), [], {}
        ),
        "an access log": Change(plain, base(port, mesh=access_log("/dev/null")), [IN_PLACE], in_place),
        "a port more": Change(
            plain, base(port, gateway=two_ports(port, other)), [KEPT], {"listener_added": 1}
        ),
        "a port less": Change(base(port, gateway=two_ports(port, other)), plain, [GONE], removed),
        "another port": Change(
            plain,
            base(other),
            sorted([GONE, KEPT], key=lambda mark: (port < other) == (mark == KEPT)),
            removed | {"listener_added": 1},
        ),
        "a limit of the listener": Change(
            plain,
            listener({"per_connection_buffer_limit_bytes": 4096}),
            because("per_connection_buffer_limit_bytes"),
            replaced,
        ),
        "a log of the listener": Change(
            plain, listener({"access_log": [log]}), because("access_log"), replaced
        ),
        "another metadata and a filter": Change(
            listener({"metadata": {"filter_metadata": {"x": {"y": 1}}}}),
            listener({"metadata": {"filter_metadata": {"x": {"y": 2}}}}) | {"lua": lua},
            because("metadata"),
            replaced,
        ),
        "a port that is reused anyway": Change(
            plain, listener({"enable_reuse_port": True}), because("enable_reuse_port"), replaced
        ),
        "the order of listener filters": Change(
            listener(inspectors), listener(reversed_inspectors), [KEPT], no_drain
        ),
        "a chain more": Change(plain, with_chain("one", "a.example"), [KEPT], no_drain),
        "a chain less": Change(
            with_chain("one", "a.example"),
            plain,
            [IN_PLACE | {"filterChains": ["filter_chains[1]"]}],
            in_place,
        ),
        "one chain of two": Change(
            with_chain("one", "a.example"),
            with_chain("one", "b.example"),
            [IN_PLACE | {"filterChains": ["filter_chains[1]"]}],
            in_place,
        ),
        "all chains": Change(
            with_chain("one", "a.example"),
            with_chain("one", "b.example") | {"lua": lua},
            [IN_PLACE | {"filterChains": ["filter_chains[0]", "filter_chains[1]"]}],
            in_place | {"total_filter_chains_draining": 2},
        ),
    }


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("live")) as stage:
        stage.config.mkdir()
        yield stage.start()


def settle(stage: Stage, files: dict[str, str]) -> None:
    """Puts files in force, and waits until the Envoy runs them."""
    for path in stage.config.glob("*.yaml"):
        if path.stem not in files:
            path.unlink()
    for name, text in files.items():
        write(stage.config / f"{name}.yaml", text)
    printed = skiffctl("translate", "-f", str(stage.config), *AS_GATEWAY)
    expected = [resource for found in json.loads(printed.stdout).values() for resource in found]
    page = "/debug/config_dump?proxyID=gateway&types=cds,eds,ecds,lds,rds"

    def is_settled() -> bool:
        if stage.skiffd.get(page)["configs"] != expected:
            return False
        (row,) = stage.skiffd.get("/debug/syncz")
        states = [entry["status"] for entry in row["resources"].values()]
        # Clusters that are gone are kept for a while, which does not concern listeners.
        if any(state != "SYNCED" for state in states):
            return False
        return stage.envoy.stats("listener_manager.total_listeners_warming$") == {
            "listener_manager.total_listeners_warming": 0
        }

    stage.envoy.wait_for("the configuration in force", is_settled)


def counted(stage: Stage) -> dict[str, int]:
    stats = stage.envoy.stats("^listener_manager")
    return {name: stats[f"listener_manager.{name}"] for name in COUNTERS + GAUGES}


CHANGES = [
    "a route",
    "an endpoint",
    "a service",
    "a filter",
    "a filter's settings",
    "a plugin",
    "a plugin's settings",
    "an access log",
    "a port more",
    "a port less",
    "another port",
    "a limit of the listener",
    "a log of the listener",
    "another metadata and a filter",
    "a port that is reused anyway",
    "the order of listener filters",
    "a chain more",
    "a chain less",
    "one chain of two",
    "all chains",
]


@pytest.mark.parametrize("name", CHANGES)
def test_envoy_drains_what_is_marked(live, changes, diff, name):
    change = changes[name]
    result = diff(change.old, change.new, "-o", "json")
    assert result.returncode == 1, result.stderr
    marks = [entry["drain"] for entry in json.loads(result.stdout)["resources"] if "drain" in entry]
    assert marks == change.drains
    settle(live, change.old)
    before = counted(live)
    settle(live, change.new)
    after = counted(live)
    moved = {key: after[key] - before[key] for key in after if after[key] != before[key]}
    assert moved == change.counts
