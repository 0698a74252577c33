# SPDX-License-Identifier: Apache-2.0
"""The mesh configuration from a ConfigMap and from a file, changed while a real Envoy runs."""

from __future__ import annotations

import json

import pytest
import yaml

from skiff_e2e import tls
from skiff_e2e.gateway import free_port, gateway_envoy
from skiff_e2e.skiffd import Skiffd, skiffctl, write
from skiff_e2e.stage import Stage, seen, with_backend


def config_map(mesh: dict) -> str:
    """As istioctl installs it: the configuration is YAML in a text."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "istio", "namespace": "istio-system"},
            "data": {"mesh": yaml.safe_dump(mesh), "meshNetworks": "networks: {}"},
        }
    )


def logging_to(path, mark: str) -> dict:
    return {"accessLogFile": str(path), "accessLogFormat": f"{mark} %RESPONSE_CODE%"}


def logged(stage: Stage, path, line: str) -> None:
    """Sends requests until the log has this line."""

    def probe() -> bool:
        stage.get()
        return path.exists() and line in path.read_text().splitlines()

    stage.envoy.wait_for(f"the line {line!r}", probe)


def test_a_config_map_is_in_force_and_so_are_its_changes(stage, tmp_path):
    log = tmp_path / "access.log"
    stage.write("istio.yaml", config_map(logging_to(log, "one")))
    logged(stage, log, "one 200")
    stage.write("istio.yaml", config_map(logging_to(log, "two")))
    logged(stage, log, "two 200")
    # What cannot be read leaves the last good one.
    stage.write("istio.yaml", config_map(logging_to(log, "two")).replace("two", "two\\n  \\n}"))
    broken = config_map({}).replace("mesh: '{}", "mesh: 'rootNamespace: [")
    stage.write("istio.yaml", broken)
    skiffd = stage.skiffd
    (problem,) = skiffd.wait_for(
        "the problem",
        lambda: [each for each in skiffd.get("/debug/problemsz") if each["severity"] == "error"],
    )
    assert (problem["kind"], problem["name"], problem["field"]) == ("ConfigMap", "istio", "data.mesh")
    log.write_text("")
    logged(stage, log, "two 200")
    # Where it goes away, the defaults come back.
    (stage.config / "istio.yaml").unlink()

    def silent() -> bool:
        log.write_text("")
        stage.get()
        return log.read_text() == ""

    stage.envoy.wait_for("no log", silent)


def test_a_file_overrides_the_objects_and_is_read_again(tmp_path):
    log, file = tmp_path / "access.log", tmp_path / "mesh.yaml"
    write(file, yaml.safe_dump(logging_to(log, "file")))
    with Stage(tmp_path) as stage:
        with_backend(stage)
        stage.write("istio.yaml", config_map(logging_to(log, "map")))
        flags = ["--mesh-config", str(file)]
        stage.skiffd = stage.enter(Skiffd(stage.config, tmp_path, flags=flags)).wait_until_ready()
        stage.envoy = stage.enter(gateway_envoy(tmp_path, stage.skiffd.grpc)).wait_until_ready()
        stage.answer(lambda response: response.status == 200)
        logged(stage, log, "file 200")
        write(file, yaml.safe_dump(logging_to(log, "changed")))
        logged(stage, log, "changed 200")
        assert "map 200" not in log.read_text()
        (warning,) = [
            each for each in stage.skiffd.get("/debug/problemsz") if each["field"] == "mesh"
        ]
        assert warning["reason"] == (
            "overrides the mesh configuration of ConfigMap istio-system/istio, field by field"
        )
        assert warning["file"] == str(file)


def test_routes_retry_as_the_mesh_says(stage):
    """The second try is answered with 200; Istio's own retries are not for a 503."""

    def tried(key: str) -> int:
        return stage.get(headers={"x-answers": "503,200", "x-key": key}).status

    stage.answer(lambda response: response.status == 200)
    assert tried("before") == 503
    stage.write("istio.yaml", config_map({"defaultHttpRetryPolicy": {"attempts": 1, "retryOn": "5xx"}}))
    numbers = iter(range(1000))
    stage.envoy.wait_for("a retry", lambda: tried(f"with-{next(numbers)}") == 200)
    stage.write("istio.yaml", config_map({"defaultHttpRetryPolicy": {"attempts": 0}}))
    stage.envoy.wait_for("no retry", lambda: tried(f"without-{next(numbers)}") == 503)


def test_a_gateway_believes_the_proxies_in_front_of_it(stage):
    def client() -> str:
        answer = stage.get(headers={"x-forwarded-for": "192.0.2.7, 192.0.2.8"})
        return seen(answer)["headers"]["x-envoy-external-address"]

    stage.answer(lambda response: response.status == 200)
    assert client() == "127.0.0.1"
    for count, address in ((1, "192.0.2.8"), (2, "192.0.2.7")):
        topology = {"gatewayTopology": {"numTrustedProxies": count}}
        stage.write("istio.yaml", config_map({"defaultConfig": topology}))
        stage.envoy.wait_for(address, lambda address=address: client() == address)


def test_paths_are_normalized_as_the_mesh_says(stage):
    def path(sent: str) -> str:
        return seen(stage.get(sent))["path"]

    stage.answer(lambda response: response.status == 200)
    assert path("/a/../b//c%2Fd") == "/b//c%2Fd"
    for mode, expected in {
        "NONE": "/a/../b//c%2Fd", "MERGE_SLASHES": "/b/c%2Fd", "DECODE_AND_MERGE_SLASHES": "/b/c/d"
    }.items():
        stage.write("istio.yaml", config_map({"pathNormalization": {"normalization": mode}}))
        stage.envoy.wait_for(mode, lambda expected=expected: path("/a/../b//c%2Fd") == expected)


def test_what_says_nothing_of_its_export_is_exported_as_the_mesh_says(stage):
    """The VirtualService is in another namespace than the gateway."""
    stage.answer(lambda response: response.status == 200)
    stage.write("istio.yaml", config_map({"defaultVirtualServiceExportTo": ["."]}))
    stage.answer(lambda response: response.status == 404)
    stage.write("istio.yaml", config_map({"defaultVirtualServiceExportTo": ["istio-system"]}))
    stage.answer(lambda response: response.status == 200)
    stage.write("istio.yaml", config_map({"defaultServiceExportTo": ["."]}))
    stage.answer(lambda response: response.status == 500)


def manifest(kind: str, **spec) -> str:
    metadata = {"name": kind.lower(), "namespace": "default"}
    header = {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata}
    return json.dumps(header | {"spec": spec})


def test_the_ports_of_sidecars_move(empty_stage, tmp_path):
    stage = empty_stage
    first, second, inbound = free_port(), free_port(), free_port()
    ports = {"proxyListenPort": first, "proxyInboundListenPort": inbound}
    stage.write("istio.yaml", config_map(ports))
    skiffd = stage.enter(Skiffd(stage.config, tmp_path)).wait_until_ready()
    envoy = stage.enter(
        gateway_envoy(tmp_path, skiffd.grpc, name="app", role="sidecar", namespace="default")
    ).wait_until_ready()

    def listening() -> set[str]:
        lines = envoy.admin("/listeners").splitlines()
        return {line.replace("::0.0.0.0:", " ") for line in lines}

    wanted = {f"virtualOutbound {first}", f"virtualInbound {inbound}"}
    envoy.wait_for("both listeners", lambda: listening() == wanted)
    stage.write("istio.yaml", config_map(ports | {"proxyListenPort": second}))
    wanted = {f"virtualOutbound {second}", f"virtualInbound {inbound}"}
    envoy.wait_for("the other port", lambda: listening() == wanted)


def test_a_server_that_speaks_first_is_waited_for_no_longer_than_that(empty_stage, tmp_path):
    stage = empty_stage
    backend = stage.enter(tls.LineBackend("first"))
    number = free_port()
    ingress = {
        "port": {"number": number, "protocol": "UNSPECIFIED", "name": "main"},
        "bind": "127.0.0.1", "defaultEndpoint": f"127.0.0.1:{backend.port}",
    }
    stage.write("sidecar.yaml", manifest("Sidecar", ingress=[ingress], egress=[{"hosts": ["~/*"]}]))
    skiffd = stage.enter(Skiffd(stage.config, tmp_path)).wait_until_ready()
    envoy = stage.enter(
        gateway_envoy(
            tmp_path, skiffd.grpc, name="app", role="sidecar", namespace="default",
            metadata={"INTERCEPTION_MODE": "NONE"},
        )
    ).wait_until_ready()
    envoy.wait_for("the listener", lambda: str(number) in envoy.admin("/listeners"))
    # Nobody says what is spoken, and the client says nothing.
    assert tls.line(number, timeout=0.5) == ""
    stage.write("istio.yaml", config_map({"protocolDetectionTimeout": "50ms"}))
    envoy.wait_for("a line", lambda: tls.line(number, timeout=0.5) == "first")


def test_a_file_that_is_not_there_ends_the_start(tmp_path):
    (tmp_path / "config").mkdir()
    with pytest.raises(AssertionError, match="no such file"):
        Skiffd(tmp_path / "config", tmp_path, flags=["--mesh-config", str(tmp_path / "none.yaml")])


def test_skiffctl_reads_the_file_too(tmp_path):
    write(tmp_path / "mesh.yaml", "rootNamspace: x\n")
    write(tmp_path / "config/empty.yaml", "")
    arguments = ["-f", str(tmp_path / "config"), "--mesh-config", str(tmp_path / "mesh.yaml")]
    checked = skiffctl("validate", *arguments)
    assert checked.returncode == 0
    assert checked.stdout == (
        'warning: MeshConfig mesh: mesh.rootNamspace: unknown field "rootNamspace"; did you mean '
        f'"rootNamespace"? ({tmp_path}/mesh.yaml:1)\n'
    )


ANNOTATED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata:
      annotations:
        proxy.istio.io/config: |
          proxyMetadata: {C: annotation, D: annotation}
          concurrency: 3
"""


def proxy_config(name: str, namespace: str, selector: dict | None = None, **variables) -> str:
    spec = {"environmentVariables": variables} | ({"selector": selector} if selector else {})
    return "---\n" + json.dumps(
        {
            "apiVersion": "networking.istio.io/v1beta1",
            "kind": "ProxyConfig",
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
        }
    )


def test_what_a_proxy_is_started_with_has_istios_precedence(tmp_path):
    mesh = {"defaultConfig": {"proxyMetadata": {name: "mesh" for name in "ABCDE"}}}
    mesh["defaultConfig"]["proxyMetadata"] |= {"ISTIO_META_RACK": "r", "WASM_ENABLED": "true"}
    text = [
        config_map(mesh) + "---\n" + ANNOTATED,
        proxy_config("all", "istio-system", A="root", B="root", C="root", D="root"),
        proxy_config("ours", "shop", B="namespace", C="namespace", D="namespace"),
        proxy_config("chosen", "shop", {"matchLabels": {"app": "web"}}, D="workload"),
        proxy_config("other", "shop", {"matchLabels": {"app": "other"}}, E="never"),
    ]
    write(tmp_path / "all.yaml", "\n".join(text))
    printed = skiffctl(
        *["bootstrap", "--type", "sidecar", "--id", "web", "--namespace", "shop"],
        *["--labels", "app=web", "--xds-address", "127.0.0.1:1", "-f", str(tmp_path / "all.yaml")],
    )
    assert (printed.returncode, printed.stderr) == (0, "")
    assert json.loads(printed.stdout)["node"]["metadata"] == {
        "NAMESPACE": "shop",
        "LABELS": {"app": "web"},
        "RACK": "r",
        "WASM_ENABLED": "true",
        "PROXY_CONFIG": {
            "concurrency": 3,
            "proxyMetadata": {
                "A": "root",
                "B": "namespace",
                "C": "annotation",
                "D": "workload",
                "E": "mesh",
                "ISTIO_META_RACK": "r",
                "WASM_ENABLED": "true",
            },
        },
    }


def test_an_annotation_that_cannot_be_read_ends_the_bootstrap(tmp_path):
    write(tmp_path / "all.yaml", ANNOTATED.replace("concurrency: 3", "concurrency: many"))
    printed = skiffctl(
        *["bootstrap", "--type", "sidecar", "--id", "web", "--namespace", "shop"],
        *["--xds-address", "127.0.0.1:1", "-f", str(tmp_path / "all.yaml")],
    )
    assert printed.returncode == 1
    assert printed.stderr == (
        'Deployment shop/web: spec.template.metadata.annotations["proxy.istio.io/config"].'
        'concurrency: expected an integer from 0 to 2147483647, found "many" '
        f"({tmp_path}/all.yaml:8)\n"
    )
