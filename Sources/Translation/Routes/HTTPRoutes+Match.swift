// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// Conditions on requests: `spec.http[].match[]` as Envoy's RouteMatch.
extension HTTPRoutes {
  static func condition(
    _ match: VirtualService.HTTPMatch, _ path: FieldPath
  ) throws(ConfigError) -> Envoy.RouteMatch {
    var condition = Envoy.RouteMatch()
    switch match.uri {
    case nil: condition.prefix = "/"
    case .exact(let text): condition.path = text
    case .prefix(let text): condition.prefix = text
    case .regex(let text):
      condition.safeRegex = try expression(text, path["uri"]["regex"])
    }
    if match.ignoreURICase { condition.caseSensitive = Google_Protobuf_BoolValue(false) }
    for (name, value) in match.headers.sorted(by: { $0.key < $1.key }) {
      let path = path["headers"][name]
      if let claim = JWTClaim(header: name) {
        condition.dynamicMetadata.append(try metadata(claim, value, path))
      } else {
        condition.headers.append(try header(name, value, path))
      }
    }
    for (name, value) in match.withoutHeaders.sorted(by: { $0.key < $1.key }) {
      let path = path["withoutHeaders"][name]
      if let claim = JWTClaim(header: name) {
        var matcher = try metadata(claim, value, path)
        matcher.invert = true
        condition.dynamicMetadata.append(matcher)
      } else {
        var matcher = try header(name, value, path)
        matcher.invertMatch = true
        // Envoy would not match a request without the header, whatever the condition.
        if case .stringMatch = matcher.headerMatchSpecifier {
          matcher.treatMissingHeaderAsEmpty = true
        }
        condition.headers.append(matcher)
      }
    }
    if let method = match.method {
      condition.headers.append(try header(":method", method, path["method"]))
    }
    if let authority = match.authority {
      condition.headers.append(try header(":authority", authority, path["authority"]))
    }
    if let scheme = match.scheme {
      condition.headers.append(try header(":scheme", scheme, path["scheme"]))
    }
    for (name, value) in match.queryParams.sorted(by: { $0.key < $1.key }) {
      var matcher = Envoy.QueryParameterMatcher()
      matcher.name = name
      if let text = try string(value, path["queryParams"][name]) {
        matcher.stringMatch = text
      } else {
        matcher.presentMatch = true
      }
      condition.queryParameters.append(matcher)
    }
    return condition
  }

  /// A header that must match, or be there at all where no value is asked for.
  private static func header(
    _ name: String, _ value: VirtualService.StringMatch?, _ path: FieldPath
  ) throws(ConfigError) -> Envoy.HeaderMatcher {
    var matcher = Envoy.HeaderMatcher()
    try HeaderName.check(name, at: path)
    matcher.name = name
    if let text = try string(value, path) {
      matcher.stringMatch = text
    } else {
      matcher.presentMatch = true
    }
    return matcher
  }

  /// A claim of a token, where the filter that checks tokens leaves them; it may be one of a list.
  private static func metadata(
    _ claim: JWTClaim, _ value: VirtualService.StringMatch?, _ path: FieldPath
  ) throws(ConfigError) -> Envoy.MetadataMatcher {
    var matcher = Envoy.MetadataMatcher()
    matcher.filter = FilterName.jwtAuthentication
    matcher.path = (["payload"] + claim.path).map { key in
      Envoy.MetadataMatcher.PathSegment.with { $0.key = key }
    }
    if let text = try string(value, path) {
      let single = Envoy.ValueMatcher.with { $0.stringMatch = text }
      let element = Envoy.ValueMatcher.with { $0.listMatch.oneOf = single }
      matcher.value.orMatch.valueMatchers = [single, element]
    } else {
      matcher.value.presentMatch = true
    }
    return matcher
  }

  /// A condition on a text; nil for any.
  private static func string(
    _ value: VirtualService.StringMatch?, _ path: FieldPath
  ) throws(ConfigError) -> Envoy.StringMatcher? {
    var matcher = Envoy.StringMatcher()
    switch value {
    // `*` is no regular expression; Istio reads it as "any value".
    case nil, .regex("*"), .prefix(""): return nil
    case .exact(let text): matcher.exact = text
    case .prefix(let text): matcher.prefix = text
    case .regex(let text): matcher.safeRegex = try expression(text, path["regex"])
    }
    return matcher
  }

  static func expression(
    _ text: String, _ path: FieldPath
  ) throws(ConfigError) -> Envoy.RegexMatcher {
    if let fault = RegularExpression.fault(in: text) {
      throw ConfigError(
        .invalid, at: path,
        reason: "expected a regular expression in RE2 syntax, found \"\(text)\": \(fault)")
    }
    return Envoy.RegexMatcher.with { $0.regex = text }
  }
}

/// What Envoy accepts as the name of a header (its `HTTP_HEADER_NAME` rule).
enum HeaderName {
  static func isValid(_ name: String) -> Bool {
    let plain = name.hasPrefix(":") ? name.dropFirst() : Substring(name)
    return !plain.isEmpty
      && plain.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "!#$%&'*+-.^_|~`".utf8.contains(byte)
        }
      }
  }

  static func check(_ name: String, at path: FieldPath) throws(ConfigError) {
    guard !isValid(name) else { return }
    throw ConfigError(
      .invalid, at: path, reason: "expected the name of an HTTP header, found \"\(name)\"")
  }
}
