# SPDX-License-Identifier: Apache-2.0
"""The plugin heap, on the host under sanitizers, with random lives of blocks."""

import json
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT


@pytest.fixture(scope="module")
def heap_test(tmp_path_factory) -> Path:
    target = json.loads(subprocess.check_output(["swiftc", "-print-target-info"]))
    clang = Path(target["paths"]["runtimeResourcePath"]).parents[1] / "bin/clang"
    program = tmp_path_factory.mktemp("heap") / "heap_test"
    sources = [ROOT / "wasm/runtime/heap.c", ROOT / "wasm/runtime/heap_test.c"]
    flags = ["-std=c17", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fuse-ld=lld"]
    flags += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    subprocess.run([clang, *flags, *sources, "-o", program], check=True, timeout=120)
    return program


@pytest.mark.parametrize("seed", range(1, 6))
def test_blocks_keep_their_bytes_and_all_memory_comes_back(heap_test, seed):
    output = subprocess.check_output([heap_test, str(seed), "100000"], text=True, timeout=120)
    assert output.endswith("all returned\n")
