# SPDX-License-Identifier: Apache-2.0
"""Checks our transcoder against Google's own: answers cases with what protobuf makes of them.

A line of standard input is {"type": NAME, "wire": BASE64, "json": TEXT}. The answer is a line
{"json": TEXT} with protobuf's JSON of the wire bytes, or {"error": TEXT}. It is an error when our
JSON and our wire bytes are not the same message.

Usage: roundtrip.py DESCRIPTOR_SET
"""

import base64
import json
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory


def main():
    files = descriptor_pb2.FileDescriptorSet()
    with open(sys.argv[1], "rb") as source:
        files.ParseFromString(source.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    for line in sys.stdin:
        case = json.loads(line)
        try:
            answer = {"json": check(pool, case)}
        except Exception as error:  # whatever it is, it is the answer
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer))


def check(pool, case):
    message_class = message_factory.GetMessageClass(pool.FindMessageTypeByName(case["type"]))
    wire = base64.b64decode(case["wire"])
    from_wire = message_class()
    from_wire.ParseFromString(wire)
    from_json = message_class()
    json_format.Parse(case["json"], from_json, descriptor_pool=pool)
    text = as_json(pool, from_wire)
    # Compared as JSON: protobuf for Python does not sort the maps inside an Any.
    if text != as_json(pool, from_json):
        raise ValueError("our JSON and our wire bytes are not the same message")
    if len(from_wire.SerializePartialToString()) != len(wire):
        raise ValueError("our wire bytes hold more or less than the message")
    return text


def as_json(pool, message):
    return json_format.MessageToJson(
        message, preserving_proto_field_name=True, descriptor_pool=pool, indent=None, sort_keys=True
    )


main()
