// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlPlane
import Flags
import Foundation
import Logging
import MeshModel
import Serving

/// The control plane: watches configuration, translates it, serves it to Envoys.
@main
struct Skiffd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skiffd",
    abstract: "A small control plane for Envoy that speaks Istio's configuration.",
    discussion: """
      Every flag can be given as an environment variable too: SKIFF_ and the flag's name in upper \
      case, with underscores (SKIFF_GRPC_ADDRESS); SKIFF_CONFIG_DIR takes several directories, \
      separated by colons. A flag wins over its variable.
      """,
    version: Version.current)

  @Option(help: "A directory of manifests; may be given several times.")
  var configDir: [String] = []

  @Option(help: "A file with Istio's MeshConfig; it overrides that of the manifests.")
  var meshConfig: String?

  @Option(help: "Where Envoys connect (ADS over gRPC, plaintext).")
  var grpcAddress = HostPort(host: "127.0.0.1", port: 15010)

  @Option(help: "Where the debug pages are.")
  var httpAddress = HostPort(host: "127.0.0.1", port: 8080)

  @Option(help: "Where Prometheus scrapes.")
  var monitoringAddress = HostPort(host: "127.0.0.1", port: 15014)

  @Option(help: "Where the control API for kubectl is; none is served without it.")
  var apiAddress: HostPort?

  @Option(help: "Where the control API keeps its objects; in memory without it.")
  var dataDir: String?

  @Option(help: "A PEM file with the certificate of the control API.")
  var apiTlsCert: String?

  @Option(help: "A PEM file with the key of that certificate.")
  var apiTlsKey: String?

  @Option(help: "A file with the bearer tokens of the control API, one on each line.")
  var apiTokenFile: String?

  @Flag(help: "Listen in plaintext also on addresses that other machines can reach.")
  var allowPlaintext = false

  @Option(help: "One of trace, debug, info, notice, warning, error, critical.")
  var logLevel = Logger.Level.info

  @Option(help: "One of text, json.")
  var logFormat = LogFormat.text

  @Option(help: "How long configuration must be quiet before it is pushed.")
  var debounceAfter = FlagDuration(.milliseconds(100))

  @Option(help: "How long a change waits at most.")
  var debounceMax = FlagDuration(.seconds(10))

  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    await main(arguments + environmentArguments(besides: arguments))
  }

  func validate() throws {
    guard !configDir.isEmpty || apiAddress != nil else {
      throw ValidationError(
        "--config-dir is missing: name a directory of manifests, or serve an API with --api-address."
      )
    }
    try validateAPI()
    guard meshConfig.map({ FileManager.default.fileExists(atPath: $0) }) ?? true else {
      throw ValidationError("--mesh-config \(meshConfig ?? ""): no such file.")
    }
    for address in [grpcAddress, httpAddress, monitoringAddress]
    where !address.isLoopback && !allowPlaintext {
      throw ValidationError(
        "\(address) can be reached from other machines and is not encrypted: "
          + "use a loopback address, or say --allow-plaintext.")
    }
    guard debounceAfter.value <= debounceMax.value else {
      throw ValidationError("--debounce-after is longer than --debounce-max.")
    }
  }

  func run() async throws {
    var settings = Settings(configDirectories: configDir)
    settings.meshConfigFile = meshConfig
    settings.grpcAddress = grpcAddress
    settings.httpAddress = httpAddress
    settings.monitoringAddress = monitoringAddress
    settings.logLevel = logLevel
    settings.logFormat = logFormat
    settings.debounceAfter = debounceAfter.value
    settings.debounceMax = debounceMax.value
    settings.api = apiSettings
    try await ControlPlane(settings: settings).run()
  }
}
