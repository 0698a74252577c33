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

  /// All violations in a message of the pool, outer ones first, up to 100.
  ///
  /// The time since 1970 is for rules that compare with it (`lt_now`, `gt_now`, `within`); without
  /// it these are not checked.
  package func violations(
    in message: DynamicMessage, now: Duration? = nil
  ) -> [ReflectionError] {
    var check = ConstraintCheck(
      validator: self,
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
