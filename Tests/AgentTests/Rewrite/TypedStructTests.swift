// SPDX-License-Identifier: Apache-2.0

import Agent
import EnvoyAPI
import MeshModel
import SwiftProtobuf
import Testing
import WasmModules

/// Wasm written as free-form JSON: both TypedStructs, both spellings of a field.
@Suite struct TypedStructTests {
  private static let both = ["udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct"]

  /// The object of a Wasm filter; `snake` or camel case, with its code and variables.
  private static func wasm(
    _ snake: Bool = true, code: [WireTree], variables: WireTree? = nil
  ) -> [WireTree] {
    func name(_ words: String, _ camel: String) -> String { snake ? words : camel }
    let environment = variables.map {
      [WireTree.member(name("environment_variables", "environmentVariables"), $0)]
    }
    let vm: [WireTree] =
      [.member("runtime", .string("envoy.wasm.runtime.v8")), .member("code", .object(code))]
      + (environment ?? []) + [.member("zone", .string("kept"))]
    return [
      .member("unknown", .message(6, [.message(1, [.string("element")])])),
      .member(
        "config",
        .object([
          .member("name", .string("p")), .member(name("vm_config", "vmConfig"), .object(vm)),
          .member(name("failure_policy", "failurePolicy"), .string("FAIL_OPEN")),
        ])),
      .member("after", .number(4, 1)),
    ]
  }

  private static func remote(_ snake: Bool = true) -> WireTree {
    .member(
      "remote",
      .object([
        .member(
          snake ? "http_uri" : "httpUri",
          .object([
            .member("uri", .string("oci://r/p:1")), .member("timeout", .string("1.500s")),
          ])),
        .member("sha256", .string("ab12")),
      ]))
  }

  private static func local(_ path: String) -> WireTree {
    .member("local", .object([.member("filename", .string(path))]))
  }

  private static func resource(_ type: String, _ value: [WireTree]) -> [UInt8] {
    [
      WireTree.text(1, "n"),
      .any(
        2, type, [.text(1, "type.googleapis.com/\(WireTree.httpWasm)"), .message(2, value)]),
    ]
    .encoded
  }

  @Test(arguments: both, [true, false])
  func `the object is spliced in its order`(_ type: String, _ snake: Bool) throws {
    let variables = WireTree.object([
      .member(
        snake ? "key_values" : "keyValues",
        .object([
          .member("ISTIO_META_WASM_IMAGE_PULL_POLICY", .string("IfNotPresent")),
          .member("USER", .string("kept")),
          .member("ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION", .string("3")),
        ]))
    ])
    let public_ = WireTree.object([
      .member(
        snake ? "key_values" : "keyValues", .object([.member("USER", .string("kept"))]))
    ])
    let bytes = Self.resource(
      type, Self.wasm(snake, code: [Self.remote(snake)], variables: variables))
    let resource = try WasmResource(typeURL: .extensionConfig, bytes: bytes)
    #expect(
      resource.modules == [
        ModuleUse(
          plugin: "p",
          request: ModuleRequest(
            plugin: "n", url: "oci://r/p:1", sha256: "ab12", pullPolicy: .ifNotPresent,
            resourceVersion: "3", timeout: .milliseconds(1500)),
          failStrategy: .open, isNetwork: false)
      ])
    #expect(
      resource.rewritten(with: ["/a"])
        == Self.resource(type, Self.wasm(snake, code: [Self.local("/a")], variables: public_)))
  }

  @Test func `an environment without variables disappears`() throws {
    let variables = WireTree.object([
      .member(
        "key_values", .object([.member("ISTIO_META_WASM_IMAGE_PULL_SECRET", .string("{}"))])),
      .member("host_env_keys", .number(1, 0)),
    ])
    let type = Self.both[1]
    let bytes = Self.resource(type, Self.wasm(code: [Self.remote()], variables: variables))
    let resource = try WasmResource(typeURL: .extensionConfig, bytes: bytes)
    #expect(
      resource.rewritten(with: ["/a"])
        == Self.resource(type, Self.wasm(code: [Self.local("/a")])))
  }

  @Test func `a null is no code`() throws {
    let null = WireTree.number(1, 0)
    let type = Self.both[0]
    let nulled = Self.resource(
      type, Self.wasm(code: [.member("local", null), Self.remote()]))
    let resource = try WasmResource(typeURL: .extensionConfig, bytes: nulled)
    #expect(
      resource.rewritten(with: ["/a"]) == Self.resource(type, Self.wasm(code: [Self.local("/a")])))
    #expect(throws: WasmResourceError.self) {
      try WasmResource(
        typeURL: .extensionConfig,
        bytes: Self.resource(type, Self.wasm(code: [.member("remote", null)])))
    }
  }

  @Test func `of members with one name the last counts`() throws {
    func value(_ code: WireTree) -> [WireTree] {
      func config(_ code: [WireTree]) -> WireTree {
        .member(
          "config", .object([.member("vm_config", .object([.member("code", .object(code))]))]))
      }
      return [config([Self.local("/former")]), config([code])]
    }
    let bytes = Self.resource(Self.both[0], value(Self.remote()))
    let resource = try WasmResource(typeURL: .extensionConfig, bytes: bytes)
    #expect(
      resource.rewritten(with: ["/a"]) == Self.resource(Self.both[0], value(Self.local("/a"))))
  }

  @Test func `local code and other types pass as they are`() throws {
    let local = Self.resource(Self.both[0], Self.wasm(code: [Self.local("/there")]))
    let other: [WireTree] = [
      .any(2, Self.both[0], [.text(1, "type.googleapis.com/google.protobuf.Empty")])
    ]
    for bytes in [local, other.encoded] {
      let resource = try WasmResource(typeURL: .extensionConfig, bytes: bytes)
      #expect(resource.modules.isEmpty)
      #expect(resource.rewritten(with: [String]()) == bytes)
    }
  }

  @Test func `a remote module without a URI has no request`() throws {
    let bytes = Self.resource(
      Self.both[0], Self.wasm(code: [.member("remote", .object([]))]))
    let resource = try WasmResource(typeURL: .extensionConfig, bytes: bytes)
    #expect(resource.modules.map(\.request) == [nil])
  }

  @Test func `a fallback takes the place of the whole TypedStruct`() throws {
    let bytes = Self.resource(Self.both[0], Self.wasm(code: [Self.remote()]))
    let expected: [WireTree] = [
      .text(1, "n"), .any(2, WireTree.httpRBAC, [.text(6, "wasm-default-allow")]),
    ]
    #expect(
      try WasmResource(typeURL: .extensionConfig, bytes: bytes).fallback() == expected.encoded)
  }

  /// A connection manager given as JSON, with a Wasm filter among its filters.
  private static func manager(_ config: [WireTree]) -> [UInt8] {
    let filters = WireTree.message(
      6,
      [
        .message(
          1, [.object([.member("name", .string("w")), .member("typed_config", .object(config))])]),
        .message(1, [.object([.member("name", .string("router"))])]),
      ])
    let typedStruct: [WireTree] = [
      .text(1, "type.googleapis.com/\(WireTree.connectionManager)"),
      .message(2, [.member("stat_prefix", .string("s")), .member("http_filters", filters)]),
    ]
    return [
      WireTree.message(
        3, [.message(3, [.text(1, "hcm"), .any(4, "xds.type.v3.TypedStruct", typedStruct)])])
    ]
    .encoded
  }

  @Test func `a connection manager given as JSON is looked into`() throws {
    let type = WireTree.member("@type", .string("type.googleapis.com/\(WireTree.httpWasm)"))
    let bytes = Self.manager([type] + Self.wasm(code: [Self.remote()]))
    let resource = try WasmResource(typeURL: .listener, bytes: bytes)
    #expect(
      resource.rewritten(with: ["/a"])
        == Self.manager([type] + Self.wasm(code: [Self.local("/a")])))
    let rbac = WireTree.member("@type", .string("type.googleapis.com/\(WireTree.httpRBAC)"))
    #expect(
      resource.fallback()
        == Self.manager([rbac, .member("rules_stat_prefix", .string("wasm-default-allow"))]))
  }

  @Test func `a policy may be written as its number`() throws {
    var bits = (3.0).bitPattern.littleEndian
    let number = withUnsafeBytes(of: &bits) { [0x11] + Array($0) }
    let value: [WireTree] = [
      .member(
        "config",
        .object([
          .member("vm_config", .object([.member("code", .object([Self.remote()]))])),
          .member("failure_policy", .raw(number)),
        ]))
    ]
    let resource = try WasmResource(
      typeURL: .extensionConfig, bytes: Self.resource(Self.both[0], value))
    #expect(resource.modules.map(\.failStrategy) == [.open])
    #expect(resource.modules.map(\.plugin) == ["n"])
  }
}
