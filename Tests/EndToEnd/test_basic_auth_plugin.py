# SPDX-License-Identifier: Apache-2.0
"""The basic-auth plugin in a real Envoy: who is asked for a password, and who gets in."""

import base64
import http.client
import json
import re
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from skiff_e2e.bootstrap import direct_response, listener, static_bootstrap, wasm_filter
from skiff_e2e.envoy import Envoy
from skiff_e2e.http import Response, request

# As the walk-through has it.
SEED = """
{
  "basic_auth_rules": [
    {
      "prefix": "/productpage",
      "request_methods":[ "GET", "POST" ],
      "credentials":[ "ok:test", "YWRtaW4zOmFkbWluMw==" ]
    }
  ]
}
"""
UPSTREAM = direct_response("from upstream\n")
PASSED = Response(
    200,
    {"content-length": "14", "content-type": "text/plain", "server": "envoy"},
    "from upstream\n",
)
MISSING = "no user name and password were sent"
OTHER_SCHEME = "the Authorization header is not of the scheme Basic"
MALFORMED = "the credentials are not Base64 of user:password"
WRONG = "the user name or the password is wrong"


def denied(reason: str, realm: str = '"istio"') -> Response:
    body = f"Access denied: {reason}.\n"
    headers = {
        "www-authenticate": f"Basic realm={realm}",
        "content-length": str(len(body)),
        "content-type": "text/plain",
        "server": "envoy",
    }
    return Response(401, headers, body)


def basic(credentials: str | bytes) -> dict[str, str]:
    """The Authorization header of `user:password`."""
    raw = credentials.encode() if isinstance(credentials, str) else credentials
    return {"authorization": f"Basic {base64.b64encode(raw).decode()}"}


def rule(**fields) -> dict:
    return {"request_methods": ["GET"], "credentials": ["ok:test"]} | fields


def bootstrap(module: Path, configurations: dict[str, str | None], **options) -> dict:
    """A listener for every configuration."""
    listeners = []
    for name, configuration in configurations.items():
        filter = wasm_filter(module, configuration, **options)
        filter["typed_config"]["config"]["name"] = name
        listeners.append(listener(name, [filter], [UPSTREAM]))
    return static_bootstrap(listeners)


RULES = {
    "seed": json.loads(SEED),
    "realm": {"realm": 'the "deep" \\ sea', "basic_auth_rules": [rule(prefix="/")]},
    "exact": {"basic_auth_rules": [rule(exact="/admin")]},
    "suffix": {"basic_auth_rules": [rule(suffix=".php")]},
    "folder": {"basic_auth_rules": [rule(prefix="/admin/")]},
    "escaped": {"basic_auth_rules": [rule(prefix="/a%20b")]},
    "dotted": {"basic_auth_rules": [rule(prefix="/.git")]},
    "hosts": {
        "basic_auth_rules": [
            rule(prefix="/", hosts=["shop.example.com", "*.internal", "admin-*"]),
            rule(prefix="/v6", hosts=["[::1]"]),
        ]
    },
    "several": {
        "basic_auth_rules": [
            rule(prefix="/", credentials=["guest:guest", "root:toor"]),
            rule(prefix="/admin", credentials=["root:toor", "only:admin"]),
        ]
    },
    "odd": {
        "basic_auth_rules": [
            rule(prefix="/", credentials=["a:b:c", "empty:", ":nameless", "snow:☃", "b2s6eA"]),
        ]
    },
    "methods": {"basic_auth_rules": [rule(prefix="/", request_methods=["get", "DELETE"])]},
}


@pytest.fixture(scope="module")
def envoy(wasm_modules, tmp_path_factory):
    """One Envoy with a listener for every entry of RULES."""
    texts = {name: json.dumps(rules) for name, rules in RULES.items()} | {"seed": SEED}
    with ExitStack() as running:
        folder = tmp_path_factory.mktemp("basic-auth")
        configuration = bootstrap(wasm_modules["basic-auth"], texts)
        yield running.enter_context(Envoy(configuration, folder)).wait_until_ready()


@pytest.fixture(scope="module")
def ask(envoy):
    """Sends a request to the listener of a name."""
    ports = {name: envoy.port(name) for name in RULES}
    return lambda name, path="/", **options: request(ports[name], path, **options)


def status(port: int, *lines: str) -> int:
    """The status of a request that no client library would send."""
    text = "\r\n".join([*lines, "connection: close", "", ""])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(text.encode("latin-1"))
        return int(connection.recv(65536).split(b" ", 2)[1])


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_credentials_the_answer_is_401_with_the_reason(ask, method):
    assert ask("seed", "/productpage", method=method) == denied(MISSING)


@pytest.mark.parametrize("credentials", ["ok:test", "admin3:admin3"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_right_credentials_pass_in_whichever_notation_they_are_listed(ask, credentials, method):
    assert ask("seed", "/productpage", method=method, headers=basic(credentials)) == PASSED


@pytest.mark.parametrize(
    "credentials",
    ["ok:wrong", "ok:tes", "ok:testt", "ok:", ":", "ok:TEST", "OK:test", "admin3:test", "k:test"]
    + ["ok:test" * 2, "\0k:test", "YWRtaW4zOmFkbWluMw==:"],
)
def test_wrong_credentials_are_refused(ask, credentials):
    assert ask("seed", "/productpage", headers=basic(credentials)) == denied(WRONG)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
def test_methods_that_no_rule_lists_pass(ask, method):
    assert ask("seed", "/productpage", method=method).status == 200


def test_methods_are_compared_without_case(ask):
    assert ask("methods", method="GET").status == 401
    assert ask("methods", method="DELETE").status == 401
    assert ask("methods", method="POST").status == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/other", "/product", "/api/productpage", "/other?next=/productpage", "/%70roduct"]
    + ["/x/..%2fother%20page", "/100%", "/a%zz%2", "/other%20page?a=%2e%2e/productpage"]
    + ["/product/page", "/other;/productpage", "/search/%e2%98%83", "/100%25"],
)
def test_other_paths_pass(ask, path):
    assert ask("seed", path) == PASSED


@pytest.mark.parametrize(
    "path",
    ["/productpage?u=normal", "/productpage?", "/productpage/", "/productpage/x", "/productpages"]
    # Upper case, doubled slashes, dot segments, backslashes, parameters.
    + ["/PRODUCTPAGE", "/ProductPage?x", "//productpage", "///./productpage", "/x/../productpage"]
    + ["/../productpage", "/..;/productpage", "/x;y/..;z/productpage", "/;/productpage"]
    + ["/\\productpage", "/x\\..\\productpage", "/./productpage;jsessionid=1"]
    # Escapes of all that, once, twice and without end.
    + ["/%70roductpage", "/%50RODUCTPAGE", "/x%2f..%2fproductpage", "/x/%2e%2e/productpage"]
    + ["/%2fproductpage", "/x%5c..%5cproductpage", "/%2570roductpage", "/%252570roductpage"]
    + [
        "/%25252525252570roductpage",
        "/x/%252e%252e/productpage",
        "/productpage%00",
        "/%3b/productpage",
    ]
    # A part that matches only before it is decoded further.
    + ["/%70roductpage%252f..%252f..%252fother", "/productpage/../other"],
)
def test_whatever_may_reach_a_protected_page_is_covered(ask, path):
    assert ask("seed", path) == denied(MISSING)
    assert ask("seed", path, headers=basic("ok:test")) == PASSED


def test_a_fragment_in_the_target_does_not_get_past(envoy, ask):
    # Envoy refuses it before any filter runs.
    assert ask("seed", "/other#/../productpage").status == 400
    assert ask("seed", "/productpage#x").status == 400


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["GET http://any.example/productpage HTTP/1.1", "host: a"], 401),
        (["GET http://any.example/other HTTP/1.1", "host: a"], 200),
        (["get /productpage HTTP/1.1", "host: a"], 400),
        (["GET productpage HTTP/1.1", "host: a"], 400),
    ],
)
def test_unusual_request_lines(envoy, lines, expected):
    assert status(envoy.port("seed"), *lines) == expected


@pytest.mark.parametrize(
    ("listener", "path", "expected"),
    [
        ("exact", "/admin", 401),
        ("exact", "/admin?x=/", 401),
        ("exact", "/admin/", 401),
        ("exact", "//admin", 401),
        ("exact", "/Admin;x", 401),
        ("exact", "/admin%3fx", 401),
        ("exact", "/admin/x", 200),
        ("exact", "/administrator", 200),
        ("suffix", "/x.php", 401),
        ("suffix", "/x.PHP?download", 401),
        ("suffix", "/x%2Ephp", 401),
        ("suffix", "/x.php;v=1", 401),
        ("suffix", "/x.php/", 401),
        ("suffix", "/x.html?y=.php", 200),
        ("suffix", "/x.php/info", 200),
        ("folder", "/admin/x", 401),
        ("folder", "/admin", 401),
        ("folder", "/administrator", 200),
        ("escaped", "/a%20b", 401),
        ("escaped", "/%61%20b/c", 401),
        ("escaped", "/a%2520b", 401),
        ("escaped", "/a+b", 200),
        ("dotted", "/.git/config", 401),
        ("dotted", "/x/../.git", 401),
        ("dotted", "/git", 200),
    ],
)
def test_exact_suffix_and_prefix(ask, listener, path, expected):
    assert ask(listener, path).status == expected
    assert ask(listener, path, headers=basic("ok:test")).status == 200


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("shop.example.com", "/", 401),
        ("SHOP.Example.com:8080", "/", 401),
        ("shop.example.com.", "/", 401),
        ("xshop.example.com", "/", 200),
        ("shop.example.com.evil", "/", 200),
        ("a.internal:80", "/", 401),
        ("internal", "/", 200),
        ("admin-eu.example.com", "/", 401),
        ("admin.example.com", "/", 200),
        ("[::1]:8080", "/v6", 401),
        ("[::1]", "/v6", 401),
        ("[::2]", "/v6", 200),
    ],
)
def test_a_rule_with_hosts_covers_those_alone(ask, host, path, expected):
    assert ask("hosts", path, host=host).status == expected
    assert ask("hosts", path, host=host, headers=basic("ok:test")).status == 200


def test_every_rule_that_covers_a_request_must_let_it_in(ask):
    answers = {
        (path, who): ask("several", path, headers=basic(who)).status
        for path in ("/", "/admin")
        for who in ("guest:guest", "root:toor", "only:admin")
    }
    assert answers == {
        ("/", "guest:guest"): 200,
        ("/", "root:toor"): 200,
        ("/", "only:admin"): 401,
        ("/admin", "guest:guest"): 401,
        ("/admin", "root:toor"): 200,
        ("/admin", "only:admin"): 401,
    }


OK = "b2s6dGVzdA=="  # ok:test


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"basic {OK}", PASSED),
        (f"BASIC {OK}", PASSED),
        (f"  Basic \t {OK} \t ", PASSED),
        (f"Basic {OK.rstrip('=')}", PASSED),
        ("", denied(MISSING)),
        ("   ", denied(MISSING)),
        (f"Bearer {OK}", denied(OTHER_SCHEME)),
        (OK, denied(OTHER_SCHEME)),
        (f"Basic{OK}", denied(OTHER_SCHEME)),
        ("Basic", denied(MALFORMED)),
        ("Basic ", denied(MALFORMED)),
        (f"Basic {OK[:-1]}", denied(MALFORMED)),
        (f"Basic {OK}=", denied(MALFORMED)),
        (f"Basic {OK[:4]} {OK[4:]}", denied(MALFORMED)),
        ("Basic b2s6dGVzdB==", denied(MALFORMED)),  # left-over bits
        ("Basic ====", denied(MALFORMED)),
        ("Basic b", denied(MALFORMED)),
        ("Basic !@#$", denied(MALFORMED)),
        ("Basic ok:test", denied(MALFORMED)),
        (f"Basic {base64.b64encode(b'no colon').decode()}", denied(MALFORMED)),
        (f'Basic realm="x", {OK}', denied(MALFORMED)),
        (f"Basic {OK}, Basic {OK}", denied(MALFORMED)),
        ("Basic " + "A" * 20_000, denied(MALFORMED)),
        (basic(b"\xff:\xfe")["authorization"], denied(WRONG)),
        (basic("ok:test" + "x" * 20_000)["authorization"], denied(WRONG)),
    ],
)
def test_the_authorization_header_is_read_as_the_rfc_has_it(ask, value, expected):
    assert ask("seed", "/productpage", headers={"authorization": value}) == expected


@pytest.mark.parametrize("second", [f"Basic {OK}", "Basic d3Jvbmc6d3Jvbmc=", "Bearer x"])
def test_two_authorization_headers_are_refused(envoy, second):
    lines = ["GET /productpage HTTP/1.1", "host: a"]
    one = f"authorization: Basic {OK}"
    assert status(envoy.port("seed"), *lines, one) == 200
    assert status(envoy.port("seed"), *lines, one, f"authorization: {second}") == 401
    assert status(envoy.port("seed"), *lines, f"authorization: {second}", one) == 401


@pytest.mark.parametrize("credentials", ["a:b:c", "empty:", ":nameless", "snow:☃", "ok:x"])
def test_odd_credentials_that_a_client_can_send_work(ask, credentials):
    assert ask("odd", headers=basic(credentials)) == PASSED
    assert ask("odd", headers=basic(credentials + "x")) == denied(WRONG)


def test_the_realm_is_configurable_and_quoted(ask):
    assert ask("realm") == denied(MISSING, r'"the \"deep\" \\ sea"')


def test_a_denied_body_is_not_waited_for(ask):
    answer = ask("seed", "/productpage", method="POST", body="x" * 100_000)
    assert (answer.status, answer.body) == (401, denied(MISSING).body)


def test_the_proxy_learns_the_reason_as_response_code_details(wasm_modules, start_envoy):
    configuration = bootstrap(wasm_modules["basic-auth"], {"in": SEED})
    manager = configuration["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    denial = {"comparison": {"value": {"default_value": 401, "runtime_key": "none"}}}
    details = {"header": {"key": "x-details", "value": "%RESPONSE_CODE_DETAILS%"}}
    mapper = {"filter": {"status_code_filter": denial}, "headers_to_add": [details]}
    manager["typed_config"]["local_reply_config"] = {"mappers": [mapper]}
    port = start_envoy(configuration).port("in")
    senders = ({}, {"authorization": "Bearer x"}, {"authorization": "Basic x"}, basic("a:b"))
    answers = [request(port, "/productpage", headers=headers) for headers in senders]
    assert [answer.headers["x-details"] for answer in answers] == [
        "basic_auth_missing",
        "basic_auth_other_scheme",
        "basic_auth_malformed",
        "basic_auth_wrong",
    ]


R = "basic_auth_rules[0]"
WITHOUT = "expected exactly one of prefix, suffix and exact, found an object"
PLAIN = (
    "expected a path that begins with '/', without '//', '.', '..', ';' and '\\', found a string"
)


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        (None, "line 1, column 1: expected a value, found the end"),
        ("{}", "basic_auth_rules: expected an array, found nothing"),
        ('{"basic_auth_rules": {}}', "basic_auth_rules: expected an array, found an object"),
        (
            '{"basic_auth_rules": []}',
            "basic_auth_rules: expected at least one rule, found an array",
        ),
        ([rule()], f"{R}: {WITHOUT}"),
        ([rule(prefix="/", exact="/")], f"{R}: {WITHOUT}"),
        ([rule(prefix=1)], f"{R}.prefix: expected a string, found the number 1"),
        (
            [rule(prefix="")],
            f"{R}.prefix: expected a path without query and fragment, found a string",
        ),
        ([rule(exact="/a?b")], f"{R}.exact: expected a path without query and fragment"),
        ([rule(suffix="#b")], f"{R}.suffix: expected a path without query and fragment"),
        ([rule(prefix="productpage")], f"{R}.prefix: {PLAIN}"),
        ([rule(prefix="//a")], f"{R}.prefix: {PLAIN}"),
        ([rule(exact="/a/../b")], f"{R}.exact: {PLAIN}"),
        ([rule(exact="/a;b")], f"{R}.exact: {PLAIN}"),
        (
            [{"prefix": "/", "credentials": ["a:b"]}],
            f"{R}.request_methods: expected an array, found nothing",
        ),
        (
            [rule(prefix="/", request_methods=[])],
            f"{R}.request_methods: expected at least one entry",
        ),
        (
            [rule(prefix="/", request_methods=["GET", 7])],
            f"{R}.request_methods[1]: expected a string, found the number 7",
        ),
        ([rule(prefix="/", request_methods=[""])], f"{R}.request_methods[0]: expected a method"),
        ([rule(prefix="/", credentials=[])], f"{R}.credentials: expected at least one entry"),
        (
            [rule(prefix="/"), rule(prefix="/", credentials=["a:b", "secret!"])],
            "basic_auth_rules[1].credentials[1]: expected user:password or its Base64",
        ),
        (
            [rule(prefix="/", credentials=["bm8gY29sb24="])],
            f"{R}.credentials[0]: expected user:password or its Base64",
        ),
        ([rule(prefix="/", hosts="a")], f"{R}.hosts: expected an array, found a string"),
        (
            [rule(prefix="/", hosts=["a.*.b"])],
            f"{R}.hosts[0]: expected a host, with '*' at one end",
        ),
        (
            json.dumps({"realm": "a\r\nset-cookie: x", "basic_auth_rules": [rule(prefix="/")]}),
            "realm: expected printable ASCII text, found a string",
        ),
    ],
)
def test_a_bad_configuration_keeps_the_plugin_from_starting(
    wasm_modules, start_envoy, configuration, reason
):
    if isinstance(configuration, list):
        configuration = json.dumps({"basic_auth_rules": configuration})
    envoy = start_envoy(bootstrap(wasm_modules["basic-auth"], {"in": configuration}), ready=False)
    assert envoy.child.wait(timeout=20) == 1
    assert f"{reason}" in envoy.log
    assert "secret!" not in envoy.log
    assert "Unable to create Wasm plugin in" in envoy.log


def test_a_big_configuration_is_read_and_held(wasm_modules, start_envoy):
    rules = [
        rule(prefix=f"/tenant-{n}/", credentials=[f"user{m}:{n}-{m}-{'p' * 20}" for m in range(20)])
        for n in range(1000)
    ]
    text = json.dumps({"basic_auth_rules": rules})
    assert len(text) > 700_000
    port = start_envoy(bootstrap(wasm_modules["basic-auth"], {"in": text})).port("in")
    for n in (0, 500, 999):
        right, wrong = f"user19:{n}-19-{'p' * 20}", f"user19:{n + 1}-19-{'p' * 20}"
        assert request(port, f"/tenant-{n}/x", headers=basic(right)).status == 200
        assert request(port, f"/tenant-{n}/x", headers=basic(wrong)).status == 401
    assert request(port, "/tenant-1000/x").status == 200


def test_ten_thousand_requests_leave_no_memory_behind(wasm_modules, start_envoy):
    envoy = start_envoy(bootstrap(wasm_modules["basic-auth"], {"in": SEED}))
    connection = http.client.HTTPConnection("127.0.0.1", envoy.port("in"), timeout=10)
    # A kilobyte in every place that the plugin reads: a leak of one would be 10 MB.
    path = "/x/%2e%2e/%70roductpage/" + "%41" * 300
    cases = [basic("ok:test"), basic("ok:" + "w" * 1000), {"authorization": "Basic " + "A" * 1023}]
    seen = set()

    def work(count: int) -> None:
        for n in range(count):
            connection.request("GET", path, headers=cases[n % 3])
            answer = connection.getresponse()
            answer.read()
            seen.add(answer.status)

    def resident() -> int:
        text = Path(f"/proc/{envoy.child.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    work(3_000)
    before = resident()
    work(10_000)
    assert seen == {200, 401}
    assert resident() < before + 3_000
