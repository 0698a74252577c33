// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import NIOCore
import SwiftProtobuf

typealias ADSRequest = Envoy_Service_Discovery_V3_DiscoveryRequest
typealias Answer = Envoy_Service_Discovery_V3_DiscoveryResponse
typealias ExtensionConfig = Envoy_Config_Core_V3_TypedExtensionConfig
typealias HTTPWasm = Envoy_Extensions_Filters_Http_Wasm_V3_Wasm
typealias HTTPRBAC = Envoy_Extensions_Filters_Http_Rbac_V3_RBAC
typealias Listener = Envoy_Config_Listener_V3_Listener
typealias HTTPConnectionManager =
  Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager

/// Resources as a control plane sends them, and how they read in a script.
enum Resources {
  /// A plugin whose module is remote; `version` is something that differs.
  static func plugin(
    _ name: String, _ version: String = "1", url: String? = nil, open: Bool = false
  ) -> Google_Protobuf_Any {
    extensionConfig(name, wasm(name, version, url: url ?? "http://m/\(name).wasm", open: open))
  }

  static func extensionConfig(
    _ name: String, _ configuration: some Message
  ) -> Google_Protobuf_Any {
    ExtensionConfig.with {
      $0.name = name
      $0.typedConfig = configuration.packed()
    }
    .packed()
  }

  /// A filter without Wasm.
  static func plain(_ name: String, _ version: String = "1") -> Google_Protobuf_Any {
    extensionConfig(name, Google_Protobuf_StringValue(version))
  }

  /// Says that it is remote, but not from where.
  static func nowhere(_ name: String) -> Google_Protobuf_Any {
    extensionConfig(
      name,
      HTTPWasm.with {
        $0.config.name = name
        $0.config.vmConfig.code.remote.sha256 = "00"
      })
  }

  static func broken(_ name: String) -> Google_Protobuf_Any {
    var any = plain(name)
    any.value += [0x12, 0x7f]
    return any
  }

  /// A listener with Wasm filters inlined, of plugins by these names.
  static func listener(
    _ name: String, _ version: String = "1", plugins: [String] = []
  ) -> Google_Protobuf_Any {
    Listener.with {
      $0.name = name
      $0.statPrefix = version
      $0.filterChains = [
        .with {
          $0.filters = [
            .with {
              $0.name = "hcm"
              $0.typedConfig = HTTPConnectionManager.with {
                $0.httpFilters = plugins.map { plugin in
                  .with {
                    $0.name = plugin
                    $0.typedConfig = wasm(plugin, version, url: "http://m/\(plugin).wasm").packed()
                  }
                }
              }
              .packed()
            }
          ]
        }
      ]
    }
    .packed()
  }

  static func response(
    _ typeURL: TypeURL, _ nonce: String, version: String, _ resources: [Google_Protobuf_Any]
  ) -> ByteBuffer {
    ByteBuffer(
      bytes: Answer.with {
        $0.typeURL = typeURL.rawValue
        $0.versionInfo = version
        $0.nonce = nonce
        $0.resources = resources
      }
      .deterministicBytes())
  }

  /// `a@1 file=/m/a`, in the words of a script.
  static func text(_ any: Google_Protobuf_Any) throws -> String {
    if any.typeURL == Listener.typeURL {
      let listener = try Listener(serializedBytes: any.value)
      let plugins = try listener.filterChains.flatMap(\.filters).flatMap { filter in
        try HTTPConnectionManager(serializedBytes: filter.typedConfig.value).httpFilters
      }
      .map { try "\($0.name) \(filter($0.typedConfig))" }
      return (["\(listener.name)@\(listener.statPrefix)"] + plugins).joined(separator: " ")
    }
    guard any.typeURL == ExtensionConfig.typeURL else {
      return String(decoding: any.value, as: UTF8.self)
    }
    let config = try ExtensionConfig(serializedBytes: any.value)
    return try "\(config.name)\(filter(config.typedConfig))"
  }

  private static func wasm(
    _ name: String, _ version: String, url: String, open: Bool = false
  ) -> HTTPWasm {
    .with {
      $0.config.name = name
      $0.config.rootID = version
      $0.config.failurePolicy = open ? .failOpen : .failClosed
      $0.config.vmConfig.code.remote.httpUri.uri = url
      $0.config.vmConfig.code.remote.httpUri.timeout = Google_Protobuf_Duration(seconds: 30)
    }
  }

  private static func filter(_ any: Google_Protobuf_Any) throws -> String {
    switch any.typeURL {
    case HTTPWasm.typeURL:
      let config = try HTTPWasm(serializedBytes: any.value).config
      return "@\(config.rootID) file=\(config.vmConfig.code.local.filename)"
    case HTTPRBAC.typeURL:
      return try " \(HTTPRBAC(serializedBytes: any.value).hasRules ? "deny" : "allow")"
    default:
      return try "@\(Google_Protobuf_StringValue(serializedBytes: any.value).value)"
    }
  }
}

extension TypeURL {
  /// As scripts call it.
  var label: String { shortName ?? rawValue }
}
