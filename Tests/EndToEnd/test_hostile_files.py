# SPDX-License-Identifier: Apache-2.0
"""What must not hurt: huge, hostile and broken files; each is told, and changes nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from skiff_e2e.ads import ROUTE
from skiff_e2e.gateway import backend_yaml, route_yaml
from skiff_e2e.skiffd import skiffctl, write
from skiff_e2e.survival import added, assert_alive, problems_of, small_mesh

MIB = 1 << 20


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    with small_mesh(tmp_path_factory.mktemp("mesh")) as mesh:
        yield mesh


def test_a_file_of_100_megabytes_is_refused_before_it_is_read(mesh):
    before = mesh.skiffd.peak_rss_kib
    line = b"# " + b"x" * 1021 + b"\n"
    (problem,) = added(mesh, "huge.yaml", line * (100 * 1024))
    assert (problem["severity"], problem["code"]) == ("error", "unavailable")
    assert problem["reason"] == (
        f"{mesh.config}/huge.yaml: the file has {100 * MIB} bytes, more than the limit of "
        f"{16 * MIB}; split it"
    )
    assert mesh.skiffd.peak_rss_kib - before < 16 << 10


def test_an_alias_bomb_is_refused_before_it_grows(mesh):
    before = mesh.skiffd.peak_rss_kib
    layers = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for inner, outer in zip("abcdefghijklm", "bcdefghijklmn"):
        layers.append(f"{outer}: &{outer} [{', '.join([f'*{inner}'] * 9)}]")
    (problem,) = added(mesh, "bomb.yaml", "\n".join(layers) + "\n")
    assert problem["code"] == "invalid"
    assert "values once its aliases are expanded" in problem["reason"]
    assert mesh.skiffd.peak_rss_kib - before < 64 << 10


def test_an_alias_bomb_inside_of_an_object_is_refused_too(mesh):
    text = route_yaml("bomb").replace("name: web", "name: bomb")
    bomb = "".join(
        f"  {outer}: &{outer} [{', '.join([f'*{inner}'] * 9)}]\n"
        for inner, outer in zip("abcdefghijklm", "bcdefghijklmn")
    )
    (problem,) = added(mesh, "bomb.yaml", text + "  a: &a [x]\n" + bomb)
    assert "values once its aliases are expanded" in problem["reason"]


@pytest.mark.parametrize("name", ["deep.yaml", "deep.json"])
@pytest.mark.parametrize("levels", [200, 100_000])
def test_deep_nesting_is_refused(mesh, name, levels):
    (problem,) = added(mesh, name, "[" * levels + "]" * levels)
    assert (problem["code"], problem["reason"]) == ("invalid", "nested deeper than 100 levels")


BROKEN = {
    "all byte values": (bytes(range(256)) * 100, "the text is not UTF-8; save the file as UTF-8"),
    "zeros": (bytes(1000), "control characters"),
    "latin-1": ("kind: é\n".encode("latin-1"), "the text is not UTF-8; save the file as UTF-8"),
    "a number": (b"3\n", "expected a Kubernetes object with apiVersion, kind and metadata, found 3"),
    "a list": (b"- a\n", "expected a Kubernetes object with apiVersion, kind and metadata, found a"),
    "tabs": (b"kind:\n\tVirtualService\n", "tab"),
    "an anchor that refers to itself": (b"a: &a [*a]\n", "an anchor that is not written before it"),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_no_manifest_is_told(mesh, text, words):
    (problem,) = added(mesh, "broken.yaml", text)
    assert words in problem["reason"]
    assert problem["severity"] == "error"
    assert (Path(problem["file"]).name, problem["line"] >= 1) == ("broken.yaml", True)


HEAD = "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
GATEWAY = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata:\n  name: typed\nspec:\n"
WRONG_TYPES = {
    "spec": (f"{HEAD}metadata:\n  name: typed\nspec: 3\n", "spec", "expected an object, found 3"),
    "metadata": (f"{HEAD}metadata: []\nspec: {{}}\n", "metadata", "expected an object"),
    "name": (f"{HEAD}metadata:\n  name: [1]\n", "metadata.name", "expected a string"),
    "a missing name": (f"{HEAD}spec: {{}}\n", "metadata.name", "is required"),
    "labels": (f"{HEAD}metadata:\n  name: typed\n  labels: 7\n", "metadata.labels", "found 7"),
    "hosts": (
        f"{HEAD}metadata:\n  name: typed\nspec:\n  hosts: a.b\n",
        "spec.hosts",
        'expected a list, found "a.b"',
    ),
    "a host": (
        f"{HEAD}metadata:\n  name: typed\nspec:\n  hosts: [1]\n",
        "spec.hosts[0]",
        "expected a string, found a number; put it in quotes",
    ),
    "http": (
        f"{HEAD}metadata:\n  name: typed\nspec:\n  hosts: [a.b]\n  http: {{}}\n",
        "spec.http",
        "expected a list, found an object",
    ),
    "a weight": (
        f"{HEAD}metadata:\n  name: typed\nspec:\n  hosts: [a.b]\n"
        "  http:\n  - route:\n    - destination:\n        host: a.b\n      weight: much\n",
        "spec.http[0].route[0].weight",
        "expected an integer",
    ),
    "servers": (f"{GATEWAY}  servers: 3\n", "spec.servers", "expected a list, found 3"),
    "a server": (f"{GATEWAY}  servers: [null]\n", "spec.servers[0]", "expected an object"),
    "a port": (
        f"{GATEWAY}  servers:\n  - hosts: ['*']\n    port:\n      number: -1\n      name: a\n"
        "      protocol: HTTP\n",
        "spec.servers[0].port.number",
        "expected an integer from 1 to 65535, found -1",
    ),
    "a kind": ("apiVersion: v1\nkind: 7\n", "kind", "expected a string"),
    "items": ("apiVersion: v1\nkind: List\nitems: 3\n", "items", "expected a list, found 3"),
    "an item": (
        "apiVersion: v1\nkind: List\nitems: [1]\n",
        "",
        "expected a Kubernetes object with apiVersion, kind and metadata, found 1",
    ),
}


@pytest.mark.parametrize(("text", "field", "words"), WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_a_wrong_type_is_told_with_its_field_and_line(mesh, text, field, words):
    # Other fields may be missing as well; of this one there is one thing to say.
    (problem,) = [
        problem for problem in added(mesh, "typed.yaml", text) if problem["field"] == field
    ]
    assert words in problem["reason"]
    assert problem["severity"] == "error"
    assert Path(problem["file"]).name == "typed.yaml"
    assert 1 <= problem["line"] <= text.count("\n")


def test_empty_files_and_comments_are_no_problem(mesh):
    for number, text in enumerate(["", "\n\n", "# nothing yet\n", "---\n---\n", "\ufeff"]):
        write(mesh.config / f"empty-{number}.yaml", text)
    assert_alive(mesh)
    assert mesh.skiffd.get("/debug/problemsz") == []
    for path in mesh.config.glob("empty-*"):
        path.unlink()


def test_a_good_neighbour_in_a_bad_file_is_taken(mesh):
    good = backend_yaml(9007, "neighbour")
    bad = f"{HEAD}metadata:\n  name: bad\nspec: 3\n"
    unreadable = "kind: [\n"
    write(mesh.config / "mixed.yaml", "---\n".join([bad, good, unreadable]))
    skiffd = mesh.skiffd
    skiffd.wait_for(
        "the neighbour", lambda: "neighbour.internal" in str(skiffd.get("/debug/registryz"))
    )
    assert sorted(problem["reason"] for problem in problems_of(skiffd, "mixed.yaml")) == [
        "expected a value; add it, or close the list or object before it",
        "expected an object, found 3",
    ]
    (mesh.config / "mixed.yaml").unlink()
    skiffd.wait_for("all clear", lambda: not problems_of(skiffd, "mixed.yaml"))


def test_a_file_that_is_written_in_two_halves_counts_when_it_is_whole(mesh):
    path = mesh.config / "route.yaml"
    text = route_yaml("halves")
    cut = text.index("http:") + 3
    path.write_text(text[:cut])
    skiffd = mesh.skiffd
    skiffd.wait_for("a problem", lambda: problems_of(skiffd, "route.yaml"))
    with path.open("a") as file:
        file.write(text[cut:])
    response = mesh.client.receive(ROUTE)
    # The first version of the route that is pushed is the whole one: the half never was in force.
    assert b"halves" in response.resources[0].value
    mesh.client.ack(response, ["http.8080"])
    skiffd.wait_for("all clear", lambda: not problems_of(skiffd, "route.yaml"))
    assert_alive(mesh)


def test_an_object_in_two_files_is_a_conflict_that_names_both(mesh):
    write(mesh.config / "second.yaml", backend_yaml(9999))
    skiffd = mesh.skiffd
    (problem,) = skiffd.wait_for("a conflict", lambda: problems_of(skiffd, "second.yaml"))
    assert problem["code"] == "conflict"
    assert (problem["kind"], problem["name"]) == ("ServiceEntry", "backend")
    assert Path(problem["file"]).name == "second.yaml"
    assert f"{mesh.config}/backend.yaml:1" in problem["reason"]
    assert "9999" not in str(skiffd.get("/debug/registryz"))
    assert_alive(mesh)
    # Without the first, the second counts.
    (mesh.config / "backend.yaml").unlink()
    skiffd.wait_for("the second", lambda: "9999" in str(skiffd.get("/debug/registryz")))
    skiffd.wait_for("all clear", lambda: not skiffd.get("/debug/problemsz"))
    (mesh.config / "second.yaml").rename(mesh.config / "backend.yaml")
    write(mesh.config / "backend.yaml", backend_yaml(9000))
    skiffd.wait_for("the first again", lambda: "9000" in str(skiffd.get("/debug/registryz")))
    assert_alive(mesh)


def test_unusual_names_in_the_directory_are_left_alone(mesh):
    (mesh.config / "loop").symlink_to(mesh.config)
    (mesh.config / "nowhere.yaml").symlink_to("/nonexistent.yaml")
    os.mkfifo(mesh.config / "pipe.yaml")
    (mesh.config / "folder.yaml").mkdir()
    write(mesh.config / "notes.txt", "kind: [")
    write(mesh.config / "route.yaml~", "kind: [")
    assert_alive(mesh)
    assert mesh.skiffd.get("/debug/problemsz") == []
    for name in ("loop", "nowhere.yaml", "pipe.yaml", "notes.txt", "route.yaml~"):
        (mesh.config / name).unlink()
    (mesh.config / "folder.yaml").rmdir()


def test_skiffctl_says_the_same_of_a_huge_file(tmp_path):
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(100 * MIB)
    result = skiffctl("validate", "-f", str(path))
    assert result.returncode == 1
    assert f"the file has {100 * MIB} bytes, more than the limit of {16 * MIB}" in result.stdout
