// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import JSON
import MeshModel
import Translation

/// `skiffctl translate`: offline, all that a proxy would get.
struct Translate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the Envoy resources that a proxy would get from manifests.",
    discussion: "Problems go to standard error; exits with 1 where one is an error.")

  @Option(
    name: [.short, .customLong("filename")], help: "A file, a directory, or - for standard input.")
  var filenames: [String]

  @Option(help: "A file with Istio's MeshConfig, as skiffd's --mesh-config.")
  var meshConfig: String?

  @OptionGroup var options: ProxyOptions

  @Option(name: [.short, .customLong("output")], help: "json or yaml.")
  var output = OutputFormat.json

  func run() throws {
    let proxy = try options.proxy()
    let mesh = OfflineMesh(paths: filenames, meshConfig: meshConfig)
    let resources = mesh.resources(for: proxy)
    let problems = mesh.problems(with: resources)
    for problem in problems { printError(problem.line) }
    print(output.text(ResourceJSON.snapshot(resources)), terminator: "")
    if problems.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
  }
}
