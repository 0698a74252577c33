// SPDX-License-Identifier: Apache-2.0

import JSON
import ProtoReflection
import Testing

/// Merging, as protobuf does it and as Istio departs from it.
@Suite struct MergeTests {
  private func merged(
    _ a: String, _ b: String, as name: String, _ options: MergeOptions = .protobuf
  ) throws -> String {
    var message = try decode(a, as: name)
    try message.merge(from: try decode(b, as: name), options: options)
    return message.json().text()
  }

  private let cluster = "envoy.config.cluster.v3.Cluster"

  @Test func `scalars overwrite, messages merge, zeroes change nothing`() throws {
    #expect(
      try merged(
        """
        {"name":"a","lb_policy":"RANDOM","common_lb_config":{"healthy_panic_threshold":{"value":5}}}
        """,
        """
        {"name":"b","lb_policy":"ROUND_ROBIN",\
        "common_lb_config":{"ignore_new_hosts_until_first_hc":true}}
        """,
        as: cluster)
          == """
          {"name":"b","lb_policy":"RANDOM","common_lb_config":{"healthy_panic_threshold":\
          {"value":5},"ignore_new_hosts_until_first_hc":true}}
          """)
  }

  @Test func `a wrapper's false cannot overwrite true`() throws {
    let name = "envoy.config.route.v3.RouteMatch"
    #expect(
      try merged(#"{"case_sensitive":true}"#, #"{"case_sensitive":false}"#, as: name)
        == #"{"case_sensitive":true}"#)
  }

  @Test func `lists append or are replaced`() throws {
    let (a, b) = (#"{"domains":["a"],"name":"n"}"#, #"{"domains":["b"]}"#)
    let name = "envoy.config.route.v3.VirtualHost"
    #expect(try merged(a, b, as: name) == #"{"name":"n","domains":["a","b"]}"#)
    #expect(
      try merged(a, b, as: name, .istioReplacingLists) == #"{"name":"n","domains":["b"]}"#)
    #expect(try merged(a, "{}", as: name, .istioReplacingLists) == #"{"name":"n","domains":["a"]}"#)
  }

  @Test func `durations merge by field or as one value`() throws {
    let (a, b) = (#"{"connect_timeout":"5.500s"}"#, #"{"connect_timeout":"0s"}"#)
    #expect(try merged(a, b, as: cluster) == a)
    #expect(try merged(a, b, as: cluster, .istio) == b)
    #expect(
      try merged(a, #"{"connect_timeout":"3s"}"#, as: cluster)
        == #"{"connect_timeout":"3.500s"}"#)
  }

  @Test func `a member of a oneof displaces another`() throws {
    #expect(
      try merged(
        #"{"match":{"prefix":"/"},"route":{"cluster":"c"}}"#,
        #"{"match":{"path":"/a"},"route":{"timeout":"1s"}}"#, as: "envoy.config.route.v3.Route")
        == #"{"match":{"path":"/a"},"route":{"cluster":"c","timeout":"1s"}}"#)
  }

  @Test func `map entries are replaced key by key`() throws {
    #expect(
      try merged(
        #"{"filter_metadata":{"a":{"x":1},"b":{}}}"#, #"{"filter_metadata":{"a":{"y":2}}}"#,
        as: "envoy.config.core.v3.Metadata")
        == #"{"filter_metadata":{"a":{"y":2},"b":{}}}"#)
  }

  private func wasm(_ config: String) -> String {
    """
    {"@type":"type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm","config":\(config)}
    """
  }

  @Test func `Any is replaced by protobuf and merged when unpacked`() throws {
    let (a, b) = (wasm(#"{"name":"a","root_id":"r"}"#), wasm(#"{"name":"b"}"#))
    let name = "google.protobuf.Any"
    #expect(try merged(a, b, as: name) == b)
    #expect(
      try merged(a, b, as: name, MergeOptions(anyMessages: .unpacked))
        == wasm(#"{"name":"b","root_id":"r"}"#))
    #expect(try merged("{}", b, as: name, MergeOptions(anyMessages: .unpacked)) == b)
    #expect(try merged(a, "{}", as: name, MergeOptions(anyMessages: .unpacked)) == a)
    // Only the outer Any is unpacked: one inside is replaced.
    var outer = try decode(wasm(#"{"configuration":\#(a)}"#), as: name)
    try outer.mergeAnyContent(
      from: try decode(wasm(#"{"root_id":"r","configuration":\#(b)}"#), as: name), options: .istio)
    #expect(outer.json().text() == wasm(#"{"root_id":"r","configuration":\#(b)}"#))
  }

  @Test func `Any contents of two types do not merge`() throws {
    var filter = try decode(
      #"{"typed_config":\#(wasm("{}"))}"#, as: "envoy.config.listener.v3.Filter")
    let other = try decode(
      #"{"typed_config":{"@type":"type.googleapis.com/google.protobuf.Empty"}}"#,
      as: "envoy.config.listener.v3.Filter")
    #expect(
      throws: ReflectionError(
        at: [.field("typed_config"), .field("@type")],
        """
        expected the type "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm" to \
        merge, found "type.googleapis.com/google.protobuf.Empty"
        """)
    ) {
      try filter.merge(from: other, options: MergeOptions(anyMessages: .unpacked))
    }
  }

  @Test func `a type that changes while the bytes stay reads the bytes anew`() throws {
    var any = try decode(
      #"{"@type":"type.googleapis.com/google.protobuf.StringValue","value":"x"}"#,
      as: "google.protobuf.Any")
    let other = try decode(
      #"{"@type":"type.googleapis.com/google.protobuf.BytesValue","value":""}"#,
      as: "google.protobuf.Any")
    try any.merge(from: other)
    #expect(
      any.json().text()
        == #"{"@type":"type.googleapis.com/google.protobuf.BytesValue","value":"eA=="}"#)
  }

  @Test func `unknown fields are kept and appended`() throws {
    let type = try message("google.protobuf.Duration")
    var a = try DynamicMessage(parsing: [0x08, 0x01, 0xA8, 0x06, 0x07], as: type)
    try a.merge(from: try DynamicMessage(parsing: [0xA8, 0x06, 0x08], as: type))
    #expect(a.serialized() == [0x08, 0x01, 0xA8, 0x06, 0x07, 0xA8, 0x06, 0x08])
  }

  @Test func `messages of two types do not merge`() throws {
    var a = DynamicMessage(try message("google.protobuf.Duration"))
    #expect(throws: ReflectionError.self) {
      try a.merge(from: DynamicMessage(try message("google.protobuf.Timestamp")))
    }
  }
}
