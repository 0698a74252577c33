// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// Whether a patch is meant for a listener, a filter chain and a filter: `match.listener` of
/// EnvoyFilter, as Istio reads it.
struct ListenerMatcher {
  let context: EnvoyFilter.Context
  let match: EnvoyFilter.ListenerMatch?
  private let isForListeners: Bool
  private let matchPath: FieldPath

  init(_ patch: DecodedPatch) {
    context = patch.patch.context
    match = if case .listener(let match) = patch.patch.match { match } else { nil }
    isForListeners = patch.applyTo == .listener
    matchPath = patch.matchPath
  }

  private var path: FieldPath { matchPath["listener"] }
  private var chainPath: FieldPath { path["filterChain"] }
  private var filterPath: FieldPath { chainPath["filter"] }

  /// The names of listeners that catch every port, where a port is one of a filter chain.
  private static let virtualListeners: Set = ["virtualInbound", "virtualOutbound"]

  /// Where to look for listeners that may match; nil for all.
  var keys: [DraftKey]? {
    guard let match else { return nil }
    if !match.name.isEmpty { return [.name(match.name)] }
    guard match.portNumber != 0 else { return nil }
    return [.port(match.portNumber)]
      + (isForListeners ? [] : Self.virtualListeners.sorted().map(DraftKey.name))
  }

  func compare(_ listener: ListenerDraft, _ clauses: inout Clauses) {
    compareContext(listener.context, &clauses)
    guard let match else { return }
    if !match.name.isEmpty {
      clauses.require(path["name"], match.name, among: [listener.name], match.name == listener.name)
    }
    if match.portNumber != 0, isForListeners || !Self.virtualListeners.contains(listener.name) {
      clauses.require(
        path["portNumber"], wanted: "\(match.portNumber)", found: "\(listener.port)",
        match.portNumber == UInt32(listener.port))
    }
  }

  func compareContext(_ actual: EnvoyFilter.Context, _ clauses: inout Clauses) {
    guard context != .any else { return }
    clauses.require(
      matchPath["context"], wanted: context.rawValue, found: actual.rawValue, context == actual)
  }

  /// The listener must match too; that is the caller's part.
  func compare(
    _ chain: Envoy.FilterChain, of listener: ListenerDraft, _ clauses: inout Clauses
  ) {
    guard let match else { return }
    let conditions = chain.filterChainMatch
    let destinationPort =
      conditions.hasDestinationPort ? conditions.destinationPort.value : nil
    let portText = destinationPort.map { "\($0)" } ?? ""
    if match.portNumber != 0, Self.virtualListeners.contains(listener.name) {
      clauses.require(
        path["portNumber"], wanted: "\(match.portNumber)", found: portText,
        destinationPort == match.portNumber)
    }
    guard let wanted = match.filterChain else { return }
    if !wanted.name.isEmpty {
      clauses.require(
        chainPath["name"], wanted.name, among: [chain.name], wanted.name == chain.name)
    }
    if !wanted.sni.isEmpty {
      clauses.require(
        chainPath["sni"], wanted.sni, among: conditions.serverNames,
        conditions.serverNames.contains(wanted.sni))
    }
    if !wanted.transportProtocol.isEmpty {
      clauses.require(
        chainPath["transportProtocol"], wanted.transportProtocol,
        among: [conditions.transportProtocol],
        wanted.transportProtocol == conditions.transportProtocol)
    }
    if !wanted.applicationProtocols.isEmpty {
      clauses.require(
        chainPath["applicationProtocols"], wanted.applicationProtocols,
        among: conditions.applicationProtocols,
        wanted.applicationProtocols.split(separator: ",", omittingEmptySubsequences: false)
          .allSatisfy { conditions.applicationProtocols.contains(String($0)) })
    }
    if wanted.destinationPort != 0 {
      clauses.require(
        chainPath["destinationPort"], wanted: "\(wanted.destinationPort)", found: portText,
        wanted.destinationPort == destinationPort)
    }
  }

  /// The name of the listener filter that is asked for; nil where none is.
  var listenerFilter: FilterName.Wanted? {
    guard let name = match?.listenerFilter, !name.isEmpty else { return nil }
    return FilterName.Wanted(name, path["listenerFilter"], DeprecatedFilterName.listenerFilter)
  }

  /// The name of the network filter that is asked for; nil where none is.
  var networkFilter: FilterName.Wanted? {
    guard let name = match?.filterChain?.filter?.name, !name.isEmpty else { return nil }
    return FilterName.Wanted(name, filterPath["name"], DeprecatedFilterName.networkFilter)
  }

  /// The name of the HTTP filter that is asked for; nil where none is.
  var httpFilter: FilterName.Wanted? {
    guard let name = match?.filterChain?.filter?.subFilter, !name.isEmpty else { return nil }
    return FilterName.Wanted(
      name, filterPath["subFilter"]["name"], DeprecatedFilterName.httpFilter)
  }
}

extension FilterName {
  /// A name in a match, which may be one that Envoy has given up.
  struct Wanted {
    let path: FieldPath
    let written: String
    private let canonical: String
    private let canonicalize: @Sendable (String) -> String

    init(
      _ name: String, _ path: FieldPath, _ canonicalize: @escaping @Sendable (String) -> String
    ) {
      self.path = path
      written = name
      canonical = canonicalize(name)
      self.canonicalize = canonicalize
    }

    func matches(_ name: String) -> Bool {
      name == canonical || name == written || canonicalize(name) == canonical
    }

    /// Adds the condition that one of the names is it.
    func compare(among names: [String], _ clauses: inout Clauses) {
      clauses.require(path, written, among: names, names.contains(where: matches))
    }
  }
}
