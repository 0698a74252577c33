// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// A listener while it is being built: its HTTP connection managers are still open to patches.
struct ListenerDraft {
  /// Everything but the filter chains.
  var message: Envoy.Listener
  /// The port that EnvoyFilters match on.
  var port: UInt16
  var context: EnvoyFilter.Context
  var chains: [FilterChainDraft]
  /// For connections that match no chain.
  var defaultChain: FilterChainDraft?
  var origins: [Origin]

  var name: String { message.name }

  /// The finished listener.
  var sourced: Sourced<Envoy.Listener> {
    var message = message
    message.filterChains = chains.filter { !$0.isRemoved }.map(\.finished)
    if let defaultChain { message.defaultFilterChain = defaultChain.finished }
    return Sourced(message, origins: origins)
  }
}

/// A filter chain while it is being built.
struct FilterChainDraft {
  /// Everything but the filters.
  var message: Envoy.FilterChain
  var filters: [NetworkFilterDraft]
  /// By a patch; its place stays, so that those of the others do.
  var isRemoved = false

  var finished: Envoy.FilterChain {
    var message = message
    message.filters = filters.map(\.finished)
    return message
  }
}

/// A network filter while its chain is being built.
enum NetworkFilterDraft {
  case httpConnectionManager(name: String, Envoy.HTTPConnectionManager)
  case other(Envoy.NetworkFilter)

  var finished: Envoy.NetworkFilter {
    switch self {
    case .other(let filter): filter
    case .httpConnectionManager(let name, let manager):
      Envoy.NetworkFilter.with {
        $0.name = name
        $0.typedConfig = manager.packed()
      }
    }
  }
}
