// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// A VirtualService with its names written out in full.
struct ResolvedVirtualService {
  let object: VirtualService
  /// Full host names, without duplicates.
  let hosts: [String]
  /// `namespace/name`, or `mesh` for the sidecars.
  let gateways: [String]

  static let mesh = "mesh"

  init(_ object: VirtualService) {
    self.object = object
    let namespace = object.meta.namespace
    var seen: Set<String> = []
    hosts = object.hosts.map { Hostname.resolve($0, in: namespace) }
      .filter { seen.insert($0).inserted }
    gateways =
      object.gateways.isEmpty
      ? [Self.mesh] : object.gateways.map { Self.gatewayName($0, in: namespace) }
  }

  /// The full name of a gateway as written in an object of a namespace.
  ///
  /// `name` and `./name` are of the namespace itself; `name.namespace.…` is an old form that Istio
  /// still reads.
  static func gatewayName(_ name: String, in namespace: String) -> String {
    if name == mesh { return mesh }
    if name.hasPrefix("./") { return "\(namespace)/\(name.dropFirst(2))" }
    if name.contains("/") { return name }
    let labels = name.split(separator: ".")
    return labels.count > 1 ? "\(labels[1])/\(labels[0])" : "\(namespace)/\(name)"
  }
}

/// The VirtualServices that a proxy may use, by the gateway that they are bound to, oldest first.
struct VirtualServiceIndex {
  private let byGateway: [String: [ResolvedVirtualService]]

  init(_ scope: ProxyScope) {
    var byGateway: [String: [ResolvedVirtualService]] = [:]
    for object in scope.mesh.virtualServices where object.isExported(to: scope.proxy.namespace) {
      let resolved = ResolvedVirtualService(object)
      for gateway in Set(resolved.gateways) { byGateway[gateway, default: []].append(resolved) }
    }
    self.byGateway = byGateway
  }

  subscript(gateway: String) -> [ResolvedVirtualService] { byGateway[gateway] ?? [] }
}

extension VirtualService {
  fileprivate func isExported(to namespace: String) -> Bool {
    exportTo.isEmpty
      || exportTo.contains { scope in
        scope == "*" || scope == namespace || (scope == "." && namespace == meta.namespace)
      }
  }
}
