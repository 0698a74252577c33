# SPDX-License-Identifier: Apache-2.0
"""EnvoyFilters of the kind that people write, sound and broken: skiffctl's verdict is a real Envoy's.

Each fixture has beside it the lines that `skiffctl validate` prints. SKIFF_UPDATE_GOLDENS=1 writes
them anew.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from skiff_e2e.envoy import binary
from skiff_e2e.gateway import LABELS, backend_yaml, gateway_yaml, route_yaml
from skiff_e2e.naive_patch import Bootstrap
from skiff_e2e.skiffd import skiffctl, write

FIXTURES = ROOT / "Tests/EndToEnd/Fixtures/envoyfilters"
CASES = sorted(path.stem for path in FIXTURES.glob("*.yaml"))
NODE = "router~127.0.0.1~gw.istio-system~istio-system.svc.cluster.local"


@pytest.fixture(scope="module")
def resources(tmp_path_factory) -> dict:
    """What a gateway gets without any EnvoyFilter."""
    directory = tmp_path_factory.mktemp("gateway")
    write(directory / "gateway.yaml", gateway_yaml(8080))
    write(directory / "backend.yaml", backend_yaml(9000))
    write(directory / "route.yaml", route_yaml())
    arguments = ["-f", str(directory), "--node", NODE, "--labels", LABELS]
    translated = skiffctl("translate", *arguments)
    assert translated.returncode == 0, translated.stderr
    return json.loads(translated.stdout)


def patches(case: str) -> list[dict]:
    documents = yaml.safe_load_all((FIXTURES / f"{case}.yaml").read_text())
    return [patch for document in documents for patch in document["spec"]["configPatches"]]


def envoys_verdict(resources: dict, case: str, directory: Path) -> str | None:
    bootstrap = Bootstrap(copy.deepcopy(resources))
    for patch in patches(case):
        bootstrap.apply(patch)
    return bootstrap.verdict(directory)


def test_envoy_accepts_the_gateway_as_it_is(resources, tmp_path):
    assert Bootstrap(copy.deepcopy(resources)).verdict(tmp_path) is None


@pytest.mark.parametrize("case", CASES)
def test_our_verdict_is_envoys(resources, case, tmp_path):
    envoy = envoys_verdict(resources, case, tmp_path)
    ours = skiffctl("validate", "-f", str(FIXTURES / f"{case}.yaml"))
    lines = ours.stdout.replace(f"{FIXTURES}/", "")
    golden = FIXTURES / f"{case}.txt"
    if os.environ.get("SKIFF_UPDATE_GOLDENS") == "1":
        golden.write_text(lines)
    assert (ours.returncode != 0) == (envoy is not None), f"Envoy: {envoy}\nours: {lines}"
    assert lines == golden.read_text()
    assert (lines == "") == case.startswith("sound-")


def test_there_are_enough_of_each_kind():
    verdicts = [skiffctl("validate", "-f", str(FIXTURES / f"{case}.yaml")) for case in CASES]
    refused = [each for each in verdicts if each.returncode != 0]
    warned = [each for each in verdicts if each.returncode == 0 and each.stdout]
    assert len(refused) >= 20 and len(warned) >= 10


def test_the_table_of_filters_is_this_envoys(tmp_path):
    table = ROOT / "Sources/Validation/Generated/EnvoyFilters.swift"
    script = ROOT / "scripts/envoy_filters.py"
    command = [sys.executable, str(script), binary(), str(tmp_path / "table.swift")]
    subprocess.run(command, check=True, timeout=90)
    assert (tmp_path / "table.swift").read_text() == table.read_text()
