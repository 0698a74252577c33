// SPDX-License-Identifier: Apache-2.0

import Agent
import EnvoyAPI
import MeshModel
import Testing
import WasmModules

/// LDS: modules inlined in filter chains, several in one listener.
@Suite struct ListenerTests {
  /// A filter of a chain or of a connection manager: name, then its configuration.
  private static func filter(_ name: String, _ config: WireTree) -> [WireTree] {
    [.text(1, name), config]
  }

  private static func wasm(_ type: String, _ code: WireTree) -> WireTree {
    .any(4, type, WireTree.wasm(code: [code]))
  }

  /// A listener with a Wasm filter in each place where one can be.
  private static func listener(_ configs: [WireTree]) -> [UInt8] {
    let manager: [WireTree] = [
      .text(2, "ingress"), .message(5, filter("http", configs[0])),
      .message(5, filter("router", .any(4, "envoy.extensions.filters.http.router.v3.Router", []))),
      .message(5, filter("default", .message(5, [.message(1, []), configs[1]]))),
      .message(23, [.text(1, "websocket"), .message(2, filter("upgrade", configs[2]))]),
    ]
    return [
      WireTree.text(1, "0.0.0.0_80"), .message(2, [.text(9, "address")]),
      .message(
        3,
        [
          .message(3, filter("network", configs[3])),
          .message(3, filter("hcm", .any(4, WireTree.connectionManager, manager))),
          .message(6, []),
        ]),
      .message(3, []),
      .message(19, [.any(1, WireTree.connectionManager, [.message(5, filter("api", configs[4]))])]),
      .message(25, [.message(3, filter("last", configs[5]))]),
    ]
    .encoded
  }

  private static let types = [
    WireTree.httpWasm, WireTree.httpWasm, WireTree.httpWasm, WireTree.networkWasm,
    WireTree.httpWasm, WireTree.networkWasm,
  ]

  /// A default configuration is field 2 of its source, a filter's is field 4.
  private static func places(_ config: (Int) -> WireTree) -> [WireTree] {
    (0..<6).map { index in
      guard index == 1, case .message(_, let any) = config(index) else { return config(index) }
      return .message(2, any)
    }
  }

  @Test func `every place is found and nothing else changes`() throws {
    let remote = Self.listener(Self.places { Self.wasm(Self.types[$0], WireTree.remoteCode) })
    // In the order of the listener's bytes: the network filter is before the connection manager.
    let order = [3, 0, 1, 2, 4, 5]
    let local = Self.listener(
      Self.places { index in
        Self.wasm(Self.types[index], WireTree.localCode("/m\(order.firstIndex(of: index) ?? 9)"))
      })
    let resource = try WasmResource(typeURL: .listener, bytes: remote)
    #expect(resource.name == "0.0.0.0_80")
    #expect(resource.modules.map(\.isNetwork) == [true, false, false, false, false, true])
    #expect(Set(resource.modules.map(\.request?.plugin)) == ["0.0.0.0_80/ns.p"])
    #expect(resource.rewritten(with: (0..<6).map { "/m\($0)" }) == local)
    #expect(try WasmResource(typeURL: .listener, bytes: local).modules.isEmpty)
  }

  @Test func `one module may be had while another falls back`() throws {
    let remote = Self.listener(Self.places { Self.wasm(Self.types[$0], WireTree.remoteCode) })
    let expected = Self.listener(
      Self.places { index in
        switch index {
        case 0:
          .any(4, WireTree.httpRBAC, [.message(1, []), .text(6, "wasm-default-deny")])
        case 3:
          .any(4, WireTree.networkRBAC, [.message(1, []), .text(3, "wasm-default-deny")])
        default: Self.wasm(Self.types[index], WireTree.localCode("/m"))
        }
      })
    let resource = try WasmResource(typeURL: .listener, bytes: remote)
    let files = [WasmResource.Substitute](repeating: .file("/m"), count: 4)
    #expect(resource.rewritten(with: [.fallback, .fallback] + files) == expected)
  }

  @Test func `a listener without Wasm is not even parsed`() throws {
    let bytes = Array("not protobuf, and a W: filters.wasm.v3.Was".utf8)
    let resource = try WasmResource(typeURL: .listener, bytes: bytes)
    #expect(resource.modules.isEmpty)
    #expect(resource.rewritten(with: [String]()) == bytes)
    #expect(try WasmResource(typeURL: .listener, bytes: []).rewritten(with: [String]()) == [])
  }

  @Test func `a listener that speaks of Wasm and cannot be read is refused`() {
    #expect(throws: WasmResourceError.self) {
      try WasmResource(typeURL: .listener, bytes: Array("\u{0A}\u{40}wasm.v3.Wasm".utf8))
    }
  }

  @Test func `an access logger is no filter`() throws {
    let bytes: [WireTree] = [
      .message(
        22, [.any(4, "envoy.extensions.access_loggers.wasm.v3.WasmAccessLog", [.text(1, "x")])])
    ]
    let resource = try WasmResource(typeURL: .listener, bytes: bytes.encoded)
    #expect(resource.modules.isEmpty)
    #expect(resource.rewritten(with: [String]()) == bytes.encoded)
  }

  @Test func `deep nesting ends`() throws {
    var any = WireTree.any(2, WireTree.httpWasm, WireTree.wasm(code: [WireTree.remoteCode]))
    for _ in 0..<2000 {
      any = .any(
        2, "envoy.extensions.common.matching.v3.ExtensionWithMatcher", [.message(2, [any])])
    }
    let resource = try WasmResource(typeURL: .extensionConfig, bytes: [any].encoded)
    #expect(resource.modules.isEmpty)
  }
}
