// SPDX-License-Identifier: Apache-2.0

import JSON
import ProtoReflection
import Testing

/// `validate.rules`, on Envoy's own messages and on one with every rule that Envoy has no use for.
@Suite struct ConstraintTests {
  private func violations(_ text: String, as name: String) throws -> [String] {
    ConstraintValidator().violations(in: try decode(text, as: name)).map(\.description)
  }

  @Test func `violations are found at any depth, contents of Any included`() throws {
    let text = """
      {"name":"","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.network.\
      http_connection_manager.v3.HttpConnectionManager","http_filters":[{"name":"router"},\
      {"name":""}],"codec_type":77,"common_http_protocol_options":{"max_headers_count":0}}}
      """
    let manager = "typed_config"
    let found = try violations(text, as: "envoy.config.listener.v3.Filter")
    #expect(
      found == [
        "name: expected at least 1 character, found 0",
        "\(manager): expected one of rds, route_config, scoped_routes, found none",
        """
        \(manager).codec_type: expected a value of envoy.extensions.filters.network.\
        http_connection_manager.v3.HttpConnectionManager.CodecType, found 77
        """,
        "\(manager).stat_prefix: expected at least 1 character, found 0",
        "\(manager).http_filters[1].name: expected at least 1 character, found 0",
        "\(manager).common_http_protocol_options.max_headers_count: expected at least 1, found 0",
      ])
  }

  @Test func `a good resource has none`() throws {
    let text = """
      {"name":"v","domains":["*"],"routes":[{"match":{"prefix":"/"},\
      "route":{"cluster":"c","timeout":"0s"}}],"request_headers_to_add":\
      [{"header":{"key":"x-a","value":"b"}}]}
      """
    #expect(try violations(text, as: "envoy.config.route.v3.VirtualHost") == [])
  }

  @Test(arguments: [
    (
      "envoy.config.route.v3.VirtualHost", #"{"name":"v"}"#,
      "domains: expected at least 1 element, found 0"
    ),
    (
      "envoy.config.route.v3.VirtualHost", #"{"name":"v","domains":["a\nb"]}"#,
      #"domains[0]: expected no NUL and no line break, found "a\#nb""#
    ),
    ("envoy.config.route.v3.Route", "{}", "match: expected a value, found none"),
    (
      "envoy.config.cluster.v3.Cluster", #"{"name":"c","connect_timeout":"0s"}"#,
      "connect_timeout: expected more than 0s, found 0s"
    ),
    (
      "envoy.config.core.v3.SocketAddress", #"{"address":"a","port_value":70000}"#,
      "port_value: expected at most 65535, found 70000"
    ),
    (
      "envoy.config.core.v3.HeaderValue", #"{"key":""}"#,
      "key: expected at least 1 character, found 0"
    ),
    (
      "envoy.type.v3.Percent", #"{"value":100.5}"#,
      "value: expected at least 0.0 and at most 100.0, found 100.5"
    ),
  ])
  func `Envoy's rules`(_ type: String, _ text: String, _ violation: String) throws {
    let found = try violations(text, as: type)
    #expect(found.contains(violation), "\(found)")
  }

  static let rules: [(type: String, rules: JSONValue, bad: JSONValue, good: JSONValue, String)] = [
    ("INT32", ["int32": ["const": 3]], 4, 3, "3, found 4"),
    ("INT32", ["int32": ["lt": 0, "gte": -5]], 0, -5, "at least -5 and less than 0, found 0"),
    ("INT32", ["int32": ["lt": 2, "gt": 5]], 3, 6, "more than 5 or less than 2, found 3"),
    ("UINT64", ["uint64": ["in": [1, 2]]], 3, 2, "one of 1, 2, found 3"),
    ("SINT64", ["sint64": ["not_in": [1, 2]]], 2, 3, "none of 1, 2, found 2"),
    ("FIXED32", ["fixed32": ["gte": 2, "ignore_empty": true]], 1, 0, "at least 2, found 1"),
    ("FLOAT", ["float": ["gt": 0.5]], 0.5, 0.75, "more than 0.5, found 0.5"),
    ("DOUBLE", ["double": ["lte": 1]], "NaN", 1, "at most 1.0, found nan"),
    ("BOOL", ["bool": ["const": true]], false, true, "true, found false"),
    ("STRING", ["string": ["const": "a"]], "b", "a", "\"a\", found \"b\""),
    ("STRING", ["string": ["len": 2]], "ä", "äö", "2 characters, found 1"),
    ("STRING", ["string": ["max_len": 1]], "äö", "ä", "at most 1 character, found 2"),
    ("STRING", ["string": ["len_bytes": 1]], "ä", "a", "1 byte, found 2"),
    ("STRING", ["string": ["max_bytes": 1]], "ä", "a", "at most 1 byte, found 2"),
    (
      "STRING", ["string": ["pattern": "^[a-z]+$"]], "ab\n", "ab",
      "text that matches ^[a-z]+$, found \"ab\n\""
    ),
    (
      "STRING", ["string": ["prefix": "x-"]], "y-", "x-a",
      "text that begins with \"x-\", found \"y-\""
    ),
    (
      "STRING", ["string": ["suffix": "-x"]], "-y", "a-x",
      "text that ends with \"-x\", found \"-y\""
    ),
    (
      "STRING", ["string": ["contains": "b"]], "ac", "abc",
      "text that contains \"b\", found \"ac\""
    ),
    (
      "STRING", ["string": ["not_contains": "b"]], "abc", "ac",
      "text without \"b\", found \"abc\""
    ),
    ("STRING", ["string": ["in": ["a", "b"]]], "c", "b", "one of \"a\", \"b\", found \"c\""),
    ("STRING", ["string": ["not_in": ["a"]]], "a", "b", "none of \"a\", found \"a\""),
    (
      "STRING", ["string": ["email": true]], "a@", "a.b@c.org",
      "an e-mail address, found \"a@\""
    ),
    (
      "STRING", ["string": ["hostname": true]], "-a.org", "a-1.org", "a host name, found \"-a.org\""
    ),
    ("STRING", ["string": ["ip": true]], "1.2.3", "::1", "an IP address, found \"1.2.3\""),
    (
      "STRING", ["string": ["ipv4": true]], "1.2.3.256", "1.2.3.255",
      "an IPv4 address, found \"1.2.3.256\""
    ),
    (
      "STRING", ["string": ["ipv6": true]], "1::2::3", "1::ffff:1.2.3.4",
      "an IPv6 address, found \"1::2::3\""
    ),
    ("STRING", ["string": ["uri": true]], "/a", "http://a/b?c#d", "a URI, found \"/a\""),
    ("STRING", ["string": ["uri_ref": true]], "a b", "/a%20b", "a URI reference, found \"a b\""),
    (
      "STRING", ["string": ["address": true]], "a_b", "10.0.0.1",
      "a host name or an IP address, found \"a_b\""
    ),
    (
      "STRING", ["string": ["uuid": true]], "123", "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
      "a UUID, found \"123\""
    ),
    (
      "STRING", ["string": ["well_known_regex": "HTTP_HEADER_NAME"]], "a b", ":path",
      "an HTTP header name, found \"a b\""
    ),
    (
      "STRING", ["string": ["well_known_regex": "HTTP_HEADER_VALUE", "strict": false]], "a\nb",
      "a\u{1}b", "no NUL and no line break, found \"a\nb\""
    ),
    ("BYTES", ["bytes": ["min_len": 2]], "AQ==", "AQI=", "at least 2 bytes, found 1"),
    (
      "BYTES", ["bytes": ["prefix": "AQ=="]], "AgE=", "AQI=",
      "bytes that begin with AQ==, found 2 bytes"
    ),
    (
      "BYTES", ["bytes": ["ipv4": true]], "AQ==", "fwAAAQ==",
      "an IP address of 4 bytes, found 1 byte"
    ),
  ]

  @Test(arguments: rules.indices)
  func `each rule has a value that breaks it and one that keeps it`(_ index: Int) throws {
    let (type, rules, bad, good, reason) = Self.rules[index]
    let validator = ConstraintValidator()
    let descriptor = try self.descriptor(field("f", 1, type, rules: rules))
    for (value, expected) in [(bad, ["f: expected " + reason]), (good, [])] {
      let message = try DynamicMessage.decode(["f": value], as: descriptor).get()
      #expect(validator.violations(in: message).map(\.description) == expected)
    }
  }

  @Test func `lists, maps and times have rules`() throws {
    let type = try descriptor(
      field(
        "list", 1, "INT32", label: "LABEL_REPEATED",
        rules: ["repeated": ["max_items": 3, "unique": true, "items": ["int32": ["gt": 0]]]]),
      field(
        "time", 2, "MESSAGE", typeName: ".google.protobuf.Timestamp",
        rules: ["timestamp": ["lt_now": true, "required": true]]),
      field(
        "any", 3, "MESSAGE", typeName: ".google.protobuf.Any",
        rules: ["any": ["required": true, "in": ["type.googleapis.com/google.protobuf.Empty"]]]),
      field(
        "wrapped", 4, "MESSAGE", typeName: ".google.protobuf.UInt32Value",
        rules: ["uint32": ["gt": 0]]))
    func violations(_ json: JSONValue, now: Duration? = nil) throws -> [String] {
      ConstraintValidator().violations(
        in: try DynamicMessage.decode(json, as: type).get(), now: now
      ).map(\.description)
    }
    #expect(
      try violations(["list": [1, 0, 1, 2]]) == [
        "list: expected at most 3 elements, found 4",
        "list[2]: expected unique elements, found that of index 0",
        "list[1]: expected more than 0, found 0",
        "time: expected a value, found none",
        "any: expected a value, found none",
      ])
    let rest: JSONValue = [
      "time": "1970-01-01T00:00:10Z",
      "any": ["@type": "type.googleapis.com/google.protobuf.Duration", "value": "1s"], "wrapped": 0,
    ]
    let others = [
      """
      any: expected one of "type.googleapis.com/google.protobuf.Empty", found \
      "type.googleapis.com/google.protobuf.Duration"
      """,
      "wrapped: expected more than 0, found 0",
    ]
    #expect(try violations(rest) == others)
    #expect(try violations(rest, now: .seconds(11)) == others)
    #expect(
      try violations(rest, now: .seconds(9))
        == ["time: expected a time before now, found 1970-01-01T00:00:10Z"] + others)
  }

  @Test func `times beyond all bounds are told and do not trap`() throws {
    let type = try descriptor(
      field(
        "far", 1, "MESSAGE", typeName: ".google.protobuf.Timestamp",
        rules: ["timestamp": ["within": "1s"]]),
      field(
        "long", 2, "MESSAGE", typeName: ".google.protobuf.Duration",
        rules: ["duration": ["gt": "0s"]]))
    let lowest: [UInt8] = [UInt8](repeating: 0x80, count: 9) + [0x01]
    let times =
      [0x08] + lowest + [0x10, 0x80, 0x80, 0x80, 0x80, 0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]
    let message = try DynamicMessage(
      parsing: [0x0A, UInt8(times.count)] + times + [0x12, UInt8(times.count)] + times, as: type)
    let parts = "-9223372036854775808 seconds and -2147483648 nanoseconds"
    #expect(
      ConstraintValidator().violations(in: message, now: .zero).map(\.description) == [
        "far: expected a time within 1s of now, found \(parts)",
        "long: expected more than 0s, found \(parts)",
      ])
    // It has no form in JSON, so its fields are shown.
    #expect(
      message.json()["long"] == ["seconds": "-9223372036854775808", "nanos": -2_147_483_648])
  }

  private func descriptor(_ fields: JSONValue...) throws -> MessageDescriptor {
    let pool = try pool(adding: [
      "name": "rules.proto", "package": "rules", "syntax": "proto3",
      "message_type": [["name": "Ruled", "field": .array(fields)]],
    ])
    return try #require(pool.message(named: "rules.Ruled"))
  }
}
