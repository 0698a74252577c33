// SPDX-License-Identifier: Apache-2.0

import Foundation
import Manifests
import MeshModel
import Testing

/// A folder `Fixtures/<kind>/<case>` with `in.yaml` and the exact problems that reading it gives.
///
/// `SKIFF_UPDATE_GOLDENS=1` writes what is found instead of comparing.
struct GoldenCase: CustomTestStringConvertible, Sendable {
  let folder: URL
  var testDescription: String { folder.pathComponents.suffix(2).joined(separator: "/") }

  static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "Fixtures").resolvingSymlinksInPath()

  static let all: [GoldenCase] = {
    let files = FileManager.default.enumerator(at: fixtures, includingPropertiesForKeys: nil)
    let cases = (files?.allObjects ?? []).compactMap { $0 as? URL }
      .filter { $0.lastPathComponent == "in.yaml" }
      .map { GoldenCase(folder: $0.deletingLastPathComponent()) }
      .sorted { $0.folder.path < $1.folder.path }
    precondition(!cases.isEmpty, "an empty list of cases would pass")
    return cases
  }()

  func check() throws {
    let text = try Data(contentsOf: folder.appending(path: "in.yaml"))
    let reading = ManifestReader().read(text: Array(text), file: "in.yaml")
    var lines = reading.problems.map { "\($0.severity.rawValue) \($0.code.rawValue): \($0)" }
    lines += reading.objects.map { "accepted: \($0.ref)" }
    lines += reading.refused.sorted().map { "refused: \($0)" }
    if !reading.isComplete { lines.append("incomplete") }
    let found = lines.joined(separator: "\n") + "\n"
    let golden = folder.appending(path: "problems.txt")
    if ProcessInfo.processInfo.environment["SKIFF_UPDATE_GOLDENS"] == "1" {
      try Data(found.utf8).write(to: golden)
    }
    let expected = String(decoding: try Data(contentsOf: golden), as: UTF8.self)
    #expect(found == expected)
  }
}

@Suite struct ManifestGoldens {
  @Test(arguments: GoldenCase.all)
  func `reads as recorded`(_ golden: GoldenCase) throws { try golden.check() }
}
