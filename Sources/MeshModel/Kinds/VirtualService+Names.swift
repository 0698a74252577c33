// SPDX-License-Identifier: Apache-2.0

/// Which gateways and namespaces a VirtualService is for.
extension VirtualService {
  /// The name that stands for all sidecars in the place of a gateway.
  package static let mesh = "mesh"

  /// The full name of a gateway as written in an object of a namespace: `namespace/name`, or `mesh`.
  ///
  /// `name` and `./name` are of the namespace itself; `name.namespace.…` is an old form that Istio
  /// still reads.
  package static func gatewayName(_ name: String, in namespace: String) -> String {
    if name == mesh { return mesh }
    if name.hasPrefix("./") { return "\(namespace)/\(name.dropFirst(2))" }
    if name.contains("/") { return name }
    let labels = name.split(separator: ".")
    return labels.count > 1 ? "\(labels[1])/\(labels[0])" : "\(namespace)/\(name)"
  }

  /// How near its author wanted it to the workloads of a namespace: what is exported to fewer comes
  /// first, as in Istio.
  package enum Visibility: Hashable, Sendable, CaseIterable {
    /// To its own namespace alone, by `.`.
    case own
    /// To some namespaces, by their names.
    case named
    /// To all.
    case all
  }

  /// Nil where it is not exported to a namespace; the default is for objects that do not say, and
  /// empty for all namespaces.
  package func visibility(in namespace: String, default defaultExportTo: [String]) -> Visibility? {
    let scopes = exportTo.isEmpty ? defaultExportTo : exportTo
    if scopes.isEmpty || scopes.contains("*") { return .all }
    if scopes.contains("."), namespace == meta.namespace { return .own }
    return scopes.contains(namespace) ? .named : nil
  }

  /// What the conditions on the labels of a proxy's workload look at.
  package var sourceSelectors: [LabelSelector] {
    var selectors: [LabelSelector] = []
    // By positions, since a route has dozens of references to count on each copy.
    for route in http.indices {
      for match in http[route].matches.indices
      where !http[route].matches[match].sourceLabels.isEmpty {
        selectors.append(LabelSelector(matchLabels: http[route].matches[match].sourceLabels))
      }
    }
    guard !tls.isEmpty || !tcp.isEmpty else { return selectors }
    let connections = (tls + tcp).flatMap(\.matches).map(\.sourceLabels)
    return selectors
      + connections.filter { !$0.isEmpty }.map { LabelSelector(matchLabels: $0) }
  }
}
