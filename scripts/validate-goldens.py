#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks a real Envoy whether it accepts what the translation goldens record.

usage: scripts/validate-goldens.py [-h] [--envoy PATH] [CASE…]

A case with a resources.yaml holds all that a proxy gets; of one with a patch.yaml only the changes
are recorded, so `skiffctl translate` makes the rest of it anew, for both proxies of its scene. For
each a bootstrap is made that holds its listeners and clusters; what would come over ADS is inlined
(RDS) or put into files (EDS, SDS), and `envoy --mode validate` reads all of it. Filters by ECDS are
left out: the Wasm modules that they name are not there. Secrets, whose keys are not recorded, and
files that are not there are replaced by a certificate made for the run.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "Tests/TranslationTests/Fixtures"
KEY_PAIR = ROOT / ".build/golden-secret/pair"
SKIFFCTL = pathlib.Path(os.environ.get("SKIFF_BIN", ROOT / ".build/debug")) / "skiffctl"
SCENE = FIXTURES / "EnvoyFilter/scene.yaml"
# Files of a proxy's own, by field: what stands in for those that are not there.
FILES = {"trusted_ca": ".pem", "certificate_chain": ".pem", "private_key": ".key"}
SCENES = {}
# As Tests/TranslationTests/PatchGoldens.swift has them.
PROXIES = {
    "gateway": ("router~10.0.0.1~gw", "istio=ingressgateway"),
    "sidecar": ("sidecar~10.0.0.9~app", "app=app"),
}
# What Istio's rules make of these is a chain that no Envoy takes; the rejection is for their author.
REFUSED = {"EnvoyFilter/add-comes-after-the-router", "EnvoyFilter/filter-chain/merge (sidecar)"}
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
        for key, end in FILES.items():
            path = message.get(key, {}).get("filename")
            if path and not pathlib.Path(path).exists():
                message[key] = {"filename": str(KEY_PAIR.with_suffix(end))}
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


def translated(proxy, *files):
    """What a proxy of the scene gets; a patch that is skipped is told, and all others count."""
    node, labels = PROXIES[proxy]
    names = [word for file in files for word in ("-f", str(file))]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as metadata:
        json.dump({"NAMESPACE": "default", "ISTIO_VERSION": "1.22.3"}, metadata)
        metadata.flush()
        run = subprocess.run(
            [SKIFFCTL, "translate", *names, "--node", f"{node}.default~default.svc.cluster.local"]
            + ["--labels", labels, "--metadata", metadata.name],
            capture_output=True, text=True, check=False)
    return json.loads(run.stdout)


def inputs(folder):
    """The names of a case's proxies and the resources that they get."""
    name = str(folder.relative_to(FIXTURES))
    if (folder / "resources.yaml").exists():
        yield name, yaml.safe_load((folder / "resources.yaml").read_text()) or {}
    if (folder / "patch.yaml").exists():
        for proxy in PROXIES:
            resources = translated(proxy, SCENE, folder / "patch.yaml")
            # What no patch changes is the scene, which is a case of its own.
            if resources != SCENES[proxy]:
                yield f"{name} ({proxy})", resources


def validate(envoy, resources):
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
    SCENES.update({proxy: translated(proxy, SCENE) for proxy in PROXIES})
    named = [FIXTURES / case for case in arguments.cases]
    kinds = ("resources.yaml", "patch.yaml")
    folders = named or sorted({file.parent for kind in kinds for file in FIXTURES.rglob(kind)})
    cases = [case for folder in folders for case in inputs(folder)]
    if not named:
        cases += [(f"scene ({proxy})", resources) for proxy, resources in SCENES.items()]
    if not cases:
        sys.exit("there is no golden case to validate")
    KEY_PAIR.parent.mkdir(parents=True, exist_ok=True)
    make_key_pair()
    refused = 0
    with ThreadPoolExecutor(2) as pool:
        texts = pool.map(lambda case: validate(arguments.envoy, case[1]), cases)
        for (name, _), text in zip(cases, texts):
            if (text is not None) != (name in REFUSED):
                refused += 1
                print(f"{name}: " + (text or "was accepted, but should be refused"))
    print(f"{len(cases) - refused} of {len(cases)} golden cases are as expected")
    sys.exit(1 if refused else 0)


if __name__ == "__main__":
    main()
