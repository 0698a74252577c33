// SPDX-License-Identifier: Apache-2.0

import MeshModel
import SwiftProtobuf

/// One patch on its way through what it may change.
///
/// It carries what a trace needs; where nobody traces it carries nothing.
struct PatchStep {
  enum Recording {
    case nothing
    /// What the patch changes.
    case changes
    /// What it is held against, and how that came out.
    case everything
  }

  let patch: DecodedPatch
  let recording: Recording
  private(set) var notes: [PatchRecorder.Note] = []
  /// What the author should know, though the patch is not skipped for it.
  private(set) var warnings: [ConfigError] = []

  init(_ patch: DecodedPatch, _ recording: Recording) {
    self.patch = patch
    self.recording = recording
  }

  /// Where to look: at all that there is where somebody wants to know why it does not match.
  func keys(_ keys: [DraftKey]?) -> [DraftKey]? { recording == .everything ? nil : keys }

  func clauses() -> Clauses { Clauses(tracing: recording == .everything) }

  /// Whether all conditions hold; where not, that is a candidate that does not match.
  mutating func admits(_ clauses: Clauses, at place: @autoclosure () -> PatchTrace.Place) -> Bool {
    if !clauses.hold, recording == .everything { note(.notMatched, clauses, place()) }
    return clauses.hold
  }

  mutating func noEffect(
    _ reason: @autoclosure () -> String, _ clauses: Clauses,
    at place: @autoclosure () -> PatchTrace.Place
  ) {
    if recording == .everything { note(.noEffect(reason()), clauses, place()) }
  }

  mutating func changed(
    _ change: @autoclosure () -> PatchTrace.Change, _ clauses: Clauses,
    at place: @autoclosure () -> PatchTrace.Place, in list: PatchRecorder.List? = nil
  ) {
    if recording != .nothing { note(.changed(change()), clauses, place(), list) }
  }

  /// The patch is skipped: what was noted of it does not happen.
  mutating func fail(_ error: ConfigError) {
    guard recording == .everything else {
      notes = []
      return
    }
    for position in notes.indices {
      if case .changed = notes[position].candidate.result {
        notes[position].candidate.result = .failed(error)
      }
    }
  }

  mutating func failed(
    _ error: ConfigError, _ clauses: Clauses, at place: @autoclosure () -> PatchTrace.Place
  ) {
    if recording == .everything { note(.failed(error), clauses, place()) }
  }

  mutating func warn(_ code: ConfigError.Code, at path: FieldPath, _ reason: String) {
    warnings.append(
      ConfigError(code, severity: .warning, object: patch.filter, at: path, reason: reason))
  }

  private mutating func note(
    _ result: PatchTrace.Result, _ clauses: Clauses, _ place: PatchTrace.Place,
    _ list: PatchRecorder.List? = nil
  ) {
    notes.append(
      PatchRecorder.Note(
        candidate: PatchTrace.Candidate(place: place, clauses: clauses.list ?? [], result: result),
        list: list))
  }
}

extension DecodedPatch {
  /// The value as the message that translation builds.
  func element<Element: Message>(_ type: Element.Type) -> Element {
    guard let value else { preconditionFailure("only REMOVE has no value") }
    return ElementMerge.built(value)
  }
}
