// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

extension EnvoyFilter.ConfigPatch {
  /// The rules between the fields of a patch, as Istio's admission has them.
  func validate(patch: Fields, at path: FieldPath, _ problems: Problems) {
    if value == nil, !patch.has("value"), operation != .remove {
      problems.error(
        .required, at: patch.path["value"],
        "is required for operation \(operation.rawValue)")
    }
    validateMatch(at: path, problems)
    if applyTo == .extensionConfig, let value, value["name"]?.stringValue?.isEmpty ?? true {
      problems.error(
        .required, at: patch.path["value"]["name"],
        "is required: proxies ask for an extension configuration by its name")
    }
    if let ineffectiveness {
      problems.warning(.unsupported, at: patch.path["operation"], ineffectiveness)
    } else if applyTo == .bootstrap {
      problems.warning(
        .unsupported, at: path["applyTo"],
        "a running proxy is not changed; skiffctl bootstrap -f applies it to what it prints")
    } else if let missingTarget {
      problems.warning(
        .required, at: path["match"],
        "\(operation.rawValue) has no effect without \(missingTarget)")
    }
  }

  /// Each class of applyTo has its class of match; three are not checked, as in Istio.
  private func validateMatch(at path: FieldPath, _ problems: Problems) {
    let found: String
    switch match {
    case .none, .waypoint: return
    case .listener: found = "listener"
    case .routeConfiguration: found = "routeConfiguration"
    case .cluster: found = "cluster"
    }
    let expected: String
    switch applyTo {
    case .listener, .filterChain, .networkFilter, .httpFilter: expected = "listener"
    case .routeConfiguration, .virtualHost, .httpRoute: expected = "routeConfiguration"
    case .cluster: expected = "cluster"
    case .extensionConfig, .bootstrap, .listenerFilter: return
    }
    if found != expected {
      problems.error(
        at: path["match"][found],
        "applyTo \(applyTo.rawValue) takes a \(expected) match; write match.\(expected)")
    }
  }
}
