// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// What a cluster stands for: a port of a service, whole or the endpoints of one subset.
struct Destination {
  let service: Service
  let port: Service.Port
  /// What DestinationRules say about the service.
  let entry: DestinationRuleIndex.Entry?
  var subset: DestinationRuleIndex.Entry.Subset?
  /// Whether the connections are encrypted already, and passed on as they are.
  var passesOn = false

  var clusterName: String {
    let (host, subset) = (service.hostname, subset?.subset.name ?? "")
    return passesOn
      ? ClusterName.passedOn(port: port.number, subset: subset, host: host)
      : ClusterName.outbound(port: port.number, subset: subset, host: host)
  }

  /// All of a service, each port before its subsets; ports of UDP are none.
  static func all(
    of service: Service, _ entry: DestinationRuleIndex.Entry?, passesOn: Bool = false
  ) -> [Destination] {
    var numbers: Set<UInt16> = []
    var destinations: [Destination] = []
    for port in service.ports
    where port.portProtocol != .udp && numbers.insert(port.number).inserted {
      let whole = Destination(service: service, port: port, entry: entry, passesOn: passesOn)
      destinations.append(whole)
      for subset in entry?.subsets ?? [] {
        var part = whole
        part.subset = subset
        destinations.append(part)
      }
    }
    return destinations
  }

  var policy: TrafficPolicy {
    .merged(entry?.trafficPolicy, subset?.subset.trafficPolicy, port: port.number)
  }

  var origins: [Origin] {
    service.origins + (entry?.origins ?? []) + [subset?.origin].compactMap(\.self)
  }

  /// Istio's note about a cluster: the service, its port, the subset and the rule.
  var metadata: [String: Google_Protobuf_Value] {
    let name = service.hostname.prefix { $0 != "." }
    var fields: [String: Google_Protobuf_Value] = [
      "default_original_port": .init(numberValue: Double(port.number)),
      "services": .init(listValue: [
        .init(structValue: [
          "host": .init(stringValue: service.hostname),
          "name": .init(stringValue: service.isKubernetes ? String(name) : service.hostname),
          "namespace": .init(stringValue: service.namespace),
        ])
      ]),
    ]
    if let subset { fields["subset"] = .init(stringValue: subset.subset.name) }
    if let rule = subset?.rule ?? entry?.policyRule ?? entry?.rules.first {
      fields["config"] = .init(
        stringValue: "/apis/networking.istio.io/v1/namespaces/\(rule.meta.namespace)"
          + "/destination-rule/\(rule.meta.name)")
    }
    return fields
  }

  /// The rule and the policy in it that some settings of TLS were taken from.
  func place(of tls: ClientTLS) -> (DestinationRule, FieldPath)? {
    func path(in policy: TrafficPolicy?, at path: FieldPath) -> FieldPath? {
      if policy?.portLevelSettings[port.number]?.tls == tls { return path["portLevelSettings"] }
      return policy?.tls == tls ? path : nil
    }
    if let subset,
      let path = path(
        in: subset.subset.trafficPolicy, at: subset.subset.path["trafficPolicy"])
    {
      return (subset.rule, path)
    }
    guard let rule = entry?.policyRule else { return nil }
    return path(in: rule.trafficPolicy, at: FieldPath("spec", "trafficPolicy"))
      .map { (rule, $0) }
  }
}

extension Service {
  /// Whether a Kubernetes Service declares it, rather than a ServiceEntry.
  var isKubernetes: Bool { origins.first?.object.kind == .service }
}
