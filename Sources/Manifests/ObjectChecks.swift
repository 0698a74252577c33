// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// Checks of decoded objects that know more than the form of manifests, such as the Envoy API.
///
/// Manifests know nothing of Envoy, so whoever makes a `ManifestReader` hands them in. A check takes
/// an object and returns what of it counts: a part with an error is left out, and reported, and the
/// rest of the object is as if it were not there.
package struct ObjectChecks: Sendable {
  package typealias Check<Object> = @Sendable (Object) -> (object: Object, problems: [ConfigError])

  private let envoyFilter: Check<EnvoyFilter>?

  /// - Parameter envoyFilter: problems have paths from the object's top; nil checks nothing.
  package init(envoyFilter: Check<EnvoyFilter>? = nil) {
    self.envoyFilter = envoyFilter
  }

  /// The value without the parts that have errors.
  func check(_ value: ConfigValue, _ problems: Problems) -> ConfigValue {
    guard case .envoyFilter(let filter) = value, let envoyFilter else { return value }
    let (checked, found) = envoyFilter(filter)
    // What reading has found at a place is the cause of what the check finds there.
    let known = Set(problems.list.map(\.path))
    for problem in found where !known.contains(problem.path) { problems.add(problem) }
    return .envoyFilter(checked)
  }
}
