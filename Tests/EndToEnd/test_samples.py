# SPDX-License-Identifier: Apache-2.0
"""The sample manifests as texts: each explains itself, and all of them can be loaded together."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from conftest import ROOT

SAMPLES = ROOT / "manifests/samples"
FILES = sorted(SAMPLES.rglob("*.yaml"))


def objects(folder: Path) -> list[dict]:
    files = sorted(folder.rglob("*.yaml"))
    return [document for file in files for document in yaml.safe_load_all(file.read_text())]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SAMPLES)))
def test_a_file_begins_with_what_it_shows(file):
    first, second, *_ = file.read_text().splitlines()
    assert first == "# SPDX-License-Identifier: Apache-2.0"
    assert second.startswith("# ") and len(second) > 20
    assert all(len(line) <= 110 or "http" in line for line in file.read_text().splitlines())


def test_no_object_is_there_twice():
    def key(sample: dict) -> tuple[str, str, str]:
        return sample["kind"], sample["metadata"]["namespace"], sample["metadata"]["name"]

    counts = Counter(map(key, objects(SAMPLES)))
    assert [name for name, count in counts.items() if count > 1] == []


def test_no_port_and_no_host_belongs_to_two_samples():
    doors = [
        (server["port"]["number"], host)
        for sample in objects(SAMPLES)
        if sample["kind"] == "Gateway"
        for server in sample["spec"]["servers"]
        for host in server["hosts"]
    ]
    routed = [
        host
        for sample in objects(SAMPLES)
        if sample["kind"] == "VirtualService"
        for host in sample["spec"]["hosts"]
    ]
    assert len(doors) == len(set(doors)) and len(routed) == len(set(routed))
    assert {host for _, host in doors} == set(routed)


@pytest.mark.parametrize("folder", sorted(path.name for path in SAMPLES.iterdir()))
def test_a_folder_holds_all_that_it_refers_to(folder):
    there = objects(SAMPLES / folder)
    gateways = {sample["metadata"]["name"] for sample in there if sample["kind"] == "Gateway"}
    backends = {sample["metadata"]["name"] for sample in there if sample["kind"] == "Service"}
    for sample in there:
        if sample["kind"] == "ServiceEntry":
            backends.update(sample["spec"]["hosts"])
    for sample in there:
        if sample["kind"] != "VirtualService":
            continue
        assert set(sample["spec"]["gateways"]) <= gateways
        for rule in sample["spec"]["http"]:
            assert {route["destination"]["host"] for route in rule["route"]} <= backends
