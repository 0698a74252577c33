// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Looks for names in VirtualServices and DestinationRules that lead nowhere: warnings, since what they
/// name may come later.
struct References: Sendable {
  private struct Argument: Equatable {
    let rules: ObjectList<DestinationRule>
    let virtualServices: ObjectList<VirtualService>
    let gateways: Shared<Set<String>>
    let services: Shared<ServiceNames>
  }

  private var last: (argument: Argument, problems: [ConfigError])?
  private var rules = Pieces<ObjectRef, RuleReferences>()
  private var virtualServices = Pieces<ObjectRef, VirtualServiceReferences>()

  mutating func problems(
    of inventory: Inventory, _ services: Shared<ServiceNames>
  ) -> [ConfigError] {
    let argument = Argument(
      rules: inventory.destinationRules, virtualServices: inventory.virtualServices,
      gateways: .keeping(
        last?.argument.gateways,
        Set(inventory.gateways.map { "\($0.meta.namespace)/\($0.meta.name)" })),
      services: services)
    if let last, last.argument == argument { return last.problems }
    var problems: [ConfigError] = []
    for rule in argument.rules {
      problems +=
        rules.part(rule.ref, RuleReferences.Argument(rule: rule, services: services)).problems
    }
    for object in argument.virtualServices {
      let part = virtualServices.part(
        object.ref,
        VirtualServiceReferences.Argument(
          object: object, gateways: argument.gateways, services: services))
      problems += part.problems
    }
    rules.forgetUnused()
    virtualServices.forgetUnused()
    last = (argument, problems)
    return problems
  }
}

/// What is written about a service that others refer to.
struct ServiceNames: Equatable, Sendable {
  struct Service: Equatable {
    let hostname: String
    let namespace: String
    let exportTo: [String]
    let ports: [MeshModel.Service.Port]
  }

  private let services: [Service]
  private let byHostname: [String: [Int]]
  private let wildcards: [Int]

  init(_ services: [MeshModel.Service]) {
    self.services = services.map {
      Service(
        hostname: $0.hostname, namespace: $0.namespace, exportTo: $0.exportTo, ports: $0.ports)
    }
    byHostname = Dictionary(grouping: services.indices) { services[$0].hostname }
    wildcards = services.indices.filter { services[$0].hostname.hasPrefix("*") }
  }

  static func == (left: Self, right: Self) -> Bool { left.services == right.services }

  /// Those that a name means, or whose wildcard covers it.
  func candidates(_ hostname: String) -> [Service] {
    (byHostname[hostname]
      ?? wildcards.filter { Hostname.isSubset(hostname, of: services[$0].hostname) })
      .map { services[$0] }
  }

  /// Those that have a name with another in common; both may be wildcards.
  func overlapping(_ hostname: String) -> [Service] {
    let candidates =
      hostname.hasPrefix("*")
      ? Array(services.indices) : (byHostname[hostname] ?? []) + wildcards
    return candidates.map { services[$0] }.filter {
      Hostname.intersection($0.hostname, hostname) != nil
    }
  }
}

extension ServiceNames.Service {
  func isVisible(in namespace: String) -> Bool {
    MeshModel.Service.isVisible(in: namespace, from: self.namespace, exportTo: exportTo)
  }
}

private struct RuleReferences: Piece {
  struct Argument: Equatable {
    let rule: DestinationRule
    let services: Shared<ServiceNames>
  }

  private(set) var problems: [ConfigError] = []

  init(_ argument: Argument) {
    let rule = argument.rule
    let hostname = Hostname.resolve(rule.host, in: rule.meta.namespace)
    // A wildcard is there for services to come.
    guard !hostname.hasPrefix("*"), argument.services.value.candidates(hostname).isEmpty else {
      return
    }
    problems.append(
      ConfigError(
        .notFound, severity: .warning, object: rule.ref, at: FieldPath("spec", "host"),
        reason: "there is no service \(hostname)"))
  }
}

private struct VirtualServiceReferences: Piece {
  struct Argument: Equatable {
    let object: VirtualService
    /// `namespace/name` of each that there is.
    let gateways: Shared<Set<String>>
    let services: Shared<ServiceNames>
  }

  private(set) var problems: [ConfigError] = []
  private let object: VirtualService
  private let services: ServiceNames

  init(_ argument: Argument) {
    object = argument.object
    services = argument.services.value
    for (index, name) in object.gateways.enumerated() where name != VirtualService.mesh {
      let full = VirtualService.gatewayName(name, in: object.meta.namespace)
      if !argument.gateways.value.contains(full) {
        warn(FieldPath("spec", "gateways")[index], "there is no Gateway \(full)")
      }
    }
    for route in object.http {
      for (destination, place) in Self.destinations(of: route) {
        check(destination) { route.path + place() }
      }
    }
    for route in object.tls + object.tcp {
      for (index, weighted) in route.destinations.enumerated() {
        check(weighted.destination) { route.path["route"][index]["destination"] }
      }
    }
  }

  private mutating func warn(_ path: FieldPath, _ reason: String) {
    problems.append(
      ConfigError(.notFound, severity: .warning, object: object.ref, at: path, reason: reason))
  }

  /// Paths are built only where there is something to say.
  private mutating func check(
    _ destination: VirtualService.Destination, at place: () -> FieldPath
  ) {
    let namespace = object.meta.namespace
    let hostname = Hostname.resolve(destination.host, in: namespace)
    let candidates = services.candidates(hostname)
    let visible = candidates.filter { $0.isVisible(in: namespace) }
    if visible.isEmpty {
      warn(
        place()["host"],
        candidates.isEmpty
          ? "there is no service \(hostname)"
          : "the service \(hostname) is not exported to namespace \(namespace)")
    } else if let port = destination.port,
      !visible.contains(where: { $0.ports.contains { $0.number == port } })
    {
      let ports = visible.flatMap(\.ports).map { "\($0.number)" }
      warn(
        place()["port"]["number"],
        "\(hostname) has no port \(port), but \(ports.joined(separator: ", "))")
    }
  }

  /// Where a route sends requests and their copies, each with its place in the route.
  private static func destinations(
    of route: VirtualService.HTTPRoute
  ) -> [(VirtualService.Destination, () -> FieldPath)] {
    let mirrors = route.mirrors.map { mirror in (mirror.destination, { mirror.path }) }
    guard case .route(let destinations) = route.action else { return mirrors }
    return destinations.enumerated().map { index, weighted in
      (weighted.destination, { FieldPath("route")[index]["destination"] })
    } + mirrors
  }
}
