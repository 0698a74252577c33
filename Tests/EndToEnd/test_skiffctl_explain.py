# SPDX-License-Identifier: Apache-2.0
"""skiffctl explain and /debug/explain: what each patch was held against, and who wrote a filter."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
import yaml

from skiff_e2e.ads import CLUSTER, EXTENSION, LISTENER, ROUTE
from skiff_e2e.gateway import LABELS, backend_yaml, gateway_yaml, plugin_yaml, route_yaml
from skiff_e2e.http import request
from skiff_e2e.skiffd import skiffctl, write

NODE = "router~127.0.0.1~gateway.istio-system~istio-system.svc.cluster.local"
AS_GATEWAY = ["--node", NODE, "--labels", LABELS]
MANAGER = "envoy.filters.network.http_connection_manager"
ROUTER = "envoy.filters.http.router"
FAULT, CORS = "envoy.filters.http.fault", "envoy.filters.http.cors"
PLUGIN = "extensions.istio.io/wasmplugin/istio-system.hello"
FILTERS = "filter_chains[0].filters[0].typed_config.http_filters"
HERE = f"listener 0.0.0.0_8080, filter chain #0, network filter {MANAGER}"
BUFFER = {
    "name": "buffer",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
        "max_request_bytes": 1024,
    },
}


def patch(applyTo: str, operation: str, value: dict | None = None, **match) -> dict:
    change = {"operation": operation} | ({"value": value} if value else {})
    return {"applyTo": applyTo, "match": match, "patch": change}


def at(name: str, **more) -> dict:
    """A match on an HTTP filter."""
    return more | {"listener": {"filterChain": {"filter": {"name": MANAGER, "subFilter": {"name": name}}}}}


def envoy_filter(*patches: dict, name: str = "f", namespace: str = "istio-system", **spec) -> str:
    """JSON is YAML, too; on one line, so every place is line 1."""
    return json.dumps(
        {
            "apiVersion": "networking.istio.io/v1alpha3",
            "kind": "EnvoyFilter",
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec | {"configPatches": patches},
        }
    )


INSERT = patch("HTTP_FILTER", "INSERT_BEFORE", BUFFER, **at(ROUTER, context="GATEWAY"))


@pytest.fixture
def explain(tmp_path):
    """Asks about these files; places are relative to the directory of the files."""
    base = {"gateway": gateway_yaml(8080), "backend": backend_yaml(9000), "route": route_yaml()}

    def run(*arguments: str, node: list[str] = AS_GATEWAY, **files: str):
        for name, text in (base | files).items():
            write(tmp_path / f"{name}.yaml", text)
        result = skiffctl("explain", *arguments, "-f", str(tmp_path), *node)
        result.stdout = result.stdout.replace(f"{tmp_path}/", "")
        return result

    return run


def said(result) -> list[str]:
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


ABOUT = ["envoyfilter/f", "-n", "istio-system"]
ATTACHED = [
    "EnvoyFilter istio-system/f (f.yaml:1) changes what router gateway.istio-system gets.",
    "  holds  metadata.namespace: istio-system",
    "  applied as number 1 of 1 EnvoyFilters (priority 0, root namespace)",
    "",
]
FUTILE = [
    "EnvoyFilter istio-system/f (f.yaml:1) is meant for router gateway.istio-system, "
    "but changes nothing.",
    *ATTACHED[1:],
]


# What a patch did


def test_an_insertion_says_where_and_why(explain):
    assert said(explain(*ABOUT, f=envoy_filter(INSERT))) == [
        *ATTACHED,
        "spec.configPatches[0] HTTP_FILTER INSERT_BEFORE: applied",
        f"  {HERE}",
        f"    inserted buffer before {ROUTER}, now 3 of 4",
    ]


def test_the_place_is_that_after_all_objects(explain):
    later = envoy_filter(patch("HTTP_FILTER", "REMOVE", **at(FAULT)), name="g", priority=1)
    result = explain(*ABOUT, f=envoy_filter(INSERT), g=later)
    assert said(result) == [
        ATTACHED[0],
        ATTACHED[1],
        "  applied as number 1 of 2 EnvoyFilters (priority 0, root namespace), before istio-system/g",
        "",
        "spec.configPatches[0] HTTP_FILTER INSERT_BEFORE: applied",
        f"  {HERE}",
        f"    inserted buffer before {ROUTER}, now 2 of 3 (was 3 of 4 then)",
    ]


def test_what_a_later_object_removes(explain):
    later = envoy_filter(patch("HTTP_FILTER", "REMOVE", **at("buffer")), name="g", priority=1)
    result = explain(*ABOUT, f=envoy_filter(INSERT), g=later)
    assert said(result)[-1] == f"    inserted buffer before {ROUTER}, and later removed"


def test_every_kind_of_change(explain):
    vhost = {"routeConfiguration": {"vhost": {"name": "web.example.com:8080"}}}
    patches = [
        patch("CLUSTER", "MERGE", {"connect_timeout": "1s"}, cluster={"service": "backend.internal"}),
        patch("HTTP_ROUTE", "MERGE", {"route": {"timeout": "7s"}}, **vhost),
        patch("VIRTUAL_HOST", "MERGE", {"include_request_attempt_count": True}, **vhost),
        patch("LISTENER", "MERGE", {"per_connection_buffer_limit_bytes": 4096}),
        patch("HTTP_FILTER", "REMOVE", **at(CORS)),
    ]
    place = "route configuration http.8080, virtual host web.example.com:8080"
    assert said(explain(*ABOUT, f=envoy_filter(*patches))) == [
        *ATTACHED,
        "spec.configPatches[0] CLUSTER MERGE: applied",
        "  cluster outbound|80||backend.internal",
        "    merged outbound|80||backend.internal",
        "",
        "spec.configPatches[1] HTTP_ROUTE MERGE: applied",
        f"  {place}, route #0",
        "    merged, now 1 of 1",
        "",
        "spec.configPatches[2] VIRTUAL_HOST MERGE: applied",
        f"  {place}",
        "    merged web.example.com:8080",
        "",
        "spec.configPatches[3] LISTENER MERGE: applied",
        "  listener 0.0.0.0_8080",
        "    merged 0.0.0.0_8080",
        "",
        "spec.configPatches[4] HTTP_FILTER REMOVE: applied",
        f"  {HERE}",
        f"    removed {CORS}",
    ]


# Why a patch did nothing


def test_a_misspelt_filter_has_its_nearest_name(explain):
    lost = patch("HTTP_FILTER", "INSERT_BEFORE", BUFFER, **at("envoy.filters.http.ruoter"))
    assert said(explain(*ABOUT, f=envoy_filter(lost))) == [
        *FUTILE,
        "spec.configPatches[0] HTTP_FILTER INSERT_BEFORE: not applied, nothing matches",
        "  warning: match.listener.filterChain.filter.subFilter.name: no filter of Envoy is called "
        f'"envoy.filters.http.ruoter"; did you mean "{ROUTER}"? (f.yaml:1)',
        f"  {HERE}",
        f"    holds  match.listener.filterChain.filter.name: {MANAGER}",
        "    fails  match.listener.filterChain.filter.subFilter.name: "
        f"wanted envoy.filters.http.ruoter, found {FAULT}, {CORS}, {ROUTER}; "
        f"did you mean {ROUTER}?",
    ]


def test_the_nearest_of_several_is_shown(explain):
    two = gateway_yaml(8080) + gateway_yaml(9090).split("  servers:\n")[1].replace(": http", ": b")
    lost = patch("HTTP_FILTER", "MERGE", {"name": "x"}, **at("a", context="GATEWAY"))
    lost["match"]["listener"]["portNumber"] = 9090
    assert said(explain(*ABOUT, f=envoy_filter(lost), gateway=two)) == [
        *FUTILE,
        "spec.configPatches[0] HTTP_FILTER MERGE: not applied, nothing matches",
        f"  the nearest of 2: {HERE.replace('8080', '9090')}",
        "    holds  match.context: GATEWAY",
        "    holds  match.listener.portNumber: 9090",
        f"    holds  match.listener.filterChain.filter.name: {MANAGER}",
        "    fails  match.listener.filterChain.filter.subFilter.name: "
        f"wanted a, found {FAULT}, {CORS}, {ROUTER}",
    ]


def test_another_context(explain):
    lost = patch("HTTP_FILTER", "INSERT_FIRST", BUFFER, context="SIDECAR_INBOUND")
    assert said(explain(*ABOUT, f=envoy_filter(lost)))[-2:] == [
        "  listener 0.0.0.0_8080",
        "    fails  match.context: wanted SIDECAR_INBOUND, found GATEWAY",
    ]


def test_a_proxy_of_another_version_or_metadata(explain, tmp_path):
    proxy = {"proxyVersion": "^1\\.20", "metadata": {"TIER": "edge"}}
    lost = envoy_filter(patch("HTTP_FILTER", "INSERT_FIRST", BUFFER, proxy=proxy))
    metadata = tmp_path / "node.json"
    metadata.write_text(json.dumps({"TIER": "edge", "ISTIO_VERSION": "1.32.0"}))
    result = explain(*ABOUT, "--metadata", str(metadata), f=lost)
    assert said(result) == [
        *FUTILE,
        "spec.configPatches[0] HTTP_FILTER INSERT_FIRST: not for this proxy",
        "  holds  match.proxy.metadata.TIER: edge",
        "  fails  match.proxy.proxyVersion: wanted ^1\\.20, found 1.32.0",
    ]
    assert said(explain(*ABOUT, f=lost))[-1] == (
        "  fails  match.proxy.metadata.TIER: wanted edge, found nothing"
    )


def test_a_cluster_that_is_not_there(explain):
    lost = patch("CLUSTER", "MERGE", {"connect_timeout": "1s"}, cluster={"service": "bakend.internal"})
    assert said(explain(*ABOUT, f=envoy_filter(lost)))[-3:] == [
        "spec.configPatches[0] CLUSTER MERGE: not applied, nothing matches",
        "  the nearest of 2: cluster outbound|80||backend.internal",
        "    fails  match.cluster.service: wanted bakend.internal, found backend.internal; "
        "did you mean backend.internal?",
    ]


def test_a_patch_that_does_nothing_anywhere(explain):
    lost = patch("HTTP_FILTER", "REMOVE")
    lines = said(explain(*ABOUT, f=envoy_filter(lost)))
    assert lines[:5] == [*FUTILE, "spec.configPatches[0] HTTP_FILTER REMOVE: no effect"]
    assert lines[-1] == (
        "  REMOVE needs match.listener.filterChain.filter.subFilter.name, which is not set"
    )


def test_an_error_in_one_patch_is_told_at_it(explain):
    typed = {"typed_config": BUFFER["typed_config"]}
    bad = patch("HTTP_FILTER", "MERGE", typed, **at(ROUTER))
    lines = said(explain(*ABOUT, f=envoy_filter(bad, INSERT)))
    assert lines[:5] == [
        *ATTACHED,
        "spec.configPatches[0] HTTP_FILTER MERGE: skipped, it has an error",
    ]
    assert lines[5].startswith("  error: patch.value.typed_config.@type: expected ")
    assert lines[5].endswith(" (f.yaml:1)")
    assert lines[-1] == f"    inserted buffer before {ROUTER}, now 3 of 4"


# Why an object is not meant for the proxy


def test_another_namespace(explain):
    result = explain("envoyfilter/f", "-n", "prod", f=envoy_filter(INSERT, namespace="prod"))
    assert said(result) == [
        "EnvoyFilter prod/f (f.yaml:1) is not meant for router gateway.istio-system.",
        "  fails  metadata.namespace: wanted istio-system, found prod",
        "",
        "spec.configPatches[0] HTTP_FILTER INSERT_BEFORE: not looked at",
    ]


def test_another_workload(explain):
    labels = {"app": "gateway", "istio": "egressgateway"}
    selective = envoy_filter(INSERT, workloadSelector={"labels": labels})
    mine = ["--node", NODE, "--labels", f"{LABELS},app=gateway"]
    assert said(explain(*ABOUT, node=mine, f=selective))[:4] == [
        "EnvoyFilter istio-system/f (f.yaml:1) is not meant for router gateway.istio-system.",
        "  holds  metadata.namespace: istio-system",
        "  holds  spec.workloadSelector.labels.app: gateway",
        "  fails  spec.workloadSelector.labels.istio: wanted egressgateway, found ingressgateway",
    ]


def test_another_gateway(explain):
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge"}
    label = "gateway.networking.k8s.io/gateway-name"
    targeted = envoy_filter(INSERT, targetRefs=[target])
    mine = ["--node", NODE, "--labels", f"{LABELS},{label}=egde"]
    assert said(explain(*ABOUT, node=mine, f=targeted))[:3] == [
        "EnvoyFilter istio-system/f (f.yaml:1) is not meant for router gateway.istio-system.",
        "  holds  metadata.namespace: istio-system",
        "  fails  spec.targetRefs: wanted Gateway edge, found Gateway egde; did you mean Gateway egde?",
    ]


def test_an_object_with_an_error_is_not_in_force(explain):
    broken = envoy_filter(INSERT).replace("INSERT_BEFORE", "INSERT_BEFOER")
    lines = said(explain(*ABOUT, f=broken))
    assert lines[0] == "EnvoyFilter istio-system/f is not in force: it has an error."
    assert lines[1].startswith("  error: spec.configPatches[0].patch.operation: expected one of ")
    assert lines[1].endswith('found "INSERT_BEFOER"; did you mean "INSERT_BEFORE"? (f.yaml:1)')
    assert len(lines) == 2


# Wrong names and usage


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["envoyfilter/f"], "EnvoyFilter default/f: not found; did you mean istio-system/f?"),
        (
            ["EnvoyFilters/ff", "-n", "istio-system"],
            "EnvoyFilter istio-system/ff: not found; did you mean istio-system/f?",
        ),
        (
            ["envoyfilter/quite-another", "-n", "istio-system"],
            "EnvoyFilter istio-system/quite-another: not found; there are istio-system/f",
        ),
        (
            ["--why", "bufer"],
            'the proxy gets nothing that is named "bufer"; did you mean "buffer"?',
        ),
        (["--why", "quite another"], 'the proxy gets nothing that is named "quite another"'),
    ],
)
def test_a_name_that_is_not_there_exits_with_1_and_the_nearest(explain, arguments, words):
    result = explain(*arguments, f=envoy_filter(INSERT))
    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"Error: {words}\n")


def test_what_cannot_be_read_may_be_why_nothing_is_found(explain, tmp_path):
    result = explain(*ABOUT, f="kind: [\n")
    assert (result.returncode, result.stdout) == (1, "")
    first, second = result.stderr.splitlines()
    assert first.endswith(f"({tmp_path}/f.yaml:2)")
    assert second == "Error: EnvoyFilter istio-system/f: not found; there is no EnvoyFilter"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "expected either envoyfilter/NAME or --why NAME"),
        (["envoyfilter/f", "--why", "x"], "expected either envoyfilter/NAME or --why NAME"),
        (["wasmplugin/f"], "The value 'wasmplugin/f' is invalid for '<object>'"),
        (["f"], "The value 'f' is invalid for '<object>'"),
    ],
)
def test_wrong_usage_exits_with_64_and_a_sentence(explain, arguments, words):
    result = explain(*arguments)
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr.startswith(f"Error: {words}\n")


# For programs


def clause(field: str, wanted: str, actual: str, hint: str | None = None) -> dict:
    found = {"path": field, "wanted": wanted, "actual": actual, "matched": wanted == actual}
    return found | ({"hint": hint} if hint else {})


def test_an_explanation_as_json_and_yaml(explain, tmp_path):
    removal = patch("HTTP_FILTER", "REMOVE", **at("bufer"))
    result = explain(*ABOUT, "-o", "json", f=envoy_filter(INSERT, removal))
    first, second = "spec.configPatches[0]", "spec.configPatches[1]"
    place = "match.listener.filterChain.filter"
    position = {"index": 2, "count": 4}
    miss = clause(
        f"{second}.{place}.subFilter.name",
        "bufer",
        f"{FAULT}, {CORS}, buffer, {ROUTER}",
        "did you mean buffer?",
    )
    expected = {
        "object": {
            "kind": "EnvoyFilter",
            "namespace": "istio-system",
            "name": "f",
            "file": "f.yaml",
            "line": 1,
        },
        "verdict": "applied",
        "attachment": [clause("metadata.namespace", "istio-system", "istio-system")],
        "order": {"index": 0, "count": 1, "priority": 0, "rootNamespace": True},
        "patches": [
            {
                "path": first,
                "applyTo": "HTTP_FILTER",
                "operation": "INSERT_BEFORE",
                "verdict": "applied",
                "conditions": [],
                "candidates": [
                    {
                        "place": HERE,
                        "clauses": [
                            clause(f"{first}.match.context", "GATEWAY", "GATEWAY"),
                            clause(f"{first}.{place}.name", MANAGER, MANAGER),
                            clause(f"{first}.{place}.subFilter.name", ROUTER, f"{FAULT}, {CORS}, {ROUTER}")
                            | {"matched": True},
                        ],
                        "result": "changed",
                        "change": {
                            "verb": "inserted",
                            "element": "buffer",
                            "reason": f"before {ROUTER}",
                            "position": position,
                            "finalPosition": position,
                        },
                    }
                ],
                "problems": [],
            },
            {
                "path": second,
                "applyTo": "HTTP_FILTER",
                "operation": "REMOVE",
                "verdict": "notMatched",
                "conditions": [],
                "candidates": [
                    {
                        "place": HERE,
                        "clauses": [clause(f"{second}.{place}.name", MANAGER, MANAGER), miss],
                        "result": "notMatched",
                    }
                ],
                "nearestMiss": {"place": HERE, "clause": miss},
                "problems": [],
            },
        ],
        "problems": [],
    }
    assert json.loads(result.stdout) == expected
    as_yaml = explain(*ABOUT, "-o", "yaml")
    assert yaml.safe_load(as_yaml.stdout) == expected


# Who wrote it


def why(explain, name: str, **files: str) -> list[str]:
    return said(explain("--why", name, **files))


def test_who_wrote_a_filter(explain):
    merge = {"typed_config": BUFFER["typed_config"] | {"max_request_bytes": 99}}
    change = envoy_filter(patch("HTTP_FILTER", "MERGE", merge, **at("buffer")), name="g")
    found = why(explain, "buffer", f=envoy_filter(INSERT), g=change)
    assert found == [
        f"LDS 0.0.0.0_8080 {FILTERS}[2]",
        "  EnvoyFilter istio-system/f: spec.configPatches[0] (f.yaml:1): "
        f"inserted buffer before {ROUTER}, now 3 of 4",
        "  EnvoyFilter istio-system/g: spec.configPatches[0] (g.yaml:1): "
        "merged buffer, now 3 of 4: typed_config.max_request_bytes",
    ]


def test_a_merge_of_a_zero_is_no_write_unless_its_author_says_so(explain):
    typed = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    value = {"typed_config": typed | {"suppress_envoy_headers": False, "start_child_span": True}}
    plain = envoy_filter(patch("HTTP_FILTER", "MERGE", value, **at(ROUTER)))
    head = f"LDS 0.0.0.0_8080 {FILTERS}[2]"
    writer = (
        "  EnvoyFilter istio-system/f: spec.configPatches[0] (f.yaml:1): "
        f"merged {ROUTER}, now 3 of 3: "
    )
    assert why(explain, ROUTER, f=plain) == [head, f"{writer}typed_config.start_child_span"]
    spec = json.loads(plain)
    spec["metadata"]["annotations"] = {"skiff.dev/presence": "explicit"}
    both = "typed_config.suppress_envoy_headers, typed_config.start_child_span"
    assert why(explain, ROUTER, f=json.dumps(spec)) == [head, f"{writer}{both}"]


def test_who_wrote_a_plugin_and_its_configuration(explain):
    assert why(explain, PLUGIN, plugin=plugin_yaml("hello")) == [
        f"ECDS {PLUGIN}",
        "  WasmPlugin istio-system/hello (plugin.yaml:1)",
        "",
        f"LDS 0.0.0.0_8080 {FILTERS}[0]",
        "  WasmPlugin istio-system/hello (plugin.yaml:1)",
    ]


def test_who_wrote_the_two_halves_of_a_pair(explain):
    source = {"config_source": {"ads": {}}, "type_urls": [BUFFER["typed_config"]["@type"]]}
    half = patch("HTTP_FILTER", "INSERT_FIRST", {"name": "pair", "config_discovery": source})
    other = patch("EXTENSION_CONFIG", "ADD", BUFFER | {"name": "pair"})
    files = {"f": envoy_filter(half), "g": envoy_filter(other, name="g")}
    served = "  EnvoyFilter istio-system/g: spec.configPatches[0] (g.yaml:1)"
    assert why(explain, "pair", **files) == [
        "ECDS pair",
        f"{served}: added pair",
        "",
        f"LDS 0.0.0.0_8080 {FILTERS}[0]",
        "  EnvoyFilter istio-system/f: spec.configPatches[0] (f.yaml:1): "
        "inserted pair first, now 1 of 4",
        served,
    ]


def test_who_wrote_a_cluster(explain):
    slow = patch("CLUSTER", "MERGE", {"connect_timeout": "9s"}, cluster={"service": "backend.internal"})
    name = "outbound|80||backend.internal"
    assert why(explain, name, f=envoy_filter(slow)) == [
        f"CDS {name}",
        "  ServiceEntry default/backend (backend.yaml:1)",
        "  EnvoyFilter istio-system/f: spec.configPatches[0] (f.yaml:1): "
        f"merged {name}: connect_timeout",
        "",
        f"EDS {name}",
        "  ServiceEntry default/backend (backend.yaml:1)",
    ]


def test_who_wrote_a_virtual_host(explain):
    vhost = {"routeConfiguration": {"vhost": {"name": "web.example.com:8080"}}}
    slow = patch("HTTP_ROUTE", "MERGE", {"route": {"timeout": "7s"}}, **vhost)
    assert why(explain, "web.example.com:8080", f=envoy_filter(slow)) == [
        "RDS http.8080 virtual_hosts[0]",
        "  VirtualService default/web (route.yaml:1)",
        "  EnvoyFilter istio-system/f: spec.configPatches[0] (f.yaml:1): "
        "merged, now 1 of 1: route.timeout",
    ]


def test_what_every_proxy_has(explain):
    assert why(explain, CORS) == [
        f"LDS 0.0.0.0_8080 {FILTERS}[1]: every such proxy has it",
        "  the LDS resource is from Gateway default/web",
    ]


def test_who_removed_a_filter(explain):
    removal = envoy_filter(patch("HTTP_FILTER", "REMOVE", **at(CORS)))
    assert why(explain, CORS, f=removal) == [
        f"{HERE}: removed",
        f"  EnvoyFilter istio-system/f: spec.configPatches[0] (f.yaml:1): removed {CORS}",
    ]


def test_who_wrote_it_as_json(explain):
    result = explain("--why", "buffer", "-o", "json", f=envoy_filter(INSERT))
    position = {"index": 2, "count": 4}
    assert json.loads(result.stdout) == {
        "name": "buffer",
        "occurrences": [
            {
                "type": LISTENER,
                "resource": "0.0.0.0_8080",
                "path": f"{FILTERS}[2]",
                "writers": [
                    {
                        "object": {
                            "kind": "EnvoyFilter",
                            "namespace": "istio-system",
                            "name": "f",
                            "file": "f.yaml",
                            "line": 1,
                        },
                        "field": "spec.configPatches[0]",
                        "place": HERE,
                        "change": {
                            "verb": "inserted",
                            "element": "buffer",
                            "reason": f"before {ROUTER}",
                            "position": position,
                            "finalPosition": position,
                        },
                    }
                ],
                "resourceObjects": ["EnvoyFilter istio-system/f", "Gateway default/web"],
            }
        ],
        "removals": [],
    }


# /debug/explain, with an Envoy that runs it


def test_the_page_says_of_a_connected_envoy_what_skiffctl_says(stage):
    removal = envoy_filter(patch("HTTP_FILTER", "REMOVE", **at(CORS)), name="g", priority=1)
    stage.write("f.yaml", envoy_filter(INSERT))
    stage.write("g.yaml", removal)
    names = [FAULT, "buffer", ROUTER]
    stage.envoy.wait_for("the filters", lambda: running_filters(stage) == names)

    def page(query: str) -> dict:
        return stage.skiffd.get(f"/debug/explain?proxyID=gateway&{query}")

    def offline(*arguments: str) -> dict:
        result = skiffctl("explain", *arguments, "-o", "json", "-f", str(stage.config), *AS_GATEWAY)
        assert (result.returncode, result.stderr) == (0, "")
        return json.loads(result.stdout)

    explained = page("kind=EnvoyFilter&name=f&namespace=istio-system")
    assert explained == offline(*ABOUT)
    change = explained["patches"][0]["candidates"][0]["change"]
    # Where it says that the filter is, Envoy has it.
    assert change["finalPosition"] == {"index": names.index("buffer"), "count": len(names)}
    for name, types in {
        "buffer": [LISTENER],
        CORS: [],
        "web.example.com:" + str(stage.port): [ROUTE],
        "BlackHoleCluster": [CLUSTER],
    }.items():
        answer = page(f"why={quote(name)}")
        assert answer == offline("--why", name)
        assert [found["type"] for found in answer["occurrences"]] == types

    # It follows what is in force.
    (stage.config / "g.yaml").unlink()
    stage.envoy.wait_for("the filters", lambda: len(running_filters(stage)) == 4)
    again = page("name=f&namespace=istio-system")["patches"][0]["candidates"][0]["change"]
    assert again["finalPosition"] == {"index": 2, "count": 4}


def running_filters(stage) -> list[str]:
    """The HTTP filters of the listener that Envoy has in force."""
    dump = json.loads(stage.envoy.admin("/config_dump?resource=dynamic_listeners"))
    for entry in dump.get("configs", []):
        chain = entry["active_state"]["listener"]["filter_chains"][0]
        return [found["name"] for found in chain["filters"][0]["typed_config"]["http_filters"]]
    return []


def test_the_page_needs_a_proxy_and_a_name_that_are_there(stage):
    stage.write("f.yaml", envoy_filter(INSERT))
    stage.envoy.wait_for("the filter", lambda: "buffer" in running_filters(stage))

    def answer(query: str) -> tuple[int, str]:
        response = request(stage.skiffd.http, f"/debug/explain?{query}")
        return response.status, json.loads(response.body)["error"]["message"]

    what = "say what: ?kind=EnvoyFilter&name=NAME&namespace=NAMESPACE, or ?why=NAME"
    mine = "proxyID=gateway&"
    assert answer("name=f") == (400, "say which proxy: ?proxyID=ID (see /debug/connections)")
    assert answer("proxyID=nobody&name=f")[0] == 404
    assert answer("proxyID=gateway") == (400, what)
    assert answer(f"{mine}kind=Gateway&name=f") == (400, "expected kind=EnvoyFilter, found kind=Gateway")
    assert answer(f"{mine}name=f") == (
        404,
        "EnvoyFilter default/f: not found; did you mean istio-system/f?",
    )
    assert answer(f"{mine}why=bufer") == (
        404,
        'the proxy gets nothing that is named "bufer"; did you mean "buffer"?',
    )
