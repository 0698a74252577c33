// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension VirtualService.Retries {
  private static let schema = Schema(
    fields: [
      "attempts", "perTryTimeout", "retryOn", "retryRemoteLocalities", "retryIgnorePreviousHosts",
      "backoff",
    ])
  /// Envoy's `x-envoy-retry-on` and `x-envoy-retry-grpc-on`.
  private static let knownConditions = [
    "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "envoy-ratelimited",
    "retriable-4xx", "refused-stream", "retriable-status-codes", "retriable-headers",
    "http3-post-connect-failure", "cancelled", "deadline-exceeded", "internal",
    "resource-exhausted", "unavailable",
  ]

  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.Retries? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    var retries = VirtualService.Retries()
    retries.attempts =
      fields.optional("attempts") { (node) throws(ConfigError) in
        try node.integer(UInt32.self, in: 0...UInt32(Int32.max))
      } ?? 0
    retries.perTryTimeout = fields.timeout("perTryTimeout")
    retries.backOff = fields.timeout("backoff")
    retries.retryRemoteLocalities = fields.bool("retryRemoteLocalities")
    if fields.has("retryIgnorePreviousHosts") {
      retries.ignoresPreviousHosts = fields.bool("retryIgnorePreviousHosts")
    }
    for part in fields.string("retryOn").split(whereSeparator: { $0 == "," || $0 == " " }) {
      let word = String(part)
      if let code = UInt32(word), (100...599).contains(code) {
        retries.statusCodes.append(code)
      } else if knownConditions.contains(word) {
        retries.conditions.append(word)
      } else {
        problems.error(
          at: fields.path["retryOn"],
          "\"\(word)\" is no condition for a retry\(NearestName.hint(for: word, among: knownConditions))"
        )
      }
    }
    if retries.attempts == 0 {
      for name in ["perTryTimeout", "retryOn", "retryRemoteLocalities"] where fields.has(name) {
        problems.error(
          .conflict, at: fields.path[name],
          "has no effect, as attempts is 0, which disables retries; set attempts")
      }
    }
    return retries
  }
}

extension VirtualService.Fault {
  private static let delaySchema = Schema(
    fields: ["fixedDelay", "percentage", "percent"], unsupported: ["exponentialDelay"])
  private static let abortSchema = Schema(
    fields: ["httpStatus", "grpcStatus", "percentage"], unsupported: ["http2Error"])
  /// The codes of gRPC, by number.
  private static let grpcCodes = [
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
    "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
    "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
  ]

  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.Fault? {
    guard let fields = Fields(node, Schema(fields: ["delay", "abort"]), problems) else {
      return nil
    }
    if !fields.has("delay"), !fields.has("abort") {
      problems.error(.required, at: node.path, "expected a delay, an abort or both")
    }
    return VirtualService.Fault(
      delay: fields.object("delay", delaySchema).flatMap(delay),
      abort: fields.object("abort", abortSchema).flatMap(abort))
  }

  private static func delay(_ fields: Fields) -> Delay? {
    let percent = fields.wholePercent("percent")
    let duration = fields.required("fixedDelay") { (node) throws(ConfigError) in
      let duration = try node.duration()
      guard duration >= .milliseconds(1) else { throw node.expected("at least 1ms") }
      return duration
    }
    return duration.map {
      Delay(duration: $0, fraction: fraction(fields, or: percent))
    }
  }

  private static func abort(_ fields: Fields) -> Abort? {
    fields.exclusive("httpStatus", "grpcStatus")
    let grpc = fields.optional("grpcStatus") { (node) throws(ConfigError) -> Abort.Status in
      let name = try node.string()
      guard let code = grpcCodes.firstIndex(of: name) else {
        throw node.expected(
          "the name of a gRPC status such as UNAVAILABLE",
          remedy: NearestName.hint(for: name, among: grpcCodes))
      }
      return .grpc(UInt32(code))
    }
    if fields.has("grpcStatus") {
      return grpc.map { Abort(status: $0, fraction: fraction(fields)) }
    }
    let status = fields.required("httpStatus") { (node) throws(ConfigError) in
      try node.integer(UInt32.self, in: 200...599)
    }
    return status.map { Abort(status: .http($0), fraction: fraction(fields)) }
  }

  /// Istio injects nothing where no percentage is written; an author hardly means that.
  private static func fraction(
    _ fields: Fields, or other: VirtualService.Fraction? = nil
  ) -> VirtualService.Fraction {
    if let fraction = fields.fraction("percentage") ?? other { return fraction }
    if !fields.has("percentage") {
      fields.problems.warning(
        .required, at: fields.path["percentage"],
        "is missing, which stands for no request at all; write percentage: {value: 100} for all")
    }
    return VirtualService.Fraction(millionths: 0)
  }
}

extension VirtualService.Mirror {
  /// Reads `mirror` with its percentages, and `mirrors`.
  static func decode(_ route: Fields) -> [VirtualService.Mirror] {
    let problems = route.problems
    let percent = route.wholePercent("mirrorPercent")
    if let node = route["mirrorPercent"] {
      problems.warning(.invalid, at: node.path, "is deprecated; write mirrorPercentage: {value: …}")
    }
    let fraction = route.fraction("mirrorPercentage") ?? percent ?? .all
    var mirrors: [VirtualService.Mirror] = []
    if let node = route["mirror"] {
      if let destination = VirtualService.Destination.decode(node, problems) {
        mirrors.append(
          VirtualService.Mirror(
            destination: destination, fraction: fraction, path: FieldPath("mirror")))
      }
    } else {
      for name in ["mirrorPercent", "mirrorPercentage"] where route.has(name) {
        problems.warning(.conflict, at: route.path[name], "has no effect without mirror")
      }
    }
    route.exclusive("mirror", "mirrors")
    let nodes = route.optional("mirrors") { (node) throws(ConfigError) in try node.list() } ?? []
    for (index, node) in nodes.enumerated() {
      guard let fields = Fields(node, Schema(fields: ["destination", "percentage"]), problems)
      else { continue }
      guard let destination = fields["destination"] else {
        problems.error(.required, at: fields.path["destination"], "is required")
        continue
      }
      guard let target = VirtualService.Destination.decode(destination, problems) else { continue }
      mirrors.append(
        VirtualService.Mirror(
          destination: target, fraction: fields.fraction("percentage") ?? .all,
          path: FieldPath("mirrors")[index]["destination"]))
    }
    return mirrors
  }
}

extension VirtualService.CORSPolicy {
  private static let schema = Schema(
    fields: [
      "allowOrigins", "allowOrigin", "allowMethods", "allowHeaders", "exposeHeaders", "maxAge",
      "allowCredentials", "unmatchedPreflights",
    ])

  private enum UnmatchedPreflights: String, CaseIterable {
    case unspecified = "UNSPECIFIED"
    case forward = "FORWARD"
    case ignore = "IGNORE"
  }

  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.CORSPolicy? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    var policy = VirtualService.CORSPolicy()
    if let node = fields["allowOrigin"] {
      problems.warning(.invalid, at: node.path, "is deprecated; write allowOrigins: [{exact: …}]")
    }
    policy.allowOrigins =
      fields.has("allowOrigins")
      ? fields.each("allowOrigins") { VirtualService.StringMatch.decode($0, problems) }
      : fields.strings("allowOrigin").map { .exact($0) }
    policy.allowMethods = words(fields, "allowMethods")
    policy.allowHeaders = words(fields, "allowHeaders")
    policy.exposeHeaders = words(fields, "exposeHeaders")
    policy.maxAge = fields.optional("maxAge") { (node) throws(ConfigError) in
      let age = try node.duration()
      guard age >= .zero else { throw node.expected("a duration of 0s or more") }
      return age
    }
    if let age = policy.maxAge, age.components.attoseconds != 0 {
      problems.warning(
        .invalid, at: fields.path["maxAge"],
        "counts in whole seconds; \(age.components.seconds)s is sent")
    }
    if fields.has("allowCredentials") { policy.allowCredentials = fields.bool("allowCredentials") }
    let unmatched = fields.optional("unmatchedPreflights") { (node) throws(ConfigError) in
      try node.enumeration(UnmatchedPreflights.self)
    }
    if let unmatched, unmatched != .unspecified {
      policy.forwardsUnmatchedPreflights = unmatched == .forward
    }
    return policy
  }

  /// Methods and header names go into one header value.
  private static func words(_ fields: Fields, _ name: String) -> [String] {
    let words = fields.strings(name)
    for (index, word) in words.enumerated() {
      if let fault = HeaderName.fault(word) {
        fields.problems.error(at: fields.path[name][index], "the name \(fault)")
      }
    }
    return words
  }
}
