// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import JSON
import MeshModel
import MeshTesting
import SwiftProtobuf
import Testing
import Translation

@Suite struct TranslatorTests {
  static let gatewayClass = ProxyClass(role: .router, namespace: "default")
  static let translator = Translator(types: EnvoyTypes.pool)

  static func gateway(_ name: String = "gw", ports: [UInt16] = [80]) -> Gateway {
    Gateway(
      meta: ObjectMeta(name: name, namespace: "default"), selector: LabelSelector(matchLabels: [:]),
      servers: ports.enumerated().map { index, port in
        Gateway.Server(
          index: index, port: port, portName: "http", portProtocol: .http,
          hosts: [Gateway.Host(dnsName: "*")])
      })
  }

  static func service(_ hostname: String, ports: [UInt16] = [80]) -> Service {
    Service(
      hostname: hostname, namespace: "default",
      ports: ports.map { Service.Port(number: $0, name: "p\($0)", portProtocol: .http) },
      resolution: .static, isMeshInternal: true,
      endpoints: [Service.Endpoint(address: "10.0.0.1", ports: [80: 8080])],
      origins: [
        Origin(
          object: ObjectRef(kind: .serviceEntry, namespace: "default", name: hostname),
          generation: 1)
      ])
  }

  static func virtualService(
    _ name: String, match: VirtualService.HTTPMatch? = nil
  ) -> VirtualService {
    var route = VirtualService.HTTPRoute(
      index: 0,
      action: .route([
        VirtualService.WeightedDestination(
          destination: VirtualService.Destination(host: "\(name).example.com"))
      ]))
    route.matches = match.map { [$0] } ?? []
    return VirtualService(
      meta: ObjectMeta(name: name, namespace: "default"), hosts: ["\(name).example.com"],
      gateways: ["gw"], http: [route])
  }

  static func virtualHosts(_ snapshot: ResourceSnapshot) throws -> [String] {
    try snapshot[.route].resources.flatMap { resource in
      try Envoy_Config_Route_V3_RouteConfiguration(serializedBytes: resource.bytes)
        .virtualHosts.map(\.name)
    }
  }

  @Test func `the order of objects does not change the bytes`() {
    let names = (0..<20).map { "s\($0)" }
    let services = names.map { Self.service("\($0).example.com") }
    let routes = names.map { Self.virtualService($0) }
    let one = MeshSnapshot(
      revision: 1, gateways: [Self.gateway()], virtualServices: routes, services: services)
    let other = MeshSnapshot(
      revision: 2, gateways: [Self.gateway()], virtualServices: routes.reversed(),
      services: services.reversed())
    let (left, right) = (
      Self.translator.translate(one, for: Self.gatewayClass),
      Self.translator.translate(other, for: Self.gatewayClass)
    )
    #expect(left.typeURLs == [.cluster, .endpoint, .listener, .route])
    for typeURL in left.typeURLs { #expect(left[typeURL] == right[typeURL]) }
  }

  @Test func `a route that Envoy would refuse leaves the others`() throws {
    var bad = VirtualService.HTTPMatch()
    bad.uri = .regex("/(unclosed")
    let mesh = MeshSnapshot(
      revision: 1, gateways: [Self.gateway()],
      virtualServices: [Self.virtualService("bad", match: bad), Self.virtualService("good")],
      services: [Self.service("good.example.com"), Self.service("bad.example.com")])
    let result = Self.translator.translate(mesh, for: Self.gatewayClass)
    #expect(try Self.virtualHosts(result) == ["good.example.com:80"])
    #expect(
      result.problems.map(\.description) == [
        "VirtualService default/bad: spec.http[0].match[0].uri.regex: expected a regular expression "
          + "in RE2 syntax, found \"/(unclosed\": missing )"
      ])
  }

  @Test func `repeated ports, names and binds make one resource each`() {
    var gateway = Self.gateway(ports: [80, 80])
    gateway.servers[1].bind = "0.0.0.0"
    let mesh = MeshSnapshot(
      revision: 1, gateways: [gateway, Self.gateway("other")],
      services: [Self.service("a.example.com", ports: [80, 80]), Self.service("a.example.com")])
    let result = Self.translator.translate(mesh, for: Self.gatewayClass)
    #expect(result[.listener].resources.map(\.name) == ["0.0.0.0_80"])
    #expect(
      result[.cluster].resources.map(\.name)
        == ["BlackHoleCluster", "outbound|80||a.example.com"])
  }

  @Test func `a service that is not exported is told where it is missed`() {
    var hidden = Self.service("a.example.com")
    hidden.namespace = "other"
    hidden.exportTo = ["."]
    let mesh = MeshSnapshot(
      revision: 1, gateways: [Self.gateway()], virtualServices: [Self.virtualService("a")],
      services: [hidden])
    let result = Self.translator.translate(mesh, for: Self.gatewayClass)
    #expect(
      result.problems.map(\.description) == [
        "VirtualService default/a: spec.http[0].route[0].destination.host: a.example.com is not "
          + "exported to namespace default of the proxy; requests get status 500"
      ])
  }

  @Test(arguments: TranslationGoldens.cases)
  func `what resources refer to is there`(_ golden: GoldenCase) throws {
    let (mesh, proxyClass) = try golden.translationInput()
    let result = Self.translator.translate(mesh, for: proxyClass)
    for resource in result[.cluster].resources {
      let cluster = try Envoy_Config_Cluster_V3_Cluster(serializedBytes: resource.bytes)
      guard cluster.type == .eds else { continue }
      #expect(result[.endpoint][cluster.edsClusterConfig.serviceName] != nil)
    }
    for resource in result[.listener].resources {
      let listener = try Envoy_Config_Listener_V3_Listener(serializedBytes: resource.bytes)
      for filter in listener.filterChains.flatMap(\.filters)
      where filter.typedConfig.typeURL == Manager.typeURL {
        let manager = try Manager(serializedBytes: filter.typedConfig.value)
        if case .rds(let rds) = manager.routeSpecifier {
          #expect(result[.route][rds.routeConfigName] != nil)
        }
        for plugin in manager.httpFilters where plugin.name.hasPrefix("extensions.istio.io/") {
          // A script is in the listener itself.
          guard case .configDiscovery = plugin.configType else { continue }
          #expect(result[.extensionConfig][plugin.name] != nil)
        }
      }
    }
  }

  private typealias Manager =
    Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager
}
