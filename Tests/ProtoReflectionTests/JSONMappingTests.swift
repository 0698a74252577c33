// SPDX-License-Identifier: Apache-2.0

import JSON
import ProtoReflection
import Testing

/// The proto3 JSON mapping, form by form.
@Suite struct JSONMappingTests {
  /// Decodes and encodes again.
  private func through(_ text: String, as name: String) throws -> String {
    try decode(text, as: name).json().text()
  }

  @Test func `both spellings of a name are read, and the proto name is written`() throws {
    let name = "envoy.config.core.v3.HttpProtocolOptions"
    #expect(try through(#"{"idleTimeout":"1.5s"}"#, as: name) == #"{"idle_timeout":"1.500s"}"#)
    let message = try decode(#"{"idle_timeout":"90s","max_headers_count":7}"#, as: name)
    #expect(
      message.json(JSONEncodingOptions(fieldNames: .lowerCamelCase)).text()
        == #"{"idleTimeout":"90s","maxHeadersCount":7}"#)
  }

  @Test func `what is sensitive can be left unseen`() throws {
    let name = "envoy.extensions.transport_sockets.tls.v3.TlsCertificate"
    let message = try decode(
      #"{"certificate_chain":{"filename":"/a"},"private_key":{"inline_bytes":"c2VjcmV0"},"#
        + #""password":{"inline_string":"secret"}}"#, as: name)
    #expect(
      message.json(JSONEncodingOptions(redactsSensitive: true)).text()
        == #"{"certificate_chain":{"filename":"/a"},"#
        + #""private_key":{"inline_bytes":"W3JlZGFjdGVkXQ=="},"#
        + #""password":{"inline_string":"[redacted]"}}"#)
    // Inside of an Any, in lists and in messages without text, too.
    let keys = try decode(
      #"{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret","#
        + #""session_ticket_keys":{"keys":[{"inline_string":"one"},{"inline_bytes":"dHdv"}]}}"#,
      as: "google.protobuf.Any")
    #expect(
      keys.json(JSONEncodingOptions(redactsSensitive: true)).text()
        == #"{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret","#
        + #""session_ticket_keys":{"keys":[{"inline_string":"[redacted]"},"#
        + #"{"inline_bytes":"W3JlZGFjdGVkXQ=="}]}}"#)
  }

  @Test(arguments: [
    (#""0.000000001s""#, #""0.000000001s""#), (#""-1.5s""#, #""-1.500s""#), (#""3s""#, #""3s""#),
    (#""-0.25s""#, #""-0.250s""#), (#""315576000000s""#, #""315576000000s""#),
  ])
  func `durations`(_ input: String, _ output: String) throws {
    #expect(try through(input, as: "google.protobuf.Duration") == output)
  }

  @Test(arguments: [
    #""1.5""#, #""1.5m""#, #""s""#, #""1.s""#, #"".5s""#, #""1.0000000001s""#, #""--1s""#, "1.5",
    #""315576000001s""#,
  ])
  func `what is no duration is refused`(_ input: String) throws {
    let errors = try errors(input, as: "google.protobuf.Duration")
    #expect(errors.count == 1)
    #expect(errors[0].hasPrefix("expected a duration such as \"1.5s\", found "))
  }

  @Test(arguments: [
    (#""1970-01-01T00:00:00Z""#, #""1970-01-01T00:00:00Z""#),
    (#""2024-02-29T23:59:59.5+01:30""#, #""2024-02-29T22:29:59.500Z""#),
    (#""0001-01-01T00:00:00Z""#, #""0001-01-01T00:00:00Z""#),
    (#""9999-12-31T23:59:59.999999999Z""#, #""9999-12-31T23:59:59.999999999Z""#),
    (#""1900-03-01T00:00:00-00:30""#, #""1900-03-01T00:30:00Z""#),
  ])
  func `timestamps`(_ input: String, _ output: String) throws {
    #expect(try through(input, as: "google.protobuf.Timestamp") == output)
  }

  @Test(arguments: [
    #""2023-02-29T00:00:00Z""#, #""2024-02-29T24:00:00Z""#, #""2024-02-29T00:00:00""#,
    #""2024-02-29 00:00:00Z""#, #""2024-02-29T00:00:00.Z""#, #""0001-01-01T00:00:00+01:00""#,
    #""2024-02-29T00:00:00+""#, #""""#,
  ])
  func `what is no timestamp is refused`(_ input: String) throws {
    #expect(try errors(input, as: "google.protobuf.Timestamp").count == 1)
  }

  @Test(arguments: [
    ("google.protobuf.UInt32Value", "4294967295", "4294967295"),
    ("google.protobuf.UInt32Value", #""7""#, "7"),
    ("google.protobuf.UInt32Value", "1e3", "1000"),
    ("google.protobuf.Int64Value", #""-9223372036854775808""#, #""-9223372036854775808""#),
    ("google.protobuf.UInt64Value", "18446744073709551615", #""18446744073709551615""#),
    ("google.protobuf.BoolValue", "false", "false"),
    ("google.protobuf.DoubleValue", #""NaN""#, #""NaN""#),
    ("google.protobuf.DoubleValue", #""-Infinity""#, #""-Infinity""#),
    ("google.protobuf.DoubleValue", #""1.5""#, "1.5"),
    ("google.protobuf.FloatValue", "0.1", "0.1"),
    ("google.protobuf.BytesValue", #""+/8=""#, #""+/8=""#),
    ("google.protobuf.BytesValue", #""-_8""#, #""+/8=""#),
    ("google.protobuf.StringValue", #""a""#, #""a""#),
    ("google.protobuf.Value", "null", "null"),
    ("google.protobuf.Struct", #"{"b":1,"a":[null,{"c":"d"}]}"#, #"{"a":[null,{"c":"d"}],"b":1}"#),
    ("google.protobuf.ListValue", "[1,[true]]", "[1,[true]]"),
    ("google.protobuf.Empty", "{}", "{}"),
  ])
  func `types with a form of their own`(
    _ type: String, _ input: String, _ output: String
  ) throws {
    #expect(try through(input, as: type) == output)
  }

  @Test(arguments: [
    ("google.protobuf.UInt32Value", "4294967296", "an unsigned 32-bit integer, found 4294967296"),
    ("google.protobuf.UInt32Value", "-1", "an unsigned 32-bit integer, found -1"),
    ("google.protobuf.Int32Value", "1.5", "a 32-bit integer, found 1.5"),
    ("google.protobuf.Int32Value", #"" 1""#, "a 32-bit integer, found \" 1\""),
    (
      "google.protobuf.Int64Value", "9223372036854775808",
      "a 64-bit integer, found 9223372036854775808"
    ),
    ("google.protobuf.FloatValue", "1e39", "a 32-bit float, found 1e+39"),
    ("google.protobuf.BoolValue", #""true""#, "true or false, found a string"),
    ("google.protobuf.StringValue", "8080", "a string, found the number 8080; put it in quotes"),
    ("google.protobuf.StringValue", "true", "a string, found true; put it in quotes"),
    ("google.protobuf.BytesValue", #""a""#, "base64, found \"a\""),
    ("google.protobuf.BytesValue", #""ab=""#, "base64, found \"ab=\""),
    ("google.protobuf.Struct", "[]", "an object, found a list"),
    ("google.protobuf.ListValue", "{}", "a list, found an object"),
  ])
  func `values that do not fit are refused`(
    _ type: String, _ input: String, _ reason: String
  ) throws {
    #expect(try errors(input, as: type) == ["expected " + reason])
  }

  @Test func `a FieldMask is one string of paths`() throws {
    // Envoy's API does not use it.
    let type = try #require(
      try pool(adding: [
        "name": "field_mask.proto", "package": "google.protobuf", "syntax": "proto3",
        "message_type": [
          ["name": "FieldMask", "field": [field("paths", 1, "STRING", label: "LABEL_REPEATED")]]
        ],
      ]).message(named: "google.protobuf.FieldMask"))
    let mask = try DynamicMessage.decode("fooBar.baz,x", as: type).get()
    #expect(mask["paths"]?.list == [.string("foo_bar.baz"), .string("x")])
    #expect(mask.json() == "fooBar.baz,x")
    #expect(DynamicMessage(type).json() == "")
    #expect(
      DynamicMessage.decode("foo_bar", as: type).errors.map(\.description)
        == ["expected field paths in lowerCamelCase, found \"foo_bar\""])
  }

  @Test func `an Any is expanded, at any depth`() throws {
    let text = """
      {"name":"w","typed_config":{"@type":"type.googleapis.com/\
      envoy.extensions.filters.http.wasm.v3.Wasm","config":{"name":"n","configuration":\
      {"@type":"type.googleapis.com/google.protobuf.StringValue","value":"{}"}}}}
      """
    let name = "envoy.config.core.v3.TypedExtensionConfig"
    #expect(try through(text, as: name) == text)
    let any = try #require(try decode(text, as: name)["typed_config"]?.message)
    #expect(any.anyTypeURL == "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm")
    #expect(any.anyContent?["config"]?.message?["name"]?.string == "n")
  }

  @Test func `an Any may be empty, and Empty may be written as a value`() throws {
    #expect(try through("{}", as: "google.protobuf.Any") == "{}")
    let type = #""@type":"type.googleapis.com/google.protobuf.Empty""#
    #expect(try through("{\(type),\"value\":{}}", as: "google.protobuf.Any") == "{\(type)}")
  }

  @Test func `an Any of unknown type keeps its bytes`() throws {
    let text = #"{"@type":"type.example.com/x.Y","value":"AQID"}"#
    let options = JSONDecoding.Options(acceptsUnknownAnyTypes: true)
    let any = try decode(text, as: "google.protobuf.Any", options: options)
    #expect(any["value"]?.bytes == [1, 2, 3])
    #expect(any.anyContent == nil)
    #expect(any.json().text() == text)
  }

  @Test func `a TypedStruct is an ordinary message`() throws {
    let text = """
      {"@type":"type.googleapis.com/udpa.type.v1.TypedStruct",\
      "type_url":"type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",\
      "value":{"config":{"name":"n","list":[1,null]}}}
      """
    #expect(
      try through(text, as: "google.protobuf.Any")
        == text.replacing(#"{"name":"n","list":[1,null]}"#, with: #"{"list":[1,null],"name":"n"}"#))
  }

  @Test func `null is no value, but for Value`() throws {
    let route = "envoy.config.route.v3.Route"
    #expect(try decode(#"{"name":null,"match":null}"#, as: route).isEmpty)
    // The second member of the oneof is null and so does not count.
    #expect(
      try through(#"{"redirect":null,"route":{"cluster":"c"}}"#, as: route)
        == #"{"route":{"cluster":"c"}}"#)
    let metadata = "envoy.config.core.v3.Metadata"
    #expect(
      try through(#"{"filter_metadata":{"a":{"b":null}}}"#, as: metadata)
        == #"{"filter_metadata":{"a":{"b":null}}}"#)
    #expect(
      try errors(#"{"filter_metadata":{"a":null}}"#, as: metadata)
        == ["filter_metadata[\"a\"]: expected an object, found null"])
  }

  @Test func `enums are read by name and number and written by name if they have one`() throws {
    let name = "envoy.config.cluster.v3.Cluster"
    #expect(try through(#"{"lb_policy":"RANDOM"}"#, as: name) == #"{"lb_policy":"RANDOM"}"#)
    #expect(try through(#"{"lb_policy":3}"#, as: name) == #"{"lb_policy":"RANDOM"}"#)
    #expect(try through(#"{"lb_policy":77}"#, as: name) == #"{"lb_policy":77}"#)
    #expect(try through(#"{"lb_policy":"ROUND_ROBIN"}"#, as: name) == "{}")
  }

  @Test func `members of a oneof keep a zero, plain fields do not`() throws {
    let name = "envoy.config.core.v3.SocketAddress"
    #expect(
      try through(#"{"address":"","port_value":0}"#, as: name) == #"{"port_value":0}"#)
  }

  @Test func `bytes that Any content cannot be parsed from are kept`() throws {
    let any = try message("google.protobuf.Any")
    let url = Array("type.googleapis.com/google.protobuf.Duration".utf8)
    let wire = [0x0A, UInt8(url.count)] + url + [0x12, 0x02, 0x08, 0xFF]
    let parsed = try DynamicMessage(parsing: wire, as: any)
    #expect(parsed.serialized() == wire)
    #expect(parsed.anyContent == nil)
    #expect(parsed["value"]?.bytes == [0x08, 0xFF])
  }
}
