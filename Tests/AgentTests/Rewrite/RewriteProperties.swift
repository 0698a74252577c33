// SPDX-License-Identifier: Apache-2.0

import Agent
import EnvoyAPI
import MeshModel
import SwiftProtobuf
import Testing

/// What holds for any resource, tried on many.
@Suite struct RewriteProperties {
  /// A listener with any number of Wasm filters, fields in any order, unknown fields all over.
  ///
  /// The choices depend on the seed alone, so two listeners of a seed differ in their code only.
  private static func listener(
    seed: UInt64, isLocal: Bool
  ) -> (bytes: [UInt8], modules: Int) {
    var random = SeededGenerator(seed: seed)
    var modules = 0
    func wasm(_ type: String) -> WireTree {
      let code = isLocal ? WireTree.localCode("/\(modules)") : WireTree.remoteCode
      modules += 1
      // The code's message is rewritten as a whole; all around it must survive.
      var variables = [WireTree.variable("USER", "u")]
      if !isLocal { variables.append(.variable("ISTIO_META_WASM_IMAGE_PULL_POLICY", "Always")) }
      let vm: [WireTree] = [.message(3, [code]), .message(7, variables), .text(1, "id")]
      let config: [WireTree] = [
        .text(1, "p"), .message(3, vm.disordered(&random)), .text(2, "root"),
        .any(4, "google.protobuf.StringValue", [.text(1, "wasm.v3.Wasm {\"a\":1}")]),
      ]
      return .any(4, type, [.message(1, config.disordered(&random))].disordered(&random))
    }
    func chain() -> [WireTree] {
      var filters: [WireTree] = []
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        let network = [WireTree.text(1, "n"), wasm(WireTree.networkWasm)].disordered(&random)
        filters.append(.message(3, network))
      }
      var http: [WireTree] = [.text(2, "stats")]
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        let filter = [WireTree.text(1, "h"), wasm(WireTree.httpWasm)].disordered(&random)
        http.append(.message(5, filter))
      }
      // Not disordered: modules are counted in the order of the bytes.
      filters.append(.message(3, [.text(1, "hcm"), .any(4, WireTree.connectionManager, http)]))
      return filters
    }
    let fields: [WireTree] = [
      .text(1, "listener"), .message(3, chain()), .message(3, chain()), .message(25, chain()),
    ]
    return (fields.encoded, modules)
  }

  @Test func `every byte survives but code and internal variables`() throws {
    var modules = 0
    for seed: UInt64 in 0..<500 {
      let (bytes, count) = Self.listener(seed: seed, isLocal: false)
      let resource = try WasmResource(typeURL: .listener, bytes: bytes)
      try #require(resource.modules.count == count, "seed \(seed)")
      modules += count
      let rewritten = resource.rewritten(with: (0..<count).map { "/\($0)" })
      try #require(rewritten == Self.listener(seed: seed, isLocal: true).bytes, "seed \(seed)")
    }
    #expect(modules > 1000)
  }

  @Test func `what SwiftProtobuf reads is the edit of what it read before`() throws {
    typealias Extension = Envoy_Config_Core_V3_TypedExtensionConfig
    typealias Wasm = Envoy_Extensions_Filters_Http_Wasm_V3_Wasm
    for seed: UInt64 in 0..<500 {
      var random = SeededGenerator(seed: seed)
      func some() -> Bool { Bool.random(using: &random) }
      let internalKeys = ["ISTIO_META_WASM_IMAGE_PULL_SECRET", "ISTIO_META_A"].filter { _ in some()
      }
      let userKeys = ["A", "ISTIO_METAL", "B_ISTIO_META_"].filter { _ in some() }
      let wasm = Wasm.with {
        $0.config.name = some() ? "p" : ""
        $0.config.failurePolicy = some() ? .failOpen : .failClosed
        if some() { $0.config.configuration = Google_Protobuf_StringValue("{}").packed() }
        if some() { $0.config.reloadConfig.backoff.baseInterval = .init(seconds: 1) }
        $0.config.vmConfig.vmID = some() ? "vm" : ""
        $0.config.vmConfig.nackOnCodeCacheMiss = some()
        $0.config.vmConfig.code.remote.httpUri.uri = some() ? "http://a" : ""
        if some() { $0.config.vmConfig.code.remote.retryPolicy.numRetries = 3 }
        for key in internalKeys + userKeys {
          $0.config.vmConfig.environmentVariables.keyValues[key] = "v"
        }
        if some() { $0.config.vmConfig.environmentVariables.hostEnvKeys = ["HOME"] }
      }
      let bytes = Extension.with { $0.typedConfig = wasm.packed() }.deterministicBytes()
      var expected = wasm.config
      expected.vmConfig.code = .with { $0.local.filename = "/f" }
      for key in internalKeys {
        expected.vmConfig.environmentVariables.keyValues[key] = nil
      }
      if expected.vmConfig.environmentVariables == .init() {
        expected.vmConfig.clearEnvironmentVariables()
      }
      let rewritten = try WasmResource(typeURL: .extensionConfig, bytes: bytes)
        .rewritten(with: ["/f"])
      let found = try Wasm(serializedBytes: Extension(serializedBytes: rewritten).typedConfig.value)
      try #require(found.config == expected, "seed \(seed)")
    }
  }

  @Test func `damaged bytes are refused or rewritten, and never crash`() throws {
    let listener = Self.listener(seed: 3, isLocal: false).bytes
    let object: [WireTree] = [
      .text(1, "n"),
      .any(
        2, "xds.type.v3.TypedStruct",
        [
          .text(1, "type.googleapis.com/\(WireTree.httpWasm)"),
          .message(
            2,
            [
              .member(
                "config",
                .object([
                  .member(
                    "vm_config",
                    .object([
                      .member(
                        "code",
                        .object([
                          .member(
                            "remote",
                            .object([
                              .member("http_uri", .object([.member("uri", .string("http://a"))]))
                            ]))
                        ])),
                      .member(
                        "environment_variables",
                        .object([
                          .member(
                            "key_values", .object([.member("ISTIO_META_A", .string("b"))]))
                        ])),
                    ]))
                ]))
            ]),
        ]),
    ]
    var refused = 0
    var rewritten = 0
    for (type, original) in [(TypeURL.listener, listener), (.extensionConfig, object.encoded)] {
      for seed: UInt64 in 0..<8_000 {
        var random = SeededGenerator(seed: seed)
        let bytes = Self.damaged(original, &random)
        guard let resource = try? WasmResource(typeURL: type, bytes: bytes) else {
          refused += 1
          continue
        }
        let result = resource.rewritten(with: resource.modules.map { _ in "/f" })
        // The result asks for no module any more, and so does the fallback.
        for bytes in [result, resource.fallback() ?? []] where !resource.modules.isEmpty {
          let again = try WasmResource(typeURL: type, bytes: bytes)
          try #require(again.modules.isEmpty, "seed \(seed)")
          rewritten += 1
        }
      }
    }
    #expect(refused > 1000)
    #expect(rewritten > 1000)
  }

  private static func damaged(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0...Int.random(in: 0..<3, using: &random) where !bytes.isEmpty {
      let index = bytes.indices.randomElement(using: &random) ?? 0
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: bytes.remove(at: index)
      case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
      default: bytes.removeSubrange(index...)
      }
    }
    return bytes
  }
}
