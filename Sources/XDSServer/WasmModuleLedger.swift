// SPDX-License-Identifier: Apache-2.0

package import AgentAPI
import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// What an agent has told of the Wasm modules of its Envoy, on one stream.
///
/// A resource that the agent accepted may turn out not to run: the module cannot be had. The agent
/// reports it, and the stream treats it as the rejection that it is.
struct WasmModuleLedger {
  private struct Key: Hashable {
    var typeURL: String
    var resource: String
    var plugin: String
    var url: String
  }

  // An Envoy with more modules than this has other worries; it bounds what a peer can make us keep.
  private static let limit = 10_000
  private static let errorLimit = 4096

  private var statuses: [Key: Skiff_Agent_V1_WasmModuleStatus] = [:]

  /// By resource, then plugin.
  var modules: [Skiff_Agent_V1_WasmModuleStatus] {
    statuses.values.sorted { ($0.resource, $0.plugin, $0.url) < ($1.resource, $1.plugin, $1.url) }
  }

  /// Reads the report that a request carries.
  ///
  /// - Throws: what the decoder says of a malformed one.
  static func report(
    in request: Envoy_Service_Discovery_V3_DiscoveryRequest
  ) throws -> Skiff_Agent_V1_WasmModuleReport {
    guard let detail = request.errorDetail.details.first else { return .init() }
    return try Skiff_Agent_V1_WasmModuleReport(unpackingAny: detail)
  }

  /// Takes a status.
  ///
  /// - Returns: whether it says something else than before: another phase, or of other bytes.
  mutating func update(_ status: Skiff_Agent_V1_WasmModuleStatus) -> Bool {
    let key = Key(
      typeURL: status.typeURL, resource: status.resource, plugin: status.plugin, url: status.url)
    let former = statuses[key]
    if status.phase == .gone {
      statuses[key] = nil
    } else if former != nil || statuses.count < Self.limit {
      statuses[key] = status
      statuses[key]?.error = String(status.error.prefix(Self.errorLimit))
    }
    return former?.phase != status.phase || former?.resourceVersion != status.resourceVersion
  }
}

extension Skiff_Agent_V1_WasmModuleStatus.Phase {
  /// As the debug pages and the metric say it.
  package var text: String {
    switch self {
    case .fetching: "FETCHING"
    case .ready: "READY"
    case .failed: "FAILED"
    case .fallback: "FALLBACK"
    case .gone: "GONE"
    case .unspecified, .UNRECOGNIZED: "UNKNOWN"
    }
  }
}
