// SPDX-License-Identifier: Apache-2.0

import GRPC

/// `AggregatedDiscoveryService.StreamAggregatedResources`: state of the world, all types on one
/// stream.
struct ADSMethod: GRPCMethod {
  let server: ADSServer

  var path: String {
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
  }

  func open(_ call: GRPCCall) throws(GRPCStatus) -> any GRPCStream {
    // Envoy tries again by itself, and keeps what it has: better than an empty configuration.
    guard server.isReady else {
      throw GRPCStatus(.unavailable, "server is not ready to serve discovery information")
    }
    return ADSStream(call: call, server: server)
  }
}
