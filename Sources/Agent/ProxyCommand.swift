// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser
package import Flags
import Foundation
package import Logging
package import MeshModel
package import Serving
package import WasmModules

/// `skiff-agent proxy`: the agent beside one Envoy.
package struct ProxyCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "proxy",
    abstract: "Relay configuration to an Envoy, and bring it its Wasm modules.",
    discussion: """
      Writes a bootstrap to the data directory and serves ADS on a socket beside it. With --envoy it \
      starts Envoy and ends when Envoy does, with Envoy's exit code, or 128 and the signal's number. \
      On SIGTERM it drains Envoy and exits with 0.

      Every flag can be given as an environment variable too: SKIFF_ and the flag's name in upper \
      case, with underscores (SKIFF_XDS_ADDRESS); lists are separated by commas. The variables of \
      Istio's agent count where there is one of the same meaning. A flag wins over both.
      """)

  @Option(help: "router or sidecar.")
  package var type: Proxy.Role

  @Option(help: "The name of the proxy.")
  package var id: String

  @Option(help: "The namespace of the proxy.")
  package var namespace: String

  @Option(help: "The proxy's labels, which selectors match: k=v,…")
  package var labels = Labels()

  @Option(help: "The address of the proxy's workload.")
  package var ip = "127.0.0.1"

  @Option(help: "Where skiffd serves ADS: host:port.")
  package var xdsAddress: HostPort

  @Option(help: "Where bootstrap, socket and modules are kept; one for each proxy.")
  package var dataDir: String

  @Option(help: "Where readiness and metrics are.")
  package var statusAddress = HostPort(host: "127.0.0.1", port: 15020)

  @Option(help: "Where Envoy's admin interface listens.")
  package var adminAddress = HostPort(host: "127.0.0.1", port: 15000)

  @Option(help: "The Envoy to start; without it, one that is started elsewhere is served.")
  package var envoy: String?

  @Option(help: "How long Envoy drains at least before it is stopped.")
  package var drainDuration = FlagDuration(.seconds(5))

  @Option(help: "Then wait until no client is connected: true or false.")
  package var exitOnZeroConnections = false

  @Option(help: "One of trace, debug, info, notice, warning, error, critical.")
  package var logLevel = Logger.Level.info

  @Option(help: "One of text, json.")
  package var logFormat = LogFormat.text

  @Option(help: "What to do without a module: reject, fallback or keep-last.")
  package var wasmFailure = WasmFailureMode.reject

  @Option(help: "Whether remote modules are fetched and made local: true or false.")
  package var wasmInterception = true

  @Option(help: "Whether skiffd is told of modules; false for another control plane.")
  package var wasmReports = true

  @Option(help: "HOST[:PORT]=FILE: certificates (PEM) to trust there. Repeatable.")
  package var wasmCaBundle: [Pair] = []

  @Option(help: "REGISTRY=[SCHEME://]HOST[:PORT][/PREFIX]: ask it first. Repeatable.")
  package var wasmMirror: [Pair] = []

  @Option(help: "HOST[:PORT] or *: do not verify certificates, allow plain HTTP. Repeatable.")
  package var wasmInsecureRegistry: [String] = []

  @Option(help: "A range (10.0.0.0/8) that nothing is fetched from. Repeatable.")
  package var wasmBlockedRange: [AddressRange] = []

  @Option(help: "The longest that one attempt to fetch may take.")
  package var wasmRequestTimeout = FlagDuration(.seconds(15))

  @Option(help: "Attempts in a round, the first included.")
  package var wasmRequestAttempts = 5

  @Option(help: "The most bytes of a module.")
  package var wasmMaxSize = 256 << 20

  @Option(help: "The most bytes of all modules on disk; those in use stay.")
  package var wasmCacheSize = 4 << 30

  @Option(help: "A module that nobody used for so long is deleted.")
  package var wasmExpiry = FlagDuration(.seconds(24 * 3600))

  @Option(help: "How often that is looked at.")
  package var wasmPurgeInterval = FlagDuration(.seconds(3600))

  @Option(help: .hidden)
  package var wasmCrashAt: CrashPoint?

  @Argument(parsing: .postTerminator, help: "More arguments of Envoy, after --.")
  package var envoyArguments: [String] = []

  package init() {}

  package func validate() throws {
    if envoy == nil, !envoyArguments.isEmpty {
      throw ValidationError("There are arguments for Envoy, but --envoy is missing.")
    }
    // A name without a slash is looked for in PATH.
    if let envoy, envoy.contains("/"), !FileManager.default.isExecutableFile(atPath: envoy) {
      throw ValidationError("--envoy \(envoy) is not a program that can be run.")
    }
    for (flag, text) in [("--id", id), ("--namespace", namespace), ("--ip", ip)]
    where text.isEmpty || text.contains("~") {
      throw ValidationError("\(flag) must not be empty, and ~ separates the parts of a node's id.")
    }
    // The working directory is nobody's wish: it is what an unset variable comes to.
    guard !dataDir.isEmpty else { throw ValidationError("--data-dir must not be empty.") }
    guard xdsAddress.port > 0 else { throw ValidationError("--xds-address needs a port.") }
    guard adminAddress.port > 0 else {
      throw ValidationError("--admin-address needs a port, for the agent asks there.")
    }
    guard wasmRequestAttempts > 0, wasmMaxSize > 0, wasmCacheSize > 0 else {
      throw ValidationError(
        "--wasm-request-attempts, --wasm-max-size and --wasm-cache-size start at 1.")
    }
    guard wasmPurgeInterval.value > .zero else {
      throw ValidationError("--wasm-purge-interval must be longer than nothing.")
    }
  }

  package func run() async throws {
    do {
      try await Agent(settings: settings(environment: ProcessInfo.processInfo.environment)).run()
    } catch let exit as EnvoyExit {
      throw ExitCode(exit.status)
    }
  }

  /// The settings of these flags.
  ///
  /// - Parameter environment: what flags do not say: node metadata, headers, proxies, docker's config.
  /// - Returns: what the agent runs by.
  /// - Throws: Where a proxy of the environment cannot be used.
  package func settings(environment: [String: String]) throws -> Settings {
    let directory = URL(filePath: dataDir, directoryHint: .isDirectory).standardizedFileURL
      .path(percentEncoded: false)
    var node = Settings.Node(role: type, name: id, namespace: namespace)
    node.ip = ip
    node.labels = labels.pairs
    var settings = Settings(
      node: node, xdsAddress: xdsAddress,
      dataDirectory: directory.count > 1 && directory.hasSuffix("/")
        ? String(directory.dropLast()) : directory)
    settings.environment = environment
    settings.statusAddress = statusAddress
    settings.adminAddress = adminAddress
    settings.envoy = envoy
    settings.envoyArguments = envoyArguments
    settings.drainDuration = drainDuration.value
    settings.exitsOnZeroConnections = exitOnZeroConnections
    settings.logLevel = logLevel
    settings.logFormat = logFormat
    settings.wasmFailure = wasmFailure
    settings.rewritesWasm = wasmInterception
    settings.reportsWasm = wasmReports
    settings.library.maximumBytes = wasmCacheSize
    settings.library.expiry = wasmExpiry.value
    settings.library.purgeInterval = wasmPurgeInterval.value
    settings.library.crashAt = wasmCrashAt
    try set(&settings.modules, environment)
    return settings
  }

  private func set(
    _ modules: inout RemoteModuleSource.Settings, _ environment: [String: String]
  ) throws {
    modules.attemptTimeout = wasmRequestTimeout.value
    modules.attempts = wasmRequestAttempts
    modules.maximumSize = wasmMaxSize
    modules.insecureRegistries = Set(wasmInsecureRegistry)
    modules.certificateAuthorities = wasmCaBundle.reduce(into: [:]) { $0[$1.key] = $1.value }
    modules.mirrors = wasmMirror.reduce(into: [:]) { $0[$1.key, default: []].append($1.value) }
    modules.blockedRanges = wasmBlockedRange
    func proxy(_ name: String) -> String? { environment[name] ?? environment[name.lowercased()] }
    do throws(ModuleError) {
      modules.proxies = try HTTPProxies(
        http: proxy("HTTP_PROXY"), https: proxy("HTTPS_PROXY"), exclusions: proxy("NO_PROXY"))
    } catch {
      throw ValidationError("HTTP_PROXY, HTTPS_PROXY or NO_PROXY: \(error.reason)")
    }
    let home = environment["HOME"].map { "\($0)/.docker" }
    modules.dockerConfigPath = (environment["DOCKER_CONFIG"] ?? home).map { "\($0)/config.json" }
  }
}
