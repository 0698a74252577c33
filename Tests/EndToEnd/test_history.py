# SPDX-License-Identifier: Apache-2.0
"""The history of objects: who, when, what changed, what happened; and the way back."""

from __future__ import annotations

import json
import re
import sqlite3

import pytest
from skiff_e2e.kubectl import Kubectl
from skiff_e2e.skiffd import Skiffd, write
from test_api_durability import start
from test_kubectl import plugin
from test_skiffctl_api import Ctl

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
KILLS = 20


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    directory = tmp_path_factory.mktemp("history")
    write(directory / "config/file.yaml", plugin("from-file"))
    flags = ["--api-address", "127.0.0.1:0", "--data-dir", str(directory / "data")]
    with Skiffd(directory / "config", directory, flags=flags) as skiffd:
        skiffd.wait_until_ready()
        skiffd.directory = directory
        url = f"http://127.0.0.1:{skiffd.api}"
        skiffd.ctl, skiffd.kubectl = Ctl(url), Kubectl(url, directory / "home")
        yield skiffd


def rows(text: str) -> list[list[str]]:
    """The cells of a history, without the times."""
    # No proxy is connected here, and whether that is known yet is a matter of time.
    text = text.replace("on no proxy", "unknown")
    lines = [re.split(r" {3,}", line) for line in text.splitlines()]
    assert lines[0] == ["REVISION", "WHEN", "WHO", "CHANGE", "RESULT"]
    assert all(re.fullmatch(TIME, line[1]) for line in lines[1:])
    return [[line[0], *line[2:]] for line in lines[1:]]


def authored(ctl: Ctl, name: str) -> tuple:
    """What is not measured of a plugin."""
    live = json.loads(ctl("get", f"wasmplugin/{name}", "-o", "json"))
    return live["metadata"]["generation"], live["metadata"]["labels"], live["spec"]


def test_a_history_says_who_what_and_what_happened(mesh):
    ctl, kubectl = mesh.ctl, mesh.kubectl
    ctl("apply", "-f", "-", stdin=plugin("told"))
    kubectl("label", "wasmplugin/told", "team=red")
    kubectl("patch", "wasmplugin/told", "--type=merge", "-p", '{"spec":{"phase":"STATS"}}')
    out = ctl("apply", "-f", "-", "--force-conflicts", "--field-manager=ci",
              stdin=plugin("told").replace("AUTHN", "AUTHZ\n  priority: 7"))
    assert out == "wasmplugin.extensions.istio.io/told configured\n"
    assert rows(ctl("history", "wasmplugin/told")) == [
        ["1", "skiffctl", "created", "unknown"],
        ["2", "kubectl-patch", "spec.phase: AUTHN -> STATS", "unknown"],
        ["3", "ci (skiffctl)", "spec.phase: STATS -> AUTHZ, +1 more", "unknown"],
    ]  # fmt: skip
    assert ctl("history", "wasmplugin/told", "--diff", "1..3") == """\
spec.phase: AUTHN -> AUTHZ
spec.priority: added 7
"""
    assert ctl("history", "wasmplugin/told", "--diff", "2") == """\
spec.phase: STATS -> AUTHZ
spec.priority: added 7
"""
    whole = json.loads(ctl("history", "wasmplugin/told", "--revision", "2", "-o", "json"))
    assert whole["data"]["spec"]["phase"] == "STATS"
    listed = json.loads(ctl("history", "wasmplugin/told", "-o", "json"))
    assert [item["revision"] for item in listed["items"]] == [1, 2, 3]
    assert listed["items"][1] == whole

    # kubectl sees the same.
    theirs = kubectl.json("get", "controllerrevision", "wasmplugin-told-2")
    assert theirs == whole
    out = kubectl("get", "controllerrevisions", "-l", "skiff.dev/name=told")
    table = [re.split(r" {3,}", line) for line in out.splitlines()]
    assert table[0] == ["NAME", "CONTROLLER", "REVISION", "WHO", "RESULT", "AGE"]
    assert [line[:4] for line in table[1:]] == [
        ["wasmplugin-told-1", "wasmplugin.extensions.istio.io/told", "1", "skiffctl"],
        ["wasmplugin-told-2", "wasmplugin.extensions.istio.io/told", "2", "kubectl-patch"],
        ["wasmplugin-told-3", "wasmplugin.extensions.istio.io/told", "3", "ci"],
    ]
    assert "skiff.dev/field-manager: kubectl-patch" in kubectl(
        "describe", "controllerrevision", "wasmplugin-told-2")
    path = "jsonpath={.data.spec.phase}"
    assert kubectl("get", "controllerrevision", "wasmplugin-told-1", "-o", path) == "AUTHN"
    assert "controllerrevisions" in kubectl("api-resources", "--api-group=apps", "-o", "name")
    assert "(MethodNotAllowed)" in kubectl.fails("delete", "controllerrevision", "wasmplugin-told-1")

    # Back to what worked, labels and all; then kubectl and skiffctl go on from there.
    kubectl("label", "wasmplugin/told", "team=blue", "--overwrite")
    dry = ctl("rollback", "wasmplugin/told", "--to", "1", "--dry-run", "server")
    done = ctl("rollback", "wasmplugin/told", "--to", "1")
    assert done == """\
wasmplugin.extensions.istio.io/told rolled back to revision 1
  metadata.labels.team: blue -> red
  spec.phase: AUTHZ -> AUTHN
  spec.priority: removed 7
"""
    assert dry == done.replace("revision 1\n", "revision 1 (server dry run)\n")
    live = kubectl.json("get", "wasmplugin", "told")
    assert live["metadata"]["labels"] == {"app": "tests", "team": "red"}
    assert (live["metadata"]["generation"], live["spec"]["phase"]) == (4, "AUTHN")
    assert rows(ctl("history", "wasmplugin/told"))[3] == [
        "4", "skiffctl", "as revision 1, spec.phase: AUTHZ -> AUTHN, +1 more", "unknown"]
    assert ctl("rollback", "wasmplugin/told", "--to", "1") == (
        "wasmplugin.extensions.istio.io/told skipped rollback, it is as in revision 1\n")
    # Without a number it is the former one, there and back.
    assert "rolled back to revision 3\n" in ctl("rollback", "wasmplugin/told")
    assert "rolled back to revision 4\n" in ctl("rollback", "wasmplugin/told")
    # A rollback by skiffctl is no other manager to skiffctl.
    assert ctl("apply", "-f", "-", stdin=plugin("told").replace("AUTHN", "STATS")) == (
        "wasmplugin.extensions.istio.io/told configured\n")


def test_kubectl_goes_on_after_a_rollback(mesh):
    ctl, kubectl = mesh.ctl, mesh.kubectl
    for phase in ["AUTHN", "STATS"]:
        kubectl("apply", "-f", "-", stdin=plugin("shared").replace("AUTHN", phase))
    ctl("rollback", "wasmplugin/shared")
    out = kubectl("apply", "-f", "-", stdin=plugin("shared").replace("AUTHN", "AUTHZ"))
    assert out == "wasmplugin.extensions.istio.io/shared configured\n"
    assert [row[1] for row in rows(ctl("history", "wasmplugin/shared"))] == [
        "kubectl-client-side-apply", "kubectl-client-side-apply", "skiffctl",
        "kubectl-client-side-apply",
    ]  # fmt: skip


def test_what_was_deleted_comes_back(mesh):
    ctl, kubectl = mesh.ctl, mesh.kubectl
    ctl("apply", "-f", "-", stdin=plugin("gone"))
    kubectl("delete", "wasmplugin/gone")
    assert rows(ctl("history", "wasmplugin/gone")) == [
        ["1", "skiffctl", "created", "unknown"], ["2", "kubectl", "deleted", "deleted"]]
    assert ctl.fails("rollback", "wasmplugin/gone", "--to", "2") == (
        "error: revision 2 of wasmplugin.extensions.istio.io/gone is its deletion; "
        "see skiffctl delete\n")
    assert ctl("rollback", "wasmplugin/gone") == (
        "wasmplugin.extensions.istio.io/gone rolled back to revision 1\n")
    assert kubectl.json("get", "wasmplugin", "gone")["metadata"]["labels"] == {"app": "tests"}
    assert rows(ctl("history", "wasmplugin/gone"))[2] == [
        "3", "skiffctl", "created, as revision 1", "unknown"]


def test_what_cannot_be_rolled_back_says_why(mesh):
    ctl, kubectl = mesh.ctl, mesh.kubectl
    assert rows(ctl("history", "wasmplugin/from-file")) == [["1", "file", "created", "unknown"]]
    write(mesh.directory / "config/file.yaml", plugin("from-file", AUTHN="STATS"))
    mesh.wait_for(
        "the edit", lambda: len(rows(ctl("history", "wasmplugin/from-file"))) == 2)
    assert re.fullmatch(
        r'Error from server \(Forbidden\): wasmplugins\.extensions\.istio\.io "from-file" is '
        r"forbidden: it is read from \S+/file\.yaml:1; change it there, or remove it from there "
        r"first\n", ctl.fails("rollback", "wasmplugin/from-file"))
    assert ctl.fails("history", "wasmplugin/none") == (
        'Error from server (NotFound): wasmplugins.extensions.istio.io "none" not found\n')
    ctl("apply", "-f", "-", stdin=plugin("once"))
    assert ctl.fails("rollback", "wasmplugin/once") == (
        "error: wasmplugin.extensions.istio.io/once has no former revision\n")
    assert ctl.fails("rollback", "wasmplugin/once", "--to", "9") == (
        "error: wasmplugin.extensions.istio.io/once has no revision 9; there are 1\n")
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n"
    ctl("apply", "-f", "-", stdin=secret)
    ctl("apply", "-f", "-", stdin=secret.replace("hunter2", "hunter3"))
    assert ctl.fails("history", "secret/s") == (
        "error: secret/s has no history; it begins with the next change of what is kept "
        "(Istio's kinds, Service, ConfigMap)\n")
    assert kubectl("get", "controllerrevisions", "-A", "-o", "name").count("secret") == 0
    for arguments in [["history", "wasmplugin"], ["rollback", "wasmplugin/a/b"],
                      ["history", "wasmplugin/a", "--diff", "x"]]:  # fmt: skip
        assert ctl.run(*arguments).returncode == 64


def test_a_state_that_is_refused_today_changes_nothing(mesh, tmp_path):
    ctl = mesh.ctl
    ctl("apply", "-f", "-", stdin=plugin("strict"))
    ctl("apply", "-f", "-", stdin=plugin("strict", AUTHN="STATS"))
    # A database that an earlier version wrote, whose rules were others.
    mesh.stop()
    with sqlite3.connect(mesh.directory / "data/skiff.sqlite") as db:
        db.execute(
            "UPDATE history SET json = replace(json, 'AUTHN', 'LATE') "
            "WHERE name = 'strict' AND number = 1")
    db.close()
    flags = ["--api-address", "127.0.0.1:0", "--data-dir", str(mesh.directory / "data")]
    with Skiffd(mesh.directory / "config", tmp_path, flags=flags) as again:
        again.wait_until_ready()
        ctl = Ctl(f"http://127.0.0.1:{again.api}")
        before = authored(ctl, "strict")
        lines = ctl.fails("rollback", "wasmplugin/strict").splitlines()
        assert lines[0] == (
            "error: revision 1 is refused by today's validation; nothing was changed")
        assert lines[1].startswith('The WasmPlugin "strict" is invalid: spec.phase: Invalid value:')
        assert authored(ctl, "strict") == before
        assert len(rows(ctl("history", "wasmplugin/strict"))) == 2


def test_kills_between_writes_leave_a_history_that_agrees(tmp_path):
    """What is the newest revision is the object; numbers have no gaps; no answered edit is missing."""
    answered = 0
    for generation in range(KILLS):
        skiffd = start(tmp_path, generation)
        ctl = Ctl(f"http://127.0.0.1:{skiffd.api}")
        for _ in range(3):
            answered += 1
            ctl("apply", "-f", "-", stdin=plugin("edited").replace(
                "AUTHN", f"AUTHN\n  priority: {answered}"))
        # One more may be in the middle of it.
        last = ctl.start(tmp_path, "last", "apply", "-f", str(write_last(tmp_path, generation)))
        skiffd.child.kill()
        skiffd.child.wait()
        last.child.wait()
    with start(tmp_path, KILLS) as skiffd:
        ctl = Ctl(f"http://127.0.0.1:{skiffd.api}")
        items = json.loads(ctl("history", "wasmplugin/edited", "-o", "json"))["items"]
        assert len(items) == 20
        numbers = [item["revision"] for item in items]
        assert numbers == list(range(numbers[0], numbers[0] + 20))
        newest = items[-1]["data"]
        live = authored(ctl, "edited")
        assert (newest["metadata"]["generation"], newest["spec"]) == (live[0], live[2])
        generations = [item["data"]["metadata"]["generation"] for item in items]
        assert generations == numbers
        priorities = [item["data"]["spec"]["priority"] for item in items]
        edits = [priority for priority in priorities if priority < 1000]
        assert edits == list(range(answered - len(edits) + 1, answered + 1))
        assert [p for p in priorities if p >= 1000] == sorted(p for p in priorities if p >= 1000)


def write_last(directory, generation: int):
    path = directory / "last.yaml"
    write(path, plugin("edited").replace("AUTHN", f"AUTHN\n  priority: {1000 + generation}"))
    return path
