// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// HTTP_ROUTE.
extension PatchEngine {
  /// MERGE and REMOVE, on every route that matches.
  mutating func patchRoutes(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let matcher = RouteMatcher(patch, servicePorts: servicePorts)
    var changed: [(HostSite, [HTTPRouteDraft])] = []
    for (site, hostClauses) in admittedHosts(&step, matcher) {
      self[site].open()
      let routes = self[site].routes
      let isMeant = routes.contains(where: matcher.matches)
      guard isMeant || step.recording == .everything else { continue }
      var result: [HTTPRouteDraft] = []
      result.reserveCapacity(routes.count)
      for (index, route) in routes.enumerated() {
        var clauses = hostClauses
        matcher.compare(route, &clauses)
        let name = route.name.isEmpty ? "#\(index)" : route.name
        guard step.admits(clauses, at: place(of: site).appending(.route, name)) else {
          result.append(route)
          continue
        }
        if patch.isMerge {
          result.append(try route.merged(by: patch, merge))
        }
        step.changed(
          PatchTrace.Change(
            verb: patch.isMerge ? .merged : .removed, element: route.name,
            position: PatchTrace.Position(index: index, count: routes.count)), clauses,
          at: place(of: site).appending(.route, name), in: site.list)
      }
      if isMeant { changed.append((site, result)) }
    }
    for (site, routes) in changed {
      self[site].routes = routes
      note(patch.origin, on: site.configuration)
    }
  }

  /// ADD and INSERT_*, in every virtual host that matches.
  mutating func insertRoutes(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let matcher = RouteMatcher(patch, servicePorts: servicePorts)
    // Unlike with filters, INSERT_FIRST too wants the route that is asked for to be there.
    let isBound = patch.operation != .add && matcher.route != nil
    let edit = ListEdit(
      operation: patch.operation, element: HTTPRouteDraft(patch.element(Envoy.Route.self)),
      name: \.name, target: isBound ? { matcher.matches($0) } : nil)
    for (site, hostClauses) in admittedHosts(&step, matcher) {
      var clauses = hostClauses
      self[site].open()
      if isBound { matcher.compare(anyOf: self[site].routes, &clauses) }
      guard step.admits(clauses, at: place(of: site)) else { continue }
      let changes = edit.apply(to: &self[site].routes)
      note(patch.origin, on: site.configuration)
      for change in changes {
        step.changed(change, clauses, at: place(of: site), in: site.list)
      }
    }
  }

  private subscript(site: HostSite) -> VirtualHostDraft {
    get { self[site.configuration].hosts[site.host] }
    _modify { yield &self[site.configuration].hosts[site.host] }
  }
}

extension PatchEngine.HostSite {
  fileprivate var list: PatchRecorder.List? {
    guard case .served(let position) = configuration else { return nil }
    return .routes(configuration: position, host: host)
  }
}
