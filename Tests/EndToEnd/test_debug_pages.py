# SPDX-License-Identifier: Apache-2.0
"""The pages under /debug in the shapes of istiod's, whole, for a client that is known exactly."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

from skiff_e2e.ads import CLUSTER, ENDPOINT, EXTENSION, LISTENER, ROUTE, SECRET, ADSClient
from skiff_e2e.gateway import backend_yaml, gateway_yaml, route_yaml
from skiff_e2e.http import request
from skiff_e2e.skiffd import Skiffd, write

ID = "router~127.0.0.1~peer.istio-system~istio-system.svc.cluster.local-1"
BACKEND = "outbound|80||backend.internal"
PLUGIN = "extensions.istio.io/wasmplugin/istio-system.hello"
PAGES = [
    *["adsz", "config_dump", "configz", "connections", "ecdsz", "explain", "problemsz"],
    *["registryz", "rejectsz", "statusz", "syncz", "wasmz"],
]
# What every page can be asked with; explain needs a question.
QUERY = "proxyID=peer&why=BlackHoleCluster"
PLUGIN_YAML = """\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata:
  name: hello
  namespace: istio-system
spec:
  url: file:///nowhere/hello.wasm
"""


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    """A client that has accepted clusters, a route and a plugin, and refused its listener."""
    directory = tmp_path_factory.mktemp("pages")
    config = directory / "config"
    write(config / "gateway.yaml", gateway_yaml(8080))
    write(config / "backend.yaml", backend_yaml(9000))
    write(config / "route.yaml", route_yaml())
    write(config / "plugin.yaml", PLUGIN_YAML)
    with Skiffd(config, directory) as skiffd, ADSClient(skiffd.wait_until_ready().grpc) as client:
        peer = SimpleNamespace(skiffd=skiffd, sent={}, versions={})

        def keep(response):
            peer.sent[response.type_url] = response.nonce
            peer.versions[response.type_url] = response.version_info
            return response

        client.send(LISTENER)
        client.nack(keep(client.receive(LISTENER)), "no such filter")
        keep(client.subscribe(EXTENSION, [PLUGIN]))
        keep(client.subscribe(CLUSTER))
        keep(client.subscribe(ROUTE, ["http.8080"]))
        skiffd.wait_for("all acks", lambda: skiffd.get("/debug/syncz")[0].get("route_acked"))
        yield peer


def moment(text: str) -> str:
    """Checks that a text is a time in UTC, and gives back what comparisons expect."""
    assert datetime.fromisoformat(text).utcoffset().total_seconds() == 0
    return "<time>"


def test_the_list_names_every_page_and_each_is_json(peer):
    assert peer.skiffd.get("/debug/list") == PAGES
    for page in PAGES:
        answer = request(peer.skiffd.http, f"/debug/{page}?{QUERY}")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        pretty = request(peer.skiffd.http, f"/debug/{page}?{QUERY}&pretty")
        assert json.loads(pretty.body) == json.loads(answer.body)


def test_the_index_links_to_pages_that_are_there(peer):
    index = request(peer.skiffd.http, "/")
    assert (index.status, index.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert request(peer.skiffd.http, "/debug").body == index.body
    links = re.findall(r'href="([^"]+)"', index.body)
    assert links == [f"/debug/{page}" for page in PAGES] + ["/ready", "/metrics", "/version"]
    for link in links:
        assert request(peer.skiffd.http, f"{link}?{QUERY}").status == 200
    # Every ampersand begins a character reference.
    assert re.findall(r"&(?!\w+;)", index.body) == []


def test_connections(peer):
    page = peer.skiffd.get("/debug/connections")
    (client,) = page["clients"]
    client["connectedAt"] = moment(client["connectedAt"])
    assert client.pop("address").rpartition(":")[0].endswith("127.0.0.1")
    assert page == {
        "totalClients": 1,
        "clients": [{"connectionId": ID, "connectedAt": "<time>", "wasmEnabled": True}],
    }


def test_adsz(peer):
    page = peer.skiffd.get("/debug/adsz")
    (client,) = page["clients"]
    client["connectedAt"] = moment(client["connectedAt"])
    del client["address"]
    assert page == {
        "totalClients": 1,
        "clients": [
            {
                "connectionId": ID,
                "connectedAt": "<time>",
                "labels": {"istio": "ingressgateway"},
                "metadata": {"LABELS": {"istio": "ingressgateway"}, "NAMESPACE": "istio-system"},
                "locality": "",
                "watches": {
                    CLUSTER: ["*"],
                    EXTENSION: [PLUGIN],
                    LISTENER: ["*"],
                    ROUTE: ["http.8080"],
                },
            }
        ],
    }


def test_syncz(peer):
    (row,) = peer.skiffd.get("/debug/syncz")
    for entry in row["resources"].values():
        entry["sentTime"] = moment(entry["sentTime"])

    def accepted(type_url: str) -> dict:
        nonce, version = peer.sent[type_url], peer.versions[type_url]
        return {
            "status": "SYNCED",
            "sent": nonce,
            "acked": nonce,
            "sentVersion": version,
            "ackedVersion": version,
            "sentTime": "<time>",
        }

    assert row == {
        "cluster_id": "",
        "proxy": "peer.istio-system",
        "proxy_type": "router",
        "istio_version": "",
        "cluster_sent": peer.sent[CLUSTER],
        "cluster_acked": peer.sent[CLUSTER],
        "extensionconfig_sent": peer.sent[EXTENSION],
        "extensionconfig_acked": peer.sent[EXTENSION],
        "listener_sent": peer.sent[LISTENER],
        "listener_acked": "",
        "route_sent": peer.sent[ROUTE],
        "route_acked": peer.sent[ROUTE],
        "resources": {
            CLUSTER: accepted(CLUSTER),
            EXTENSION: accepted(EXTENSION),
            ROUTE: accepted(ROUTE),
            LISTENER: accepted(LISTENER)
            | {
                "status": "ERROR",
                "acked": "",
                "ackedVersion": "",
                "lastError": "no such filter",
                "objects": [
                    "WasmPlugin istio-system/hello@1",
                    "Gateway default/web@1: spec.servers[0]",
                ],
            },
        },
    }


def test_pages_can_be_asked_for_some_proxies(peer):
    def found(query: str) -> int:
        return len(peer.skiffd.get(f"/debug/syncz{query}"))

    assert (found("?namespace=istio-system"), found("?namespace=default")) == (1, 0)
    for query, count in {"?proxyID=peer.istio": 1, "?proxyID=nobody": 0}.items():
        page = peer.skiffd.get(f"/debug/adsz{query}")
        assert (page["totalClients"], len(page["clients"])) == (count, count)


def test_rejectsz(peer):
    page = peer.skiffd.get("/debug/rejectsz")
    (reject,) = page["rejects"]
    reject["since"] = moment(reject["since"])
    assert page == {
        "totalRejects": 1,
        "rejects": [
            {
                "proxy": "peer.istio-system",
                "connectionId": ID,
                "type": LISTENER,
                "version": peer.versions[LISTENER],
                "nonce": peer.sent[LISTENER],
                "since": "<time>",
                "reason": "no such filter",
                "resources": ["0.0.0.0_8080"],
                "objects": [
                    {
                        "kind": "WasmPlugin",
                        "namespace": "istio-system",
                        "name": "hello",
                        "generation": 1,
                        "field": "",
                    },
                    {
                        "kind": "Gateway",
                        "namespace": "default",
                        "name": "web",
                        "generation": 1,
                        "field": "spec.servers[0]",
                    },
                ],
            }
        ],
    }


def test_configz_has_the_objects_as_kubernetes_shows_them(peer):
    objects = peer.skiffd.get("/debug/configz")
    assert [(entry["kind"], entry["metadata"]["name"]) for entry in objects] == [
        ("WasmPlugin", "hello"),
        ("Gateway", "web"),
        ("ServiceEntry", "backend"),
        ("VirtualService", "web"),
    ]
    plugin = objects[0]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", plugin["metadata"].pop("uid"))
    assert plugin["metadata"].pop("resourceVersion") != ""
    created = datetime.fromisoformat(plugin["metadata"].pop("creationTimestamp"))
    assert abs((datetime.now(timezone.utc) - created).total_seconds()) < 600
    assert plugin == {
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": {
            "name": "hello",
            "namespace": "istio-system",
            "generation": 1,
        },
        "spec": {"url": "file:///nowhere/hello.wasm"},
    }


def test_registryz(peer):
    assert peer.skiffd.get("/debug/registryz") == [
        {
            "hostname": "backend.internal",
            "namespace": "default",
            "addresses": [],
            "resolution": "STATIC",
            "meshExternal": True,
            "ports": [{"port": 80, "name": "http", "protocol": "HTTP"}],
            "endpoints": [
                {
                    "address": "127.0.0.1",
                    "ports": {"80": 9000},
                    "healthy": True,
                    "locality": "",
                    "weight": 0,
                }
            ],
            "objects": ["ServiceEntry default/backend@1"],
        }
    ]


def test_config_dump_is_one_of_envoys(peer):
    dump = peer.skiffd.get("/debug/config_dump?proxyID=peer")
    admin = "type.googleapis.com/envoy.admin.v3"
    forms = {
        f"{admin}.ClustersConfigDump": ("dynamic_active_clusters", "cluster", CLUSTER),
        f"{admin}.EndpointsConfigDump": ("dynamic_endpoint_configs", "endpoint_config", ENDPOINT),
        f"{admin}.SecretsConfigDump": ("dynamic_active_secrets", "secret", SECRET),
        f"{admin}.EcdsConfigDump": ("ecds_filters", "ecds_filter", EXTENSION),
        f"{admin}.ListenersConfigDump": ("dynamic_listeners", "active_state", LISTENER),
        f"{admin}.RoutesConfigDump": ("dynamic_route_configs", "route_config", ROUTE),
    }
    assert [part["@type"] for part in dump["configs"]] == list(forms)
    found = {}
    for part in dump["configs"]:
        entries, field, type_url = forms[part["@type"]]
        assert set(part) == {"@type", "version_info", entries}
        for entry in part[entries]:
            state = entry["active_state"] if type_url == LISTENER else entry
            resource = state["listener" if type_url == LISTENER else field]
            assert (resource["@type"], state["version_info"] != "") == (type_url, True)
            name = resource.get("name") or resource["cluster_name"]
            assert entry.get("name", name) == name
            found.setdefault(type_url, []).append(name)
        assert type_url != SECRET or part[entries] == []
        # What others refer to has a version on the stream that depends on theirs, too.
        if type_url in (CLUSTER, LISTENER):
            assert part["version_info"] == peer.versions[type_url]
    assert found == {
        CLUSTER: ["BlackHoleCluster", BACKEND],
        ENDPOINT: [BACKEND],
        EXTENSION: [PLUGIN],
        LISTENER: ["0.0.0.0_8080"],
        ROUTE: ["http.8080"],
    }


def test_a_dump_of_some_types_is_their_resources(peer):
    skiffd = peer.skiffd
    several = skiffd.get("/debug/config_dump?proxyID=peer&types=lds,ecds")["configs"]
    assert [entry["@type"] for entry in several] == [EXTENSION, LISTENER]
    extensions = skiffd.get("/debug/ecdsz?proxyID=peer")
    assert extensions == {"configs": several[:1]}
    code = several[0]["typed_config"]["config"]["vm_config"]["code"]
    assert code == {"local": {"filename": "/nowhere/hello.wasm"}}


@pytest.mark.parametrize("page", ["config_dump", "ecdsz"])
def test_a_dump_needs_a_proxy_that_is_there(peer, page):
    def answer(query: str) -> tuple[int, str]:
        response = request(peer.skiffd.http, f"/debug/{page}{query}")
        return response.status, json.loads(response.body)["error"]["message"]

    assert answer("") == (400, "say which proxy: ?proxyID=ID (see /debug/connections)")
    assert answer("?proxyID=nobody") == (
        404,
        "Proxy not connected to this Pilot instance. It may be connected to another instance.",
    )


def test_metrics_have_istios_names_on_both_ports(peer):
    skiffd = peer.skiffd
    answer = request(skiffd.monitoring, "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", answer.body, re.MULTILINE))
    expected = {
        "pilot_debounce_time": "histogram",
        "pilot_proxy_convergence_time": "histogram",
        "pilot_push_triggers": "counter",
        "pilot_pushcontext_init_seconds": "histogram",
        "pilot_services": "gauge",
        "pilot_total_xds_internal_errors": "counter",
        "pilot_total_xds_rejects": "counter",
        "pilot_virt_services": "gauge",
        "pilot_xds": "gauge",
        "pilot_xds_config_size_bytes": "histogram",
        "pilot_xds_expired_nonce": "counter",
        "pilot_xds_pushes": "counter",
        "pilot_xds_write_timeout": "counter",
        "skiff_translations_total": "counter",
    }
    assert expected.items() <= kinds.items()
    assert request(skiffd.http, "/metrics").status == 200
    assert skiffd.metrics("pilot_total_xds_rejects") == {f'type="{LISTENER}"': 1}
    assert skiffd.metrics("pilot_xds_pushes") == {
        'type="cds"': 1,
        'type="ecds"': 1,
        'type="lds"': 1,
        'type="rds"': 1,
    }
    assert skiffd.metrics("pilot_services") == {"": 1}
    assert skiffd.metrics("pilot_virt_services") == {"": 1}


def test_readiness_comes_with_the_first_snapshot(tmp_path):
    config = tmp_path / "later"
    with Skiffd(config, tmp_path) as skiffd:
        for port in (skiffd.http, skiffd.monitoring):
            waiting = request(port, "/ready")
            assert (waiting.status, waiting.body) == (503, "waiting for the first snapshot\n")
        config.mkdir()
        skiffd.wait_until_ready()
        assert request(skiffd.monitoring, "/ready").body == "ready\n"
