// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// How patches find and open listeners, filter chains and filters.
extension ListenerDraft: PatchableDraft {
  var keys: [DraftKey] { [.name(name), .port(UInt32(port))] }

  var place: PatchTrace.Place { PatchTrace.Place([]).appending(.listener, name) }

  /// Those that are left, the one for connections that match no other last.
  var chainPositions: [ChainPosition] {
    chains.indices.filter { !chains[$0].isRemoved }.map(ChainPosition.numbered)
      + (defaultChain == nil ? [] : [.fallback])
  }

  subscript(position: ChainPosition) -> FilterChainDraft {
    get {
      switch position {
      case .numbered(let index): return chains[index]
      case .fallback:
        guard let defaultChain else { preconditionFailure("the listener has no default chain") }
        return defaultChain
      }
    }
    set {
      switch position {
      case .numbered(let index): chains[index] = newValue
      case .fallback: defaultChain = newValue
      }
    }
  }

  func place(of position: ChainPosition) -> PatchTrace.Place {
    let name = self[position].message.name
    return switch position {
    case .numbered(let index): place.appending(.filterChain, name.isEmpty ? "#\(index)" : name)
    case .fallback: place.appending(.filterChain, name.isEmpty ? "default" : name)
    }
  }

  /// The same listener from a message that a patch has changed as a whole.
  func reopened(_ whole: Envoy.Listener) -> ListenerDraft {
    var draft = self
    draft.message = whole
    draft.message.filterChains = []
    draft.message.clearDefaultFilterChain()
    draft.chains = whole.filterChains.map(FilterChainDraft.init(opening:))
    draft.defaultChain =
      whole.hasDefaultFilterChain ? FilterChainDraft(opening: whole.defaultFilterChain) : nil
    return draft
  }

  /// A listener that a patch adds.
  init(added whole: Envoy.Listener, _ context: EnvoyFilter.Context, by origin: Origin) {
    let port = UInt16(truncatingIfNeeded: whole.address.socketAddress.portValue)
    self.init(
      message: whole, port: port, context: context, chains: [], defaultChain: nil,
      origins: [origin])
    self = reopened(whole)
  }
}

/// One chain of a listener.
enum ChainPosition: Hashable {
  case numbered(Int)
  case fallback
}

/// One chain among all listeners.
struct ChainSite: Hashable {
  var listener: Int
  var chain: ChainPosition
}

extension FilterChainDraft {
  init(opening whole: Envoy.FilterChain) {
    var message = whole
    message.filters = []
    self.init(message: message, filters: whole.filters.map(NetworkFilterDraft.init(opening:)))
  }

  var filterNames: [String] { filters.map(\.name) }
}

extension NetworkFilterDraft {
  /// Opens an HTTP connection manager, which Istio knows by its name.
  init(opening filter: Envoy.NetworkFilter) {
    guard DeprecatedFilterName.networkFilter(filter.name) == FilterName.httpConnectionManager,
      case .typedConfig(let config) = filter.configType,
      config.typeURL == Envoy.HTTPConnectionManager.typeURL,
      let manager = try? Envoy.HTTPConnectionManager(serializedBytes: config.value)
    else {
      self = .other(filter)
      return
    }
    self = .httpConnectionManager(name: filter.name, manager)
  }

  var name: String {
    switch self {
    case .httpConnectionManager(let name, _): name
    case .other(let filter): filter.name
    }
  }

  var manager: Envoy.HTTPConnectionManager? {
    get { if case .httpConnectionManager(_, let manager) = self { manager } else { nil } }
    set {
      guard case .httpConnectionManager(let name, _) = self, let newValue else { return }
      self = .httpConnectionManager(name: name, newValue)
    }
  }
}
