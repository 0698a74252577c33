// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// Whether a patch is meant for a listener, a filter chain and a filter: `match.listener` of
/// EnvoyFilter, as Istio reads it.
struct FilterMatcher {
  let context: EnvoyFilter.Context
  let match: EnvoyFilter.ListenerMatch?

  init(_ patch: PatchSet.Patch) {
    context = patch.patch.context
    match = patch.listenerMatch
  }

  /// The names of listeners that catch every port, where a port is one of a filter chain.
  private static let virtualListeners: Set = ["virtualInbound", "virtualOutbound"]

  func matches(_ listener: ListenerDraft) -> Bool {
    guard context == .any || context == listener.context else { return false }
    guard let match else { return true }
    guard match.name.isEmpty || match.name == listener.name else { return false }
    return match.portNumber == 0 || Self.virtualListeners.contains(listener.name)
      || match.portNumber == UInt32(listener.port)
  }

  /// The listener must match too; that is the caller's part.
  func matches(_ chain: Envoy.FilterChain, of listener: ListenerDraft) -> Bool {
    guard let match else { return true }
    let conditions = chain.filterChainMatch
    let destinationPort =
      conditions.hasDestinationPort ? conditions.destinationPort.value : nil
    if match.portNumber != 0, Self.virtualListeners.contains(listener.name),
      destinationPort != match.portNumber
    {
      return false
    }
    guard let wanted = match.filterChain else { return true }
    if !wanted.name.isEmpty, wanted.name != chain.name { return false }
    if !wanted.sni.isEmpty, !conditions.serverNames.contains(wanted.sni) { return false }
    if !wanted.transportProtocol.isEmpty,
      wanted.transportProtocol != conditions.transportProtocol
    {
      return false
    }
    if wanted.destinationPort != 0, wanted.destinationPort != destinationPort { return false }
    return wanted.applicationProtocols.isEmpty
      || wanted.applicationProtocols.split(separator: ",", omittingEmptySubsequences: false)
        .allSatisfy { conditions.applicationProtocols.contains(String($0)) }
  }

  /// Whether the HTTP filters inside a network filter are meant.
  func matches(networkFilter name: String) -> Bool {
    guard let wanted = match?.filterChain?.filter?.name, !wanted.isEmpty else { return true }
    return DeprecatedFilterName.networkFilter(wanted) == name
  }

  /// The name of the HTTP filter that is asked for; nil where none is.
  var httpFilter: String? {
    guard let name = match?.filterChain?.filter?.subFilter, !name.isEmpty else { return nil }
    return DeprecatedFilterName.httpFilter(name)
  }
}
