// SPDX-License-Identifier: Apache-2.0

/// Rules about DNS names in Istio's resources.
package enum Hostname {
  /// The full name of a host as written in an object of a namespace.
  ///
  /// A name without a dot, other than `*`, is a Service of that namespace:
  /// `reviews` → `reviews.default.svc.cluster.local`.
  package static func resolve(
    _ host: String, in namespace: String, domain: String = "cluster.local"
  ) -> String {
    host.contains(".") || host == "*" ? host : "\(host).\(namespace).svc.\(domain)"
  }

  /// Whether every name that `name` stands for is among those that `pattern` stands for.
  ///
  /// Both may be a DNS name, `*.suffix` or `*`.
  package static func isSubset(_ name: String, of pattern: String) -> Bool {
    if pattern == "*" || name == pattern { return true }
    guard pattern.hasPrefix("*") else { return false }
    return (name.hasPrefix("*") ? String(name.dropFirst()) : name)
      .hasSuffix(pattern.dropFirst())
  }

  /// The more specific of two names where one contains the other, else nil.
  package static func intersection(_ left: String, _ right: String) -> String? {
    if isSubset(left, of: right) { return left }
    return isSubset(right, of: left) ? right : nil
  }
}
