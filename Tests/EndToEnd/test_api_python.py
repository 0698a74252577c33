# SPDX-License-Identifier: Apache-2.0
"""The Python client of Kubernetes, as it is, against the control API."""

from __future__ import annotations

import threading

import pytest
from kubernetes import client, dynamic, watch
from kubernetes.client.rest import ApiException

from skiff_e2e.skiffd import Skiffd

PLUGIN = {
    "apiVersion": "extensions.istio.io/v1alpha1",
    "kind": "WasmPlugin",
    "metadata": {"name": "basic", "namespace": "default", "labels": {"app": "tests"}},
    "spec": {"url": "file:///nowhere/basic.wasm", "phase": "AUTHN"},
}


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    directory = tmp_path_factory.mktemp("python")
    with Skiffd(None, directory, flags=["--api-address", "127.0.0.1:0"]) as skiffd:
        configuration = client.Configuration(host=f"http://127.0.0.1:{skiffd.api}")
        yield client.ApiClient(configuration)


@pytest.fixture
def plugins(api, tmp_path):
    """WasmPlugins by the dynamic client, which finds them by discovery."""
    found = dynamic.DynamicClient(api, cache_file=str(tmp_path / "discovery")).resources
    resource = found.get(api_version="extensions.istio.io/v1alpha1", kind="WasmPlugin")
    resource.delete(namespace="default", label_selector="app=tests")
    return resource


def test_create_read_patch_delete(plugins):
    made = plugins.create(body=PLUGIN, namespace="default")
    assert made.metadata.generation == 1
    assert [item.metadata.name for item in plugins.get(namespace="default").items] == ["basic"]
    changed = plugins.patch(
        body={"metadata": {"name": "basic"}, "spec": {"phase": "STATS"}},
        namespace="default",
        content_type="application/merge-patch+json",
    )
    assert (changed.spec.phase, changed.metadata.generation) == ("STATS", 2)
    with pytest.raises(dynamic.exceptions.ConflictError):
        plugins.replace(body=made.to_dict(), namespace="default")
    applied = plugins.server_side_apply(
        body=PLUGIN, namespace="default", field_manager="python", force_conflicts=True
    )
    assert applied.spec.phase == "AUTHN"
    plugins.delete(name="basic", namespace="default")
    with pytest.raises(dynamic.exceptions.NotFoundError):
        plugins.get(name="basic", namespace="default")


def test_an_object_that_is_no_good(plugins):
    broken = PLUGIN | {"spec": {"phase": "LATE"}}
    with pytest.raises(ApiException) as refused:
        plugins.create(body=broken, namespace="default")
    assert refused.value.status == 422
    assert '"spec.url"' in refused.value.body


def test_a_watch_of_the_dynamic_client(plugins):
    seen = []
    ready = threading.Event()

    def follow() -> None:
        for event in plugins.watch(namespace="default", timeout=20):
            if event["type"] != "MODIFIED":  # its status
                seen.append((event["type"], event["object"].metadata.name))
            ready.set()
            if event["type"] == "DELETED":
                return

    plugins.create(body=PLUGIN, namespace="default")
    thread = threading.Thread(target=follow)
    thread.start()
    assert ready.wait(20)
    plugins.delete(name="basic", namespace="default")
    thread.join(20)
    assert seen == [("ADDED", "basic"), ("DELETED", "basic")]


def test_typed_and_custom_objects(api):
    core, custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
    where = ("extensions.istio.io", "v1alpha1", "default", "wasmplugins")
    custom.create_namespaced_custom_object(*where, PLUGIN)
    secret = client.V1Secret(
        metadata=client.V1ObjectMeta(name="s"), string_data={"key": "value"}, type="Opaque"
    )
    core.create_namespaced_secret("default", secret)
    assert core.read_namespaced_secret("s", "default").data == {"key": "dmFsdWU="}
    assert "default" in [item.metadata.name for item in core.list_namespace().items]
    listed = custom.list_namespaced_custom_object(*where)
    follower = watch.Watch()
    stream = follower.stream(
        custom.list_namespaced_custom_object,
        *where,
        resource_version=listed["metadata"]["resourceVersion"],
        timeout_seconds=20,
    )
    custom.patch_namespaced_custom_object(*where, "basic", {"spec": {"priority": 5}})
    event = next(event for event in stream if "priority" in event["object"]["spec"])
    assert (event["type"], event["object"]["spec"]["priority"]) == ("MODIFIED", 5)
    follower.stop()
    custom.delete_namespaced_custom_object(*where, "basic")
    core.delete_namespaced_secret("s", "default")
