#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks a real Envoy whether it accepts what the translation goldens record.

usage: scripts/validate-goldens.py [-h] [--envoy PATH] [CASE…]

For each resources.yaml a bootstrap is made that holds its listeners and clusters; what would come
over ADS is inlined (RDS) or put into files (EDS, SDS), and `envoy --mode validate` reads all of it.
Filters by ECDS are left out: the Wasm modules that they name are not there. Secrets, whose keys are
not recorded, are replaced by a certificate made for the run.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "Tests/TranslationTests/Fixtures"
KEY_PAIR = ROOT / ".build/golden-secret/pair"
# What Istio's rules make of these is a chain that no Envoy takes; the rejection is for their author.
REFUSED = {"EnvoyFilter/add-comes-after-the-router"}
API = "type.googleapis.com/envoy."
LISTENER = API + "config.listener.v3.Listener"
CLUSTER = API + "config.cluster.v3.Cluster"
ROUTE = API + "config.route.v3.RouteConfiguration"
ENDPOINT = API + "config.endpoint.v3.ClusterLoadAssignment"
SECRET = API + "extensions.transport_sockets.tls.v3.Secret"


def default_envoy():
    found = sorted(ROOT.glob(".build/venv/lib/python*/site-packages/envoy/_bin/envoy"))
    return str(found[0]) if found else "envoy"


def walk(value, change):
    """Calls change on every object below value, inner ones first; what it returns is put there."""
    if isinstance(value, list):
        return [walk(element, change) for element in value]
    if isinstance(value, dict):
        return change({key: walk(inner, change) for key, inner in value.items()})
    return value


def bootstrap(resources, directory):
    """A bootstrap without ADS: sources over ADS become files, ECDS filters are left out."""
    routes = {route["name"]: route for route in resources.get(ROUTE, [])}
    secrets = {each["name"]: each for each in resources.get(SECRET, [])}
    endpoints = {each["cluster_name"]: each for each in resources.get(ENDPOINT, [])}

    def source(type_url, resource):
        path = pathlib.Path(directory) / f"{len(list(pathlib.Path(directory).iterdir()))}.yaml"
        path.write_text(yaml.safe_dump({"resources": [{"@type": type_url} | resource]}))
        return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}

    def secret(name):
        certificate, key = ({"filename": str(KEY_PAIR.with_suffix(end))} for end in (".pem", ".key"))
        if "tls_certificate" in secrets.get(name, {"tls_certificate": {}}):
            content = {"tls_certificate": {"certificate_chain": certificate, "private_key": key}}
        else:
            content = {"validation_context": {"trusted_ca": certificate}}
        return source(SECRET, {"name": name} | content)

    def change(message):
        if "sds_config" in message:
            message["sds_config"] = secret(message["name"])
        if "rds" in message:
            name = message["rds"]["route_config_name"]
            message.pop("rds")
            # Inline, so that validation reads it too.
            message["route_config"] = without_type(routes[name])
        if "eds_cluster_config" in message:
            name = message["eds_cluster_config"]["service_name"]
            message["eds_cluster_config"]["eds_config"] = source(ENDPOINT, endpoints[name])
        for key in ("http_filters", "filters"):
            if isinstance(message.get(key), list):
                message[key] = [each for each in message[key] if "config_discovery" not in each]
        return message

    return {
        "node": {"id": "golden", "cluster": "golden"},
        "static_resources": {
            "listeners": [without_type(walk(each, change)) for each in resources.get(LISTENER, [])],
            "clusters": [without_type(walk(each, change)) for each in resources.get(CLUSTER, [])],
        },
    }


def without_type(resource):
    return {key: value for key, value in resource.items() if key != "@type"}


def make_key_pair():
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=golden"]
        + ["-keyout", str(KEY_PAIR.with_suffix(".key")), "-out", str(KEY_PAIR.with_suffix(".pem"))],
        capture_output=True, check=True)


def validate(envoy, case):
    resources = yaml.safe_load(case.read_text()) or {}
    with tempfile.TemporaryDirectory() as directory:
        config = pathlib.Path(directory) / "bootstrap.yaml"
        content = bootstrap(resources, directory)
        config.write_text(yaml.safe_dump(content))
        run = subprocess.run(
            [envoy, "--mode", "validate", "-c", str(config), "--log-level", "error"],
            capture_output=True, text=True, check=False)
    return None if run.returncode == 0 else (run.stderr or run.stdout).strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--envoy", default=default_envoy(), help="the Envoy to ask")
    parser.add_argument("cases", nargs="*", help="such as EnvoyFilter/merge; all by default")
    arguments = parser.parse_args()
    folders = [FIXTURES / case for case in arguments.cases] or sorted(FIXTURES.glob("*/*"))
    cases = [folder / "resources.yaml" for folder in folders]
    cases = [case for case in cases if case.exists()]
    if not cases:
        sys.exit("there is no golden case to validate")
    KEY_PAIR.parent.mkdir(parents=True, exist_ok=True)
    make_key_pair()
    refused = 0
    for case in cases:
        name = case.parent.relative_to(FIXTURES)
        text = validate(arguments.envoy, case)
        if (text is not None) != (str(name) in REFUSED):
            refused += 1
            print(f"{name}: " + (text or "was accepted, but should be refused"))
    print(f"{len(cases) - refused} of {len(cases)} golden cases are as expected")
    sys.exit(1 if refused else 0)


if __name__ == "__main__":
    main()
