// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import ProtoReflection

/// The patches of the EnvoyFilters of a proxy, decoded once and in the order of their application.
struct PatchSet {
  /// A patch that is ready to be applied.
  struct Patch {
    var filter: EnvoyFilter
    var patch: EnvoyFilter.ConfigPatch
    /// Nil only where the operation needs no value.
    var value: DynamicMessage?

    var origin: Origin { filter.origin(at: patch.path) }
    var valuePath: FieldPath { patch.path["patch"]["value"] }

    /// What a match on a listener asks for; nil where everything matches.
    var listenerMatch: EnvoyFilter.ListenerMatch? {
      if case .listener(let match) = patch.match { match } else { nil }
    }
  }

  let decoder: PatchValueDecoder
  private(set) var httpFilters: [Patch] = []
  private(set) var extensionConfigs: [Patch] = []
  private(set) var problems: [ConfigError] = []

  init(_ scope: ProxyScope, decoder: PatchValueDecoder) {
    self.decoder = decoder
    for filter in scope.envoyFilters {
      for patch in filter.configPatches {
        do throws(ConfigError) {
          try add(Patch(filter: filter, patch: patch), scope.proxy)
        } catch {
          var problem = error
          problem.object = filter.ref
          problems.append(problem)
        }
      }
    }
  }

  private mutating func add(_ patch: Patch, _ proxy: ProxyClass) throws(ConfigError) {
    let applyTo = patch.patch.applyTo
    // That the others are not acted on is said when the object is read.
    guard applyTo == .httpFilter || applyTo == .extensionConfig else { return }
    guard try ProxyMatcher.matches(patch.patch, proxy) else { return }
    if patch.patch.filterClass != .unspecified {
      warn(
        .unsupported, patch, at: patch.patch.path["patch"]["filterClass"],
        "filterClass has no effect, as in Istio; INSERT_BEFORE and INSERT_AFTER place a filter")
    }
    if applyTo == .httpFilter {
      try addHTTPFilter(patch)
    } else {
      try addExtensionConfig(patch)
    }
  }

  private mutating func addHTTPFilter(_ patch: Patch) throws(ConfigError) {
    let path = patch.patch.path
    let operation = patch.patch.operation
    switch patch.patch.match {
    case .none, .listener: break
    case .routeConfiguration, .cluster, .waypoint:
      throw ConfigError(
        .invalid, at: path["match"],
        reason: "expected match.listener for HTTP_FILTER, found another kind of match; "
          + "the patch is skipped")
    }
    if patch.patch.context == .waypoint || operation == .mergeAndReplaceList {
      let (field, value) =
        patch.patch.context == .waypoint
        ? (path["match"]["context"], "WAYPOINT")
        : (path["patch"]["operation"], operation.rawValue)
      throw ConfigError(
        .unsupported, severity: .warning, at: field,
        reason: "\(value) has no effect on HTTP_FILTER, as in Istio")
    }
    warnAboutNames(patch)
    // Without a filter to look for these have no effect, as reading the object has said.
    let needsTarget = operation == .replace || operation == .remove
    guard !needsTarget || FilterMatcher(patch).httpFilter != nil else { return }
    var patch = patch
    if operation != .remove {
      guard
        let value = decoder.message(
          patch.patch, of: patch.filter, as: Envoy.HTTPFilter.protoMessageName,
          reporting: &problems)
      else { return }
      // What is merged is only a part of a filter; the result is checked instead.
      guard
        operation == .merge
          || decoder.isSound(value, patch.patch, of: patch.filter, reporting: &problems)
      else { return }
      patch.value = value
    }
    httpFilters.append(patch)
  }

  private mutating func addExtensionConfig(_ patch: Patch) throws(ConfigError) {
    switch patch.patch.operation {
    // INSERT_* means ADD for a type without an order.
    case .add, .insertFirst, .insertBefore, .insertAfter: break
    case .merge, .remove, .replace, .mergeAndReplaceList:
      throw ConfigError(
        .unsupported, severity: .warning,
        at: patch.patch.path["patch"]["operation"],
        reason: "\(patch.patch.operation.rawValue) has no effect on EXTENSION_CONFIG, as in "
          + "Istio; use ADD")
    }
    guard
      let value = decoder.message(
        patch.patch, of: patch.filter, as: Envoy.TypedExtensionConfig.protoMessageName,
        reporting: &problems),
      decoder.isSound(value, patch.patch, of: patch.filter, reporting: &problems)
    else { return }
    var patch = patch
    patch.value = value
    extensionConfigs.append(patch)
  }

  private mutating func warnAboutNames(_ patch: Patch) {
    guard let filter = patch.listenerMatch?.filterChain?.filter else { return }
    let filterPath = patch.patch.path["match"]["listener"]["filterChain"]["filter"]
    let names = [
      (filter.name, DeprecatedFilterName.networkFilter(filter.name), filterPath["name"]),
      (
        filter.subFilter ?? "", DeprecatedFilterName.httpFilter(filter.subFilter ?? ""),
        filterPath["subFilter"]["name"]
      ),
    ]
    for (written, canonical, path) in names where written != canonical {
      warn(
        .invalid, patch, at: path,
        "\"\(written)\" is the name of Envoy before 1.14; it is read as \"\(canonical)\"")
    }
  }

  private mutating func warn(
    _ code: ConfigError.Code, _ patch: Patch, at path: FieldPath, _ reason: String
  ) {
    problems.append(
      ConfigError(code, severity: .warning, object: patch.filter.ref, at: path, reason: reason))
  }
}
