# SPDX-License-Identifier: Apache-2.0
"""Who may use the control API, and what never leaves it."""

from __future__ import annotations

import subprocess

import pytest

from skiff_e2e.http import request
from skiff_e2e.kubectl import Kubectl
from skiff_e2e.private_ca import PrivateCA
from skiff_e2e.skiffd import Skiffd, program

TOKEN = "correct-horse-battery-staple"
FREE = ["--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0"]
FREE += ["--monitoring-address", "127.0.0.1:0"]

UNUSABLE = {
    "open to all without anything": (
        ["--api-address", "0.0.0.0:0"],
        "use a loopback address, or give --api-tls-cert, --api-tls-key and --api-token-file",
    ),
    "open to all without a token": (
        ["--api-address", "0.0.0.0:0", "--api-tls-cert", "c", "--api-tls-key", "k"],
        "--api-token-file",
    ),
    "open to all in plaintext": (
        ["--api-address", "[::]:0", "--api-token-file", "t"],
        "--api-tls-cert",
    ),
    "a certificate without a key": (
        ["--api-address", "127.0.0.1:0", "--api-tls-cert", "c"],
        "--api-tls-cert and --api-tls-key belong together",
    ),
    "a store without an API": (
        ["--config-dir", ".", "--data-dir", "d"],
        "--data-dir is for the control API: say --api-address too",
    ),
    "neither files nor API": ([], "--config-dir is missing"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_flags_that_are_refused(case):
    flags, words = UNUSABLE[case]
    done = subprocess.run(
        [program("skiffd"), *FREE, *flags], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 64
    assert words in done.stderr


@pytest.mark.parametrize("text", ["", "# nothing\n", "short\n"])
def test_a_file_without_a_good_token_is_refused(tmp_path, text):
    tokens = tmp_path / "tokens"
    tokens.write_text(text)
    done = subprocess.run(
        [program("skiffd"), *FREE, "--api-address", "127.0.0.1:0", "--api-token-file", tokens],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode not in (0, 64)
    assert "token" in done.stderr


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """skiffd with TLS and a token, and how to reach it."""
    directory = tmp_path_factory.mktemp("guarded")
    (directory / "tokens").write_text(f"# for the tests\n{TOKEN}\n")
    authority = PrivateCA(directory / "ca")
    server = authority.issue()
    flags = ["--api-address", "0.0.0.0:0", "--api-token-file", str(directory / "tokens")]
    flags += ["--api-tls-cert", str(server.certificate), "--api-tls-key", str(server.key)]
    flags += ["--log-level", "trace"]
    with Skiffd(None, directory, flags=flags) as skiffd:
        skiffd.wait_until_ready()

        def client(token: str, *, bundle=authority.bundle) -> Kubectl:
            trust = ["--certificate-authority", str(bundle)] if bundle else []
            url = f"https://127.0.0.1:{skiffd.api}"
            return Kubectl(url, directory / "home", "--token", token, *trust)

        skiffd.client = client
        yield skiffd


def test_a_token_opens_the_door_and_nothing_else_does(guarded):
    kubectl = guarded.client(TOKEN)
    kubectl("create", "namespace", "guarded")
    assert "guarded" in kubectl("get", "ns")
    wrong = guarded.client("wrong-horse-battery-staple")
    assert "Unauthorized" in wrong.fails("get", "ns")
    assert "certificate" in guarded.client(TOKEN, bundle=None).fails("get", "ns")
    assert TOKEN not in guarded.log


def test_a_secret_is_on_no_page_and_in_no_log(guarded):
    kubectl = guarded.client(TOKEN)
    secret = """\
apiVersion: v1
kind: Secret
metadata: {name: password, namespace: default}
stringData: {password: hunter2hunter2}
"""
    kubectl("apply", "-f", "-", stdin=secret)
    encoded = "aHVudGVyMmh1bnRlcjI="
    assert kubectl.json("get", "secret", "password")["data"]["password"] == encoded
    guarded.wait_for("the object", lambda: "password" in str(guarded.get("/debug/configz")))
    for page in guarded.get("/debug/list"):
        body = request(guarded.http, f"/debug/{page}").body
        assert "hunter2" not in body and encoded not in body, page
    broken = secret.replace("name: password", "name: Pass_Word")
    kubectl.fails("apply", "-f", "-", stdin=broken)
    assert "hunter2" not in guarded.log and encoded not in guarded.log
    assert "hunter2" not in kubectl("get", "events", "-A", "-o", "yaml")
