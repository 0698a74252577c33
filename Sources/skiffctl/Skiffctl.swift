// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import MeshModel

/// `skiffctl`: checks and translates manifests offline, and asks a running `skiffd`.
@main
struct Skiffctl: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skiffctl", abstract: "Check manifests, apply them, and see what proxies get.",
    version: Version.current,
    subcommands: [
      Validate.self, Translate.self, Diff.self, Explain.self, Bootstrap.self, ProxyStatus.self,
      ProxyConfiguration.self, Apply.self, Get.self, Delete.self, Wait.self, HistoryCommand.self,
      Rollback.self, VersionCommand.self,
    ])
}
