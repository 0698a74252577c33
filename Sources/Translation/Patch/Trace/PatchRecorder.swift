// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Writes a trace while patches are applied.
///
/// A class, since the plan and the engine write into one; it never leaves the translation that made
/// it.
final class PatchRecorder {
  /// A list in which something was put or changed, to find it again when all is done.
  enum List: Hashable {
    case listenerFilters(listener: Int)
    case filterChains(listener: Int)
    case networkFilters(ChainSite)
    case httpFilters(ChainSite, filter: String)
    case virtualHosts(configuration: Int)
    case routes(configuration: Int, host: Int)
  }

  struct Note {
    var candidate: PatchTrace.Candidate
    var list: List?
  }

  private struct Key: Hashable {
    var object: ObjectRef
    var index: Int
  }

  private let subject: PatchTrace.Subject
  private var order: [Key] = []
  private var patches: [Key: PatchTrace.Patch] = [:]
  private var notes: [Key: [Note]] = [:]
  private var attachment: [PatchTrace.Clause] = []

  init(_ subject: PatchTrace.Subject, _ scope: ProxyScope) {
    self.subject = subject
    guard case .object(let ref) = subject,
      let filter = scope.mesh.envoyFilters[ref.namespace]?.first(where: { $0.ref == ref })
    else { return }
    attachment = Self.attachment(of: filter, to: scope)
    for patch in filter.configPatches { add(patch, of: ref) }
  }

  func recording(of patch: DecodedPatch) -> PatchStep.Recording {
    switch subject {
    case .changes: .changes
    case .object(let ref): ref == patch.filter ? .everything : .nothing
    }
  }

  func note(_ conditions: [PatchTrace.Clause], onProxyBy patch: DecodedPatch) {
    guard recording(of: patch) == .everything else { return }
    patches[Key(object: patch.filter, index: patch.index)]?.conditions = conditions
  }

  func record(_ step: PatchStep) {
    guard step.recording != .nothing, !step.notes.isEmpty else { return }
    let key = Key(object: step.patch.filter, index: step.patch.index)
    add(step.patch.patch, of: step.patch.filter)
    notes[key, default: []] += step.notes
  }

  private func add(_ patch: EnvoyFilter.ConfigPatch, of object: ObjectRef) {
    let key = Key(object: object, index: patch.index)
    guard patches[key] == nil else { return }
    order.append(key)
    patches[key] = PatchTrace.Patch(
      object: object, index: patch.index, applyTo: patch.applyTo, operation: patch.operation)
  }

  /// The trace, with the places where things came to be in the end.
  func trace(problems: [ConfigError], names: (List) -> [String]) -> PatchTrace {
    var trace = PatchTrace(subject: subject)
    trace.attachment = attachment
    var finished: [List: [String]] = [:]
    for key in order {
      guard var patch = patches[key] else { continue }
      patch.candidates = (notes[key] ?? []).map { note in
        var candidate = note.candidate
        guard case .changed(var change) = candidate.result, let list = note.list else {
          return candidate
        }
        let names = finished[list] ?? names(list)
        finished[list] = names
        change.finalPosition = names.firstIndex(of: change.element).map {
          PatchTrace.Position(index: $0, count: names.count)
        }
        if change.verb == .removed { change.finalPosition = nil }
        candidate.result = .changed(change)
        return candidate
      }
      patch.problems = problems.filter { problem in
        problem.object == key.object && problem.path.components.starts(with: patch.path.components)
      }
      trace.patches.append(patch)
    }
    return trace
  }

  /// Why an EnvoyFilter is or is not meant for a proxy.
  private static func attachment(
    of filter: EnvoyFilter, to scope: ProxyScope
  ) -> [PatchTrace.Clause] {
    let proxy = scope.proxy
    let root = scope.mesh.meshConfig.rootNamespace
    var clauses = Clauses(tracing: true)
    clauses.require(
      FieldPath("metadata", "namespace"),
      wanted: proxy.namespace == root ? root : "\(proxy.namespace) (the proxy's) or \(root)",
      found: filter.meta.namespace, [proxy.namespace, root].contains(filter.meta.namespace))
    if filter.targetRefs.isEmpty {
      let path = FieldPath("spec", "workloadSelector", "labels")
      for (key, value) in (filter.workloadSelector?.matchLabels ?? [:]).sorted(by: <) {
        clauses.require(
          path[key], wanted: value, found: proxy.labels[key] ?? "", proxy.labels[key] == value)
      }
    } else {
      let label = proxy.labels[PolicyAttachment.gatewayNameLabel] ?? ""
      clauses.require(
        FieldPath("spec", "targetRefs"),
        filter.targetRefs.map { "\($0.kind) \($0.name)" }.joined(separator: ", "),
        among: label.isEmpty ? [] : ["Gateway \(label)"],
        PolicyAttachment(proxy: proxy).applies(
          in: filter.meta.namespace, selector: filter.workloadSelector,
          targetRefs: filter.targetRefs))
    }
    return clauses.list ?? []
  }
}
