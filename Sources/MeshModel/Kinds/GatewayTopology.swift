// SPDX-License-Identifier: Apache-2.0

package import JSON

/// What stands in front of a gateway, so whom it may believe: Istio's `gatewayTopology`.
package struct GatewayTopology: Hashable, Sendable {
  /// What becomes of the header `x-forwarded-client-cert`.
  package enum ClientCertificateDetails: String, Hashable, Sendable, CaseIterable {
    /// As if it were not written.
    case undefined = "UNDEFINED"
    case sanitize = "SANITIZE"
    case forwardOnly = "FORWARD_ONLY"
    case appendForward = "APPEND_FORWARD"
    case sanitizeSet = "SANITIZE_SET"
    case alwaysForwardOnly = "ALWAYS_FORWARD_ONLY"
  }

  /// How many entries of `x-forwarded-for`, from the right, proxies in front of it have written.
  package var trustedProxies: UInt32 = 0
  package var clientCertificateDetails = ClientCertificateDetails.undefined

  package init() {}
}

extension GatewayTopology {
  /// As node metadata `PROXY_CONFIG` has it; what cannot be read is as if it were not there.
  package init(_ json: JSONValue) {
    trustedProxies = json["numTrustedProxies"]?.doubleValue.flatMap(UInt32.init(exactly:)) ?? 0
    clientCertificateDetails =
      json["forwardClientCertDetails"]?.stringValue.flatMap(ClientCertificateDetails.init)
      ?? .undefined
  }

  package var json: JSONValue {
    var object = JSONObject()
    if trustedProxies > 0 { object["numTrustedProxies"] = .integer(trustedProxies) }
    if clientCertificateDetails != .undefined {
      object["forwardClientCertDetails"] = .string(clientCertificateDetails.rawValue)
    }
    return .object(object)
  }
}
