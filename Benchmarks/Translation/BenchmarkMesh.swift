// SPDX-License-Identifier: Apache-2.0

import ConfigStore
import Manifests
import MeshModel

/// Services with a VirtualService each behind one Gateway, a tenth of them with a DestinationRule.
struct BenchmarkMesh {
  private let size: Int
  /// Everything, as a source lists it.
  let all: [ConfigEvent]

  init(size: Int) {
    self.size = size
    var text = Self.gateway
    for index in 0..<size {
      text += "---\n" + Self.service(index) + "---\n" + Self.route(index)
      if index.isMultiple(of: 10) { text += "---\n" + Self.rule(index) }
    }
    all = [.listBegan] + Self.events(text) + [.listEnded]
  }

  /// Edits of one object, each another one in every round.
  var edits: [(String, (Int) -> [ConfigEvent])] {
    let middle = size / 2
    return [
      (
        "a path in a VirtualService",
        { Self.events(Self.route(middle, path: "/v\($0 + 2)")) }
      ),
      (
        "an endpoint in a ServiceEntry",
        { Self.events(Self.service(middle, address: "10.1.\($0 / 200).\($0 % 200 + 1)")) }
      ),
      (
        "a limit in a DestinationRule",
        { Self.events(Self.rule(middle, connections: $0 + 2)) }
      ),
      (
        "a VirtualService that is added, or removed",
        { round in
          let added = Self.events(Self.route(size))
          guard !round.isMultiple(of: 2) else { return added }
          return added.compactMap {
            if case .apply(let object) = $0 { .delete(object.ref) } else { nil }
          }
        }
      ),
      (
        "a ServiceEntry that is added, or removed",
        { round in
          let added = Self.events(Self.service(size))
          guard !round.isMultiple(of: 2) else { return added }
          return added.compactMap {
            if case .apply(let object) = $0 { .delete(object.ref) } else { nil }
          }
        }
      ),
    ]
  }

  private static func events(_ text: String) -> [ConfigEvent] {
    let reading = ManifestReader().read(text: text, file: "bench.yaml")
    precondition(reading.problems.isEmpty, "the benchmark's own manifests must be sound")
    return reading.objects.map { .apply($0) }
  }

  private static let gateway = """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: gw, namespace: bench}
    spec:
      servers:
      - port: {number: 80, name: http, protocol: HTTP}
        hosts: ["*"]

    """

  private static func service(_ index: Int, address: String? = nil) -> String {
    """
    apiVersion: networking.istio.io/v1
    kind: ServiceEntry
    metadata: {name: s\(index), namespace: bench}
    spec:
      hosts: [s\(index).example.com]
      ports: [{number: 80, name: http, protocol: HTTP}]
      resolution: STATIC
      endpoints: [{address: \(address ?? "10.0.\(index / 250).\(index % 250 + 1)")}]

    """
  }

  private static func route(_ index: Int, path: String = "/v1") -> String {
    """
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: s\(index), namespace: bench}
    spec:
      hosts: [s\(index).example.com]
      gateways: [gw, mesh]
      http:
      - match: [{uri: {prefix: \(path)}}]
        rewrite: {uri: /}
        route: [{destination: {host: s\(index).example.com}}]
      - route: [{destination: {host: s\(index).example.com}}]

    """
  }

  private static func rule(_ index: Int, connections: Int = 100) -> String {
    """
    apiVersion: networking.istio.io/v1
    kind: DestinationRule
    metadata: {name: s\(index), namespace: bench}
    spec:
      host: s\(index).example.com
      trafficPolicy:
        connectionPool: {tcp: {maxConnections: \(connections)}}
        outlierDetection: {consecutive5xxErrors: 5}

    """
  }
}
