# SPDX-License-Identifier: Apache-2.0
"""skiffctl against a skiffd that serves an Envoy: tables for people, JSON and YAML for programs."""

from __future__ import annotations

import json
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
import yaml

from skiff_e2e.ads import CLUSTER, ENDPOINT, EXTENSION, LISTENER, ROUTE, SECRET
from skiff_e2e.gateway import backend_yaml, free_port, gateway_envoy, gateway_yaml, route_yaml
from skiff_e2e.skiffd import Skiffd, skiffctl, write

BACKEND = "outbound|80||backend.internal"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """skiffd and an Envoy that runs one route."""
    directory = tmp_path_factory.mktemp("gateway")
    port = free_port()
    config = directory / "config"
    write(config / "gateway.yaml", gateway_yaml(port))
    write(config / "backend.yaml", backend_yaml(9000))
    write(config / "route.yaml", route_yaml("one"))
    with ExitStack() as running:
        skiffd = running.enter_context(Skiffd(config, directory)).wait_until_ready()
        envoy = running.enter_context(gateway_envoy(directory, skiffd.grpc))
        envoy.wait_until_ready()
        skiffd.wait_for("a synced proxy", lambda: len(statuses(skiffd)) == 4)
        yield SimpleNamespace(skiffd=skiffd, port=port, address=f"127.0.0.1:{skiffd.http}")


def statuses(skiffd: Skiffd) -> list[str]:
    """The states of the types of the one proxy, once all are synced."""
    rows = skiffd.get("/debug/syncz")
    states = [entry["status"] for row in rows for entry in row["resources"].values()]
    return states if set(states) == {"SYNCED"} else []


def test_the_status_of_proxies_is_a_table(gateway):
    for command in ("proxy-status", "ps"):
        result = skiffctl(command, "--skiffd", gateway.address)
        assert (result.returncode, result.stderr) == (0, "")
        heading, row = result.stdout.splitlines()
        assert heading.split() == ["NAME", "TYPE", "CDS", "LDS", "EDS", "RDS", "ECDS", "VERSION"]
        assert row.split() == ["gateway.istio-system", "router", *["SYNCED"] * 4, "-"]
        assert heading.index("CDS") == row.index("SYNCED")


def test_the_status_of_proxies_as_json_is_the_page(gateway):
    result = skiffctl("proxy-status", "--skiffd", gateway.address, "-o", "json")
    assert result.returncode == 0
    assert json.loads(result.stdout) == gateway.skiffd.get("/debug/syncz")


def tables(gateway) -> dict[str, list[str]]:
    """The lines that proxy-config prints, by type."""
    return {
        "cluster": [
            "SERVICE FQDN PORT SUBSET DIRECTION TYPE",
            "BlackHoleCluster - - - STATIC",
            "backend.internal 80 - outbound EDS",
        ],
        "listener": ["ADDRESS PORT NAME", f"0.0.0.0 {gateway.port} 0.0.0.0_{gateway.port}"],
        "route": [
            "NAME VHOST NAME DOMAINS MATCH DESTINATION",
            f"http.{gateway.port} web.example.com:{gateway.port} web.example.com /* {BACKEND}",
        ],
        "endpoint": [
            "ENDPOINT STATUS WEIGHT CLUSTER",
            f"127.0.0.1:9000 HEALTHY 1 {BACKEND}",
        ],
        "secret": ["RESOURCE NAME TYPE"],
        "ecds": ["ECDS NAME TYPE"],
    }


@pytest.mark.parametrize("kind", ["cluster", "listener", "route", "endpoint", "secret", "ecds"])
def test_a_configuration_is_a_table(gateway, kind):
    result = skiffctl("proxy-config", kind, "gateway.istio-system", "--skiffd", gateway.address)
    assert (result.returncode, result.stderr) == (0, "")
    printed = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert printed == tables(gateway)[kind]


def test_all_configuration_is_one_table_for_each_type(gateway):
    result = skiffctl("pc", "all", "gateway.istio-system", "--skiffd", gateway.address)
    assert result.returncode == 0
    printed = [
        [" ".join(line.split()) for line in block.splitlines()]
        for block in result.stdout.split("\n\n")
    ]
    expected = tables(gateway)
    assert sorted(printed) == sorted(expected.values())


@pytest.mark.parametrize(
    ("kind", "type_url"),
    [
        ("cluster", CLUSTER),
        ("listener", LISTENER),
        ("route", ROUTE),
        ("endpoint", ENDPOINT),
        ("secret", SECRET),
        ("ecds", EXTENSION),
    ],
)
def test_a_configuration_as_json_and_yaml_is_whole(gateway, kind, type_url):
    arguments = ["proxy-config", kind, "gateway.istio-system", "--skiffd", gateway.address]
    as_json = skiffctl(*arguments, "-o", "json")
    assert as_json.returncode == 0
    resources = json.loads(as_json.stdout)
    assert {resource["@type"] for resource in resources} <= {type_url}
    assert len(resources) == len(tables(gateway)[kind]) - 1
    as_yaml = skiffctl(*arguments, "-o", "yaml")
    assert yaml.safe_load(as_yaml.stdout) == resources


def test_a_proxy_that_is_not_connected_is_an_error(gateway):
    result = skiffctl("proxy-config", "all", "nobody", "--skiffd", gateway.address)
    assert (result.returncode, result.stdout) == (1, "")
    assert "Proxy not connected to this Pilot instance" in result.stderr


@pytest.mark.parametrize("command", [["proxy-status"], ["proxy-config", "all", "gw"]])
def test_a_skiffd_that_is_not_there_is_an_error_with_its_address(command):
    address = f"127.0.0.1:{free_port()}"
    result = skiffctl(*command, "--skiffd", address)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: cannot reach skiffd at {address}: ")
