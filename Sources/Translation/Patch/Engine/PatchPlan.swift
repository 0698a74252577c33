// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The patches for the proxies of a class, in the order of their application.
struct PatchPlan {
  /// Patches that are applied together, by what they apply to, as Istio does.
  struct Group {
    private(set) var patches: [EnvoyFilter.ApplyTo: [DecodedPatch]] = [:]

    subscript(applyTo: EnvoyFilter.ApplyTo) -> [DecodedPatch] { patches[applyTo] ?? [] }

    mutating func append(_ patch: DecodedPatch) {
      patches[patch.applyTo, default: []].append(patch)
    }
  }

  /// One after another: neighbouring objects of Istio's order are one group, and each patch of an
  /// object of strict order is one.
  private(set) var groups: [Group] = []
  private(set) var extensionConfigs: [DecodedPatch] = []
  private(set) var bootstrap: [DecodedPatch] = []
  private(set) var problems: [ConfigError] = []

  init(_ scope: ProxyScope, _ filters: DecodedFilters, _ recorder: PatchRecorder?) {
    var open: Group?
    for filter in scope.envoyFilters {
      let decoded = filters.decoded(filter)
      problems += decoded.problems
      if filter.order == .strict, let group = open {
        groups.append(group)
        open = nil
      }
      for patch in decoded.patches where isMeant(patch, for: scope.proxy, recorder) {
        switch (patch.applyTo, filter.order) {
        case (.extensionConfig, _): extensionConfigs.append(patch)
        case (.bootstrap, _): bootstrap.append(patch)
        case (_, .strict):
          var group = Group()
          group.append(patch)
          groups.append(group)
        case (_, .passes):
          open = open ?? Group()
          open?.append(patch)
        }
      }
    }
    if let open { groups.append(open) }
  }

  private mutating func isMeant(
    _ patch: DecodedPatch, for proxy: ProxyClass, _ recorder: PatchRecorder?
  ) -> Bool {
    var clauses = Clauses(tracing: recorder?.recording(of: patch) == .everything)
    do throws(ConfigError) {
      try ProxyMatcher.compare(patch.patch, proxy, &clauses)
    } catch {
      problems.append(patch.located(error))
      return false
    }
    recorder?.note(clauses.list ?? [], onProxyBy: patch)
    return clauses.hold
  }
}
