# SPDX-License-Identifier: Apache-2.0
"""Writes the complete Envoy API as one FileDescriptorSet.

Every generated Python module of the xds-protos distribution embeds the serialised descriptor of its
.proto file, options such as validate.rules included and source positions left out. The bytes are
read from the syntax tree, so nothing is imported, nothing is decoded and encoded again, and the
result depends on the installed versions alone. Included is what the Envoy project defines, and what
that depends on; the distribution carries much of Google's cloud API beside it.

usage: envoy_descriptors.py OUTPUT
"""

import ast
import importlib.metadata
import pathlib
import sys

DISTRIBUTIONS = ("xds-protos", "protobuf")  # the second has google/protobuf/*.proto
ROOTS = ("envoy/", "udpa/", "xds/")


def fields(message):
    """Yields (number, bytes) of the length-delimited fields of a message."""
    position = 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(message):
        tag = varint()
        if tag & 7 == 2:
            length = varint()
            yield tag >> 3, message[position : position + length]
            position += length
        elif tag & 7 == 0:
            varint()
        else:
            raise ValueError(f"a file descriptor has no fields of wire type {tag & 7}")


def embedded(module):
    """The descriptor in a generated module, or None."""
    for node in ast.walk(ast.parse(module.read_bytes())):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "AddSerializedFile":
            return ast.literal_eval(node.args[0])
    return None


def available():
    """All files of the distributions: name to (dependencies, descriptor)."""
    files = {}
    for distribution in DISTRIBUTIONS:
        for entry in importlib.metadata.files(distribution):
            if not entry.name.endswith("_pb2.py"):
                continue
            descriptor = embedded(pathlib.Path(entry.locate()))
            if descriptor is None:
                continue
            parts = list(fields(descriptor))
            name = next(value for number, value in parts if number == 1).decode()
            files[name] = ([value.decode() for number, value in parts if number == 3], descriptor)
    return files


def ordered(files):
    """The roots and all they need, with dependencies first; sorted where that leaves a choice."""
    result = {}

    def visit(name):
        if name in result:
            return
        for dependency in sorted(files[name][0]):
            visit(dependency)
        result[name] = None

    for root in sorted(name for name in files if name.startswith(ROOTS)):
        visit(root)
    return list(result)


def length_prefix(length):
    """FileDescriptorSet.file, field 1, length-delimited."""
    out = bytearray(b"\x0a")
    while length >= 0x80:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    out.append(length)
    return bytes(out)


def main():
    files = available()
    names = ordered(files)
    with open(sys.argv[1], "wb") as output:
        for name in names:
            descriptor = files[name][1]
            output.write(length_prefix(len(descriptor)) + descriptor)
    print(f"{sys.argv[1]}: {len(names)} files", file=sys.stderr)


if __name__ == "__main__":
    main()
