# SPDX-License-Identifier: Apache-2.0
"""skiffctl as scripts use it, offline: what is printed where, in which form, which exit code."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from skiff_e2e.ads import CLUSTER, ENDPOINT, LISTENER, ROUTE, ADSClient
from skiff_e2e.envoy import binary
from skiff_e2e.gateway import LABELS, backend_yaml, gateway_yaml, route_yaml
from skiff_e2e.skiffd import Skiffd, program, skiffctl, write

SAMPLES = ROOT / "manifests/samples"
NODE = "router~127.0.0.1~gw.istio-system~istio-system.svc.cluster.local"
AS_GATEWAY = ["--node", NODE, "--labels", LABELS]
BACKEND = "outbound|80||backend.internal"
BAD_ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: web
  namespace: default
spec:
  hosts:
  - web.example.com
  http:
  - route:
    - destination:
        host: backend.internal
      weight: much
"""
BAD_WEIGHT = (
    "VirtualService default/web: spec.http[0].route[0].weight: "
    'expected an integer from 0 to 2147483647, found "much"'
)


@pytest.fixture
def manifests(tmp_path) -> Path:
    """A directory with a gateway, a backend, and a route in a subdirectory."""
    write(tmp_path / "m/gateway.yaml", gateway_yaml(8080))
    write(tmp_path / "m/backend.yaml", backend_yaml(9000))
    write(tmp_path / "m/routes/route.yaml", route_yaml("one"))
    return tmp_path / "m"


# validate


def test_valid_manifests_print_nothing_and_exit_with_0(manifests):
    for paths in ([manifests], sorted(manifests.rglob("*.yaml"))):
        result = skiffctl("validate", *(word for path in paths for word in ("-f", str(path))))
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_an_error_is_one_line_with_the_object_the_field_and_the_place(tmp_path):
    path = tmp_path / "route.yaml"
    write(path, BAD_ROUTE)
    result = skiffctl("validate", "-f", str(path))
    assert (result.returncode, result.stdout, result.stderr) == (1, f"{BAD_WEIGHT} ({path}:13)\n", "")


def test_a_problem_as_json(tmp_path):
    path = tmp_path / "route.yaml"
    write(path, BAD_ROUTE)
    result = skiffctl("validate", "-f", str(path), "-o", "json")
    assert result.returncode == 1
    assert json.loads(result.stdout) == [
        {
            "severity": "error",
            "code": "invalid",
            "kind": "VirtualService",
            "namespace": "default",
            "name": "web",
            "field": "spec.http[0].route[0].weight",
            "reason": 'expected an integer from 0 to 2147483647, found "much"',
            "file": str(path),
            "line": 13,
        }
    ]


def test_valid_manifests_as_json_are_an_empty_list(manifests):
    result = skiffctl("validate", "-f", str(manifests), "-o", "json")
    assert (result.returncode, json.loads(result.stdout)) == (0, [])


def test_manifests_come_from_standard_input(manifests):
    good = (manifests / "gateway.yaml").read_text()
    assert skiffctl("validate", "-f", "-", stdin=good).returncode == 0
    result = skiffctl("validate", "-f", "-", stdin=f"{good}---\n{BAD_ROUTE}")
    line = good.count("\n") + 1 + 13
    assert (result.returncode, result.stdout) == (1, f"{BAD_WEIGHT} (<stdin>:{line})\n")


def test_a_warning_says_so_and_does_not_fail(tmp_path):
    path = tmp_path / "route.yaml"
    write(path, route_yaml("one").replace("  hosts:", "  hostz: []\n  hosts:"))
    result = skiffctl("validate", "-f", str(path))
    assert result.returncode == 0
    assert (
        'warning: VirtualService default/web: spec.hostz: unknown field "hostz"; '
        f'did you mean "hosts"? ({path}:7)\n'
    ) in result.stdout


def test_every_document_of_every_file_is_read_to_its_end(tmp_path):
    write(tmp_path / "m/a.yaml", f"{BAD_ROUTE}---\nkind: [\n---\n{gateway_yaml(-1)}")
    write(tmp_path / "m/b.yaml", "kind: Gateway\n")
    result = skiffctl("validate", "-f", str(tmp_path / "m"))
    assert result.returncode == 1
    assert result.stdout.replace(f"{tmp_path}/", "").splitlines() == [
        f"{BAD_WEIGHT} (m/a.yaml:13)",
        "expected a value; add it, or close the list or object before it (m/a.yaml:16)",
        "Gateway default/web: spec.servers[0].port.number: "
        "expected an integer from 1 to 65535, found -1 (m/a.yaml:27)",
        "apiVersion: is required (m/b.yaml:1)",
    ]


def test_a_path_that_is_not_there_is_an_error(tmp_path):
    result = skiffctl("validate", "-f", str(tmp_path / "nothing"))
    assert result.returncode == 1
    assert result.stdout == f"{tmp_path}/nothing: no such file or directory\n"


def test_an_object_that_is_there_twice_is_an_error(manifests):
    write(manifests / "second.yaml", backend_yaml(9001))
    result = skiffctl("validate", "-f", str(manifests))
    assert result.returncode == 1
    (line,) = result.stdout.splitlines()
    assert line.startswith("ServiceEntry default/backend: ")
    assert f"{manifests}/backend.yaml:1" in line and line.endswith(f"({manifests}/second.yaml:1)")


# translate


def translate(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return skiffctl("translate", *AS_GATEWAY, *arguments, **options)


def test_a_translation_has_type_urls_as_keys_and_expanded_messages(manifests):
    result = translate("-f", str(manifests))
    assert (result.returncode, result.stderr) == (0, "")
    resources = json.loads(result.stdout)
    assert set(resources) >= {CLUSTER, ENDPOINT, LISTENER, ROUTE}
    for type_url, found in resources.items():
        assert {resource["@type"] for resource in found} <= {type_url}
    (listener,) = resources[LISTENER]
    (network_filter,) = listener["filter_chains"][0]["filters"]
    manager = network_filter["typed_config"]
    assert manager["@type"].endswith(".http_connection_manager.v3.HttpConnectionManager")
    assert manager["rds"]["route_config_name"] == "http.8080"
    (route,) = resources[ROUTE]
    assert route["virtual_hosts"][0]["routes"][0]["route"]["cluster"] == BACKEND
    (endpoints,) = resources[ENDPOINT]
    assert endpoints["cluster_name"] == BACKEND


def test_yaml_says_the_same_as_json(manifests):
    as_json = translate("-f", str(manifests), "-o", "json")
    as_yaml = translate("-f", str(manifests), "-o", "yaml")
    assert as_yaml.returncode == 0
    assert yaml.safe_load(as_yaml.stdout) == json.loads(as_json.stdout)


def test_a_translation_is_what_a_connected_proxy_gets(manifests, tmp_path):
    with ExitStack() as running:
        skiffd = running.enter_context(Skiffd(manifests, tmp_path)).wait_until_ready()
        client = running.enter_context(ADSClient(skiffd.grpc, name="gw"))
        client.subscribe(CLUSTER)
        types = {"cds": CLUSTER, "eds": ENDPOINT, "lds": LISTENER, "rds": ROUTE}
        offline = json.loads(translate("-f", str(manifests)).stdout)
        for short, type_url in types.items():
            page = f"/debug/config_dump?proxyID=gw.istio-system&types={short}"
            assert skiffd.get(page)["configs"] == offline[type_url]


def test_problems_of_a_translation_go_to_standard_error(manifests):
    write(manifests / "bad.yaml", BAD_ROUTE.replace("name: web", "name: bad"))
    result = translate("-f", str(manifests))
    assert result.returncode == 1
    assert "VirtualService default/bad: spec.http[0].route[0].weight: " in result.stderr
    assert result.stderr.endswith(f"({manifests}/bad.yaml:13)\n")
    # The rest is there all the same.
    assert json.loads(result.stdout)[ROUTE][0]["name"] == "http.8080"


def test_a_proxy_that_no_gateway_selects_gets_no_listener(manifests):
    result = skiffctl("translate", "-f", str(manifests), "--node", NODE, "--labels", "istio=other")
    assert result.returncode == 0
    assert json.loads(result.stdout).get(LISTENER, []) == []


def test_metadata_comes_from_a_file(manifests, tmp_path):
    metadata = tmp_path / "metadata.json"
    metadata.write_text(json.dumps({"LABELS": {"istio": "ingressgateway"}}))
    arguments = ["translate", "-f", str(manifests), "--node", NODE, "--metadata", str(metadata)]
    result = skiffctl(*arguments)
    assert (result.returncode, result.stdout) == (0, translate("-f", str(manifests)).stdout)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file or directory"),
        ("[1]", "expected an object, found a list"),
        ("{", "malformed JSON at line 1"),
    ],
    ids=["missing", "list", "malformed"],
)
def test_metadata_that_cannot_be_read_is_named(manifests, tmp_path, text, words):
    metadata = tmp_path / "metadata.json"
    if text is not None:
        metadata.write_text(text)
    result = translate("-f", str(manifests), "--metadata", str(metadata))
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr.startswith(f"Error: {metadata}: {words}")


# samples


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.iterdir()))
def test_a_sample_validates_and_translates_for_its_gateway(sample):
    folder = str(SAMPLES / sample)
    label = "bookinfo-gateway" if sample == "basic-auth" else "ingressgateway"
    checked = skiffctl("validate", "-f", folder)
    assert checked.returncode == 0, checked.stdout
    assert all(line.startswith("warning: ") for line in checked.stdout.splitlines())
    translated = skiffctl("translate", "-f", folder, "--node", NODE, "--labels", f"istio={label}")
    assert translated.returncode == 0, translated.stderr
    resources = json.loads(translated.stdout)
    assert resources[LISTENER] and resources[ROUTE] and resources[CLUSTER]


def test_all_samples_together_validate():
    result = skiffctl("validate", "-f", str(SAMPLES), "-o", "json")
    assert result.returncode == 0
    assert {problem["severity"] for problem in json.loads(result.stdout)} <= {"warning"}


# bootstrap


@pytest.mark.parametrize("role", ["router", "sidecar"])
@pytest.mark.parametrize("host", ["127.0.0.1", "xds.example.com", "[::1]"])
def test_envoy_accepts_a_bootstrap(tmp_path, role, host):
    result = skiffctl(
        *["bootstrap", "--type", role, "--id", "gw", "--namespace", "edge", "--labels", LABELS],
        *["--xds-address", f"{host}:15010"],
    )
    assert (result.returncode, result.stderr) == (0, "")
    bootstrap = json.loads(result.stdout)
    assert bootstrap["node"]["id"] == f"{role}~127.0.0.1~gw.edge~edge.svc.cluster.local"
    assert bootstrap["node"]["metadata"]["LABELS"] == {"istio": "ingressgateway"}
    assert bootstrap["node"]["metadata"]["NAMESPACE"] == "edge"
    path = tmp_path / "bootstrap.json"
    path.write_text(result.stdout)
    command = [binary(), "--mode", "validate", "-c", str(path)]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stderr


# version and usage


def test_the_version(tmp_path):
    plain = skiffctl("version")
    assert plain.returncode == 0
    version = plain.stdout.strip()
    assert version[0].isdigit()
    assert skiffctl("--version").stdout.strip() == version
    assert json.loads(skiffctl("version", "-o", "json").stdout) == {
        "component": "skiff",
        "version": version,
    }
    command = [program("skiffd"), "--version"]
    assert subprocess.check_output(command, text=True, timeout=60).strip() == version


WRONG_USAGE = {
    "an unknown command": ["nothing"],
    "no file": ["validate"],
    "an unknown format": ["validate", "-f", ".", "-o", "xml"],
    "no node": ["translate", "-f", "."],
    "a node of another form": ["translate", "-f", ".", "--node", "gw"],
    "an unknown type of proxy": ["translate", "-f", ".", "--node", "waypoint~1.1.1.1~a.b~c"],
    "labels of another form": ["translate", "-f", ".", "--node", NODE, "--labels", "x"],
    "an unknown role": "bootstrap --type x --id a --namespace b --xds-address a:1".split(),
    "no port": "bootstrap --type router --id a --namespace b --xds-address a".split(),
    "no id": "bootstrap --type router --namespace b --xds-address a:1".split(),
    "an unknown type": ["proxy-config", "nothing", "gw"],
    "no proxy": ["proxy-config", "all"],
}


@pytest.mark.parametrize("arguments", WRONG_USAGE.values(), ids=WRONG_USAGE)
def test_wrong_usage_exits_with_64_and_a_sentence(arguments, tmp_path):
    result = subprocess.run(
        [program("skiffctl"), *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr.startswith("Error: ")
