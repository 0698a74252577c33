# SPDX-License-Identifier: Apache-2.0
"""Gateways with TLS and TCP in a real Envoy, with certificates of a private authority by SDS."""

from __future__ import annotations

import hashlib
import json
import ssl
from collections import Counter
from pathlib import Path

import pytest

from skiff_e2e import tls
from skiff_e2e.backend import Backend
from skiff_e2e.gateway import free_port, gateway_envoy, get
from skiff_e2e.http import request
from skiff_e2e.private_ca import Certificate, PrivateCA
from skiff_e2e.skiffd import skiffctl
from skiff_e2e.stage import Stage

SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
TO_WEB = "http:\n- route: [{destination: {host: web.internal}}]"


class Site:
    """One skiffd and one Envoy for all cases of this file, with the certificates in it."""

    def __init__(self, stage: Stage, ca: PrivateCA) -> None:
        self.stage, self.ca = stage, ca
        self.context = ca.client_context()
        self.https, self.http, self.passing, self.tcp, self.mixed, self.ended, self.crossing, self.files = (
            free_port() for _ in range(8)
        )
        self.strict = free_port()
        self.secrets: dict[str, str] = {}

    def write(self, name: str, *texts: str) -> None:
        self.stage.write(name, "---\n".join(texts))

    def keep(self, name: str, entries: dict[str, str], **options) -> None:
        self.secrets[name] = entries.get("tls.key", "")
        self.stage.write(f"secret-{name}.yaml", tls.secret(name, entries, **options))

    def wait(self, what: str, probe, **options):
        return self.stage.envoy.wait_for(what, probe, **options)

    def answer(self, host: str, context: ssl.SSLContext | None = None, port: int = 0) -> tls.Answer:
        return self.wait(
            f"an answer for {host}",
            lambda: tls.answered(port or self.https, host, context or self.context),
        )

    def listener_count(self, what: str) -> int:
        stats = self.stage.envoy.admin(f"/stats?format=json&filter=listener_manager.{what}$")
        return sum(stat.get("value", 0) for stat in json.loads(stats)["stats"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory):
    directory: Path = tmp_path_factory.mktemp("tls")
    ca = PrivateCA(directory / "ca")
    with Stage(directory) as stage:
        made = Site(stage, ca)
        backend, calls = stage.enter(Backend("web")), stage.enter(tls.GRPCBackend())
        passed = stage.enter(tls.TLSBackend("encrypted", ca.issue("db", hosts="DNS:db.example.com")))
        one, two = stage.enter(tls.LineBackend("one")), stage.enter(tls.LineBackend("two"))
        made.keep("a", tls.key_pair(ca.issue("a", hosts="DNS:a.example.com")))
        made.keep("b", tls.key_pair(ca.issue("b", hosts="DNS:b.example.com")))
        hosts = ",".join(f"DNS:{name}.example.com" for name in "mong")
        mutual = tls.key_pair(ca.issue("m", hosts=hosts))
        made.keep("m", mutual | {"ca.crt": ca.bundle.read_text()})
        made.keep(
            "elsewhere", tls.key_pair(ca.issue("e", hosts="DNS:e.example.com")), namespace="default"
        )
        made.write(
            "gateways.yaml",
            tls.gateway(
                "web",
                tls.server(made.http, "HTTP", "a.example.com", "httpsRedirect: true"),
                tls.server(made.https, "HTTPS", "a.example.com", "mode: SIMPLE, credentialName: a"),
                tls.server(made.https, "HTTPS", "b.example.com", "mode: SIMPLE, credentialName: b"),
                tls.server(made.https, "HTTPS", "m.example.com", "mode: MUTUAL, credentialName: m"),
                tls.server(
                    made.https, "HTTPS", "o.example.com", "mode: OPTIONAL_MUTUAL, credentialName: m"
                ),
                tls.server(
                    made.https, "HTTPS", "apps/n.example.com", "mode: SIMPLE, credentialName: m"
                ),
                tls.server(made.https, "HTTPS", "g.example.com", "mode: SIMPLE, credentialName: m"),
                tls.server(
                    made.https, "HTTPS", "e.example.com", "mode: SIMPLE, credentialName: elsewhere"
                ),
            ),
            tls.gateway(
                "streams",
                tls.server(made.passing, "TLS", '"*.example.com"', "mode: PASSTHROUGH"),
                tls.server(made.tcp, "TCP", '"*"'),
                tls.server(made.crossing, "TLS", '"*.internal"', "mode: AUTO_PASSTHROUGH"),
                tls.server(made.ended, "TLS", "a.example.com", "mode: SIMPLE, credentialName: a"),
            ),
        )
        made.write(
            "routes.yaml",
            tls.virtual_service("web", '"*.example.com"', "web", TO_WEB),
            tls.virtual_service("calls", "g.example.com", "web", TO_WEB.replace("web.", "calls.")),
            tls.virtual_service(
                "db",
                "db.example.com",
                "streams",
                "tls:\n- match: [{sniHosts: [db.example.com]}]\n"
                "  route: [{destination: {host: secure.internal}}]",
            ),
            tls.virtual_service(
                "lines",
                '"*.example.com"',
                "streams",
                f"tcp:\n- match: [{{port: {made.tcp}}}]\n  route:\n"
                "  - {destination: {host: one.internal}, weight: 75}\n"
                "  - {destination: {host: two.internal}, weight: 25}\n"
                f"- match: [{{port: {made.ended}}}]\n"
                "  route: [{destination: {host: plain.internal}}]",
            ),
        )
        made.write(
            "services.yaml",
            tls.service("web", backend.port, "HTTP"),
            tls.service("calls", calls.port, "GRPC"),
            tls.service("secure", passed.port, "TLS").replace("spec:\n", "spec:\n  location: MESH_INTERNAL\n"),
            tls.service("one", one.port),
            tls.service("two", two.port),
            tls.service("plain", backend.port),
        )
        stage.start()
        yield made


def test_a_name_gets_its_own_certificate(site: Site):
    for name in ("a", "b"):
        answer = site.answer(f"{name}.example.com")
        assert (answer.status, answer.names) == (200, (f"{name}.example.com",))
        assert json.loads(answer.body)["backend"] == "web"
    strange = ssl.create_default_context()
    assert tls.answered(site.https, "a.example.com", strange) is None


def test_http_2_and_http_1_are_offered(site: Site):
    for offered, chosen in ((["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1")):
        context = site.ca.client_context()
        context.set_alpn_protocols(offered)
        site.answer("a.example.com")
        with tls.connection(site.https, "a.example.com", context) as connection:
            assert connection.selected_alpn_protocol() == chosen


def test_grpc_goes_through(site: Site):
    site.answer("a.example.com")
    roots = site.ca.bundle.read_bytes()
    answer = tls.call(site.https, "g.example.com", roots, "/echo.Echo/Say", b"hello")
    assert answer == b"/echo.Echo/Say hello"


def test_a_host_takes_virtual_services_of_its_namespaces(site: Site):
    """The one for every host is in another namespace than n.example.com is for."""
    assert site.answer("a.example.com").status == 200
    assert site.answer("n.example.com").status == 404


def test_mutual_asks_for_a_certificate(site: Site):
    client = site.ca.issue("client", hosts="DNS:client.example.com")
    known = site.ca.client_context()
    known.load_cert_chain(client.certificate, client.key)
    answer = site.answer("m.example.com", known)
    headers = dict(json.loads(answer.body)["headers"])
    assert "DNS=client.example.com" in headers["x-forwarded-client-cert"]
    assert tls.answered(site.https, "m.example.com", site.context) is None

    stranger = PrivateCA(site.stage.directory / "stranger").issue("stranger")
    unknown = site.ca.client_context()
    unknown.load_cert_chain(stranger.certificate, stranger.key)
    assert tls.answered(site.https, "m.example.com", unknown) is None

    # Optional: without one, with a good one, and never with a bad one.
    assert site.answer("o.example.com").status == 200
    assert site.answer("o.example.com", known).status == 200
    assert tls.answered(site.https, "o.example.com", unknown) is None


def test_a_server_says_which_versions_ciphers_and_clients_it_takes(site: Site):
    client = site.ca.issue("named", hosts="DNS:named.example.com")
    other = site.ca.issue("unnamed", hosts="DNS:unnamed.example.com")
    digest = hashlib.sha256(
        ssl.PEM_cert_to_DER_cert(client.certificate.read_text())
    ).hexdigest()
    servers = {
        "old": "mode: SIMPLE, credentialName: strict, maxProtocolVersion: TLSV1_2, "
        "cipherSuites: [ECDHE-RSA-AES128-GCM-SHA256]",
        "new": "mode: SIMPLE, credentialName: strict, minProtocolVersion: TLSV1_3",
        "name": "mode: MUTUAL, credentialName: strict, subjectAltNames: [named.example.com]",
        "hash": f"mode: MUTUAL, credentialName: strict, verifyCertificateHash: [{digest}]",
    }
    hosts = ",".join(f"DNS:{name}.example.com" for name in servers)
    site.keep("strict", tls.key_pair(site.ca.issue("strict", hosts=hosts)) | {"ca.crt": site.ca.bundle.read_text()})
    site.write(
        "strict.yaml",
        tls.gateway(
            "strict",
            *(
                tls.server(site.strict, "HTTPS", f"{name}.example.com", settings)
                for name, settings in servers.items()
            ),
        ),
        tls.virtual_service("strict", '"*.example.com"', "strict", TO_WEB),
    )

    def version_and_cipher(name: str) -> tuple[str, str]:
        with tls.connection(site.strict, f"{name}.example.com", site.context) as stream:
            return stream.version(), stream.cipher()[0]

    site.answer("old.example.com", port=site.strict)
    assert version_and_cipher("old") == ("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256")
    assert version_and_cipher("new")[0] == "TLSv1.3"
    former = site.ca.client_context()
    former.maximum_version = ssl.TLSVersion.TLSv1_2
    assert tls.answered(site.strict, "new.example.com", former) is None

    def status(name: str, made: Certificate) -> int | None:
        context = site.ca.client_context()
        context.load_cert_chain(made.certificate, made.key)
        answer = tls.answered(site.strict, f"{name}.example.com", context)
        return answer.status if answer else None

    for name in ("name", "hash"):
        assert (status(name, client), status(name, other)) == (200, None)
    (site.stage.config / "strict.yaml").unlink()
    (site.stage.config / "secret-strict.yaml").unlink()
    del site.secrets["strict"]


def test_http_redirects_to_https(site: Site):
    site.answer("a.example.com")
    response = get(site.http, "/path?query=1", host="a.example.com")
    assert (response.status, response.headers["location"]) == (
        301,
        "https://a.example.com/path?query=1",
    )


def test_encrypted_connections_go_by_sni(site: Site):
    answer = site.answer("db.example.com", port=site.passing)
    # The certificate is the backend's own.
    assert (answer.body, answer.names) == ("encrypted", ("db.example.com",))
    assert tls.answered(site.passing, "other.example.com", site.context) is None


def test_a_client_of_the_mesh_names_the_service(site: Site):
    """AUTO_PASSTHROUGH: the greeting has Istio's form, and its ALPN is one of the mesh."""
    context = site.ca.client_context()
    context.check_hostname = False
    context.set_alpn_protocols(["istio"])
    name = "outbound_.80_._.secure.internal"
    answer = site.answer(name, context, site.crossing)
    # The certificate is the backend's own.
    assert (answer.body, answer.names) == ("encrypted", ("db.example.com",))
    other = site.ca.client_context()
    other.check_hostname = False
    assert tls.answered(site.crossing, name, other) is None
    # Of another port, and of a service that is not in the mesh.
    assert tls.answered(site.crossing, name.replace("80", "81"), context) is None
    assert tls.answered(site.crossing, "outbound_.80_._.web.internal", context) is None


def test_tcp_is_shared_out_by_weight(site: Site):
    site.wait("a line", lambda: tls.line(site.tcp))
    lines = Counter(tls.line(site.tcp) for _ in range(200))
    assert set(lines) == {"one", "two"}
    # Four standard deviations of 200 drawings at a quarter.
    assert 25 <= lines["two"] <= 75


def test_tls_can_end_before_tcp(site: Site):
    answer = site.answer("a.example.com", port=site.ended)
    assert (answer.names, json.loads(answer.body)["backend"]) == (("a.example.com",), "web")


def test_a_new_certificate_is_seen_without_a_new_listener(site: Site):
    first = site.answer("b.example.com")
    site.wait("sync", lambda: site.stage.skiffd.is_synced("gateway", LISTENER))
    before, pushes = site.listener_count("listener_modified"), site.stage.pushes()
    with tls.connection(site.https, "b.example.com", site.context) as kept:
        site.keep("b", tls.key_pair(site.ca.issue("b2", hosts="DNS:b.example.com")))
        site.wait(
            "the new certificate", lambda: site.answer("b.example.com").serial != first.serial
        )
        # A connection from before goes on.
        kept.sendall(b"GET / HTTP/1.1\r\nhost: b.example.com\r\nconnection: close\r\n\r\n")
        assert kept.recv(12) == b"HTTP/1.1 200"
    assert site.stage.pushed_since(pushes) == {"sds": 1}
    assert site.listener_count("listener_modified") == before
    assert site.answer("a.example.com").status == 200


def test_a_broken_secret_changes_nothing(site: Site):
    first = site.answer("a.example.com")
    good = (site.stage.config / "secret-a.yaml").read_text()
    wrong = tls.key_pair(site.ca.issue("a2", hosts="DNS:a.example.com"))
    wrong["tls.key"] = site.secrets["b"]
    site.stage.write("secret-a.yaml", tls.secret("a", wrong))

    def problem() -> dict | None:
        found = site.stage.skiffd.get("/debug/problemsz")
        return next((each for each in found if each["kind"] == "Secret"), None)

    found = site.wait("the problem", problem)
    assert found["name"] == "a" and found["field"] == 'stringData["tls.key"]'
    assert found["reason"].startswith("is not the key of the first certificate")
    assert site.answer("a.example.com").serial == first.serial
    site.stage.write("secret-a.yaml", good)
    site.wait("the problem's end", lambda: not problem())


def test_a_secret_of_another_namespace_is_not_served(site: Site):
    site.answer("a.example.com")
    assert tls.answered(site.https, "e.example.com", site.context) is None
    problems = site.stage.skiffd.get("/debug/problemsz")
    reason = next(each for each in problems if "elsewhere" in each["reason"])["reason"]
    assert "is in namespace default, but is looked for in istio-system" in reason
    dump = json.dumps(site.stage.skiffd.get("/debug/config_dump?proxyID=gateway"))
    assert "kubernetes://a" in dump and "elsewhere" not in dump.replace("kubernetes://elsewhere", "")
    names = {
        each["name"]
        for each in site.stage.skiffd.get("/debug/config_dump?proxyID=gateway&types=sds")["configs"]
    }
    assert names == {"kubernetes://a", "kubernetes://b", "kubernetes://m", "kubernetes://m-cacert"}


def test_a_certificate_in_files_is_read_again(site: Site):
    def keep(serial: str) -> None:
        made = site.ca.issue(serial, hosts="DNS:f.example.com")
        # The key first: until both are there the former pair stays.
        for source, name in ((made.key, "f.key"), (made.certificate, "f.pem")):
            source.replace(directory / name)

    directory = site.stage.directory / "files"
    directory.mkdir()
    keep("f1")
    paths = f"serverCertificate: {directory}/f.pem, privateKey: {directory}/f.key"
    site.write(
        "files.yaml",
        tls.gateway("files", tls.server(site.files, "HTTPS", "f.example.com", f"mode: SIMPLE, {paths}")),
        tls.virtual_service("files", "f.example.com", "files", TO_WEB),
    )
    first = site.answer("f.example.com", port=site.files)
    assert (first.status, first.names) == (200, ("f.example.com",))
    pushes = site.stage.pushes()
    keep("f2")
    site.wait(
        "the new certificate",
        lambda: site.answer("f.example.com", port=site.files).serial != first.serial,
    )
    assert site.stage.pushed_since(pushes) == {}
    (site.stage.config / "files.yaml").unlink()


def test_both_ways_with_the_certificates_of_the_workload(site: Site):
    """ISTIO_MUTUAL at the server and towards the backend: node metadata names the files."""
    own = site.ca.issue("own", hosts="DNS:own.example.com")
    workload = site.ca.issue("workload", hosts="URI:spiffe://cluster.local/ns/a/sa/b")
    roots = str(site.ca.bundle)
    metadata = {
        "TLS_SERVER_CERT_CHAIN": str(own.certificate), "TLS_SERVER_KEY": str(own.key),
        "TLS_SERVER_ROOT_CERT": roots, "TLS_CLIENT_ROOT_CERT": roots,
        "TLS_CLIENT_CERT_CHAIN": str(workload.certificate), "TLS_CLIENT_KEY": str(workload.key),
    }
    port = free_port()
    server = tls.server(port, "HTTPS", "own.example.com", "mode: ISTIO_MUTUAL")
    with Backend("mutual", tls=own.server_context(), clients=site.ca.bundle) as backend:
        site.write(
            "own.yaml",
            tls.gateway("own", server).replace("istio: ingressgateway", "istio: own"),
            tls.virtual_service(
                "own", "own.example.com", "own", "http:\n- route: [{destination: {host: mutual.internal}}]"
            ),
            tls.service("mutual", backend.port, "HTTP"),
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
            "metadata: {name: mutual, namespace: default}\n"
            "spec: {host: mutual.internal, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}\n",
        )
        with gateway_envoy(
            site.stage.directory, site.stage.skiffd.grpc, name="own", labels="istio=own",
            metadata=metadata,
        ) as envoy:
            client = site.ca.issue("caller", hosts="DNS:caller.example.com")
            known = site.ca.client_context()
            known.load_cert_chain(client.certificate, client.key)
            answer = envoy.wait_for("an answer", lambda: tls.answered(port, "own.example.com", known))
            assert (answer.status, json.loads(answer.body)["backend"]) == (200, "mutual")
            assert tls.answered(port, "own.example.com", site.context) is None
    (site.stage.config / "own.yaml").unlink()


def test_conflicting_servers_are_told_and_others_served(site: Site):
    """Without ages the first name counts as the oldest."""
    site.write(
        "mixed.yaml",
        tls.gateway(
            "younger",
            tls.server(site.mixed, "HTTP", "a.example.com"),
            tls.server(site.mixed, "HTTPS", "b.example.com", "mode: SIMPLE, credentialName: b"),
            tls.server(site.https, "HTTPS", "b.example.com", "mode: SIMPLE, credentialName: a"),
        ),
        tls.virtual_service("mixed", "a.example.com", "younger", TO_WEB),
    )

    def served() -> bool:
        try:
            return get(site.mixed, host="a.example.com").status == 200
        except OSError:
            return False

    site.wait("plain HTTP", served)
    reasons = [
        each["reason"]
        for each in site.stage.skiffd.get("/debug/problemsz")
        if each["name"] == "younger" and each["kind"] == "Gateway"
    ]
    assert len(reasons) == 2 and all("the server is left out" in reason for reason in reasons)
    rejected = site.stage.skiffd.metrics("pilot_total_rejected_configs")
    assert rejected['type="gateway",name="default/younger"'] == 1
    assert site.answer("b.example.com").names == ("b.example.com",)
    (site.stage.config / "mixed.yaml").unlink()


def test_no_page_and_no_log_has_a_key(site: Site):
    """Last, when everything that happens to secrets has happened."""
    site.answer("a.example.com")
    skiffd = site.stage.skiffd
    shown = {"skiffd's log": skiffd.log, "Envoy's log": site.stage.envoy.log}
    for page in skiffd.get("/debug/list"):
        shown[page] = request(skiffd.http, f"/debug/{page}?proxyID=gateway").body
    shown["secrets"] = request(skiffd.http, "/debug/config_dump?proxyID=gateway&types=sds").body
    shown["metrics"] = request(skiffd.monitoring, "/metrics").body
    shown["Envoy's dump"] = site.stage.envoy.admin("/config_dump?include_eds")
    address = ["--skiffd", f"127.0.0.1:{skiffd.http}"]
    for kind in ("all", "secret"):
        for output in ([], ["-o", "json"], ["-o", "yaml"]):
            run = skiffctl("proxy-config", kind, "gateway.istio-system", *address, *output)
            assert run.returncode == 0, run.stderr
            shown[f"proxy-config {kind} {output}"] = run.stdout + run.stderr
    config = ["-f", str(site.stage.config)]
    node = ["--node", "router~127.0.0.1~gateway.istio-system~istio-system.svc.cluster.local"]
    labels = ["--labels", "istio=ingressgateway"]
    commands = [
        ["validate", *config],
        ["translate", *config, *node, *labels, "-o", "yaml"],
        ["diff", "-f", str(site.stage.directory / "empty"), *config, *node, *labels],
    ]
    (site.stage.directory / "empty").mkdir()
    for command in commands:
        run = skiffctl(*command)
        shown[command[0]] = run.stdout + run.stderr
    assert "kubernetes://a" in shown["translate"] and "kubernetes://a" in shown["diff"]
    assert "[redacted]" in shown["configz"]

    keys = [key for key in site.secrets.values() if key]
    assert len(keys) == 4
    for key in keys:
        lines = [line for line in key.splitlines() if not line.startswith("-----")]
        for where, text in shown.items():
            # A line of PEM as it is, and somewhere inside of base64 of the whole.
            assert not any(line in text for line in lines), f"a key in {where}"
            assert not any(part in text for part in tls.encodings(key)), f"a key in {where}"
