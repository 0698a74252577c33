// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// Why an EnvoyFilter does or does not change what the proxies of a class get.
///
/// The trace of the patch engine with a verdict for the object and for each patch, and the place of the
/// object in the order of application.
package struct Explanation: Sendable {
  package enum Verdict: String, Sendable {
    /// At least one patch changed something.
    case applied
    /// The object is meant for the proxy, and none of its patches changed anything.
    case notApplied
    /// The object is not meant for the proxy.
    case notSelected
    /// The object has an error and is not in force.
    case refused
  }

  package enum PatchVerdict: String, Sendable {
    case applied
    /// An error; see the problems.
    case failed
    /// `match.context` or `match.proxy` rules the proxy out.
    case notForThisProxy
    /// The proxy has nothing of the kind that the patch is about.
    case noCandidate
    /// Something of the kind is there, but nothing that fulfils all conditions.
    case notMatched
    /// All conditions hold somewhere, and there is nothing to do.
    case noEffect
    /// The object is not meant for the proxy.
    case notSelected
  }

  /// Where the object stands among those that are applied to the proxy.
  ///
  /// Lower priority first, then the root namespace, then age, then name.
  package struct Order: Sendable {
    /// From 0.
    package var index: Int
    package var count: Int
    package var priority: Int32
    package var isOfRootNamespace: Bool
    /// Applied just before; nil for the first.
    package var previous: ObjectRef?
    /// Applied just after; nil for the last.
    package var next: ObjectRef?
  }

  package let object: ObjectRef
  package let location: SourceLocation?
  package let proxyClass: ProxyClass
  package let trace: PatchTrace
  /// Nil for an object that is not applied.
  package let order: Order?
  /// What reading found wrong with the object, with file and line; problems of a patch are with it.
  package let problems: [ConfigError]
  /// By index of the patch: why what it asks for does nothing, whatever the proxy.
  private let futility: [Int: String]
  /// Whether the object is in force.
  private let isInForce: Bool

  init(
    _ object: ObjectRef, _ filter: EnvoyFilter?, _ trace: PatchTrace, in mesh: MeshSnapshot,
    for proxyClass: ProxyClass
  ) {
    self.object = object
    self.proxyClass = proxyClass
    isInForce = filter != nil
    location = mesh.sources[object]?.location(of: FieldPath())
    var problems = mesh.problems.filter { $0.object == object }.map(mesh.located)
    var trace = trace
    for position in trace.patches.indices {
      let path = trace.patches[position].path.components
      let read = problems.filter { $0.path.components.starts(with: path) }
      problems.removeAll { $0.path.components.starts(with: path) }
      // Where reading and applying say the same, once is enough.
      let applied = trace.patches[position].problems.map(mesh.located)
      trace.patches[position].problems = read + applied.filter { !read.contains($0) }
    }
    self.problems = problems
    self.trace = trace
    futility = Dictionary(
      (filter?.configPatches ?? []).compactMap { patch in
        patch.futility.map { (patch.index, $0) }
      }, uniquingKeysWith: { first, _ in first })
    order = Self.order(of: object, in: ProxyScope(mesh, proxyClass).envoyFilters, mesh.meshConfig)
  }

  private static func order(
    of object: ObjectRef, in filters: [EnvoyFilter], _ meshConfig: MeshConfig
  ) -> Order? {
    guard let index = filters.firstIndex(where: { $0.ref == object }) else { return nil }
    return Order(
      index: index, count: filters.count, priority: filters[index].priority,
      isOfRootNamespace: object.namespace == meshConfig.rootNamespace,
      previous: index > 0 ? filters[index - 1].ref : nil,
      next: index + 1 < filters.count ? filters[index + 1].ref : nil)
  }

  /// Why a patch does nothing, whatever the proxy; nil for one that can do something.
  package func futility(of patch: PatchTrace.Patch) -> String? { futility[patch.index] }

  package var isSelected: Bool { trace.attachment.allSatisfy(\.isMatched) }

  package var verdict: Verdict {
    guard isInForce else { return .refused }
    guard isSelected else { return .notSelected }
    return trace.patches.contains(where: \.isApplied) ? .applied : .notApplied
  }

  package func verdict(of patch: PatchTrace.Patch) -> PatchVerdict {
    guard isSelected else { return .notSelected }
    if patch.isApplied { return .applied }
    if patch.conditions.contains(where: { !$0.isMatched }) { return .notForThisProxy }
    let results = patch.candidates.map(\.result)
    let hasFailed = results.contains { if case .failed = $0 { true } else { false } }
    if hasFailed || patch.problems.contains(where: { $0.severity == .error }) { return .failed }
    if futility[patch.index] != nil { return .noEffect }
    if results.isEmpty { return .noCandidate }
    return results.allSatisfy { $0 == .notMatched } ? .notMatched : .noEffect
  }
}

extension EnvoyFilter.ConfigPatch {
  fileprivate var futility: String? {
    if let ineffectiveness { return ineffectiveness }
    return missingTarget.map { "\(operation.rawValue) needs match.\($0), which is not set" }
  }
}

extension PatchTrace.Patch {
  /// The candidate that fulfils the most conditions before one fails; nil where none failed.
  package var nearestMiss: PatchTrace.Candidate? {
    var nearest: (depth: Int, candidate: PatchTrace.Candidate)?
    for candidate in candidates {
      guard let depth = candidate.clauses.firstIndex(where: { !$0.isMatched }) else { continue }
      // Of equals, one whose wanted name is nearly there.
      let isBetter =
        nearest.map { best in
          depth > best.depth
            || (depth == best.depth && best.candidate.mismatch?.hint == nil
              && candidate.mismatch?.hint != nil)
        } ?? true
      if isBetter { nearest = (depth, candidate) }
    }
    return nearest?.candidate
  }
}
