// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Foundation
import MeshModel
import SwiftProtobuf

/// When and how often a route tries again, with Istio's defaults.
enum RetryPolicy {
  /// Istio's retries where nobody asks for any.
  private static let standard = Envoy.RetryPolicy.with {
    $0.retryOn = (conditions + [statusCodes]).joined(separator: ",")
    $0.numRetries = Google_Protobuf_UInt32Value(2)
    $0.hostSelectionRetryMaxAttempts = 5
    $0.retryHostPredicate = [previousHosts]
  }

  /// What a route asks for, else the mesh; nil for a route that does not retry.
  static func policy(
    _ retries: VirtualService.Retries?, _ meshConfig: MeshConfig
  ) -> Envoy.RetryPolicy? {
    guard let retries = retries ?? meshConfig.defaultHTTPRetryPolicy else { return standard }
    guard retries.attempts > 0 else { return nil }
    var policy = standard
    policy.numRetries = Google_Protobuf_UInt32Value(retries.attempts)
    if !retries.conditions.isEmpty || !retries.statusCodes.isEmpty {
      var conditions = retries.conditions
      if !retries.statusCodes.isEmpty, !conditions.contains(statusCodes) {
        conditions.append(statusCodes)
      }
      policy.retryOn = conditions.joined(separator: ",")
      policy.retriableStatusCodes = retries.statusCodes
    }
    if let timeout = retries.perTryTimeout {
      policy.perTryTimeout = Google_Protobuf_Duration(timeout)
    }
    if let interval = retries.backOff, interval > .zero {
      policy.retryBackOff.baseInterval = Google_Protobuf_Duration(interval)
    }
    if retries.ignoresPreviousHosts == false { policy.retryHostPredicate = [] }
    if retries.retryRemoteLocalities { policy.retryPriority = previousPriorities }
    return policy
  }

  private static let conditions = [
    "connect-failure", "refused-stream", "unavailable", "cancelled",
  ]
  private static let statusCodes = "retriable-status-codes"

  /// A retry goes to another endpoint.
  private static let previousHosts = Envoy.RetryPolicy.RetryHostPredicate.with {
    $0.name = "envoy.retry_host_predicates.previous_hosts"
    $0.typedConfig.typeURL =
      "type.googleapis.com/"
      + "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
  }

  /// Retries may leave the locality, after two tries in it.
  private static let previousPriorities = Envoy.RetryPolicy.RetryPriority.with {
    $0.name = "envoy.retry_priorities.previous_priorities"
    $0.typedConfig.typeURL =
      "type.googleapis.com/"
      + "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"
    // update_frequency: 2
    $0.typedConfig.value = Data([0x08, 0x02])
  }
}
