// SPDX-License-Identifier: Apache-2.0

package import Foundation

/// A folder with the inputs of a case and everything that should come out of it.
///
/// All outputs are compared, in both directions: a file that is expected and not produced fails as
/// well as one that is produced and not expected, and an empty output is no file. With
/// `SKIFF_UPDATE_GOLDENS=1` in the environment (`scripts/update-goldens.sh`) the outputs are written
/// instead, and files that are no longer produced are removed.
package struct GoldenCase: Sendable, CustomStringConvertible {
  /// The folder below the fixtures: `EnvoyFilter/merge`.
  package let name: String
  package let folder: URL
  private let inputs: Set<String>

  package var description: String { name }

  /// The difference between what is recorded and what came out.
  package struct Mismatch: Error, CustomStringConvertible {
    package let description: String
  }

  /// Every folder below `path` that holds the first of the inputs, in name order.
  ///
  /// Traps where there is none: a test over an empty list of arguments passes without running.
  ///
  /// - Parameters:
  ///   - path: relative to the folder of the test's source file.
  ///   - inputs: the names of the files that are read; the first marks a folder as a case.
  ///   - source: the test's source file.
  /// - Returns: the cases; at least one.
  package static func all(
    in path: String, inputs: [String], source: String = #filePath
  ) -> [Self] {
    let root = URL(fileURLWithPath: source).deletingLastPathComponent()
      .appendingPathComponent(path)
    let files = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String }
    let cases = (files ?? []).filter { ($0 as NSString).lastPathComponent == inputs.first }
      .map { ($0 as NSString).deletingLastPathComponent }.sorted()
      .map {
        Self(name: $0, folder: root.appendingPathComponent($0), inputs: Set(inputs))
      }
    precondition(!cases.isEmpty, "there is no golden case in \(root.path)")
    return cases
  }

  /// The text of a file of the case; nil where there is none.
  package func text(of file: String) -> String? {
    try? String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
  }

  /// Compares the outputs with those recorded, or records them.
  ///
  /// - Parameter outputs: the text for each file name; an empty text stands for no file.
  /// - Throws: `Mismatch`, with the first lines that differ in each file.
  package func check(_ outputs: [String: String]) throws {
    let produced = outputs.filter { !$0.value.isEmpty }
    let recorded = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { !inputs.contains($0) }
    if ProcessInfo.processInfo.environment["SKIFF_UPDATE_GOLDENS"] == "1" {
      return try record(produced, over: recorded)
    }
    var differences = recorded.filter { produced[$0] == nil }.sorted().map {
      "\(name)/\($0) is recorded but was not produced"
    }
    for (file, text) in produced.sorted(by: { $0.key < $1.key }) {
      guard let expected = self.text(of: file) else {
        differences.append("\(name)/\(file) was produced but is not recorded:\n\(text)")
        continue
      }
      if expected != text {
        differences.append("\(name)/\(file): " + Self.difference(expected, text))
      }
    }
    guard differences.isEmpty else {
      throw Mismatch(description: differences.joined(separator: "\n"))
    }
  }

  private func record(_ produced: [String: String], over recorded: [String]) throws {
    for file in recorded where produced[file] == nil {
      try FileManager.default.removeItem(at: folder.appendingPathComponent(file))
    }
    for (file, text) in produced where self.text(of: file) != text {
      try text.write(
        to: folder.appendingPathComponent(file), atomically: true, encoding: .utf8)
    }
  }

  /// The first line that differs, with what surrounds it.
  private static func difference(_ expected: String, _ found: String) -> String {
    let left = expected.split(separator: "\n", omittingEmptySubsequences: false)
    let right = found.split(separator: "\n", omittingEmptySubsequences: false)
    let line = zip(left, right).prefix { $0 == $1 }.count
    func excerpt(_ lines: [Substring]) -> String {
      lines[max(0, line - 3)..<min(lines.count, line + 6)].joined(separator: "\n")
    }
    return "line \(line + 1) differs\n--- expected\n\(excerpt(left))\n--- found\n\(excerpt(right))"
  }
}
