# SPDX-License-Identifier: Apache-2.0
"""Wasm modules as bytes, as files that an agent makes of them, and as its cache must have them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from envoy.config.core.v3 import extension_pb2
from envoy.extensions.filters.http.wasm.v3 import wasm_pb2

from .ads import Response


def leb128(number: int) -> bytes:
    """An unsigned number as Wasm writes it."""
    text = bytearray()
    while number > 0x7F:
        text.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*text, number])


def section(content: bytes) -> bytes:
    """A custom section, which nobody reads: it only has a name and a size."""
    named = b"\x03pad" + content
    return b"\x00" + leb128(len(named)) + named


def padded(module: bytes, size: int) -> bytes:
    """The same module with a custom section behind it that makes it as long as asked for."""
    filler = size - len(module) - len(section(bytes(size - len(module))))
    return module + section(bytes(size - len(module) + filler))


def closing_module() -> bytes:
    """A network plugin by hand, of the Proxy-Wasm ABI: it closes every new connection."""

    def text(value: str) -> bytes:
        return leb128(len(value)) + value.encode()

    def vector(*items: bytes) -> bytes:
        return leb128(len(items)) + b"".join(items)

    def part(number: int, content: bytes) -> bytes:
        return bytes([number]) + leb128(len(content)) + content

    def code(*instructions: int) -> bytes:
        body = b"\x00" + bytes(instructions) + b"\x0b"
        return leb128(len(body)) + body

    integer = b"\x7f"
    types = vector(b"\x60" + vector(integer) + vector(integer), b"\x60" + vector() + vector())
    close_stream = text("env") + text("proxy_close_stream") + b"\x00\x00"
    names = ["proxy_abi_version_0_2_1", "proxy_on_memory_allocate", "proxy_on_new_connection"]
    exports = [text("memory") + b"\x02\x00"]
    exports += [text(name) + b"\x00" + leb128(index + 1) for index, name in enumerate(names)]
    bodies = [
        code(),
        code(0x41, 0x80, 0x08),  # i32.const 1024
        # close_stream(downstream), then stop.
        code(0x41, 0x02, 0x10, 0x00, 0x1A, 0x41, 0x01),
    ]
    return b"\x00asm\x01\x00\x00\x00" + b"".join(
        [
            part(1, types),
            part(2, vector(close_stream)),
            part(3, vector(b"\x01", b"\x00", b"\x00")),
            part(5, vector(b"\x00\x01")),
            part(7, vector(*exports)),
            part(10, vector(*bodies)),
        ]
    )


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def module_files(response: Response) -> dict[str, Path]:
    """The files that the extension configurations of a response name as their modules."""
    files = {}
    for resource in response.resources:
        extension = extension_pb2.TypedExtensionConfig.FromString(resource.value)
        plugin = wasm_pb2.Wasm()
        assert extension.typed_config.Unpack(plugin)
        assert not plugin.config.vm_config.code.HasField("remote")
        files[extension.name] = Path(plugin.config.vm_config.code.local.filename)
    return files


def assert_modules_are_whole(data: Path) -> list[str]:
    """What has a module's name has its bytes, at any moment. Returns the digests."""
    found = [path for path in (data / "wasm/modules").iterdir() if path.suffix == ".wasm"]
    for path in found:
        assert path.name == f"{digest(path.read_bytes())}.wasm"
    return sorted(path.stem for path in found)


def assert_cache_is_whole(data: Path, *digests: str) -> None:
    """The cache has these modules, an index that knows them, and nothing else."""
    assert assert_modules_are_whole(data) == sorted(digests)
    names = [str(path.relative_to(data / "wasm")) for path in (data / "wasm").rglob("*")]
    expected = ["index.json", "modules", *(f"modules/{name}.wasm" for name in digests)]
    assert sorted(names) == sorted(expected)
    held = json.loads((data / "wasm/index.json").read_text())["held"]
    assert sorted(entry["content"] for entry in held) == sorted(digests)
