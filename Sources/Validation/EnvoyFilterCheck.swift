// SPDX-License-Identifier: Apache-2.0

package import MeshModel
package import ProtoReflection
import Translation

/// What is wrong with an EnvoyFilter that has the right shape: values that do not fit the Envoy API,
/// results that Envoy would refuse, and patches that can have no effect.
///
/// An error is told where Envoy would refuse the result, and its patch is left out; the others of the
/// object count. A warning is told where a patch only would not do what its author expects. Istio's
/// admission checks less: `docs/validation.md` has all rules.
package struct EnvoyFilterCheck: Sendable {
  private let decoder: PatchValueDecoder

  /// - Parameter types: the whole Envoy API.
  package init(types: DescriptorPool) {
    decoder = PatchValueDecoder(types: types)
  }

  /// Checks a filter.
  ///
  /// - Returns: the filter without the patches that have errors, and all problems in the order of the
  ///   patches.
  package func callAsFunction(
    _ filter: EnvoyFilter
  ) -> (object: EnvoyFilter, problems: [ConfigError]) {
    // What translation says of a patch for every proxy, in its own words.
    let decoded = DecodedFilter(filter, decoder)
    let known = Dictionary(grouping: decoded.problems) { $0.path.components.prefix(3) }
    let values = Dictionary(
      decoded.patches.map { ($0.patch.index, $0.value) }, uniquingKeysWith: { first, _ in first })
    var patches = filter.configPatches.map { patch in
      CheckedPatch(
        patch, value: values[patch.index] ?? nil,
        problems: known[patch.path.components.prefix(3)] ?? [])
    }
    for index in patches.indices {
      patches[index].checkMatch()
      patches[index].checkFilter(decoder.types)
    }
    let filters = PatchedFilters(patches)
    var insertions = Insertions()
    for index in patches.indices {
      patches[index].checkMatchedNames(in: filters)
      patches[index].checkPlaceInChain(in: filters)
      if let first = insertions.note(patches[index]) { patches[index].warnOfRepetition(of: first) }
    }
    var sound = filter
    sound.configPatches = patches.filter { !$0.hasError }.map(\.patch)
    return (sound, patches.flatMap(\.problems))
  }
}

/// A patch, what it writes, and what is wrong with it so far.
struct CheckedPatch {
  let patch: EnvoyFilter.ConfigPatch
  /// The value as a message; nil where there is none or it is not sound.
  let value: DynamicMessage?
  /// What a patch of a list of filters writes.
  var filter: FilterValue?
  private(set) var problems: [ConfigError]

  init(_ patch: EnvoyFilter.ConfigPatch, value: DynamicMessage?, problems: [ConfigError]) {
    self.patch = patch
    self.value = value
    self.problems = problems
    if patch.operation == .remove, patch.value != nil {
      warn(.invalid, at: valuePath, "is not used with operation REMOVE")
    }
  }

  var hasError: Bool { problems.contains { $0.severity == .error } }

  /// `spec.configPatches[i].match`.
  var matchPath: FieldPath { patch.path["match"] }
  /// `spec.configPatches[i].patch.value`.
  var valuePath: FieldPath { patch.path["patch"]["value"] }

  var listenerMatch: EnvoyFilter.ListenerMatch? {
    if case .listener(let match) = patch.match { match } else { nil }
  }

  mutating func error(_ code: ConfigError.Code, at path: FieldPath, _ reason: String) {
    problems.append(ConfigError(code, at: path, reason: reason + "; the patch is skipped"))
  }

  mutating func warn(_ code: ConfigError.Code, at path: FieldPath, _ reason: String) {
    problems.append(ConfigError(code, severity: .warning, at: path, reason: reason))
  }
}
