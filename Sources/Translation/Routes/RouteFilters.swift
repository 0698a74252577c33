// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// What a route tells the fault and CORS filters in front of the router: its
/// `typed_per_filter_config`.
enum RouteFilters {
  /// Nil where nothing is injected.
  static func fault(
    _ fault: VirtualService.Fault
  ) -> Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault? {
    guard fault.delay != nil || fault.abort != nil else { return nil }
    var message = Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault()
    if let delay = fault.delay {
      message.delay.fixedDelay = Google_Protobuf_Duration(delay.duration)
      message.delay.percentage = Envoy.FractionalPercent(delay.fraction)
    }
    if let abort = fault.abort {
      switch abort.status {
      case .http(let status): message.abort.httpStatus = status
      case .grpc(let status): message.abort.grpcStatus = status
      }
      message.abort.percentage = Envoy.FractionalPercent(abort.fraction)
    }
    return message
  }

  static func cors(
    _ policy: VirtualService.CORSPolicy, at path: FieldPath
  ) throws(ConfigError) -> Envoy_Extensions_Filters_Http_Cors_V3_CorsPolicy {
    var message = Envoy_Extensions_Filters_Http_Cors_V3_CorsPolicy()
    for (index, origin) in policy.allowOrigins.enumerated() {
      var matcher = Envoy.StringMatcher()
      switch origin {
      case .exact(let text): matcher.exact = text
      case .prefix(let text): matcher.prefix = text
      case .regex(let text):
        matcher.safeRegex = try HTTPRoutes.expression(
          text, path["allowOrigins"][index]["regex"])
      }
      message.allowOriginStringMatch.append(matcher)
    }
    message.allowMethods = policy.allowMethods.joined(separator: ",")
    message.allowHeaders = policy.allowHeaders.joined(separator: ",")
    message.exposeHeaders = policy.exposeHeaders.joined(separator: ",")
    if let age = policy.maxAge { message.maxAge = "\(age.components.seconds)" }
    if let allows = policy.allowCredentials {
      message.allowCredentials = Google_Protobuf_BoolValue(allows)
    }
    message.filterEnabled.defaultValue.numerator = 100
    if let forwards = policy.forwardsUnmatchedPreflights {
      message.forwardNotMatchingPreflights = Google_Protobuf_BoolValue(forwards)
    }
    return message
  }
}

extension Envoy.FractionalPercent {
  init(_ fraction: VirtualService.Fraction) {
    self.init()
    numerator = fraction.millionths
    denominator = .million
  }
}
