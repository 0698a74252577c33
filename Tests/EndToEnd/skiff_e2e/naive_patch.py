# SPDX-License-Identifier: Apache-2.0
"""EnvoyFilters applied to a static bootstrap as one would by hand, without any check.

What comes out is what a control plane would send that does as it is told, and `envoy --mode validate`
says what becomes of it. Nothing here is shared with Skiff.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from .envoy import binary

API = "type.googleapis.com/envoy."
LISTENER = API + "config.listener.v3.Listener"
CLUSTER = API + "config.cluster.v3.Cluster"
ROUTE = API + "config.route.v3.RouteConfiguration"
ENDPOINT = API + "config.endpoint.v3.ClusterLoadAssignment"
MANAGER = API + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


class Bootstrap:
    """The resources that `skiffctl translate` prints for a gateway, inlined, and patched."""

    def __init__(self, resources: dict) -> None:
        routes = {each["name"]: untyped(each) for each in resources[ROUTE]}
        endpoints = {each["cluster_name"]: untyped(each) for each in resources[ENDPOINT]}
        self.clusters = [untyped(each) for each in resources[CLUSTER]]
        self.listeners = [untyped(each) for each in resources[LISTENER]]
        for cluster in self.clusters:
            if eds := cluster.pop("eds_cluster_config", None):
                cluster |= {"type": "STATIC", "load_assignment": endpoints[eds["service_name"]]}
        for manager in self.managers():
            if rds := manager.pop("rds", None):
                manager["route_config"] = routes[rds["route_config_name"]]

    def chains(self) -> list[dict]:
        return [chain for listener in self.listeners for chain in listener["filter_chains"]]

    def managers(self) -> list[dict]:
        configs = [each.get("typed_config", {}) for chain in self.chains() for each in chain["filters"]]
        return [config for config in configs if config.get("@type") == MANAGER]

    def apply(self, patch: dict) -> None:
        change = patch["patch"]
        operation, value = change["operation"], change.get("value", {})
        match = patch.get("match", {})
        if match.get("context") != "GATEWAY":
            return
        wanted = match.get("listener", {})
        if wanted.get("portNumber") or wanted.get("filterChain", {}).get("applicationProtocols"):
            return  # no fixture means a listener of this gateway by them
        network = wanted.get("filterChain", {}).get("filter", {})
        routes = match.get("routeConfiguration", {})
        tables = [manager["route_config"] for manager in self.managers()]
        hosts = [host for table in tables for host in table["virtual_hosts"]]
        match patch["applyTo"]:
            case "LISTENER":
                edit(self.listeners, operation, value)
            case "NETWORK_FILTER":
                for chain in self.chains():
                    edit(chain["filters"], operation, value, network.get("name"))
            case "HTTP_FILTER":
                name = network.get("subFilter", {}).get("name")
                for manager in self.managers():
                    edit(manager["http_filters"], operation, value, name)
            case "ROUTE_CONFIGURATION":
                edit(tables, operation, value)
            case "VIRTUAL_HOST" if operation == "ADD":
                for table in tables:
                    table["virtual_hosts"].append(value)
            case "VIRTUAL_HOST":
                edit(hosts, operation, value, routes.get("vhost", {}).get("name"))
            case "HTTP_ROUTE":
                for host in hosts:
                    edit(host["routes"], operation, value)
            case "CLUSTER":
                edit(self.clusters, operation, value, match.get("cluster", {}).get("name"))
            case "EXTENSION_CONFIG":
                # What ECDS would deliver is checked in the same way as a default.
                for manager in self.managers():
                    for each in manager["http_filters"]:
                        if each.get("name") == value["name"] and "config_discovery" in each:
                            each["config_discovery"]["default_config"] = value["typed_config"]

    def verdict(self, directory: Path) -> str | None:
        """What Envoy says against it; nil where it accepts it."""
        silent = directory / "silent.yaml"
        silent.write_text("resources: []\n")
        for manager in self.managers():
            for each in manager["http_filters"]:
                if source := each.get("config_discovery", {}).get("config_source"):
                    source.pop("ads")
                    source["path_config_source"] = {"path": str(silent)}
        bootstrap = {
            "node": {"id": "naive", "cluster": "naive"},
            "static_resources": {"listeners": self.listeners, "clusters": self.clusters},
        }
        path = directory / "bootstrap.json"
        path.write_text(json.dumps(bootstrap))
        # A control plane leaves out the fields that it does not know.
        command = [binary(), "--mode", "validate", "--allow-unknown-static-fields"]
        command += ["-c", str(path), "--log-level", "error"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return None if run.returncode == 0 else (run.stderr or run.stdout).strip()


def untyped(resource: dict) -> dict:
    return {key: value for key, value in resource.items() if key != "@type"}


def edit(elements: list, operation: str, value: dict, name: str | None = None) -> None:
    """Does to a list what an operation says, about the element of a name, or about all."""
    found = [i for i, each in enumerate(elements) if name is None or each.get("name") == name]
    match operation:
        case "ADD":
            elements.append(value)
        case "INSERT_FIRST":
            elements.insert(0, value)
        case "INSERT_BEFORE" if found:
            elements.insert(found[0], value)
        case "INSERT_AFTER" if found:
            elements.insert(found[-1] + 1 if name is None else found[0] + 1, value)
        case "REPLACE" if found and name is not None:
            elements[found[0]] = value
        case "REMOVE" if name is not None:
            elements[:] = [each for each in elements if each.get("name") != name]
        case "MERGE":
            for i in found:
                merge(elements[i], value)


def merge(base: dict, addition: dict) -> None:
    for key, value in addition.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        elif isinstance(value, list):
            base[key] = base.get(key, []) + value
        else:
            base[key] = value
