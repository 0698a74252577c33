// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The clusters of all services that a proxy sees, kept for as long as neither these nor the rules about
/// them change, and service by service where some do.
struct OutboundClusters: Sendable {
  struct Argument: Equatable {
    let services: ServiceList
    let rules: DestinationRuleIndex
    /// Of the Secrets of the proxy's namespace, by name.
    let credentials: [String: Credential]
    /// Whether connections to services are passed on as they are, too.
    let passesOn: Bool
    let surroundings: Shared<Surroundings>
  }

  struct Result {
    var clusters: [ClusterDraft] = []
    var assignments: [EncodedResource] = []
    var problems: [ConfigError] = []
  }

  private var last: (argument: Argument, result: Result)?
  private var parts = Pieces<String, ServiceClusters>()

  mutating func clusters(_ argument: Argument) -> Result {
    if let last, last.argument == argument { return last.result }
    var result = Result()
    let policies = DestinationPolicies(argument.rules, argument.surroundings.value)
    for service in argument.services.all {
      let entry = policies.entry(for: service)
      let part = parts.part(
        service.hostname,
        ServiceClusters.Argument(
          service: service, entry: entry,
          credentials: entry?.namesCredentials ?? false ? argument.credentials : [:],
          passesOn: argument.passesOn && service.isMeshInternal,
          surroundings: argument.surroundings))
      result.clusters += part.clusters
      result.assignments += part.assignments
      result.problems += part.problems
    }
    parts.forgetUnused()
    last = (argument, result)
    return result
  }
}

/// Services in name order; equal to its copies alone.
struct ServiceList: Equatable {
  let all: [Service]
  private let stamp = Stamp()

  init(_ services: [Service]) { all = services }

  static func == (left: Self, right: Self) -> Bool { left.stamp == right.stamp }
}

extension DestinationRuleIndex.Entry {
  /// Whether some policy takes certificates from a Secret.
  fileprivate var namesCredentials: Bool {
    func names(_ policy: TrafficPolicy?) -> Bool {
      guard let policy else { return false }
      return policy.tls?.credentialName.isEmpty == false
        || policy.portLevelSettings.values.contains(where: names)
    }
    return names(trafficPolicy) || subsets.contains { names($0.subset.trafficPolicy) }
  }
}
