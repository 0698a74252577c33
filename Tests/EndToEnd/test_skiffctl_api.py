# SPDX-License-Identifier: Apache-2.0
"""skiffctl for people without kubectl: apply, get, delete, wait; what they print, whole."""

from __future__ import annotations

import json
import re

import pytest
from skiff_e2e.gateway import backend_yaml, free_port, gateway_yaml, route_yaml
from skiff_e2e.kubectl import Kubectl
from skiff_e2e.private_ca import PrivateCA
from skiff_e2e.process import Process
from skiff_e2e.skiffd import Skiffd, program, skiffctl, write
from test_kubectl import plugin

TOKEN = "correct-horse-battery-staple"


class Ctl:
    """skiffctl against one server."""

    def __init__(self, server: str, *flags: str) -> None:
        self.flags = ["--server", server, *flags]

    def run(self, verb: str, *arguments: str, stdin: str = ""):
        return skiffctl(verb, *self.flags, *arguments, stdin=stdin)

    def __call__(self, verb: str, *arguments: str, stdin: str = "") -> str:
        """What a command prints; it must succeed without a complaint."""
        done = self.run(verb, *arguments, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, ""), f"{arguments}: {done.stderr}{done.stdout}"
        return done.stdout

    def fails(self, verb: str, *arguments: str, stdin: str = "") -> str:
        done = self.run(verb, *arguments, stdin=stdin)
        assert done.returncode == 1, f"{arguments}: {done.stdout}"
        return done.stderr

    def start(self, directory, name: str, verb: str, *arguments: str) -> Process:
        return Process(name, [program("skiffctl"), verb, *self.flags, *arguments], directory)


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    directory = tmp_path_factory.mktemp("skiffctl")
    write(directory / "config/file.yaml", backend_yaml(9000, "from-file"))
    with Skiffd(
        directory / "config", directory, flags=["--api-address", "127.0.0.1:0"]
    ) as skiffd:
        skiffd.wait_until_ready()
        skiffd.directory = directory
        skiffd.url = f"http://127.0.0.1:{skiffd.api}"
        skiffd.ctl = Ctl(skiffd.url)
        skiffd.kubectl = Kubectl(skiffd.url, directory / "home")
        yield skiffd


@pytest.fixture
def ctl(mesh) -> Ctl:
    return mesh.ctl


@pytest.fixture
def basic(ctl):
    ctl("apply", "-f", "-", stdin=plugin("basic"))
    yield "wasmplugin/basic"
    ctl("delete", "wasmplugin", "basic", "--ignore-not-found")


def test_a_directory_is_applied_changed_and_deleted(ctl, tmp_path):
    write(tmp_path / "a.yaml", gateway_yaml(8080, "web.example.com"))
    write(tmp_path / "b.yaml", backend_yaml(9000) + "---\n" + route_yaml("one"))
    created = """\
gateway.networking.istio.io/web created
serviceentry.networking.istio.io/backend created
virtualservice.networking.istio.io/web created
"""
    dry = ctl("apply", "-f", str(tmp_path), "--dry-run=server")
    assert dry == created.replace(" created", " created (server dry run)")
    assert ctl("apply", "-f", str(tmp_path)) == created
    assert ctl("apply", "-f", str(tmp_path)) == created.replace("created", "unchanged")
    write(tmp_path / "b.yaml", backend_yaml(9000) + "---\n" + route_yaml("two"))
    assert ctl("apply", "-f", str(tmp_path)).splitlines() == [
        "gateway.networking.istio.io/web unchanged",
        "serviceentry.networking.istio.io/backend unchanged",
        "virtualservice.networking.istio.io/web configured",
    ]
    out = ctl("get", "vs")
    assert re.fullmatch(r"NAME +.* +AGE\nweb +.*\d+s\n", out)
    assert ctl("get", "gw,vs,se", "-o", "name") == """\
gateway.networking.istio.io/web
virtualservice.networking.istio.io/web
serviceentry.networking.istio.io/backend
serviceentry.networking.istio.io/from-file
"""
    assert ctl("delete", "-f", str(tmp_path)) == """\
gateway.networking.istio.io "web" deleted
serviceentry.networking.istio.io "backend" deleted
virtualservice.networking.istio.io "web" deleted
"""
    assert ctl.fails("delete", "-f", str(tmp_path)).splitlines()[0] == (
        'Error from server (NotFound): gateways.networking.istio.io "web" not found')
    assert ctl("delete", "-f", str(tmp_path), "--ignore-not-found") == ""


def test_tables_are_those_of_kubectl(mesh, ctl, tmp_path):
    for namespace in ["default", "other"]:
        ctl("apply", "-n", namespace, "-f", "-", stdin=gateway_yaml(8080).replace(
            "namespace: default", f"namespace: {namespace}"))
    ctl("wait", "--for=condition=Accepted", "gw,se", "--all", "-A")
    for arguments in [
        ["gw"], ["gw", "-A"], ["gw", "-o", "wide"], ["gw", "web"], ["gw/web"], ["gw,se", "-A"],
        ["gateways.v1beta1.networking.istio.io", "-o", "wide", "-A"], ["ns"],
        ["gw", "--no-headers"], ["gw", "-n", "other"], ["gw", "-l", "app=none"],
        ["gw", "-n", "nowhere"], ["crd"], ["gw", "-o", "name"], ["gw,se", "-A", "-o", "json"],
        ["gw", "web", "-o", "json"], ["gw/web", "se/from-file"],
    ]:  # fmt: skip
        theirs = mesh.kubectl.run("get", *arguments)
        ours = ctl.run("get", *arguments)
        if "json" in arguments:
            assert json.loads(ours.stdout) == json.loads(theirs.stdout)
        else:
            # A second may pass between both, and kubectl fills up the last column.
            age = re.compile(r"\b\d+s\b")
            trimmed = [
                [age.sub("AGE", " ".join(line.split())) for line in done.stdout.splitlines()]
                for done in (ours, theirs)
            ]
            assert trimmed[0] == trimmed[1], arguments
        assert (ours.returncode, ours.stderr) == (theirs.returncode, theirs.stderr), arguments
    assert ctl("get", "gw/web", "-o", "yaml").startswith("apiVersion: networking.istio.io/v1\n")
    assert "managedFields" not in ctl("get", "gw/web", "-o", "yaml")
    assert "manager: skiffctl" in ctl("get", "gw/web", "-o", "yaml", "--show-managed-fields")
    ctl("delete", "gw", "--all")
    ctl("delete", "ns", "other")


def test_bad_objects_say_where_and_stop_no_other(ctl, tmp_path):
    write(tmp_path / "a.yaml", "kind: [\n")
    write(tmp_path / "b.yaml", plugin("bad", **{"phase: AUTHN": "phase: LATE\n  sha256: x"}))
    write(tmp_path / "c.yaml", plugin("typo", **{"phase:": "phaze:"}))
    write(tmp_path / "d.yaml", "apiVersion: v1\nkind: Potato\nmetadata: {name: x}\n")
    write(tmp_path / "e.yaml", plugin("good"))
    done = ctl.run("apply", "-f", str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == "wasmplugin.extensions.istio.io/good created\n"
    lines = done.stderr.replace(str(tmp_path), "").splitlines()
    assert lines[0].startswith("error: ") and "/a.yaml:" in lines[0]
    assert lines[1] == 'The WasmPlugin "bad" (/b.yaml:1) is invalid: '
    assert re.fullmatch(r"\* spec\.sha256: Invalid value: .* \(/b\.yaml:11\)", lines[2])
    assert re.fullmatch(r"\* spec\.phase: Invalid value: .* \(/b\.yaml:10\)", lines[3])
    assert lines[4] == (
        'Error from server (BadRequest): error when applying "/c.yaml:1": WasmPlugin in version '
        '"v1alpha1" cannot be handled as a WasmPlugin: strict decoding error: '
        'unknown field "spec.phaze"; did you mean "phase"?')
    assert lines[5:] == ['error: /d.yaml:1: no matches for kind "Potato" in version "v1"']
    ctl("delete", "wasmplugin/good")
    done = ctl.run("apply", "-f", str(tmp_path / "c.yaml"), "--validate=warn")
    assert done.returncode == 0
    assert f"Warning: {tmp_path}/c.yaml:1: unknown field \"spec.phaze\"" in done.stderr
    ctl("delete", "wasmplugin/typo")


def test_the_namespace_of_a_command_is_for_objects_without_one(ctl):
    nameless = plugin("x").replace("  namespace: default\n", "")
    assert ctl("apply", "-n", "apps", "-f", "-", stdin=nameless) == (
        "wasmplugin.extensions.istio.io/x created\n")
    assert ctl("get", "wasmplugin", "-n", "apps", "-o", "name") == (
        "wasmplugin.extensions.istio.io/x\n")
    assert ctl.fails("apply", "-n", "apps", "-f", "-", stdin=plugin("x")) == (
        'error: <stdin>:1: the namespace of the object is "default", that of the command is '
        '"apps"; say --namespace default, or none\n')
    ctl("delete", "ns", "apps")


def test_fields_of_others_are_not_taken_over_unless_forced(mesh, ctl, basic):
    mesh.kubectl("patch", basic, "-p", '{"spec":{"phase":"STATS"}}', "--type=merge")
    error = ctl.fails("apply", "-f", "-", stdin=plugin("basic"))
    assert re.fullmatch(
        r'error: <stdin>:1: Apply failed with 1 conflict: conflict with "kubectl-patch" using '
        r"extensions\.istio\.io/v1alpha1 at \S+: \.spec\.phase\n"
        r"Take these fields out of the file, or take them over with --force-conflicts\.\n",
        error)
    assert ctl("apply", "-f", "-", "--force-conflicts", stdin=plugin("basic")) == (
        "wasmplugin.extensions.istio.io/basic configured\n")


def test_a_secret_is_applied_with_what_it_holds(mesh, ctl):
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n"
    assert ctl("apply", "-f", "-", stdin=secret) == "secret/s created\n"
    assert mesh.kubectl.json("get", "secret", "s")["data"] == {"password": "aHVudGVyMg=="}
    assert ctl("delete", "secret/s") == 'secret "s" deleted\n'


def test_deleting_waits_for_finalizers(mesh, ctl, tmp_path):
    held = plugin("held").replace("  labels:", "  finalizers: [skiff.dev/test]\n  labels:")
    ctl("apply", "-f", "-", stdin=held)
    assert ctl.fails("delete", "wasmplugin/held", "--timeout=100ms") == (
        "error: timed out waiting for the condition on wasmplugins/held: it is still there\n")
    with ctl.start(tmp_path, "wait", "wait", "--for=delete", "wasmplugin/held") as waiting:
        mesh.kubectl(
            "patch", "wasmplugin/held", "--type=json",
            "-p", '[{"op":"remove","path":"/metadata/finalizers"}]')
        assert (waiting.child.wait(timeout=20), waiting.log) == (
            0, "wasmplugin.extensions.istio.io/held deleted\n")
    assert ctl.fails("delete", "wasmplugin/held").startswith("Error from server (NotFound)")
    assert ctl("delete", "wasmplugin/held", "--ignore-not-found") == ""


def test_waiting_for_a_condition_of_this_generation(mesh, ctl, basic, tmp_path):
    def say(status: str, generation: int) -> None:
        condition = {"type": "Tested", "status": status, "reason": "Because", "message": "words"}
        condition |= {"observedGeneration": generation}
        mesh.kubectl(
            "patch", basic, "--subresource=status", "--type=merge",
            "-p", json.dumps({"status": {"conditions": [condition]}}))

    goal = ["--for=condition=Tested", basic]
    assert ctl.fails("wait", *goal, "--timeout=100ms") == (
        "error: timed out waiting for the condition on wasmplugins/basic: "
        "it has no condition Tested of its generation\n")
    say("False", 1)
    assert ctl.fails("wait", *goal, "--timeout=100ms") == (
        "error: timed out waiting for the condition on wasmplugins/basic: "
        "Tested is False, Because: words\n")
    met = "wasmplugin.extensions.istio.io/basic condition met\n"
    assert ctl("wait", "--for=condition=Tested=False", basic) == met
    with ctl.start(tmp_path, "wait", "wait", *goal) as waiting:
        say("True", 1)
        assert (waiting.child.wait(timeout=20), waiting.log) == (0, met)
    # An edit makes what was said of the former generation void.
    mesh.kubectl("patch", basic, "-p", '{"spec":{"phase":"STATS"}}', "--type=merge")
    assert ctl.run("wait", *goal, "--timeout=100ms").returncode == 1
    assert ctl("wait", "--for=create", "wasmplugin", "--all") == met
    assert ctl.fails("wait", "--for=create", "wasmplugin/late", "--timeout=100ms") == (
        "error: timed out waiting for the condition on wasmplugins/late\n")
    assert ctl.fails("wait", "--for=condition=Tested", "wasmplugin/none") == (
        'error: wasmplugins.extensions.istio.io "none" not found\n')
    assert ctl.fails("wait", "--for=delete", "wasmplugin", "-l", "app=none") == (
        "error: no matching resources found\n")


def test_a_watch_goes_on_with_rows(ctl, tmp_path, basic):
    with ctl.start(tmp_path, "watch", "get", "wasmplugin", "-w") as watch:
        watch.wait_for("the first row", lambda: "basic" in watch.log)
        ctl("apply", "-f", "-", stdin=plugin("second"))
        watch.wait_for("a row", lambda: "second" in watch.log)
        ctl("delete", "wasmplugin/second")
        watch.wait_for("another row", lambda: watch.log.count("second") >= 2)
        assert [line.split()[0] for line in watch.log.splitlines()][:2] == ["NAME", "basic"]
    with ctl.start(tmp_path, "names", "get", "wasmplugin/basic", "-w", "-o", "name") as watch:
        watch.wait_for("the name", lambda: watch.log)
        ctl("apply", "-f", "-", stdin=plugin("basic", AUTHN="STATS"))
        watch.wait_for("the name again", lambda: len(watch.log.splitlines()) == 2)
        assert set(watch.log.splitlines()) == {"wasmplugin.extensions.istio.io/basic"}


def test_who_waits_sees_a_restart_through(tmp_path):
    port = free_port()
    flags = ["--api-address", f"127.0.0.1:{port}", "--data-dir", str(tmp_path / "data")]
    ctl, kubectl = Ctl(f"http://127.0.0.1:{port}"), Kubectl(f"http://127.0.0.1:{port}", tmp_path)
    with Skiffd(None, tmp_path, flags=flags):
        ctl("apply", "-f", "-", stdin=plugin("basic") + "---\n" + plugin("gone"))
        goal = ["--for=condition=Tested", "wasmplugin/basic"]
        waiting = ctl.start(tmp_path, "condition", "wait", *goal)
        deleting = ctl.start(tmp_path, "delete", "wait", "--for=delete", "wasmplugin/gone")
        assert ctl.run("wait", *goal, "--timeout=1s").returncode == 1
    with waiting, deleting, Skiffd(None, tmp_path, name="again", flags=flags):
        ctl("delete", "wasmplugin/gone")
        condition = {"type": "Tested", "status": "True", "reason": "Because", "message": ""}
        kubectl(
            "patch", "wasmplugin/basic", "--subresource=status", "--type=merge",
            "-p", json.dumps({"status": {"conditions": [condition]}}))
        assert (waiting.child.wait(timeout=20), waiting.log) == (
            0, "wasmplugin.extensions.istio.io/basic condition met\n")
        assert (deleting.child.wait(timeout=20), deleting.log) == (
            0, "wasmplugin.extensions.istio.io/gone deleted\n")


BAD = {
    "an unknown kind": (
        ["get", "gatewya"],
        'error: the server doesn\'t have a resource type "gatewya"; did you mean "gateway"?\n'),
    "an object that is not there": (
        ["get", "gw", "none"],
        'Error from server (NotFound): gateways.networking.istio.io "none" not found\n'),
    "a name everywhere": (
        ["get", "gw", "web", "-A"],
        "error: a resource cannot be retrieved by name across all namespaces\n"),
    "a selector that is none": (
        ["get", "gw", "-l", "a b"],
        'Error from server (BadRequest): unable to parse requirement: "a b" is no label '
        "selector\n"),
    "an object of a file": (
        ["delete", "se/from-file"],
        'Error from server (Forbidden): serviceentries.networking.istio.io "from-file" is '
        "forbidden: it is read from CONFIG/file.yaml:1; change it there, or remove it from there "
        "first\n"),
    "nothing": (["apply", "-f", "-"], "error: no objects passed to apply\n"),
    "a file that is not there": (
        ["apply", "-f", "/nowhere"], "error: /nowhere: no such file or directory\n"),
}


@pytest.mark.parametrize("case", BAD)
def test_complaints(mesh, ctl, case):
    arguments, words = BAD[case]
    assert ctl.fails(*arguments).replace(str(mesh.directory / "config"), "CONFIG") == words


@pytest.mark.parametrize("arguments", [
    ["get"], ["delete"], ["delete", "gw"], ["delete", "gw", "--all", "-l", "a=b"],
    ["wait", "gw/web"], ["wait", "--for=ready", "gw/web"], ["apply"],
    ["get", "gw", "--token", "a", "--token-file", "b"],
])  # fmt: skip
def test_wrong_usage(ctl, arguments):
    assert ctl.run(*arguments).returncode == 64


def test_servers_that_are_none(mesh):
    assert Ctl("http://127.0.0.1:1").fails("get", "gw") == (
        "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or "
        "port?\n")
    assert Ctl("http://no.such.host.invalid:80").fails("get", "gw") == (
        "Unable to connect to the server: no.such.host.invalid:80: no such host\n")
    assert Ctl(f"http://127.0.0.1:{mesh.http}").fails("get", "gw") == (
        f"error: http://127.0.0.1:{mesh.http} answers 404 and is no Kubernetes API; it is what "
        "skiffd serves on --api-address\n")
    assert Ctl("ftp://x").fails("get", "gw") == (
        'error: --server: expected http://HOST:PORT or https://HOST:PORT, found "ftp://x"\n')
    assert Ctl(f"https://127.0.0.1:{mesh.api}").fails("get", "gw") == (
        f"Unable to connect to the server: 127.0.0.1:{mesh.api}: the TLS handshake failed; does "
        "it speak TLS?\n")


def test_tls_and_tokens(tmp_path):
    ca, stranger = PrivateCA(tmp_path / "ca"), PrivateCA(tmp_path / "stranger")
    certificate = ca.issue()
    elsewhere = ca.issue("elsewhere", hosts="DNS:elsewhere.example.com")
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text(TOKEN + "\n")
    bad.write_text("wrong-horse-battery-staple\n")
    flags = ["--api-address", "127.0.0.1:0", "--api-token-file", str(good)]
    tls = ["--api-tls-cert", str(certificate.certificate), "--api-tls-key", str(certificate.key)]
    with Skiffd(None, tmp_path, flags=[*flags, *tls]) as skiffd:
        url = f"https://127.0.0.1:{skiffd.api}"
        trusted = ["--certificate-authority", str(ca.bundle)]
        assert Ctl(url, *trusted, "--token-file", str(good))("get", "ns", "-o", "name") == ""
        assert Ctl(url, *trusted, "--token", TOKEN)("get", "ns", "-o", "name") == ""
        refused = "error: You must be logged in to the server (Unauthorized); see --token-file\n"
        assert Ctl(url, *trusted).fails("get", "ns") == refused
        assert Ctl(url, *trusted, "--token-file", str(bad)).fails("get", "ns") == refused
        untrusted = (
            f"Unable to connect to the server: 127.0.0.1:{skiffd.api}: the server's certificate "
            "is not trusted; see --certificate-authority\n")
        assert Ctl(url).fails("get", "ns") == untrusted
        assert Ctl(url, "--certificate-authority", str(stranger.bundle)).fails(
            "get", "ns") == untrusted
        assert Ctl(url, "--certificate-authority", str(good)).fails("get", "ns") == (
            f"error: --certificate-authority: {good} holds no PEM certificates\n")
        plain = Ctl(f"http://127.0.0.1:{skiffd.api}").fails("get", "ns")
        assert plain.startswith("Unable to connect to the server: ")
    tls = ["--api-tls-cert", str(elsewhere.certificate), "--api-tls-key", str(elsewhere.key)]
    with Skiffd(None, tmp_path, name="elsewhere", flags=[*flags, *tls]) as skiffd:
        assert Ctl(f"https://127.0.0.1:{skiffd.api}", *trusted).fails("get", "ns") == (
            f"Unable to connect to the server: 127.0.0.1:{skiffd.api}: the server's certificate "
            "is for other names\n")
