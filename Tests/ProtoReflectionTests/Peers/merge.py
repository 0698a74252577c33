# SPDX-License-Identifier: Apache-2.0
"""Merges pairs of messages with Google's protobuf.

Reads a line for each pair ({"type", "ours", "theirs"}, base64) and answers with {"merged"} or
{"error"}. The argument is a serialised FileDescriptorSet.
"""

import base64
import json
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def pool_of(path):
    files = descriptor_pb2.FileDescriptorSet()
    with open(path, "rb") as stream:
        files.ParseFromString(stream.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


def merged(pool, question):
    type = message_factory.GetMessageClass(pool.FindMessageTypeByName(question["type"]))
    ours, theirs = type(), type()
    ours.ParseFromString(base64.b64decode(question["ours"]))
    theirs.ParseFromString(base64.b64decode(question["theirs"]))
    ours.MergeFrom(theirs)
    return ours.SerializeToString(deterministic=True)


def main():
    pool = pool_of(sys.argv[1])
    for line in sys.stdin:
        try:
            answer = {"merged": base64.b64encode(merged(pool, json.loads(line))).decode()}
        except Exception as error:  # what went wrong is the answer
            answer = {"error": str(error)}
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
