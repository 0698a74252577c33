// SPDX-License-Identifier: Apache-2.0

import JSON
package import Manifests
import MeshModel

/// What the files of a directory hold, and what of it is in force: a value that each scan moves on.
///
/// Invariants: an object stays in force until its files say otherwise and are readable; an object in
/// two files stays with the file that had it first; uid and creation time of an object never change
/// while it is there.
///
/// Nothing is stored across restarts, so what orders objects may not depend on when they were seen:
/// an object that does not write its `creationTimestamp` has none (zero), and order by age falls back
/// to names, as with Istio's directories; what is shown for it is the time of the file that it first
/// came in. The uid is a hash of kind, namespace and name.
package struct DirectoryIndex: Sendable {
  /// What made a scan necessary.
  package enum Trigger: Hashable, Sendable {
    /// Something may have changed.
    case changed
    /// The time that a writer may take has passed since a scan that asked for it.
    case settled(scan: Int)
  }

  package struct Outcome: Sendable {
    package var events: [ConfigEvent] = []
    /// The number of the scan, from 1.
    package var scan: Int
    /// Something is missing that may be about to come back: scan again as `settled` soon.
    package var needsSettling = false
    /// The directories to watch.
    package var directories: [String] = []
  }

  private struct KnownFile: Sendable {
    /// Nil asks to read it again at the next scan.
    var signature: FileSignature?
    var hash: ContentHash?
    var reading: ManifestReading

    func mentions(_ ref: ObjectRef) -> Bool {
      !reading.isComplete || reading.refused.contains(ref)
        || reading.objects.contains { $0.ref == ref }
    }
  }

  private let roots: [String]
  private let reader: ManifestReader
  private var files: [String: KnownFile] = [:]
  private var objects: [ObjectRef: DecodedObject] = [:]
  private var owners: [ObjectRef: String] = [:]
  /// Objects that no file mentions any more, and the scan that noticed it.
  private var missing: [ObjectRef: Int] = [:]
  private var scans = 0
  private var reported: [String: [ConfigError]] = [:]
  private var listing = Listing.notBegun

  private enum Listing {
    case notBegun
    case begun
    case ended
  }

  package init(roots: [String], reader: ManifestReader) {
    self.roots = roots
    self.reader = reader
  }

  /// Looks at all files, reads those that changed, and says what follows.
  package mutating func scan(
    _ fileSystem: any FileSystem, trigger: Trigger = .changed
  ) -> Outcome {
    let found = ManifestFiles(under: roots, in: fileSystem)
    scans += 1
    var outcome = Outcome(scan: scans, directories: found.directories)
    if case .notBegun = listing {
      outcome.events.append(.listBegan)
      listing = .begun
    }
    var hasChanged = false
    for file in found.files {
      if update(file, fileSystem, &outcome) { hasChanged = true }
    }
    let present = Set(found.files.map(\.path))
    for path in files.keys where !present.contains(path) && !found.isUnknown(path) {
      files[path] = nil
      hasChanged = true
    }
    if hasChanged || !missing.isEmpty { settle(trigger, found, &outcome) }
    report(found, &outcome)
    if case .begun = listing, !roots.contains(where: { found.unreadable[$0] != nil }) {
      outcome.events.append(.listEnded)
      listing = .ended
    }
    return outcome
  }

  /// Reads a file if it changed; whether its objects may have.
  private mutating func update(
    _ file: ManifestFiles.File, _ fileSystem: any FileSystem, _ outcome: inout Outcome
  ) -> Bool {
    let known = files[file.path]
    guard known == nil || known?.signature != file.status.signature else { return false }
    var reading: ManifestReading
    var signature: FileSignature? = file.status.signature
    var hash: ContentHash?
    do throws(FileSystemError) {
      guard file.status.size <= reader.limits.fileSize else {
        throw .tooLarge(bytes: file.status.size)
      }
      let text = try fileSystem.contents(of: file.path, limit: reader.limits.fileSize)
      // A file that changes while it is read is read again once its writer is done.
      if try fileSystem.status(of: file.path).signature != file.status.signature {
        outcome.needsSettling = true
        return false
      }
      hash = ContentHash(of: text)
      if known?.hash == hash {
        files[file.path]?.signature = signature
        return false
      }
      reading = reader.read(text: text, file: file.path)
    } catch {
      reading = ManifestReading()
      reading.isComplete = false
      switch error {
      case .tooLarge(let bytes):
        let reason = YAMLParser.tooLarge(bytes: bytes, limit: reader.limits.fileSize)
        reading.problems = [.unavailable(file.path, reason)]
      case .notFound, .failed:
        signature = nil
        reading.problems = [.unavailable(file.path, error.reason)]
      }
    }
    for index in reading.objects.indices {
      let object = reading.objects[index]
      reading.objects[index].meta.uid = Self.uid(of: object.ref)
      reading.objects[index].meta.firstSeen =
        file.status.signature.modified / 1_000_000_000
      reading.objects[index].meta.resourceVersion =
        "\(ContentHash(of: object.json.description.utf8))"
    }
    files[file.path] = KnownFile(signature: signature, hash: hash, reading: reading)
    return true
  }

  /// Decides which objects are in force after files changed.
  private mutating func settle(
    _ trigger: Trigger, _ found: ManifestFiles, _ outcome: inout Outcome
  ) {
    var claims: [ObjectRef: (path: String, object: DecodedObject)] = [:]
    for path in pathsInOrder(found) {
      for object in files[path]?.reading.objects ?? [] {
        if let owner = owners[object.ref], owner != path, files[owner]?.mentions(object.ref) == true
        {
          continue
        }
        if claims[object.ref] == nil { claims[object.ref] = (path, object) }
      }
    }
    for (ref, claim) in claims.sorted(by: { $0.key < $1.key }) {
      owners[ref] = claim.path
      missing[ref] = nil
      var object = claim.object
      let last = objects[ref]
      if let last {
        object.meta.firstSeen = last.meta.firstSeen
        object.meta.generation = last.meta.generation + (last.hasSameSpec(as: object) ? 0 : 1)
      }
      // The content of a Secret must not be seen in a hash either.
      if ref.kind == .secret { object.meta.resourceVersion += "-\(object.meta.generation)" }
      if object == last { continue }
      objects[ref] = object
      outcome.events.append(.apply(object))
    }
    for ref in objects.keys.sorted() where claims[ref] == nil {
      // Refused, or in a document that cannot be read: the last good one stays.
      if let owner = owners[ref], files[owner]?.mentions(ref) == true { continue }
      if let refusing = files.first(where: { $0.value.reading.refused.contains(ref) })?.key {
        owners[ref] = refusing
        continue
      }
      // Editors take files away for a moment and writers cut them short before they fill them.
      if let noticed = missing[ref], case .settled(let scan) = trigger, noticed <= scan {
        (objects[ref], owners[ref], missing[ref]) = (nil, nil, nil)
        outcome.events.append(.delete(ref))
      } else {
        missing[ref] = missing[ref] ?? scans
        outcome.needsSettling = true
      }
    }
  }

  /// Known files: those that were found in their order, then those that are out of sight.
  private func pathsInOrder(_ found: ManifestFiles) -> [String] {
    let visible = found.files.map(\.path)
    return visible + Set(files.keys).subtracting(visible).sorted()
  }

  /// Tells what is wrong with each place, as far as it differs from what was told before.
  private mutating func report(_ found: ManifestFiles, _ outcome: inout Outcome) {
    var current = files.mapValues(\.reading.problems)
    for (path, problem) in found.unreadable { current[path, default: []].append(problem) }
    for (path, file) in files {
      for object in file.reading.objects {
        guard let owner = owners[object.ref], owner != path, let first = objects[object.ref] else {
          continue
        }
        current[path, default: []].append(
          .duplicate(of: object.ref, at: object.place, first: first.place))
      }
    }
    for path in Set(current.keys).union(reported.keys).sorted() {
      let problems = current[path] ?? []
      guard problems != reported[path] ?? [] else { continue }
      reported[path] = problems.isEmpty ? nil : problems
      outcome.events.append(.problems(problems, of: path))
    }
  }

  /// A UUID of version 8 (RFC 9562): a hash of what identifies the object.
  private static func uid(of ref: ObjectRef) -> String {
    var hasher = ContentHash.Hasher()
    for part in ["\(ref.kind)", ref.namespace, ref.name] { hasher.combine(part) }
    var digits = Array("\(hasher.finalize())")
    digits[12] = "8"
    digits[16] = "a"
    let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
    return groups.map { String(digits[$0]) }.joined(separator: "-")
  }
}

extension ManifestFiles {
  /// Whether a path lies below something that could not be looked at.
  fileprivate func isUnknown(_ path: String) -> Bool {
    unreadable.keys.contains { path == $0 || path.hasPrefix($0 == "/" ? $0 : $0 + "/") }
  }
}

extension DecodedObject {
  /// Whether all but metadata and status is equal: what `generation` counts.
  fileprivate func hasSameSpec(as other: DecodedObject) -> Bool {
    func spec(_ object: DecodedObject) -> [String: JSONValue] {
      (object.json.objectMembers ?? [:]).reduce(into: [:]) { spec, member in
        if !["metadata", "status"].contains(member.key) { spec[member.key] = member.value }
      }
    }
    if ref.kind == .secret {
      var other = other
      other.meta = meta
      if value != other.value { return false }
    }
    return json == other.json || spec(self) == spec(other)
  }
}
