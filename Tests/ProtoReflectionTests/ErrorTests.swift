// SPDX-License-Identifier: Apache-2.0

import JSON
import ProtoReflection
import Testing

/// What users are told: where, what was expected, and what they most likely meant.
@Suite struct ErrorTests {
  private let manager = """
    envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
    """

  @Test func `all errors are told, each with its path`() throws {
    let text = """
      {"http_filters":[{"name":"a"},{"nam":"b","typed_config":{"@type":"type.googleapis.com/\
      envoy.extensions.filters.http.wasm.v3.Wasm","config":{"vm_config":{"runtim":"v8",\
      "code":{"local":{"filename":7}}},"rootId":[]}}}],"codec_type":"HTP2",\
      "stream_idle_timeout":"5","use_remote_address":"yes"}
      """
    let wasm = "http_filters[1].typed_config.config"
    #expect(
      try errors(text, as: manager) == [
        """
        http_filters[1].nam: unknown field "nam" of envoy.extensions.filters.network.\
        http_connection_manager.v3.HttpFilter; did you mean "name"?
        """,
        """
        \(wasm).vm_config.runtim: unknown field "runtim" of envoy.extensions.wasm.v3.VmConfig; \
        did you mean "runtime"?
        """,
        """
        \(wasm).vm_config.code.local.filename: expected a string, found the number 7; \
        put it in quotes
        """,
        "\(wasm).rootId: expected a string, found a list",
        """
        codec_type: unknown value "HTP2" of \(manager).CodecType; did you mean "HTTP2"?
        """,
        "stream_idle_timeout: expected a duration such as \"1.5s\", found \"5\"",
        "use_remote_address: expected true or false, found a string",
      ])
  }

  @Test func `an unknown type is told with the nearest`() throws {
    let prefix = "type.googleapis.com/"
    func error(_ url: String) throws -> [String] {
      try errors(#"{"typed_config":{"@type":"\#(url)"}}"#, as: "envoy.config.listener.v3.Filter")
    }
    #expect(
      try error(prefix + "envoy.extensions.filters.http.wasm.v3.Wsm") == [
        """
        typed_config.@type: unknown type "\(prefix)envoy.extensions.filters.http.wasm.v3.Wsm"; \
        did you mean "\(prefix)envoy.extensions.filters.http.wasm.v3.Wasm"?
        """
      ])
    // A version that is gone.
    #expect(
      try error(
        prefix + manager.replacing("network.http_connection_manager.v3", with: "net.hcm.v2")
      )
      .first?.hasSuffix("did you mean \"\(prefix)\(manager)\"?") == true)
    #expect(
      try error("envoy.extensions.filters.http.wasm.v3.Wasm").first?
        .hasSuffix("did you mean \"\(prefix)envoy.extensions.filters.http.wasm.v3.Wasm\"?") == true)
    #expect(
      try error(prefix + "no.such.Thing")
        == ["typed_config.@type: unknown type \"\(prefix)no.such.Thing\""])
    #expect(
      try errors(#"{"typed_config":{"a":1}}"#, as: "envoy.config.listener.v3.Filter")
        == ["typed_config: expected \"@type\" to say which message this is, found none"])
    #expect(
      try errors(
        #"{"@type":"\#(prefix)google.protobuf.Duration","val":"1s"}"#, as: "google.protobuf.Any")
        == [
          "val: expected only \"value\" beside the type google.protobuf.Duration",
          "expected \"value\" with the content of google.protobuf.Duration, found none",
        ])
  }

  @Test func `two members of a oneof are one too many`() throws {
    #expect(
      try errors(
        #"{"match":{"prefix":"/","path":"/a"},"name":"x"}"#, as: "envoy.config.route.v3.Route")
        == [
          "match.path: expected one field of the oneof \"path_specifier\", found \"prefix\" too"
        ])
  }

  @Test func `a field in both spellings is one too many`() throws {
    #expect(
      try errors(#"{"lb_policy":1,"lbPolicy":2}"#, as: "envoy.config.cluster.v3.Cluster")
        == ["lbPolicy: expected each field once, found it as \"lb_policy\" too"])
  }

  @Test func `unknown fields may be warnings`() throws {
    let decoding = DynamicMessage.decode(
      ["name": "a", "subfilter": 1], as: try message("envoy.config.route.v3.Route"),
      options: JSONDecoding.Options(unknownFields: .collectAsWarnings))
    #expect(decoding.errors == [])
    #expect(decoding.warnings.map(\.path) == [[.field("subfilter")]])
    #expect(decoding.message["name"]?.string == "a")
  }

  @Test func `errors and nesting are bounded`() throws {
    let many: JSONValue = .array((0..<5_000).map { ["x\($0)": 1] })
    let decoding = DynamicMessage.decode(
      ["routes": many], as: try message("envoy.config.route.v3.VirtualHost"))
    #expect(decoding.errors.count == 100)
    var deep: JSONValue = [:]
    for _ in 0..<5_000 { deep = ["and_rules": ["rules": [deep]]] }
    #expect(
      DynamicMessage.decode(deep, as: try message("envoy.config.rbac.v3.Permission")).errors
        .map(\.reason) == ["expected at most 100 levels of nesting"])
  }

  @Test(arguments: [
    ("subfilter", "sub_filter"), ("SubFilter", "sub_filter"), ("nmae", "name"),
    ("timeouts", "timeout"), ("zzz", nil), ("", nil),
  ])
  func `names are near when a slip of the hand is between them`(_ name: String, _ near: String?) {
    #expect(NearestName.of(name, among: ["name", "timeout", "sub_filter", "id"]) == near)
  }
}
