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
    switch applyTo {
    case .httpFilter: validateHTTPFilter(at: path, problems)
    case .extensionConfig:
      if let value, value["name"]?.stringValue?.isEmpty ?? true {
        problems.error(
          .required, at: patch.path["value"]["name"],
          "is required: proxies ask for an extension configuration by its name")
      }
    default:
      problems.warning(
        .unsupported, at: path["applyTo"],
        "\(applyTo.rawValue) is not acted on by this version")
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

  private func validateHTTPFilter(at path: FieldPath, _ problems: Problems) {
    guard [.remove, .replace, .merge].contains(operation) else { return }
    if case .listener(let listener) = match, listener.filterChain?.filter?.subFilter != nil {
      return
    }
    guard operation != .merge else { return }
    problems.warning(
      .required, at: path["match"],
      "\(operation.rawValue) has no effect without listener.filterChain.filter.subFilter.name")
  }
}
