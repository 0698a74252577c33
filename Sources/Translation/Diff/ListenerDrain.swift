// SPDX-License-Identifier: Apache-2.0

package import JSON
package import MeshModel

/// Which connections Envoy drains when a listener changes.
///
/// Envoy updates filter chains in place where nothing else of the listener changes ("Filter chain
/// only update" in its documentation of network filter chains, and "Listener discovery service"):
/// chains that are the same message before and after keep their connections, those of the others are
/// drained. Any other change replaces the whole listener, with all its connections. Changes of
/// routes, clusters, endpoints and extension configurations drain no listener.
package enum ListenerDrain: Hashable, Sendable {
  /// No connection.
  case nothing
  /// The connections of these chains, by their paths in the old listener.
  case filterChains([FieldPath])
  /// Every connection; because of these fields, or because the listener is gone where there are none.
  case listener(because: [FieldPath])

  /// What an update drains.
  ///
  /// - Parameters:
  ///   - old: a Listener as `ResourceJSON` prints it.
  ///   - new: its next version.
  package init(from old: JSONValue, to new: JSONValue) {
    let rest = TreeComparison.changes(from: Self.withoutChains(old), to: Self.withoutChains(new))
    if !rest.isEmpty {
      self = .listener(because: Self.topFields(rest))
      return
    }
    // Envoy updates in place only into a listener that has chains besides the default one.
    if old != new, new["filter_chains"]?.arrayElements?.isEmpty ?? true {
      self = .listener(because: [FieldPath("default_filter_chain")])
      return
    }
    let kept = Set(new["filter_chains"]?.arrayElements ?? [])
    var drained: [FieldPath] = []
    for (position, chain) in (old["filter_chains"]?.arrayElements ?? []).enumerated()
    where !kept.contains(chain) {
      drained.append(FieldPath("filter_chains")[position])
    }
    if let chain = old["default_filter_chain"], chain != new["default_filter_chain"] {
      drained.append(FieldPath("default_filter_chain"))
    }
    self = drained.isEmpty ? .nothing : .filterChains(drained)
  }

  /// Everything that only a new listener can take, as Envoy compares it: lists as sets, and fields
  /// that hold the default of their type as if they were not there.
  private static func withoutChains(_ listener: JSONValue) -> JSONValue {
    guard var members = listener.objectMembers else { return listener }
    for field in ["filter_chains", "default_filter_chain", "filter_chain_matcher"] {
      members[field] = nil
    }
    // Unset means true where Envoy runs on Linux, so an explicit false is no default.
    if members["enable_reuse_port"] == false { members["enable_reuse_port"] = "false" }
    let usesProxyProtocol =
      listener["filter_chains"]?[0]?["use_proxy_proto"]?.boolValue ?? false
    members["use_proxy_proto"] = usesProxyProtocol ? true : nil
    return canonical(.object(members)) ?? [:]
  }

  /// Nil for the default of a type.
  private static func canonical(_ value: JSONValue) -> JSONValue? {
    switch value {
    case .null, .bool(false), .string(""), .string("0s"), .number(.integer(0)): return nil
    case .bool, .string, .number: return value
    case .array(let elements):
      let sorted = elements.map { canonical($0) ?? .null }.sorted { $0.text() < $1.text() }
      return sorted.isEmpty ? nil : .array(sorted)
    case .object(let object):
      let members = object.compactMap { key, value in canonical(value).map { (key, $0) } }
      return members.isEmpty ? nil : .object(pairs: members.sorted { $0.0 < $1.0 })
    }
  }

  /// The fields of the listener that the changes are in, each once.
  private static func topFields(_ changes: [FieldChange]) -> [FieldPath] {
    var seen: Set<FieldPath> = []
    return changes.compactMap { change in
      let field = FieldPath(Array(change.path.components.prefix(1)))
      return seen.insert(field).inserted ? field : nil
    }
  }
}

extension ListenerDrain {
  /// `{drains: nothing|filterChains|listener, filterChains, because}`, without what does not apply.
  package var json: JSONValue {
    func list(_ paths: [FieldPath]) -> JSONValue { .array(paths.map { .string("\($0)") }) }
    return switch self {
    case .nothing: ["drains": "nothing"]
    case .filterChains(let chains): ["drains": "filterChains", "filterChains": list(chains)]
    case .listener(let fields): ["drains": "listener", "because": list(fields)]
    }
  }
}
