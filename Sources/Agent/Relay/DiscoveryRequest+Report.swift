// SPDX-License-Identifier: Apache-2.0

import AgentAPI
import EnvoyAPI
import SwiftProtobuf

typealias DiscoveryRequestMessage = Envoy_Service_Discovery_V3_DiscoveryRequest

extension DiscoveryRequestMessage {
  /// A request that carries a report: it subscribes to nothing, and servers that do not know its type
  /// take it for a rejection of a type that they never sent.
  init(reporting report: Skiff_Agent_V1_WasmModuleReport) {
    self.init()
    typeURL = Skiff_Agent_V1_WasmModuleReport.typeURL
    errorDetail.details = [report.packed()]
  }
}
