// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// Changes to headers: `headers` of a route or of one of its destinations.
struct HeaderMutation {
  private(set) var requestAdd: [Envoy.HeaderValueOption] = []
  private(set) var requestRemove: [String] = []
  private(set) var responseAdd: [Envoy.HeaderValueOption] = []
  private(set) var responseRemove: [String] = []
  /// Setting `host` or `:authority` is no header for Envoy but a rewrite of the authority.
  private(set) var hostRewrite: String?
  private(set) var problems: [ConfigError] = []

  init(_ headers: VirtualService.Headers, at path: FieldPath) {
    guard !headers.request.isEmpty || !headers.response.isEmpty else { return }
    let request = path["request"]
    let response = path["response"]
    hostRewrite =
      Self.authority(in: headers.request.set) ?? Self.authority(in: headers.request.add)
    requestAdd = options(headers.request, at: request)
    requestRemove = removals(headers.request, at: request)
    responseAdd = options(headers.response, at: response)
    responseRemove = removals(headers.response, at: response)
  }

  private static func authority(in values: [String: String]) -> String? {
    values.sorted { $0.key < $1.key }.first { VirtualService.Headers.isAuthority($0.key) }?.value
  }

  /// Pseudo-headers and `host` cannot be changed as headers; Istio drops them too.
  private mutating func isAllowed(_ name: String, at path: FieldPath) -> Bool {
    if name.hasPrefix(":") || name.lowercased() == "host" { return false }
    guard HeaderName.isValid(name) else {
      problems.append(
        ConfigError(
          .invalid, at: path,
          reason: "expected the name of an HTTP header, found \"\(name)\"; it is left out"))
      return false
    }
    return true
  }

  private mutating func options(
    _ operations: VirtualService.HeaderOperations, at path: FieldPath
  ) -> [Envoy.HeaderValueOption] {
    let groups: [(String, [String: String], Envoy.HeaderValueOption.HeaderAppendAction)] = [
      ("add", operations.add, .appendIfExistsOrAdd),
      ("set", operations.set, .overwriteIfExistsOrAdd),
    ]
    var options: [Envoy.HeaderValueOption] = []
    for (field, values, action) in groups {
      for (name, value) in values.sorted(by: { $0.key < $1.key })
      where isAllowed(name, at: path[field][name]) {
        options.append(
          Envoy.HeaderValueOption.with {
            $0.header.key = name
            $0.header.value = value
            $0.appendAction = action
          })
      }
    }
    return options
  }

  private mutating func removals(
    _ operations: VirtualService.HeaderOperations, at path: FieldPath
  ) -> [String] {
    var names: [String] = []
    for (index, name) in operations.remove.enumerated()
    where isAllowed(name, at: path["remove"][index]) {
      names.append(name)
    }
    return names
  }
}
