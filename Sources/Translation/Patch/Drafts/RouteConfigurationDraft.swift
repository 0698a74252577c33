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
  /// Everything but the virtual hosts.
  var head: Envoy.RouteConfiguration
  var origins: [Origin]
  private var built: [EncodedVirtualHost]
  private var openHosts: DraftTable<VirtualHostDraft>?

  init(
    _ head: Envoy.RouteConfiguration, _ hosts: [EncodedVirtualHost], origins: [Origin],
    in role: Proxy.Role
  ) {
    self.head = head
    self.origins = origins
    built = hosts
    context = role == .router ? .gateway : .sidecarOutbound
  }

  /// One that stands in a listener.
  init(inline message: Envoy.RouteConfiguration) {
    context = .sidecarInbound
    origins = []
    built = []
    head = message
    finished = message
  }

  var name: String { head.name }
  var keys: [DraftKey] { [.name(name)] }

  var hosts: DraftTable<VirtualHostDraft> {
    get { openHosts ?? DraftTable(built.map(VirtualHostDraft.init)) }
    _modify {
      var hosts = openHosts ?? DraftTable(built.map(VirtualHostDraft.init))
      openHosts = nil
      defer { openHosts = hosts }
      yield &hosts
    }
  }

  /// The whole message; setting it takes it apart anew.
  var finished: Envoy.RouteConfiguration {
    get {
      var whole = head
      whole.virtualHosts = hosts.remaining.map(\.finished)
      return whole
    }
    set {
      head = newValue
      head.virtualHosts = []
      openHosts = DraftTable(newValue.virtualHosts.map(VirtualHostDraft.init))
    }
  }

  /// As it is served: put together anew only where a part has changed since the last translation.
  func encoded(in memory: inout ClassMemory) -> EncodedResource {
    let argument = EncodedRouteConfiguration.Argument(
      head: head, hosts: openHosts?.remaining.map(\.encoded) ?? built, origins: origins)
    return memory.routeConfigurations.part(name, argument).resource
  }
}

/// A virtual host that is still open to patches.
struct VirtualHostDraft: PatchableDraft {
  /// Nil once it has been changed.
  private var built: EncodedVirtualHost?
  /// Everything but the routes; nil until a patch looks at it.
  private var openHead: Envoy.VirtualHost?
  private var openRoutes: [HTTPRouteDraft] = []

  init(_ built: EncodedVirtualHost) { self.built = built }

  init(_ message: Envoy.VirtualHost) {
    finished = message
  }

  var name: String { built?.name ?? head.name }
  var domains: [String] { built?.domains ?? head.domains }

  var keys: [DraftKey] { [.name(name)] + domains.map(DraftKey.domain) }

  /// Takes it apart, so that looking at it again costs nothing.
  mutating func open() {
    guard openHead == nil else { return }
    let built = built
    finished = finished
    self.built = built
  }

  var routes: [HTTPRouteDraft] {
    get { openHead == nil ? finished.routes.map(HTTPRouteDraft.init) : openRoutes }
    _modify {
      open()
      built = nil
      yield &openRoutes
    }
  }

  /// Everything but the routes.
  var head: Envoy.VirtualHost {
    get {
      if let openHead { return openHead }
      var head = finished
      head.routes = []
      return head
    }
    set {
      open()
      built = nil
      openHead = newValue
    }
  }

  /// The whole message; setting it takes it apart anew.
  var finished: Envoy.VirtualHost {
    get {
      if let built { return Envoy.VirtualHost(reading: built.bytes) }
      var whole = head
      whole.routes = openRoutes.map(\.message)
      return whole
    }
    set {
      built = nil
      openRoutes = newValue.routes.map(HTTPRouteDraft.init)
      var head = newValue
      head.routes = []
      openHead = head
    }
  }

  var encoded: EncodedVirtualHost { built ?? EncodedVirtualHost(finished) }
}
