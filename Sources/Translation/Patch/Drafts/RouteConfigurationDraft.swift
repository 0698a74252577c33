// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// A route configuration that is still open to patches.
///
/// Its virtual hosts, and their routes, are taken apart when the first patch looks at them: of a
/// configuration that no patch is about nothing is touched.
struct RouteConfigurationDraft: PatchableDraft {
  let context: EnvoyFilter.Context
  var origins: [Origin]
  private var message: Envoy.RouteConfiguration
  private var openHosts: DraftTable<VirtualHostDraft>?

  init(_ configuration: Sourced<Envoy.RouteConfiguration>, _ context: EnvoyFilter.Context) {
    message = configuration.content
    origins = configuration.origins
    self.context = context
  }

  var name: String { message.name }
  var keys: [DraftKey] { [.name(name)] }

  var hosts: DraftTable<VirtualHostDraft> {
    get { openHosts ?? DraftTable(message.virtualHosts.map(VirtualHostDraft.init)) }
    _modify {
      open()
      var hosts = openHosts ?? DraftTable()
      openHosts = nil
      defer { openHosts = hosts }
      yield &hosts
    }
  }

  private mutating func open() {
    guard openHosts == nil else { return }
    openHosts = DraftTable(message.virtualHosts.map(VirtualHostDraft.init))
    message.virtualHosts = []
  }

  /// Everything but the virtual hosts.
  var head: Envoy.RouteConfiguration {
    get {
      guard openHosts == nil else { return message }
      var head = message
      head.virtualHosts = []
      return head
    }
    set {
      open()
      message = newValue
    }
  }

  /// The whole message; setting it takes it apart anew.
  var finished: Envoy.RouteConfiguration {
    get {
      guard let openHosts else { return message }
      var whole = message
      whole.virtualHosts = openHosts.remaining.map(\.finished)
      return whole
    }
    set {
      openHosts = nil
      message = newValue
    }
  }

  var sourced: Sourced<Envoy.RouteConfiguration> { Sourced(finished, origins: origins) }
}

/// A virtual host that is still open to patches.
struct VirtualHostDraft: PatchableDraft {
  private(set) var message: Envoy.VirtualHost
  private var openRoutes: [HTTPRouteDraft]?

  init(_ message: Envoy.VirtualHost) { self.message = message }

  var name: String { message.name }

  var keys: [DraftKey] { [.name(name)] + message.domains.map(DraftKey.domain) }

  var routes: [HTTPRouteDraft] {
    get { openRoutes ?? message.routes.map(HTTPRouteDraft.init) }
    _modify {
      open()
      var routes = openRoutes ?? []
      openRoutes = nil
      defer { openRoutes = routes }
      yield &routes
    }
  }

  mutating func open() {
    guard openRoutes == nil else { return }
    openRoutes = message.routes.map(HTTPRouteDraft.init)
    message.routes = []
  }

  /// Everything but the routes.
  var head: Envoy.VirtualHost {
    get {
      guard openRoutes == nil else { return message }
      var head = message
      head.routes = []
      return head
    }
    set {
      open()
      message = newValue
    }
  }

  /// The whole message; setting it takes it apart anew.
  var finished: Envoy.VirtualHost {
    get {
      guard let openRoutes else { return message }
      var whole = message
      whole.routes = openRoutes.map(\.message)
      return whole
    }
    set {
      openRoutes = nil
      message = newValue
    }
  }
}
