// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import JSON
import MeshModel

/// `skiffctl version`.
struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Print the version.")

  @Option(name: [.short, .customLong("output")], help: "json for an object.")
  var output: JSONOutput?

  func run() { print(output == nil ? Version.current : Version.json.text(pretty: true)) }
}
