# SPDX-License-Identifier: Apache-2.0
"""The control API as people use it: the real kubectl, every command that configuration needs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from skiff_e2e.gateway import backend_yaml, gateway_yaml, route_yaml
from skiff_e2e.kubectl import Kubectl
from skiff_e2e.skiffd import Skiffd, write

PLUGIN = """\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata:
  name: NAME
  namespace: default
  labels:
    app: tests
spec:
  url: file:///nowhere/NAME.wasm
  phase: AUTHN
"""


def plugin(name: str, **changes: str) -> str:
    text = PLUGIN.replace("NAME", name)
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    directory = tmp_path_factory.mktemp("kubectl")
    write(directory / "config/file.yaml", backend_yaml(9000, "from-file"))
    with Skiffd(
        directory / "config", directory, flags=["--api-address", "127.0.0.1:0"]
    ) as skiffd:
        skiffd.wait_until_ready()
        skiffd.kubectl = Kubectl(f"http://127.0.0.1:{skiffd.api}", directory / "home")
        yield skiffd


@pytest.fixture
def kubectl(mesh) -> Kubectl:
    return mesh.kubectl


@pytest.fixture
def applied(kubectl):
    """A plugin that kubectl applied; it goes with the test."""
    kubectl("apply", "-f", "-", stdin=plugin("basic"))
    yield "wasmplugin/basic"
    kubectl("delete", "wasmplugin", "basic", "--ignore-not-found")


def test_a_store_in_memory_says_so(mesh):
    assert "kept in memory and end with this process; use --data-dir" in mesh.log


def test_version_and_discovery(kubectl):
    assert re.search(r"Server Version: v1\.32\.\d+\+skiff-", kubectl("version"))
    names = kubectl("api-resources", "-o", "name").split()
    assert {"wasmplugins.extensions.istio.io", "services", "secrets", "namespaces"} <= set(names)
    assert "networking.istio.io/v1alpha3" in kubectl("api-versions").split()
    assert kubectl("get", "--raw", "/readyz") == "ok"


def test_a_directory_is_applied_and_shown_in_every_form(kubectl, tmp_path):
    write(tmp_path / "a.yaml", gateway_yaml(8080, "web.example.com"))
    write(tmp_path / "b.yaml", backend_yaml(9000) + "---\n" + route_yaml())
    out = kubectl("apply", "-f", str(tmp_path))
    assert sorted(out.splitlines()) == [
        "gateway.networking.istio.io/web created",
        "serviceentry.networking.istio.io/backend created",
        "virtualservice.networking.istio.io/web created",
    ]
    out = kubectl("apply", "-f", str(tmp_path))
    assert all(line.endswith(" unchanged") for line in out.splitlines())

    header, row = kubectl("get", "virtualservices").splitlines()
    assert header.split() == ["NAME", "GATEWAYS", "HOSTS", "PROGRAMMED", "REJECTED", "AGE"]
    assert row.split()[:3] == ["web", "web", "web.example.com"]
    header, row = kubectl("get", "gw", "-o", "wide").splitlines()
    assert header.split() == [
        *["NAME", "PORTS", "HOSTS", "PROGRAMMED", "REJECTED", "AGE", "SELECTOR"]
    ]
    assert row.split()[:3] == ["web", "8080/HTTP", "web.example.com"]
    assert row.split()[6] == "istio=ingressgateway"
    row = kubectl("get", "se", "backend").splitlines()[1]
    assert row.split()[:4] == ["backend", "backend.internal", "MESH_EXTERNAL", "STATIC"]

    shown = kubectl.json("get", "vs", "web")
    assert shown["apiVersion"] == "networking.istio.io/v1"
    assert shown["metadata"]["generation"] == 1
    assert set(shown["metadata"]) >= {"uid", "resourceVersion", "creationTimestamp"}
    older = kubectl.json("get", "virtualservices.v1beta1.networking.istio.io", "web")
    assert older["apiVersion"] == "networking.istio.io/v1beta1"
    assert older["spec"] == shown["spec"]
    assert "host: backend.internal" in kubectl("get", "vs", "web", "-o", "yaml")
    path = "jsonpath={.spec.http[0].route[0].destination.host}"
    assert kubectl("get", "vs", "web", "-o", path) == "backend.internal"
    columns = "custom-columns=WHO:.metadata.name,HOSTS:.spec.hosts[*]"
    assert kubectl("get", "vs", "-o", columns).splitlines()[1].split() == ["web", "web.example.com"]
    assert kubectl("get", "gw,vs,se", "-o", "name").split() == [
        "gateway.networking.istio.io/web",
        "virtualservice.networking.istio.io/web",
        "serviceentry.networking.istio.io/backend",
        "serviceentry.networking.istio.io/from-file",
    ]
    assert "Active" in kubectl("get", "ns", "default")

    out = kubectl("delete", "-f", str(tmp_path))
    assert 'virtualservice.networking.istio.io "web" deleted' in out
    assert "No resources found" in kubectl.run("get", "vs").stderr


def test_describe(kubectl, applied):
    text = kubectl("describe", applied)
    assert re.search(r"Name: +basic\n", text)
    assert re.search(r"URL: +file:///nowhere/basic.wasm|Url: +file:///nowhere/basic.wasm", text)
    assert re.search(r"Events: +<none>", text)


def test_edit(kubectl, applied):
    out = kubectl("edit", applied, editor="sed -i s/AUTHN/AUTHZ/")
    assert "basic edited" in out
    shown = kubectl.json("get", applied)
    assert (shown["spec"]["phase"], shown["metadata"]["generation"]) == ("AUTHZ", 2)


def test_three_kinds_of_patch(kubectl, applied):
    kubectl("patch", applied, "--type", "merge", "-p", '{"spec":{"priority":7}}')
    operations = [
        {"op": "test", "path": "/spec/priority", "value": 7},
        {"op": "replace", "path": "/spec/priority", "value": 8},
        {"op": "add", "path": "/metadata/labels/a~1b", "value": "c"},
    ]
    kubectl("patch", applied, "--type", "json", "-p", json.dumps(operations))
    kubectl("patch", applied, "-p", '{"spec":{"phase":null}}')
    shown = kubectl.json("get", applied)
    assert shown["spec"] == {"url": "file:///nowhere/basic.wasm", "priority": 8}
    assert shown["metadata"]["labels"] == {"app": "tests", "a/b": "c"}
    error = kubectl.fails("patch", applied, "--type", "json", "-p", json.dumps(operations))
    assert "the value is another one" in error


def test_a_service_is_patched_by_the_ports_that_change(kubectl):
    service = """\
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: default}
spec:
  selector: {app: shop}
  ports:
  - {name: http, port: 80, targetPort: 8080}
  - {name: grpc, port: 81, targetPort: 8081}
"""
    kubectl("apply", "-f", "-", stdin=service)
    kubectl("apply", "-f", "-", stdin=service.replace("8081", "9091"))
    patch = '{"spec":{"ports":[{"port":80,"targetPort":7070}]}}'
    kubectl("patch", "service", "shop", "-p", patch)
    ports = kubectl.json("get", "svc", "shop")["spec"]["ports"]
    assert [(port["port"], port["targetPort"]) for port in ports] == [(80, 7070), (81, 9091)]
    assert "80/TCP,81/TCP" in kubectl("get", "svc", "shop")
    assert "9091/TCP" in kubectl("describe", "svc", "shop")
    kubectl("delete", "svc", "shop")


def test_server_side_apply_keeps_authors_apart(kubectl):
    def apply(text: str, *flags: str) -> list[str]:
        return ["apply", "--server-side", "-f", "-", *flags]

    first = plugin("shared")
    kubectl(*apply(first, "--field-manager", "one"), stdin=first)
    second = first.replace("AUTHN", "STATS")
    error = kubectl.fails(*apply(second, "--field-manager", "two"), stdin=second)
    assert 'Apply failed with 1 conflict: conflict with "one": .spec.phase' in error
    assert kubectl.json("get", "wasmplugin", "shared")["spec"]["phase"] == "AUTHN"

    kubectl(*apply(second, "--field-manager", "two", "--force-conflicts"), stdin=second)
    shown = kubectl.json("get", "wasmplugin", "shared", "--show-managed-fields")
    assert shown["spec"]["phase"] == "STATS"
    managers = {entry["manager"]: entry["fieldsV1"] for entry in shown["metadata"]["managedFields"]}
    assert "f:phase" not in managers["one"]["f:spec"]
    assert managers["two"]["f:spec"] == {"f:phase": {}, "f:url": {}}

    # What its last author no longer applies goes; what another one has too stays.
    third = second.replace("  phase: STATS\n", "")
    kubectl(*apply(third, "--field-manager", "two"), stdin=third)
    spec = kubectl.json("get", "wasmplugin", "shared")["spec"]
    assert spec == {"url": "file:///nowhere/shared.wasm"}
    before = kubectl.json("get", "wasmplugin", "shared")["metadata"]["resourceVersion"]
    kubectl(*apply(third, "--field-manager", "two"), stdin=third)
    after = kubectl.json("get", "wasmplugin", "shared")["metadata"]["resourceVersion"]
    assert after == before
    kubectl("delete", "wasmplugin", "shared")


def test_from_client_side_to_server_side_apply(kubectl, applied):
    changed = plugin("basic", AUTHN="STATS")
    out = kubectl("apply", "--server-side", "-f", "-", stdin=changed)
    assert "serverside-applied" in out
    shown = kubectl.json("get", applied, "--show-managed-fields")
    assert shown["spec"]["phase"] == "STATS"
    assert [e["manager"] for e in shown["metadata"]["managedFields"]][:1] == ["kubectl"]


def test_diff(kubectl, applied):
    done = kubectl.run("diff", "-f", "-", stdin=plugin("basic", AUTHN="AUTHZ"))
    assert done.returncode == 1, done.stderr
    assert "-  phase: AUTHN\n+  phase: AUTHZ" in done.stdout
    assert kubectl.run("diff", "-f", "-", stdin=plugin("basic")).returncode == 0


def test_explain(kubectl):
    text = kubectl("explain", "wasmplugin.spec")
    assert "GROUP:      extensions.istio.io" in text
    assert re.search(r"url\t<string>", text)
    assert "enum: " in text and "AUTHN" in text
    text = kubectl("explain", "vs.spec.http.route.destination", "--recursive")
    assert re.search(r"host\t<string>", text)
    assert "field \"nothing\" does not exist" in kubectl.fails("explain", "vs.spec.nothing")


def test_wait_and_delete(kubectl, tmp_path):
    kubectl("apply", "-f", "-", stdin=plugin("gone"))
    with kubectl.start(
        tmp_path, "wait", "wait", "--for=delete", "wasmplugin/gone", "--timeout=20s"
    ) as waiting:
        kubectl("delete", "wasmplugin", "gone")
        assert waiting.child.wait(timeout=20) == 0
    kubectl("apply", "-f", "-", stdin=plugin("gone"))
    kubectl("wait", "wasmplugin/gone", "--for=jsonpath={.spec.phase}=AUTHN", "--timeout=5s")
    kubectl("delete", "wasmplugin", "-l", "app=tests")
    error = kubectl.fails("get", "wasmplugin", "gone")
    assert error == (
        'Error from server (NotFound): wasmplugins.extensions.istio.io "gone" not found\n'
    )


def test_a_watch_sees_what_another_does(kubectl, tmp_path):
    with kubectl.start(
        tmp_path, "watch", "get", "wasmplugins", "-w", "--output-watch-events", "-l", "app=tests"
    ) as watch:
        kubectl("apply", "-f", "-", stdin=plugin("seen"))
        watch.wait_for_log("ADDED")
        kubectl("patch", "wasmplugin", "seen", "--type=merge", "-p", '{"spec":{"phase":"STATS"}}')
        watch.wait_for_log("STATS")
        kubectl("label", "wasmplugin", "seen", "app=other", "--overwrite")
        watch.wait_for_log("DELETED")
        kubectl("label", "wasmplugin", "seen", "app=tests", "--overwrite")
        watch.wait_for("two additions", lambda: watch.log.count("ADDED") == 2)
        kubectl("delete", "wasmplugin", "seen")
        watch.wait_for("two deletions", lambda: watch.log.count("DELETED") == 2)
    events = [line.split()[0] for line in watch.log.splitlines()]
    assert events == ["EVENT", "ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"]


def test_labels_and_annotations(kubectl, applied):
    kubectl("label", applied, "team=mesh")
    kubectl("annotate", applied, "note=some words")
    assert kubectl("get", "wasmplugin", "-l", "team in (mesh)", "-o", "name")
    assert kubectl("get", "wasmplugin", "-l", "team notin (mesh)", "-o", "name") == ""
    assert kubectl("get", "wasmplugin", "-l", "!team", "-o", "name") == ""
    selected = kubectl("get", "wasmplugin", "--field-selector", "metadata.name=basic", "-o", "name")
    assert selected == "wasmplugin.extensions.istio.io/basic\n"
    assert kubectl("get", "wasmplugin", "-L", "team").splitlines()[1].split()[-1] == "mesh"
    kubectl("label", applied, "team-")
    metadata = kubectl.json("get", applied)["metadata"]
    assert metadata["labels"] == {"app": "tests"}
    assert metadata["annotations"]["note"] == "some words"
    assert metadata["generation"] == 1


def test_prune(kubectl, tmp_path):
    write(tmp_path / "one.yaml", plugin("one"))
    write(tmp_path / "two.yaml", plugin("two"))
    prune = ["apply", "--prune", "-l", "app=tests", "-f", str(tmp_path)]
    prune += ["--prune-allowlist=extensions.istio.io/v1alpha1/WasmPlugin"]
    kubectl(*prune)
    (tmp_path / "two.yaml").unlink()
    assert "wasmplugin.extensions.istio.io/two pruned" in kubectl(*prune)
    assert kubectl("get", "wasmplugin", "-o", "name").split() == [
        "wasmplugin.extensions.istio.io/one"
    ]
    kubectl("delete", "wasmplugin", "--all")


def test_dry_runs_change_nothing(kubectl, applied):
    before = kubectl.json("get", applied)
    kubectl("apply", "--dry-run=server", "-f", "-", stdin=plugin("basic", AUTHN="AUTHZ"))
    kubectl("apply", "--dry-run=server", "-f", "-", stdin=plugin("never"))
    kubectl("apply", "--dry-run=client", "-f", "-", stdin=plugin("never"))
    kubectl("patch", applied, "--dry-run=server", "--type=merge", "-p", '{"spec":{"priority":1}}')
    kubectl("delete", applied, "--dry-run=server")
    assert kubectl.json("get", applied) == before
    assert "not found" in kubectl.fails("get", "wasmplugin", "never")


def test_what_is_no_good_is_refused_as_a_whole_with_each_reason(kubectl, applied):
    before = kubectl.json("get", applied)
    broken = plugin("basic", AUTHN="LATE").replace("url: file:///nowhere/basic.wasm", "sha256: abc")
    error = kubectl.fails("apply", "-f", "-", stdin=broken)
    assert 'The WasmPlugin "basic" is invalid' in error
    for text in [
        "* spec.url: Required value",
        "* spec.sha256: Invalid value: expected 64 lower case hexadecimal digits",
        "* spec.phase: Invalid value: expected one of ",
    ]:
        assert text in error
    assert kubectl.json("get", applied) == before
    wrong = '{"spec":{"priority":"x"}}'
    assert "Invalid value" in kubectl.fails("patch", applied, "--type=merge", "-p", wrong)


def test_unknown_fields(kubectl):
    text = plugin("odd") + "  ulr: typo\n"
    error = kubectl.fails("apply", "-f", "-", stdin=text)
    assert 'strict decoding error: unknown field "spec.ulr"; did you mean "url"?' in error
    assert "not found" in kubectl.fails("get", "wasmplugin", "odd")
    done = kubectl.run("apply", "--validate=warn", "-f", "-", stdin=text)
    assert done.returncode == 0
    assert 'Warning: unknown field "spec.ulr"; did you mean "url"?' in done.stderr
    done = kubectl.run("apply", "--validate=ignore", "-f", "-", stdin=text)
    assert (done.returncode, done.stderr) == (0, "")
    kubectl("delete", "wasmplugin", "odd")


def test_a_warning_of_reading_is_one_of_kubectl(kubectl):
    rule = """\
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: default}
spec: {mtls: {mode: STRICT}}
"""
    done = kubectl.run("apply", "-f", "-", stdin=rule)
    assert done.returncode == 0
    assert "Warning: kind: PeerAuthentication is not acted on by this version" in done.stderr
    assert kubectl("get", "pa").splitlines()[1].split()[:2] == ["strict", "STRICT"]
    kubectl("delete", "pa", "strict")


def test_objects_of_files_are_shown_and_not_changed(mesh, kubectl):
    shown = kubectl.json("get", "serviceentry", "from-file")
    place = shown["metadata"]["annotations"]["skiff.dev/read-from"]
    assert re.fullmatch(r".*/config/file\.yaml:1", place)
    error = kubectl.fails("label", "serviceentry", "from-file", "a=b")
    assert f"is forbidden: it is read from {place}" in error
    assert "is forbidden" in kubectl.fails("delete", "serviceentry", "from-file")


def test_a_name_in_a_file_and_in_the_api(mesh, kubectl):
    file = mesh.log_path.parent / "config/both.yaml"
    mine = backend_yaml(9001, "both").replace("both.internal", "api.internal")
    kubectl("apply", "-f", "-", stdin=mine)
    write(file, backend_yaml(9001, "both"))
    (problem,) = mesh.wait_for("a conflict", lambda: mesh.get("/debug/problemsz"))
    assert problem["code"] == "conflict"
    assert problem["reason"].startswith("is already written at the API, which stays in force")
    assert problem["file"] == str(file)
    hosts = "jsonpath={.spec.hosts[0]}"
    assert kubectl("get", "se", "both", "-o", hosts) == "api.internal"
    kubectl("delete", "se", "both")
    mesh.wait_for(
        "the file's object",
        lambda: kubectl.run("get", "se", "both", "-o", hosts).stdout == "both.internal",
    )
    file.unlink()
    mesh.wait_for("its end", lambda: kubectl.run("get", "se", "both").returncode == 1)


def test_namespaces_come_with_objects_and_take_them_along(kubectl):
    kubectl("apply", "-f", "-", stdin=plugin("far").replace("namespace: default", "namespace: far"))
    assert kubectl("get", "ns", "far", "-o", "jsonpath={.status.phase}") == "Active"
    assert kubectl("get", "wasmplugin", "-A", "--no-headers").split()[:2] == ["far", "far"]
    kubectl("delete", "ns", "far")
    assert "NotFound" in kubectl.fails("get", "wasmplugin", "far", "-n", "far")
    assert "may not be deleted" in kubectl.fails("delete", "ns", "default")


def test_finalizers_hold_an_object(kubectl):
    kubectl("apply", "-f", "-", stdin=plugin("held"))
    patch = '{"metadata":{"finalizers":["example.com/hold"]}}'
    kubectl("patch", "wasmplugin", "held", "--type=merge", "-p", patch)
    kubectl("delete", "wasmplugin", "held", "--wait=false")
    assert "deletionTimestamp" in kubectl.json("get", "wasmplugin", "held")["metadata"]
    kubectl("patch", "wasmplugin", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert "NotFound" in kubectl.fails("get", "wasmplugin", "held")


def test_secrets_and_config_maps(kubectl):
    kubectl("create", "secret", "generic", "token", "--from-literal=key=s3cr3t")
    assert kubectl("get", "secret", "token").splitlines()[1].split()[:3] == ["token", "Opaque", "1"]
    assert kubectl.json("get", "secret", "token")["data"] == {"key": "czNjcjN0"}
    kubectl("create", "configmap", "words", "--from-literal=a=b")
    assert "Data\n====\na:" in kubectl("describe", "configmap", "words")
    kubectl("create", "namespace", "fresh")
    kubectl("delete", "ns/fresh", "cm/words", "secret/token")


def test_replace_needs_the_current_revision(kubectl, applied):
    shown = kubectl.json("get", applied)
    kubectl("annotate", applied, "a=b")
    error = kubectl.fails("replace", "-f", "-", stdin=json.dumps(shown))
    assert "(Conflict)" in error and "the object has been modified" in error
    del shown["metadata"]["resourceVersion"]
    kubectl("replace", "-f", "-", stdin=json.dumps(shown))
    assert "a" not in kubectl.json("get", applied)["metadata"].get("annotations", {})


def test_the_status_subresource(kubectl, applied):
    patch = '{"status":{"conditions":[{"type":"Reviewed","status":"True"}]},"spec":{"priority":3}}'
    kubectl("patch", applied, "--subresource=status", "--type=merge", "-p", patch)
    shown = kubectl.json("get", applied)
    mine = {"type": "Reviewed", "status": "True"}
    assert mine in shown["status"]["conditions"]
    assert ("priority" in shown["spec"], shown["metadata"]["generation"]) == (False, 1)
    kubectl("wait", applied, "--for=condition=Reviewed", "--timeout=5s")
    kubectl("apply", "-f", "-", stdin=plugin("basic", AUTHN="AUTHZ"))
    assert mine in kubectl.json("get", applied)["status"]["conditions"]


def test_definitions_of_kinds_are_read_only(kubectl):
    name = "wasmplugins.extensions.istio.io"
    kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=5s")
    assert "(MethodNotAllowed)" in kubectl.fails("delete", "crd", name)


def test_the_samples_are_taken_as_they_are(kubectl):
    samples = Path(__file__).parents[2] / "manifests/samples/wasmplugin"
    kubectl("apply", "-f", str(samples))
    kubectl("delete", "-f", str(samples))
