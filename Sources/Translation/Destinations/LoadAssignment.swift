// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// The endpoints of a service port, grouped by locality.
///
/// Endpoints that are not ready are left out, as Istio does: a proxy never learns of them.
struct LoadAssignment {
  private let service: Service
  private let port: Service.Port
  private let localities: LocalityPreference
  private let targets: [Target]

  /// Takes the endpoints with the labels of a subset, or all without one.
  init(
    _ service: Service, _ port: Service.Port, selector: LabelSelector?,
    localities: LocalityPreference
  ) {
    self.service = service
    self.port = port
    self.localities = localities
    targets = service.endpoints.compactMap { endpoint in
      guard endpoint.isHealthy, let target = endpoint.ports[port.number],
        selector?.matches(endpoint.labels) ?? true
      else { return nil }
      return Target(endpoint: endpoint, port: target)
    }
  }

  /// For EDS, where Envoy refuses every address that is no IP address or Unix domain socket.
  func `static`(named name: String) -> (Envoy.ClusterLoadAssignment, [ConfigError]) {
    var problems: [ConfigError] = []
    let usable = targets.filter { target in
      if target.path != nil || IPAddress.isValid(target.endpoint.address) { return true }
      problems.append(
        problem(
          .invalid,
          "expected an IP address as the address of an endpoint, found "
            + "\"\(target.endpoint.address)\", which is left out; use resolution DNS for names"))
      return false
    }
    return (assignment(of: usable, named: name), problems)
  }

  /// For DNS clusters, which resolve the names of their endpoints; nil where there is nothing to
  /// resolve.
  func dns(named name: String) -> (Envoy.ClusterLoadAssignment?, [ConfigError]) {
    guard let first = targets.first else {
      let fault = problem(
        .notFound,
        "expected an endpoint with a DNS name for \(name), found none; there is no such cluster")
      return (nil, [fault])
    }
    guard service.resolution == .dnsRoundRobin, targets.count > 1 else {
      return (assignment(of: targets, named: name), [])
    }
    let fault = problem(
      .invalid,
      "expected one endpoint with resolution DNS_ROUND_ROBIN, found \(targets.count); "
        + "only \(first.endpoint.address) is used")
    return (assignment(of: [first], named: name), [fault])
  }

  /// An endpoint and the port of it that serves the service port.
  private struct Target {
    var endpoint: Service.Endpoint
    var port: UInt16
    /// The path of a Unix domain socket.
    var path: String? {
      let scheme = "unix://"
      guard endpoint.address.hasPrefix(scheme) else { return nil }
      return String(endpoint.address.dropFirst(scheme.count))
    }
    /// 0 stands for unset, which is 1.
    var weight: UInt32 { max(endpoint.weight, 1) }
  }

  private func assignment(
    of targets: [Target], named name: String
  ) -> Envoy.ClusterLoadAssignment {
    var message = Envoy.ClusterLoadAssignment()
    message.clusterName = name
    let groups = Dictionary(grouping: targets) {
      localities.group(locality: $0.endpoint.locality, labels: $0.endpoint.labels)
    }.sorted { ($0.key.locality, $0.key.priority) < ($1.key.locality, $1.key.priority) }
    message.endpoints = groups.map { group, targets in
      // Sorted, so that the order in which slices and files are read cannot change the bytes.
      let sorted = targets.sorted {
        ($0.endpoint.address, $0.port) < ($1.endpoint.address, $1.port)
      }
      return Envoy.LocalityEndpoints.with {
        if !group.locality.isEmpty { $0.locality = Self.locality(group.locality) }
        $0.priority = UInt32(group.priority)
        $0.lbEndpoints = sorted.map(Self.endpoint)
        let weight = sorted.reduce(UInt32(0)) { sum, target in
          let (next, overflows) = sum.addingReportingOverflow(target.weight)
          return overflows ? .max : next
        }
        $0.loadBalancingWeight = Google_Protobuf_UInt32Value(weight)
      }
    }
    localities.apply(to: &message.endpoints, localities: groups.map(\.key.locality))
    return message
  }

  private static func endpoint(_ target: Target) -> Envoy.LBEndpoint {
    Envoy.LBEndpoint.with {
      if let path = target.path {
        $0.endpoint.address.pipe.path = path
      } else {
        $0.endpoint.address = Envoy.address(target.endpoint.address, port: target.port)
      }
      $0.loadBalancingWeight = Google_Protobuf_UInt32Value(target.weight)
    }
  }

  private static func locality(_ text: String) -> Envoy_Config_Core_V3_Locality {
    let parts = text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    return Envoy_Config_Core_V3_Locality.with {
      $0.region = String(parts[0])
      if parts.count > 1 { $0.zone = String(parts[1]) }
      if parts.count > 2 { $0.subZone = String(parts[2]) }
    }
  }

  private func problem(_ code: ConfigError.Code, _ reason: String) -> ConfigError {
    ConfigError(
      code, severity: .warning, object: service.origins.first?.object,
      at: service.origins.first?.path ?? FieldPath(), reason: reason)
  }
}
