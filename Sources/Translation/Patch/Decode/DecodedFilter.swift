// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
package import MeshModel
import ProtoReflection
import Synchronization

/// The patches of one EnvoyFilter that can be applied, and what is wrong with the others.
package struct DecodedFilter: Sendable {
  let filter: EnvoyFilter
  package private(set) var patches: [DecodedPatch] = []
  /// Also found when the object is read, by this same code.
  package private(set) var problems: [ConfigError] = []

  package init(_ filter: EnvoyFilter, _ decoder: PatchValueDecoder) {
    self.filter = filter
    for patch in filter.configPatches {
      do throws(ConfigError) {
        if let decoded = try decode(patch, decoder) { patches.append(decoded) }
      } catch {
        var problem = error
        problem.object = filter.ref
        problems.append(problem)
      }
    }
  }

  /// Nil for a patch without effect, which reading the object has told or `problems` tells now.
  private mutating func decode(
    _ patch: EnvoyFilter.ConfigPatch, _ decoder: PatchValueDecoder
  ) throws(ConfigError) -> DecodedPatch? {
    guard patch.ineffectiveness == nil, patch.missingTarget == nil else { return nil }
    if let wanted = patch.misplacedMatch {
      throw ConfigError(
        .invalid, at: patch.path["match"],
        reason: "expected match.\(wanted) for \(patch.applyTo.rawValue), found another kind of "
          + "match; the patch is skipped")
    }
    if patch.filterClass != .unspecified {
      warn(
        .unsupported, at: patch.path["patch"]["filterClass"],
        "filterClass has no effect, as in Istio; INSERT_BEFORE and INSERT_AFTER place a filter")
    }
    warnAboutNames(patch)
    var decoded = DecodedPatch(patch, of: filter)
    guard decoded.operation != .remove else { return decoded }
    guard
      let (value, explicit) = decoder.message(
        patch, of: filter, as: patch.applyTo.valueType, reporting: &problems)
    else { return nil }
    guard decoder.isSound(value, patch, of: filter, reporting: &problems) else { return nil }
    decoded.value = value
    decoded.explicit = explicit
    return decoded
  }

  private mutating func warnAboutNames(_ patch: EnvoyFilter.ConfigPatch) {
    guard case .listener(let match) = patch.match else { return }
    let path = patch.path["match"]["listener"]
    let filterPath = path["filterChain"]["filter"]
    let (filter, subFilter) = (match.filterChain?.filter, match.filterChain?.filter?.subFilter)
    let names = [
      (
        match.listenerFilter, DeprecatedFilterName.listenerFilter(match.listenerFilter),
        path["listenerFilter"]
      ),
      (
        filter?.name ?? "", DeprecatedFilterName.networkFilter(filter?.name ?? ""),
        filterPath["name"]
      ),
      (
        subFilter ?? "", DeprecatedFilterName.httpFilter(subFilter ?? ""),
        filterPath["subFilter"]["name"]
      ),
    ]
    for (written, canonical, path) in names where written != canonical {
      warn(
        .invalid, at: path,
        "\"\(written)\" is the name of Envoy before 1.14; it is read as \"\(canonical)\"")
    }
  }

  private mutating func warn(_ code: ConfigError.Code, at path: FieldPath, _ reason: String) {
    problems.append(
      ConfigError(code, severity: .warning, object: filter.ref, at: path, reason: reason))
  }
}

extension EnvoyFilter.ConfigPatch {
  /// The kind of match that applyTo takes, where the patch has another.
  fileprivate var misplacedMatch: String? {
    switch (applyTo, match) {
    case (_, .none), (.extensionConfig, _), (.bootstrap, _),
      (.listener, .listener), (.listenerFilter, .listener), (.filterChain, .listener),
      (.networkFilter, .listener), (.httpFilter, .listener),
      (.routeConfiguration, .routeConfiguration), (.virtualHost, .routeConfiguration),
      (.httpRoute, .routeConfiguration), (.cluster, .cluster):
      nil
    case (.listener, _), (.listenerFilter, _), (.filterChain, _), (.networkFilter, _),
      (.httpFilter, _):
      "listener"
    case (.routeConfiguration, _), (.virtualHost, _), (.httpRoute, _): "routeConfiguration"
    case (.cluster, _): "cluster"
    }
  }
}

/// Decoded EnvoyFilters, kept for the proxy classes and revisions to come.
///
/// A memory and no state: what comes out depends on the argument alone, so translation stays a
/// function of its arguments.
final class DecodedFilters: Sendable {
  private let decoder: PatchValueDecoder
  private let known: Mutex<[ObjectRef: DecodedFilter]> = Mutex([:])

  init(_ decoder: PatchValueDecoder) { self.decoder = decoder }

  func decoded(_ filter: EnvoyFilter) -> DecodedFilter {
    // Objects keep their storage from snapshot to snapshot, so this compares addresses mostly.
    if let decoded = known.withLock({ $0[filter.ref] }), decoded.filter == filter { return decoded }
    let decoded = DecodedFilter(filter, decoder)
    known.withLock { $0[filter.ref] = decoded }
    return decoded
  }

  /// Forgets the objects that a mesh does not have, once they are as many as it has.
  func prune(to mesh: MeshSnapshot) {
    let count = mesh.envoyFilters.values.reduce(0) { $0 + $1.count }
    guard known.withLock({ $0.count }) > 2 * count + 8 else { return }
    let refs = Set(mesh.envoyFilters.values.joined().map(\.ref))
    known.withLock { known in known = known.filter { refs.contains($0.key) } }
  }
}
