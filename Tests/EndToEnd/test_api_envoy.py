# SPDX-License-Identifier: Apache-2.0
"""What kubectl applies reaches a real Envoy, beside what files say, and after a kill."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from skiff_e2e.backend import Backend
from skiff_e2e.gateway import (
    backend_yaml,
    free_port,
    gateway_envoy,
    gateway_yaml,
    route_yaml,
    wait_for_answer,
)
from skiff_e2e.kubectl import Kubectl
from skiff_e2e.skiffd import Skiffd, write


@pytest.fixture
def running():
    with ExitStack() as stack:
        yield stack


def test_from_kubectl_to_traffic(tmp_path, running):
    backend = running.enter_context(Backend("one"))
    port = free_port()
    # The gateway comes from a file, the rest from kubectl.
    write(tmp_path / "config/gateway.yaml", gateway_yaml(port))
    flags = ["--api-address", "127.0.0.1:0", "--data-dir", str(tmp_path / "data")]
    skiffd = running.enter_context(Skiffd(tmp_path / "config", tmp_path, flags=flags))
    skiffd.wait_until_ready()
    kubectl = Kubectl(f"http://127.0.0.1:{skiffd.api}", tmp_path / "home")
    envoy = running.enter_context(gateway_envoy(tmp_path, skiffd.grpc))

    kubectl("apply", "-f", "-", stdin=backend_yaml(backend.port) + "---\n" + route_yaml("first"))
    wait_for_answer(envoy, port, lambda answer: answer.headers.get("x-route") == "first")
    patch = [{"op": "replace", "path": "/spec/http/0/headers/response/set/x-route", "value": "2"}]
    kubectl("patch", "vs", "web", "--type=json", "-p", str(patch).replace("'", '"'))
    wait_for_answer(envoy, port, lambda answer: answer.headers.get("x-route") == "2")
    kubectl("delete", "vs", "web")
    wait_for_answer(envoy, port, lambda answer: answer.status == 404)

    # What is stored is served by the next process, and nothing that was deleted.
    kubectl("apply", "-f", "-", stdin=route_yaml("third"))
    wait_for_answer(envoy, port, lambda answer: answer.headers.get("x-route") == "third")
    skiffd.child.kill()
    skiffd.child.wait()
    again = running.enter_context(
        Skiffd(tmp_path / "config", tmp_path, grpc=skiffd.grpc, name="again", flags=flags)
    ).wait_until_ready()
    kubectl = Kubectl(f"http://127.0.0.1:{again.api}", tmp_path / "home")
    kubectl("annotate", "vs", "web", "a=b")
    kubectl("patch", "vs", "web", "--type=json", "-p", str(patch).replace("'", '"'))
    wait_for_answer(envoy, port, lambda answer: answer.headers.get("x-route") == "2")
