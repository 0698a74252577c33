// SPDX-License-Identifier: Apache-2.0

/// How a route of a VirtualService treats a request on its way: retries, faults, copies, other origins.
extension VirtualService {
  package struct Retries: Hashable, Sendable {
    /// 0 disables retries.
    package var attempts: UInt32 = 0
    /// Nil stands for the timeout of the route.
    package var perTryTimeout: Duration?
    /// The conditions of Envoy, without the status codes; empty stands for Istio's default.
    package var conditions: [String] = []
    /// The status codes among the conditions.
    package var statusCodes: [UInt32] = []
    package var retryRemoteLocalities = false
    /// Whether a retry goes to another endpoint; nil stands for true.
    package var ignoresPreviousHosts: Bool?
    /// The first interval between tries; nil stands for Envoy's 25 ms.
    package var backOff: Duration?
    package init() {}
  }

  /// Hundredths of a hundredth of a percent: 1,000,000 is all requests.
  package struct Fraction: Hashable, Sendable {
    package static let all = Self(millionths: 1_000_000)
    package var millionths: UInt32
    package init(millionths: UInt32) { self.millionths = millionths }
    /// From 0 to 100.
    package init(percent: Double) { millionths = UInt32((percent * 10_000).rounded()) }
  }

  package struct Fault: Hashable, Sendable {
    package struct Delay: Hashable, Sendable {
      package var duration: Duration
      package var fraction: Fraction
      package init(duration: Duration, fraction: Fraction) {
        self.duration = duration
        self.fraction = fraction
      }
    }

    package struct Abort: Hashable, Sendable {
      package enum Status: Hashable, Sendable {
        case http(UInt32)
        case grpc(UInt32)
      }
      package var status: Status
      package var fraction: Fraction
      package init(status: Status, fraction: Fraction) {
        self.status = status
        self.fraction = fraction
      }
    }

    package var delay: Delay?
    package var abort: Abort?
    package init(delay: Delay? = nil, abort: Abort? = nil) {
      self.delay = delay
      self.abort = abort
    }
  }

  package struct Mirror: Hashable, Sendable {
    package var destination: Destination
    package var fraction: Fraction
    /// Where it is written, from the route on: `mirror` or `mirrors[index].destination`.
    package var path: FieldPath
    package init(destination: Destination, fraction: Fraction = .all, path: FieldPath) {
      self.destination = destination
      self.fraction = fraction
      self.path = path
    }
  }

  package struct CORSPolicy: Hashable, Sendable {
    package var allowOrigins: [StringMatch] = []
    package var allowMethods: [String] = []
    package var allowHeaders: [String] = []
    package var exposeHeaders: [String] = []
    /// How long a browser may keep the answer to a preflight; whole seconds count.
    package var maxAge: Duration?
    package var allowCredentials: Bool?
    /// Whether preflights of other origins go to the destination; nil stands for true.
    package var forwardsUnmatchedPreflights: Bool?
    package init() {}
  }
}
