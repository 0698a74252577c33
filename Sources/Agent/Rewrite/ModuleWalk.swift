// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI

/// The way through a resource to the Wasm filters in it.
///
/// Field numbers stand for messages here, because the messages on the way are not decoded: what this
/// version of the API does not know must survive.
struct ModuleWalk {
  /// A message on the way.
  private enum Step {
    case listener
    case filterChain
    case apiListener
    case connectionManager
    case upgrade
    case filter
    case configSource
    case typedExtension
    case any

    /// The fields that lead on.
    var fields: [UInt64: (next: Step, occurrence: WireMessage.Occurrence)] {
      switch self {
      case .listener:
        [3: (.filterChain, .repeated), 25: (.filterChain, .merged), 19: (.apiListener, .merged)]
      case .filterChain: [3: (.filter, .repeated)]
      case .apiListener: [1: (.any, .merged)]
      case .connectionManager: [5: (.filter, .repeated), 23: (.upgrade, .repeated)]
      case .upgrade: [2: (.filter, .repeated)]
      // HTTP and network filters have the same fields; one with discovery may have a default.
      case .filter: [4: (.any, .merged), 5: (.configSource, .merged)]
      case .configSource: [2: (.any, .merged)]
      case .typedExtension: [2: (.any, .merged)]
      case .any: [:]
      }
    }
  }

  private static let httpWasm = Envoy_Extensions_Filters_Http_Wasm_V3_Wasm.protoMessageName
  private static let networkWasm = Envoy_Extensions_Filters_Network_Wasm_V3_Wasm.protoMessageName
  private static let connectionManager =
    Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager
    .protoMessageName
  private static let typedStructs: Set<String> = [
    Udpa_Type_V1_TypedStruct.protoMessageName, Xds_Type_V3_TypedStruct.protoMessageName,
  ]
  /// Wraps a filter that is chosen by a match.
  private static let extensionWithMatcher =
    "envoy.extensions.common.matching.v3.ExtensionWithMatcher"
  /// Of wrappers in wrappers; nobody writes more, and the stack has an end.
  private static let maximumDepth = 16

  private let visit: (ModuleSite) throws(WireError) -> WireMessage.Edit

  init(visit: @escaping (ModuleSite) throws(WireError) -> WireMessage.Edit) { self.visit = visit }

  func listener(_ bytes: [UInt8]) throws(WireError) -> WireMessage.Edit {
    try walk(bytes[...], .listener, name: "", depth: 0)
  }

  func typedExtension(_ bytes: [UInt8]) throws(WireError) -> WireMessage.Edit {
    try walk(bytes[...], .typedExtension, name: "", depth: 0)
  }

  private func walk(
    _ bytes: ArraySlice<UInt8>, _ step: Step, name: String, depth: Int
  ) throws(WireError) -> WireMessage.Edit {
    let message = try WireMessage(bytes)
    if step == .any { return try any(message, name: name, depth: depth) }
    let isNamed = step == .filter || step == .typedExtension
    let name = isNamed ? message.text(1) ?? "" : name
    let fields = step.fields
    return try message.editing(fields.mapValues(\.occurrence)) { number, value throws(WireError) in
      guard let next = fields[number]?.next else { return .keep }
      return try walk(value, next, name: name, depth: depth)
    }
  }

  // Any { string type_url = 1; bytes value = 2 }
  private func any(
    _ any: WireMessage, name: String, depth: Int
  ) throws(WireError) -> WireMessage.Edit {
    let type = any.typeName
    if let isNetwork = Self.isNetworkWasm(type) {
      return try visit(
        ModuleSite(encoding: .message, isNetwork: isNetwork, filterName: name, bytes: any.bytes))
    }
    guard depth < Self.maximumDepth else { return .keep }
    return switch type {
    case Self.connectionManager:
      try any.editing([2: .last]) { _, value throws(WireError) in
        try walk(value, .connectionManager, name: name, depth: depth + 1)
      }
    case Self.extensionWithMatcher:
      try any.editing([2: .last]) { _, value throws(WireError) in
        try WireMessage(value).editing([2: .merged]) { _, inner throws(WireError) in
          try walk(inner, .typedExtension, name: name, depth: depth + 1)
        }
      }
    case let type where Self.typedStructs.contains(type): try typedStruct(any, name: name)
    default: .keep
    }
  }

  // TypedStruct { string type_url = 1; Struct value = 2 }
  private func typedStruct(
    _ any: WireMessage, name: String
  ) throws(WireError) -> WireMessage.Edit {
    let type = try WireMessage(any.bytes(2) ?? []).typeName
    if let isNetwork = Self.isNetworkWasm(type) {
      return try visit(
        ModuleSite(
          encoding: .typedStruct, isNetwork: isNetwork, filterName: name, bytes: any.bytes))
    }
    guard type == Self.connectionManager else { return .keep }
    return try any.editing([2: .last]) { _, typedStruct throws(WireError) in
      try WireMessage(typedStruct).editing([2: .merged]) { _, value throws(WireError) in
        try WireStruct(value).editingEach("http_filters", "httpFilters") {
          filter throws(WireError) in
          let name = try filter.text("name") ?? ""
          return try filter.editing("typed_config", "typedConfig") { config throws(WireError) in
            guard
              let isNetwork = Self.isNetworkWasm(
                WireMessage.typeName(try config.text("@type") ?? ""))
            else {
              return .keep
            }
            return try visit(
              ModuleSite(
                encoding: .object, isNetwork: isNetwork, filterName: name,
                bytes: config.message.bytes))
          }
        }
      }
    }
  }

  /// Nil for other types.
  private static func isNetworkWasm(_ type: String) -> Bool? {
    type == networkWasm ? true : type == httpWasm ? false : nil
  }
}

extension WireMessage {
  /// What the type URL in field 1 names, in `Any` and in TypedStruct.
  fileprivate var typeName: String { Self.typeName(text(1) ?? "") }

  /// The message's name in a type URL: what follows the last slash.
  fileprivate static func typeName(_ url: String) -> String {
    url.lastIndex(of: "/").map { String(url[url.index(after: $0)...]) } ?? url
  }
}
