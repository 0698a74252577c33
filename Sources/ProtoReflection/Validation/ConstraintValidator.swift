// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Checks messages against the `validate.rules` that their descriptors carry.
///
/// Envoy checks the same rules when it receives a resource and rejects the whole of it; here a
/// violation is found while the author of the value still can be told. Contents of `Any` are
/// checked when their type is known.
///
/// https://github.com/bufbuild/protoc-gen-validate#constraint-rules
package final class ConstraintValidator: Sendable {
  private let cache: Mutex<[ObjectIdentifier: MessageConstraints]> = Mutex([:])
  /// Enough to mend, and a bound on what a hostile message costs.
  static let maximumViolations = 100

  package init() {}

  /// What of a message breaks the rules of its types.
  ///
  /// - Parameters:
  ///   - message: of any type of the pool.
  ///   - now: the time since 1970, for rules that compare with it (`lt_now`, `gt_now`, `within`);
  ///     without it these are not checked.
  ///   - isPart: whether the message is only a part that is merged into another: what it lacks is
  ///     no violation then, but for elements of lists and maps, which come to the others as they are.
  /// - Returns: all violations, outer ones first, up to 100.
  package func violations(
    in message: DynamicMessage, now: Duration? = nil, isPart: Bool = false
  ) -> [ReflectionError] {
    var check = ConstraintCheck(
      validator: self, isPart: isPart,
      now: now.map {
        SecondsAndNanos(
          seconds: $0.components.seconds,
          nanos: Int32($0.components.attoseconds / 1_000_000_000))
      })
    check.message(message)
    return check.violations
  }

  func constraints(of descriptor: MessageDescriptor) -> MessageConstraints {
    if let known = cache.withLock({ $0[ObjectIdentifier(descriptor)] }) { return known }
    let fresh = MessageConstraints(descriptor)
    cache.withLock { $0[ObjectIdentifier(descriptor)] = fresh }
    return fresh
  }
}
