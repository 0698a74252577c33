# SPDX-License-Identifier: Apache-2.0
"""The SDK's JSON reader in a real Envoy: documents in, canonical text or an error out."""

import json
import random
import struct
from contextlib import ExitStack

import pytest

from skiff_e2e.backend import Backend
from skiff_e2e.bootstrap import (
    cluster_route,
    listener,
    static_bootstrap,
    static_cluster,
    wasm_filter,
)
from skiff_e2e.envoy import Envoy
from skiff_e2e.http import request


@pytest.fixture(scope="module")
def read(wasm_modules, tmp_path_factory):
    filter = wasm_filter(wasm_modules["probe"], '{"tick_ms": 0}')
    with ExitStack() as running:
        upstream = running.enter_context(Backend())
        clusters = [static_cluster("backend", upstream.port)]
        listeners = [listener("in", [filter], [cluster_route("backend")])]
        folder = tmp_path_factory.mktemp("json")
        envoy = running.enter_context(Envoy(static_bootstrap(listeners, clusters), folder))
        port = envoy.wait_until_ready().port("in")

        def read(document: str | bytes) -> str:
            body = document.encode() if isinstance(document, str) else document
            return request(port, "/json", method="POST", body=body).body

        yield read


@pytest.mark.parametrize(
    ("document", "canonical"),
    [
        (" \t\r\n{ } ", "{}"),
        ("[]", "[]"),
        ('{"a":{"b":[true,false,null,"x"]},"a":2}', '{"a":{"b":[true,false,null,"x"]},"a":2}'),
        (r'"\"\\\/\b\f\n\r\t"', '"<22><5c>/<8><c><a><d><9>"'),
        (r'"\u0041\u00e9\u20ac\ud83d\ude00"', '"A<e9><20ac><1f600>"'),
        ('"é€😀"', '"<e9><20ac><1f600>"'),
        ("0", "0"),
        ("-0", "0"),
        ("-12", "-12"),
        ("1.0", "1"),
        ("1.5e3", "1500"),
        ("20E-1", "2"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("[" * 64 + "]" * 64, "[" * 64 + "]" * 64),
    ],
)
def test_a_document_is_read(read, document, canonical):
    assert read(document) == canonical


DOUBLES = ["0.1", "-3.25", "1e-7", "6.02214076e23", "123456.789", "1e400", "5e-324"]


@pytest.mark.parametrize("text", DOUBLES)
def test_a_number_is_the_nearest_double(read, text):
    (bits,) = struct.unpack("<Q", struct.pack("<d", float(text)))
    assert abs(int(read(text).removeprefix("bits:")) - bits) <= (0 if "324" not in text else 1)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ("{", "line 1, column 2: expected a member name in quotes, found the end"),
        ('{"a" 1}', "line 1, column 6: expected ':', found '1'"),
        ('{"a":1,}', "line 1, column 8: expected a member name in quotes, found '}'"),
        ("[1,]", "line 1, column 4: expected a value, found ']'"),
        ("[1 2]", "line 1, column 4: expected ',' or ']', found '2'"),
        ("01", "line 1, column 2: expected the end, found '1'"),
        ("-", "line 1, column 2: expected a value, found the end"),
        ("1.", "line 1, column 3: expected a digit, found the end"),
        ("tru", "line 1, column 4: expected a value, found the end"),
        ("nul!", "line 1, column 4: expected a value, found '!'"),
        ("{}\n x", "line 2, column 2: expected the end, found 'x'"),
        ('"a', "line 1, column 3: expected '\"', found the end"),
        ('"\n"', "line 1, column 2: a control character in a string"),
        (r'"\x"', "line 1, column 3: expected an escape, found 'x'"),
        (r'"\u12g4"', "line 1, column 6: expected four hexadecimal digits, found 'g'"),
        (r'"\ud800"', "line 1, column 8: half of a surrogate pair"),
        (r'"\udc00"', "line 1, column 8: half of a surrogate pair"),
        (b'"\xff"', "line 1, column 4: a string that is not UTF-8"),
        (b"\xff", "line 1, column 1: expected a value, found byte 255"),
        ("[" * 100_000, "line 1, column 66: nested more than 64 deep"),
    ],
)
def test_a_broken_document_is_refused_with_its_place(read, document, error):
    assert read(document) == f"error: {error}"


def test_random_documents_agree_with_another_reader(read):
    chance = random.Random(7)

    def value(depth: int):
        kind = chance.randrange(7 if depth < 5 else 5)
        if kind < 2:
            return [None, True, False, -chance.randrange(1 << 40), chance.randrange(1 << 20)][
                chance.randrange(5)
            ]
        if kind < 5:
            length = chance.randrange(12)
            return "".join(chance.choice('ab"\\/\n\té€😀{}[]:,') for _ in range(length))
        if kind == 5:
            return [value(depth + 1) for _ in range(chance.randrange(5))]
        return {f"k{n}": value(depth + 1) for n in range(chance.randrange(5))}

    def spelled(value) -> str:
        if isinstance(value, str):
            plain = lambda c: " " <= c < "\x7f" and c not in '"\\'  # noqa: E731
            return '"' + "".join(c if plain(c) else f"<{ord(c):x}>" for c in value) + '"'
        if isinstance(value, list):
            return "[" + ",".join(map(spelled, value)) + "]"
        if isinstance(value, dict):
            return "{" + ",".join(f"{spelled(k)}:{spelled(v)}" for k, v in value.items()) + "}"
        return json.dumps(value)

    for _ in range(150):
        document = value(0)
        ascii, indent = chance.random() < 0.5, chance.choice([None, 1])
        text = json.dumps(document, ensure_ascii=ascii, indent=indent)
        assert read(text) == spelled(document)
