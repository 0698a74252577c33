// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import JSON
import MeshModel
import Translation

/// `skiffctl diff`: what a change of manifests would do to a proxy.
struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare what a proxy would get from two sets of manifests.",
    discussion: """
      Give -f twice: what is in force, then what shall be. Prints each resource that would be added, \
      changed or removed, the fields that change, and which connections Envoy would drain.

      Problems go to standard error. Exits with 0 where nothing differs, with 1 where something \
      does, with 2 where the second set has an error, which skiffd would not put in force.
      """)

  @Option(
    name: [.short, .customLong("filename")],
    help: "A file, a directory, or - for standard input; first the old, then the new.")
  var filenames: [String]

  @OptionGroup var options: ProxyOptions

  @Option(name: [.short, .customLong("output")], help: "text, json or yaml.")
  var output = ReportFormat.text

  func validate() throws {
    guard filenames.count == 2 else {
      throw ValidationError(
        "expected -f twice, the old manifests and the new ones, found it "
          + (filenames.count == 1 ? "once" : "\(filenames.count) times"))
    }
    guard filenames != ["-", "-"] else {
      throw ValidationError("standard input can be only one of the two")
    }
    for path in filenames where path != "-" && !FileManager.default.fileExists(atPath: path) {
      throw ValidationError("\(path): no such file or directory")
    }
  }

  func run() throws {
    let proxy = try options.proxy()
    let (old, _) = side(filenames[0], "old", proxy)
    let (new, hasErrors) = side(filenames[1], "new", proxy)
    let diff = SnapshotDiff(from: old, to: new)
    print(output.text(diff.json) { DiffText.text(diff) }, terminator: "")
    if hasErrors { throw ExitCode(2) }
    if !diff.resources.isEmpty { throw ExitCode(1) }
  }

  /// The resources of one side, and whether an error keeps some of it from being in force.
  private func side(_ path: String, _ word: String, _ proxy: Proxy) -> (ResourceSnapshot, Bool) {
    let mesh = OfflineMesh(paths: [path])
    let resources = mesh.resources(for: proxy)
    let problems = mesh.problems(with: resources)
    for problem in problems { printError("\(word): \(problem.line)") }
    return (resources, problems.contains { $0.severity == .error })
  }
}
