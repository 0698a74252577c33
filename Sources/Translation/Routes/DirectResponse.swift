// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Foundation
import MeshModel
import SwiftProtobuf

/// Answers that the proxy gives by itself.
enum DirectResponse {
  /// The largest body, as Istio sets it; Envoy's own limit is 4 KiB.
  static let maximumBody: UInt32 = 1 << 20

  static func action(
    _ response: VirtualService.DirectResponse, at path: FieldPath
  ) throws(ConfigError) -> Envoy_Config_Route_V3_DirectResponseAction {
    guard (200..<600).contains(response.status) else {
      throw ConfigError(
        .invalid, at: path["status"],
        reason: "expected an HTTP status from 200 to 599, found \(response.status); "
          + "the route is left out")
    }
    guard response.body.count <= Int(maximumBody) else {
      throw ConfigError(
        .invalid, at: path["body"],
        reason: "expected at most \(maximumBody) bytes, found \(response.body.count); "
          + "the route is left out")
    }
    return Envoy_Config_Route_V3_DirectResponseAction.with {
      $0.status = response.status
      if response.body.isEmpty { return }
      if let text = String(validating: response.body, as: UTF8.self) {
        $0.body.inlineString = text
      } else {
        $0.body.inlineBytes = Data(response.body)
      }
    }
  }
}
