// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser
import MeshModel
import Serving
import Testing
import WasmModules

/// Flags and the environment, as one command line.
@Suite struct FlagTests {
  private static let required = [
    "proxy", "--type", "router", "--id", "gw", "--namespace", "ns", "--xds-address",
    "skiffd.mesh:15010", "--data-dir", "/data/",
  ]

  private static func settings(
    _ flags: [String] = [], environment: [String: String] = [:]
  ) throws -> Settings {
    let arguments = ProxyCommand.completing(required + flags, from: environment)
    return try ProxyCommand.parse(Array(arguments.dropFirst()))
      .settings(environment: environment)
  }

  @Test func `what is not said has a default`() throws {
    let settings = try Self.settings()
    #expect(settings.node == Settings.Node(role: .router, name: "gw", namespace: "ns"))
    #expect(settings.xdsAddress == HostPort(host: "skiffd.mesh", port: 15010))
    #expect(settings.socketPath == "/data/xds.sock")
    #expect(settings.bootstrapPath == "/data/envoy.json")
    #expect(settings.library.directory == "/data/wasm")
    #expect(
      "\(settings.statusAddress) \(settings.adminAddress)" == "127.0.0.1:15020 127.0.0.1:15000")
    #expect(settings.envoy == nil)
    #expect(settings.drainDuration == .seconds(5) && !settings.exitsOnZeroConnections)
    #expect(settings.wasmFailure == .reject && settings.rewritesWasm)
    #expect(settings.modules.attemptTimeout == .seconds(15) && settings.modules.attempts == 5)
    #expect(settings.modules.maximumSize == 268_435_456)
    #expect(settings.library.expiry == .seconds(86400))
    #expect(settings.library.purgeInterval == .seconds(3600))
  }

  @Test func `flags are taken over`() throws {
    let settings = try Self.settings([
      "--labels", "app=gw,v=1", "--ip", "10.0.0.1", "--status-address", ":0",
      "--admin-address", "[::1]:9901", "--wasm-failure", "keep-last", "--envoy", "envoy",
      "--drain-duration", "1m", "--exit-on-zero-connections", "true", "--wasm-ca-bundle",
      "a:5000=/ca.pem", "--wasm-mirror", "docker.io=http://m:1", "--wasm-mirror",
      "docker.io=n:2", "--wasm-insecure-registry", "b", "--wasm-blocked-range", "10.0.0.0/8",
      "--wasm-cache-size", "7", "--wasm-crash-at", "write-module:3", "--", "-l", "debug",
    ])
    #expect(settings.node.labels == ["app": "gw", "v": "1"])
    #expect(settings.node.ip == "10.0.0.1")
    #expect(settings.statusAddress == HostPort(host: "127.0.0.1", port: 0))
    #expect(settings.adminAddress == HostPort(host: "::1", port: 9901))
    #expect(settings.wasmFailure == .keepLast)
    #expect(settings.envoy == "envoy" && settings.envoyArguments == ["-l", "debug"])
    #expect(settings.drainDuration == .seconds(60) && settings.exitsOnZeroConnections)
    #expect(settings.modules.certificateAuthorities == ["a:5000": "/ca.pem"])
    #expect(settings.modules.mirrors == ["docker.io": ["http://m:1", "n:2"]])
    #expect(settings.modules.insecureRegistries == ["b"])
    #expect(settings.modules.blockedRanges == [AddressRange("10.0.0.0/8")])
    #expect(settings.library.maximumBytes == 7)
    #expect(settings.library.crashAt == CrashPoint("write-module:3"))
  }

  @Test func `Istio's variables count, ours before them, flags before both`() throws {
    let environment = [
      "WASM_INSECURE_REGISTRIES": "a, b:5000", "WASM_MODULE_EXPIRY": "1h",
      "WASM_PURGE_INTERVAL": "2m", "WASM_HTTP_REQUEST_TIMEOUT": "3s",
      "WASM_HTTP_REQUEST_MAX_RETRIES": "4", "ISTIO_WASM_MAX_BINARY_SIZE_BYTES": "5",
      "BLOCKED_CIDRS_IN_WASM_FETCH": "10.0.0.0/8,fd00::/8",
      "ISTIO_AGENT_ENABLE_WASM_REMOTE_LOAD_CONVERSION": "0", "MINIMUM_DRAIN_DURATION": "6s",
      "EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "True", "INSTANCE_IP": "10.0.0.7",
      "SKIFF_WASM_EXPIRY": "7h", "SKIFF_WASM_MIRROR": "", "DOCKER_CONFIG": "/docker",
      "POD_NAME": "loses",
    ]
    let settings = try Self.settings(["--wasm-purge-interval=8m"], environment: environment)
    #expect(settings.modules.insecureRegistries == ["a", "b:5000"])
    #expect(settings.library.expiry == .seconds(7 * 3600))
    #expect(settings.library.purgeInterval == .seconds(480))
    #expect(settings.modules.attemptTimeout == .seconds(3) && settings.modules.attempts == 4)
    #expect(settings.modules.maximumSize == 5)
    #expect(settings.modules.blockedRanges.count == 2)
    #expect(!settings.rewritesWasm)
    #expect(settings.drainDuration == .seconds(6) && settings.exitsOnZeroConnections)
    #expect(settings.node.ip == "10.0.0.7" && settings.node.name == "gw")
    #expect(settings.modules.dockerConfigPath == "/docker/config.json")
  }

  @Test func `everything can come from the environment`() throws {
    let environment = [
      "SKIFF_TYPE": "sidecar", "POD_NAME": "p", "POD_NAMESPACE": "n",
      "SKIFF_XDS_ADDRESS": "a:1", "SKIFF_DATA_DIR": "relative", "SKIFF_ENVOY": "envoy",
    ]
    let arguments = ProxyCommand.completing(["proxy", "--", "--id"], from: environment)
    #expect(
      arguments == [
        "proxy", "--type=sidecar", "--id=p", "--namespace=n", "--xds-address=a:1",
        "--data-dir=relative", "--envoy=envoy", "--", "--id",
      ])
    let settings = try ProxyCommand.parse(Array(arguments.dropFirst())).settings(environment: [:])
    #expect(settings.dataDirectory.hasPrefix("/") && settings.dataDirectory.hasSuffix("/relative"))
    #expect(settings.envoyArguments == ["--id"])
    #expect(ProxyCommand.completing(["--version"], from: environment) == ["--version"])
  }

  @Test(arguments: [
    ["--type", "ztunnel"], ["--status-address", "15020"], ["--wasm-failure", "ignore"],
    ["--drain-duration", "5"], ["--wasm-ca-bundle", "file.pem"], ["--labels", "a"],
    ["--wasm-blocked-range", "10.0.0.0/99"], ["--id", ""], ["--ip", "a~b"],
    ["--admin-address", "127.0.0.1:0"], ["--xds-address", "a:0"], ["--", "-l", "debug"],
    ["--data-dir", ""], ["--wasm-request-attempts", "0"], ["--wasm-purge-interval", "0s"],
    ["--what"], ["--wasm-crash-at", "nowhere"], ["--envoy", "/nowhere/envoy"],
    ["--envoy", "/etc/passwd"],
  ])
  func `unusable flags end with 64`(_ flags: [String]) {
    do {
      _ = try Self.settings(flags)
      Issue.record("\(flags) were taken")
    } catch {
      #expect(ProxyCommand.exitCode(for: error).rawValue == 64)
    }
  }

  @Test func `an unusable proxy ends with 64`() {
    do {
      _ = try Self.settings(environment: ["https_proxy": "socks5://a"])
      Issue.record("the proxy was taken")
    } catch {
      #expect(ProxyCommand.exitCode(for: error).rawValue == 64)
      #expect(
        ProxyCommand.message(for: error).hasPrefix("HTTP_PROXY, HTTPS_PROXY or NO_PROXY: "))
    }
  }
}
