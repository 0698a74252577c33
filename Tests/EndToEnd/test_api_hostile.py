# SPDX-License-Identifier: Apache-2.0
"""Clients of the control API that are broken, slow or hostile, and very many objects."""

from __future__ import annotations

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skiff_e2e.http import request
from skiff_e2e.kubectl import Kubectl
from skiff_e2e.skiffd import Skiffd

PLUGINS = "/apis/extensions.istio.io/v1alpha1/namespaces/default/wasmplugins"
JSON = {"content-type": "application/json"}
MERGE = {"content-type": "application/merge-patch+json"}


def plugin(name: str, **spec) -> str:
    return json.dumps(
        {"metadata": {"name": name}, "spec": {"url": "file:///a.wasm"} | spec}
    )


@pytest.fixture(scope="module")
def skiffd(tmp_path_factory):
    directory = tmp_path_factory.mktemp("hostile")
    with Skiffd(None, directory, flags=["--api-address", "127.0.0.1:0"]) as skiffd:
        yield skiffd.wait_until_ready()


@pytest.fixture(autouse=True)
def alive(skiffd):
    """After every case the API takes and gives an object."""
    yield
    made = request(skiffd.api, PLUGINS, method="POST", body=plugin("alive"), headers=JSON)
    assert made.status == 201
    assert request(skiffd.api, f"{PLUGINS}/alive", method="DELETE").status == 200


def refusal(skiffd, **options) -> tuple[int, str]:
    answer = request(skiffd.api, PLUGINS, method="POST", **options)
    return answer.status, json.loads(answer.body)["reason"]


def test_a_huge_body_is_refused_before_it_is_kept(skiffd):
    too_large = (413, "RequestEntityTooLarge")
    assert refusal(skiffd, body=b" " * (4 << 20), headers=JSON) == too_large
    chunks = [b" " * (1 << 20)] * 8
    before = skiffd.rss_kib
    assert refusal(skiffd, body=chunks, headers=JSON) == too_large
    assert skiffd.rss_kib - before < 64 << 10


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"{", "application/json", (400, "BadRequest")),
        (b"\xff\xfe", "application/json", (400, "BadRequest")),
        (b"[" * 100_000, "application/json", (400, "BadRequest")),
        (b'{"a":' * 100_000, "application/json", (400, "BadRequest")),
        (b'{"metadata":{"name":"x"},"metadata":{}}', "application/json", (400, "BadRequest")),
        (b"a: &a [*a]", "application/yaml", (400, "BadRequest")),
        (b"x", "application/xml", (415, "UnsupportedMediaType")),
        (b"k8s\0\xff\xff", "application/vnd.kubernetes.protobuf", (400, "BadRequest")),
        (b'{"metadata":7}', "application/json", (400, "BadRequest")),
        (b'{"metadata":{"name":7}}', "application/json", (422, "Invalid")),
        (b'{"metadata":{"name":"../../x"}}', "application/json", (422, "Invalid")),
        (b'{"metadata":{"name":"x"},"spec":7}', "application/json", (422, "Invalid")),
    ],
)
def test_bodies_that_are_no_objects(skiffd, body, kind, expected):
    assert refusal(skiffd, body=body, headers={"content-type": kind}) == expected


def test_a_body_that_is_cut_off(skiffd):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", skiffd.api)) as connection:
            head = f"POST {PLUGINS} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
            connection.sendall(f"{head}content-length: 1000\r\n\r\n{{".encode())
    assert request(skiffd.api, f"{PLUGINS}/x").status == 404


def test_paths_that_are_none(skiffd):
    for path in ["/api/v2", "/apis/a/b/c", "/api/v1/namespaces/a/b/c/d/e", "//", "/%ff", "/api//"]:
        assert request(skiffd.api, path).status in (200, 404), path
    answer = request(skiffd.api, "/api/v1/namespaces/default/pods/x/log")
    assert json.loads(answer.body)["reason"] == "NotFound"


def test_slow_watchers_cost_little_and_are_dropped(skiffd):
    """They read nothing, while a large object changes again and again."""
    large = plugin("big", pluginConfig={"text": "x" * 200_000})
    assert request(skiffd.api, PLUGINS, method="POST", body=large, headers=JSON).status == 201
    open_before, before = descriptors(skiffd), skiffd.rss_kib
    watchers = []
    for _ in range(10):
        connection = socket.create_connection(("127.0.0.1", skiffd.api))
        connection.sendall(f"GET {PLUGINS}?watch=true HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        connection.recv(16)
        watchers.append(connection)
    for count in range(200):
        assert patch(skiffd, "big", {"spec": {"priority": count}}) == 200
    # All of it for each of them would be 400 MB.
    assert skiffd.rss_kib - before < 100 << 10
    assert request(skiffd.api, f"{PLUGINS}/big", method="DELETE").status == 200
    # To read would set the server going again, so its own descriptors tell. The connection of the
    # request above may have been open still when they were counted.
    skiffd.wait_for("their ends", lambda: descriptors(skiffd) <= open_before, seconds=60)
    for connection in watchers:
        connection.close()


def descriptors(skiffd) -> int:
    return len(list(Path(f"/proc/{skiffd.child.pid}/fd").iterdir()))


def patch(skiffd, name: str, change: dict) -> int:
    path, body = f"{PLUGINS}/{name}", json.dumps(change)
    return request(skiffd.api, path, method="PATCH", body=body, headers=MERGE).status


def test_writers_that_race_lose_no_change(skiffd):
    request(skiffd.api, PLUGINS, method="POST", body=plugin("race"), headers=JSON)

    def annotate(number: int) -> int:
        return patch(skiffd, "race", {"metadata": {"annotations": {f"n{number}": "x"}}})

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(annotate, range(100))) == {200}
    shown = json.loads(request(skiffd.api, f"{PLUGINS}/race").body)
    assert len(shown["metadata"]["annotations"]) == 100
    request(skiffd.api, f"{PLUGINS}/race", method="DELETE")


def test_a_thousand_objects(skiffd, tmp_path):
    connection = http.client.HTTPConnection("127.0.0.1", skiffd.api, timeout=20)
    for number in range(1000):
        connection.request("POST", PLUGINS, plugin(f"many-{number:04}"), JSON)
        response = connection.getresponse()
        response.read()
        assert response.status == 201
    connection.close()
    kubectl = Kubectl(f"http://127.0.0.1:{skiffd.api}", tmp_path / "home")
    assert len(kubectl("get", "wasmplugins", "--no-headers").splitlines()) == 1000
    names = kubectl("get", "wasmplugins", "-o", "name", "--chunk-size=100").splitlines()
    assert len(set(names)) == 1000
    skiffd.wait_for(
        "all of them", lambda: len(skiffd.get("/debug/configz")) >= 1000
    )
    answer = request(skiffd.api, f"{PLUGINS}?watch=true&timeoutSeconds=1", timeout=20)
    assert sum(line.startswith('{"type":"ADDED"') for line in answer.body.splitlines()) == 1000
    kubectl("delete", "wasmplugins", "--all", "--wait=false")
    assert kubectl("get", "wasmplugins", "-o", "name") == ""
