// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser
import Foundation
import MeshModel

/// `skiff-agent`: runs beside an Envoy.
@main
struct SkiffAgent: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skiff-agent", abstract: "The agent beside an Envoy that skiffd configures.",
    version: Version.current, subcommands: [ProxyCommand.self])

  static func main() async {
    await main(
      ProxyCommand.completing(
        Array(CommandLine.arguments.dropFirst()), from: ProcessInfo.processInfo.environment))
  }
}
