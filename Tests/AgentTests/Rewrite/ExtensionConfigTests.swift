// SPDX-License-Identifier: Apache-2.0

import Agent
import EnvoyAPI
import MeshModel
import SwiftProtobuf
import Testing
import WasmModules

/// ECDS: one extension, one module.
@Suite struct ExtensionConfigTests {
  private typealias Extension = Envoy_Config_Core_V3_TypedExtensionConfig
  private typealias Wasm = Envoy_Extensions_Filters_Http_Wasm_V3_Wasm

  private static func resource(
    _ name: String = "ns.p", _ edit: (inout Envoy_Extensions_Wasm_V3_PluginConfig) -> Void
  ) -> [UInt8] {
    let wasm = Wasm.with {
      $0.config.name = "plugin"
      $0.config.vmConfig.code.remote.httpUri.uri = "https://modules/a.wasm"
      $0.config.vmConfig.code.remote.httpUri.timeout = .init(seconds: 30, nanos: 500_000_000)
      $0.config.vmConfig.code.remote.sha256 = "ab12"
      edit(&$0.config)
    }
    return Extension.with {
      $0.name = name
      $0.typedConfig = wasm.packed()
    }
    .deterministicBytes()
  }

  private static func read(_ bytes: [UInt8]) throws -> WasmResource {
    try WasmResource(typeURL: .extensionConfig, bytes: bytes)
  }

  private static func plugin(
    in bytes: [UInt8]
  ) throws -> Envoy_Extensions_Wasm_V3_PluginConfig {
    try Wasm(serializedBytes: Extension(serializedBytes: bytes).typedConfig.value).config
  }

  @Test func `a remote module is named with all that its fetch needs`() throws {
    let resource = try Self.read(
      Self.resource("extensions.istio.io/wasmplugin/ns.p") {
        $0.failurePolicy = .failOpen
        $0.vmConfig.environmentVariables.keyValues = [
          "ISTIO_META_WASM_IMAGE_PULL_SECRET": "{}",
          "ISTIO_META_WASM_IMAGE_PULL_POLICY": "Always",
          "ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION": "17",
        ]
      })
    #expect(resource.name == "extensions.istio.io/wasmplugin/ns.p")
    #expect(
      resource.modules == [
        ModuleUse(
          plugin: "plugin",
          request: ModuleRequest(
            plugin: "extensions.istio.io/wasmplugin/ns.p", url: "https://modules/a.wasm",
            sha256: "ab12", pullPolicy: .always, resourceVersion: "17",
            pullSecret: PullSecret("{}"), timeout: .milliseconds(30_500)),
          failStrategy: .open, isNetwork: false)
      ])
  }

  @Test func `a fetch without a time gets five seconds`() throws {
    for timeout in [nil, Google_Protobuf_Duration(), Google_Protobuf_Duration(seconds: -1)] {
      let resource = try Self.read(
        Self.resource {
          if let timeout { $0.vmConfig.code.remote.httpUri.timeout = timeout }
          if timeout == nil { $0.vmConfig.code.remote.httpUri.clearTimeout() }
        })
      #expect(resource.modules.first?.request?.timeout == .seconds(5))
    }
  }

  @Test(arguments: [
    ("IfNotPresent", ModulePullPolicy.ifNotPresent), ("Always", .always),
    ("UNSPECIFIED_POLICY", .unspecified), ("always", .unspecified),
  ])
  func `pull policies are Istio's`(_ text: String, _ policy: ModulePullPolicy) throws {
    let resource = try Self.read(
      Self.resource {
        $0.vmConfig.environmentVariables.keyValues["ISTIO_META_WASM_IMAGE_PULL_POLICY"] = text
      })
    #expect(resource.modules.first?.request?.pullPolicy == policy)
  }

  @Test func `an empty secret is told, a missing one is none`() throws {
    let empty = try Self.read(
      Self.resource {
        $0.vmConfig.environmentVariables.keyValues["ISTIO_META_WASM_IMAGE_PULL_SECRET"] = ""
      })
    #expect(empty.modules.first?.request?.pullSecret == PullSecret(""))
    #expect(try Self.read(Self.resource { _ in }).modules.first?.request?.pullSecret == nil)
  }

  @Test func `the module becomes a file and internal variables disappear`() throws {
    let bytes = Self.resource {
      $0.rootID = "root"
      $0.configuration = Google_Protobuf_StringValue("{}").packed()
      $0.vmConfig.environmentVariables.keyValues = [
        "ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION": "17", "ISTIO_META_OTHER": "x", "USER": "kept",
      ]
      $0.vmConfig.environmentVariables.hostEnvKeys = ["HOME"]
    }
    var expected = try Self.plugin(in: bytes)
    expected.vmConfig.code = .with { $0.local.filename = "/data/a.wasm" }
    expected.vmConfig.environmentVariables.keyValues = ["USER": "kept"]
    #expect(try Self.plugin(in: Self.read(bytes).rewritten(with: ["/data/a.wasm"])) == expected)
  }

  @Test func `an environment without variables disappears`() throws {
    let bytes = Self.resource {
      $0.vmConfig.environmentVariables.keyValues = ["ISTIO_META_WASM_IMAGE_PULL_POLICY": "Always"]
    }
    let rewritten = try Self.plugin(in: Self.read(bytes).rewritten(with: ["/a"]))
    #expect(!rewritten.vmConfig.hasEnvironmentVariables)
  }

  @Test func `a local module passes as it is`() throws {
    let bytes = Self.resource {
      $0.vmConfig.code.local.filename = "/there.wasm"
      $0.vmConfig.environmentVariables.keyValues = ["ISTIO_META_X": "stays"]
    }
    let resource = try Self.read(bytes)
    #expect(resource.modules.isEmpty)
    #expect(resource.rewritten(with: [String]()) == bytes)
    #expect(resource.fallback() == nil)
  }

  @Test func `other types pass as they are`() throws {
    let bytes = Extension.with {
      $0.name = "cors"
      $0.typedConfig = Google_Protobuf_StringValue("wasm.v3.Wasm").packed()
    }
    .deterministicBytes()
    let resource = try Self.read(bytes)
    #expect(resource.modules.isEmpty)
    #expect(resource.rewritten(with: [String]()) == bytes)
  }

  @Test func `a remote module without a URI has no request`() throws {
    let resource = try Self.read(
      Self.resource { $0.vmConfig.code.remote = .with { $0.sha256 = "ab12" } })
    #expect(resource.modules.map(\.request) == [nil])
    #expect(resource.fallback() != nil)
  }

  @Test func `what cannot be read is refused with its name`() throws {
    func error(_ bytes: [UInt8], _ type: TypeURL = .extensionConfig) -> WasmResourceError? {
      #expect(throws: WasmResourceError.self) { try WasmResource(typeURL: type, bytes: bytes) }
    }
    let noCode = Self.resource { $0.vmConfig.clearCode() }
    #expect(
      error(noCode) == .init(name: "ns.p", reason: "expected local or remote code, found neither"))
    let noConfig = Extension.with { $0.name = "a" }.deterministicBytes()
    #expect(error(noConfig) == .init(name: "a", reason: "expected a typed_config, found none"))
    #expect(error([0x0A, 0x05, 0x61])?.reason == "a length of 5 where 1 bytes are left")
    #expect(error(noCode, .cluster)?.reason.hasSuffix("found \(TypeURL.cluster)") == true)
    let notPlugin: [WireTree] = [
      .text(1, "n"), .any(2, WireTree.httpWasm, [.message(1, [.bytes(1, [0xFF])])]),
    ]
    #expect(error(notPlugin.encoded)?.reason == "no PluginConfig in 3 bytes")
  }

  @Test func `a fallback allows or denies as the plugin's strategy says`() throws {
    typealias HTTP = Envoy_Extensions_Filters_Http_Rbac_V3_RBAC
    typealias Network = Envoy_Extensions_Filters_Network_Rbac_V3_RBAC
    func fallback(_ type: String, _ policy: UInt64) throws -> Extension {
      let bytes: [WireTree] = [
        .text(1, "n"),
        .any(
          2, type,
          [.message(1, [.message(3, [.message(3, [WireTree.remoteCode])]), .number(7, policy)])]),
      ]
      let resource = try Self.read(bytes.encoded)
      return try Extension(serializedBytes: #require(resource.fallback()))
    }
    func expected(_ config: Google_Protobuf_Any) -> Extension {
      Extension.with {
        $0.name = "n"
        $0.typedConfig = config
      }
    }
    let httpAllow = HTTP.with { $0.rulesStatPrefix = "wasm-default-allow" }
    let httpDeny = HTTP.with {
      $0.rules = .init()
      $0.rulesStatPrefix = "wasm-default-deny"
    }
    let networkAllow = Network.with { $0.statPrefix = "wasm-default-allow" }
    let networkDeny = Network.with {
      $0.rules = .init()
      $0.statPrefix = "wasm-default-deny"
    }
    #expect(try fallback(WireTree.httpWasm, 3) == expected(httpAllow.packed()))
    for policy: UInt64 in [0, 1, 2] {
      #expect(try fallback(WireTree.httpWasm, policy) == expected(httpDeny.packed()))
    }
    #expect(try fallback(WireTree.networkWasm, 3) == expected(networkAllow.packed()))
    #expect(try fallback(WireTree.networkWasm, 2) == expected(networkDeny.packed()))
  }

  @Test func `the deprecated fail_open counts`() throws {
    let config: [WireTree] = [
      .message(1, [.number(5, 1), .message(3, [.message(3, [WireTree.remoteCode])])])
    ]
    let bytes: [WireTree] = [.text(1, "n"), .any(2, WireTree.httpWasm, config)]
    #expect(try Self.read(bytes.encoded).modules.map(\.failStrategy) == [.open])
  }

  @Test func `a filter inside a match is found`() throws {
    func bytes(_ code: WireTree) -> [UInt8] {
      let wrapped: [WireTree] = [
        .message(3, [.text(9, "matcher")]),
        .message(
          2, [.text(1, "inner"), .any(2, WireTree.httpWasm, WireTree.wasm(code: [code]))]),
      ]
      return [
        WireTree.text(1, "outer"),
        .any(2, "envoy.extensions.common.matching.v3.ExtensionWithMatcher", wrapped),
      ]
      .encoded
    }
    let resource = try Self.read(bytes(WireTree.remoteCode))
    #expect(resource.rewritten(with: ["/a"]) == bytes(WireTree.localCode("/a")))
  }

  @Test func `fields that come in parts are merged as protobuf defines it`() throws {
    // The VM in two parts, a local module that a remote one replaces, a type URL given twice.
    let parts: [WireTree] = [
      .message(1, [.message(3, [.message(3, [WireTree.localCode("/old")])])]),
      .message(1, [.text(1, "p"), .message(3, [.message(3, [WireTree.remoteCode])])]),
    ]
    func bytes(_ wasm: [WireTree]) -> [UInt8] {
      let any: [WireTree] = [
        .text(1, "type.googleapis.com/google.protobuf.Empty"),
        .text(1, "type.googleapis.com/\(WireTree.httpWasm)"), .message(2, wasm),
      ]
      return [WireTree.text(1, "n"), .message(2, any)].encoded
    }
    let resource = try Self.read(bytes(parts))
    #expect(resource.modules.map(\.plugin) == ["p"])
    let whole: [WireTree] = [
      .message(
        1, [.text(1, "p"), .message(3, [.message(3, [WireTree.localCode("/new")])])])
    ]
    #expect(resource.rewritten(with: ["/new"]) == bytes(whole))
  }
}
