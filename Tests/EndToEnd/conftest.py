# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests. What they start ends with the test that asked for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from skiff_e2e.backend import Backend  # noqa: E402
from skiff_e2e.envoy import Envoy  # noqa: E402
from skiff_e2e.stage import Stage, with_backend  # noqa: E402

ROOT = Path(__file__).parents[2]
PLUGINS = [ROOT / "wasm/plugins", ROOT / "Tests/EndToEnd/plugins"]


@pytest.fixture(scope="session")
def wasm_modules() -> dict[str, Path]:
    """Every plugin of the repository, built: its folder's name and its module."""
    folders = [folder for parent in PLUGINS for folder in sorted(parent.iterdir())]
    script = ROOT / "scripts/build-wasm.sh"
    subprocess.run([script, *folders], check=True, timeout=600)
    return {folder.name: ROOT / f".build/wasm/{folder.name}.wasm" for folder in folders}


@pytest.fixture
def start_envoy(tmp_path: Path) -> Iterator[Callable[..., Envoy]]:
    """Starts an Envoy from a bootstrap; `ready=False` for one that is not expected to start."""
    with ExitStack() as running:

        def start(bootstrap: dict, *, ready: bool = True, **options) -> Envoy:
            envoy = running.enter_context(Envoy(bootstrap, tmp_path, **options))
            return envoy.wait_until_ready() if ready else envoy

        yield start


@pytest.fixture
def backend() -> Iterator[Backend]:
    """An upstream that answers with what it was sent."""
    with Backend() as running:
        yield running


@pytest.fixture
def empty_stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage without manifests, not yet started."""
    with Stage(tmp_path) as stage:
        yield stage


@pytest.fixture
def stage(empty_stage: Stage) -> Stage:
    """skiffd, an Envoy as a gateway, and web.example.com routed to a backend."""
    return with_backend(empty_stage).start()
