// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Foundation
import ProtoReflection
import SwiftProtobuf
import Testing

/// One populated example of each type that the discovery service sends.
@Suite struct ResourceTests {
  @Test func `a listener comes back from its bytes`() throws {
    try expectRoundTrip(
      Envoy_Config_Listener_V3_Listener.gateway, "envoy.config.listener.v3.Listener")
  }

  @Test func `a route configuration comes back from its bytes`() throws {
    try expectRoundTrip(
      Envoy_Config_Route_V3_RouteConfiguration.reviews, "envoy.config.route.v3.RouteConfiguration")
  }

  @Test func `a cluster comes back from its bytes`() throws {
    try expectRoundTrip(Envoy_Config_Cluster_V3_Cluster.reviews, "envoy.config.cluster.v3.Cluster")
  }

  @Test func `a load assignment comes back from its bytes`() throws {
    try expectRoundTrip(
      Envoy_Config_Endpoint_V3_ClusterLoadAssignment.reviews,
      "envoy.config.endpoint.v3.ClusterLoadAssignment")
  }

  @Test func `an extension configuration comes back from its bytes`() throws {
    try expectRoundTrip(
      Envoy_Config_Core_V3_TypedExtensionConfig.plugin, "envoy.config.core.v3.TypedExtensionConfig")
  }

  @Test func `bytes are those of the published API`() {
    // field 1 "a", field 2 { field 1 "t", field 2 { 7 } }, written by hand
    let config = Envoy_Config_Core_V3_TypedExtensionConfig.with {
      $0.name = "a"
      $0.typedConfig = Google_Protobuf_Any.with {
        $0.typeURL = "t"
        $0.value = Data([7])
      }
    }
    #expect(
      config.deterministicBytes() == [0x0A, 1, 0x61, 0x12, 6, 0x0A, 1, 0x74, 0x12, 1, 7])
  }

  private func expectRoundTrip<M: Message & Equatable>(_ message: M, _ name: String) throws {
    let packed = message.packed()
    #expect(packed.typeURL == "type.googleapis.com/\(name)")
    #expect(packed.value == Data(message.deterministicBytes()))
    #expect(try M(unpackingAny: packed) == message)
    #expect(try M(serializedBytes: packed.value).deterministicBytes() == Array(packed.value))

    // The published API knows every field that ours has written.
    let type = try #require(EnvoyTypes.pool.message(named: name))
    let dynamic = try DynamicMessage(parsing: Array(packed.value), as: type)
    #expect(dynamic.unknownFields.isEmpty)
    #expect(dynamic.serialized() == Array(packed.value))
  }
}
