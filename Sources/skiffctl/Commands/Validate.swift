// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import JSON
import MeshModel

/// `skiffctl validate`: what `skiffd` would say of manifests.
struct Validate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check manifests as skiffd does when it reads them.",
    discussion: "Exits with 1 where an error was found; warnings alone do not fail.")

  @Option(
    name: [.short, .customLong("filename")], help: "A file, a directory, or - for standard input.")
  var filenames: [String]

  @Option(help: "A file with Istio's MeshConfig, as skiffd's --mesh-config.")
  var meshConfig: String?

  @Option(name: [.short, .customLong("output")], help: "json for a list of problems.")
  var output: JSONOutput?

  func run() throws {
    let mesh = OfflineMesh(paths: filenames, meshConfig: meshConfig).snapshot
    let problems = mesh.problems.map(mesh.located)
    if output != nil {
      print(JSONValue.array(problems.map(\.json)).text(pretty: true))
    } else {
      for problem in problems { print(problem.line) }
    }
    if problems.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
  }
}

/// `-o` of commands that print for people unless JSON is asked for.
enum JSONOutput: String, CaseIterable, ExpressibleByArgument {
  case json
}
