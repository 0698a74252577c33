// SPDX-License-Identifier: Apache-2.0

import Agent
import EnvoyAPI
import Foundation
import JSON
import MeshModel
import Serving
import SwiftProtobuf
import Testing

/// What Envoy is started with.
@Suite struct BootstrapTests {
  private static func settings(_ environment: [String: String] = [:]) -> Settings {
    var node = Settings.Node(role: .sidecar, name: "web", namespace: "shop")
    node.labels = ["app": "web"]
    var settings = Settings(
      node: node, xdsAddress: HostPort(host: "skiffd", port: 15010), dataDirectory: "/data")
    settings.environment = environment
    return settings
  }

  private static func metadata(_ environment: [String: String]) throws -> JSONValue? {
    try JSONValue(parsing: Array(settings(environment).bootstrapText().utf8))["node"]?["metadata"]
  }

  @Test func `the node is Istio's and the control plane is the agent's socket`() throws {
    let text = try Self.settings().bootstrapText()
    let bootstrap = try Envoy_Config_Bootstrap_V3_Bootstrap(jsonString: text)
    let message = Self.settings().bootstrap().message()
    #expect(bootstrap.deterministicBytes() == message.deterministicBytes())
    #expect(bootstrap.node.id == "sidecar~127.0.0.1~web.shop~shop.svc.cluster.local")
    #expect(bootstrap.node.cluster == "web.shop")
    let cluster = try #require(bootstrap.staticResources.clusters.first)
    #expect(cluster.type == .static)
    let address = cluster.loadAssignment.endpoints[0].lbEndpoints[0].endpoint.address
    #expect(address == .with { $0.pipe.path = "/data/xds.sock" })
    #expect(bootstrap.admin.address.socketAddress.portValue == 15000)
    #expect(try Self.settings().bootstrapText() == text)
  }

  @Test func `the environment becomes node metadata as in Istio's agent`() throws {
    let found = try Self.metadata([
      "ISTIO_META_ZONE": "a", "ISTIO_META_NAME": "loses",
      "ISTIO_METAJSON_LABELS": #"{"LABELS": {"team": "x", "app": "loses"}, "N": 1.5}"#,
      "ISTIO_METAJSON_BROKEN": "{", "ISTIO_METAJSON_LIST": "[1]", "OTHER": "x",
      "PROXY_CONFIG":
        #"{"proxyMetadata": {"ISTIO_META_ZONE": "loses", "ISTIO_META_RACK": "r", "X": "y"}}"#,
    ])
    #expect(
      found == [
        "NAME": "web", "RACK": "r", "ZONE": "a", "LABELS": ["team": "x", "app": "web"],
        "N": 1.5, "NAMESPACE": "shop",
      ])
  }

  @Test func `whether a proxy runs Wasm is said as it was configured, or by its environment`()
    throws
  {
    let config = #"{"proxyMetadata": {"WASM_ENABLED": "false"}}"#
    #expect(try Self.metadata(["PROXY_CONFIG": config])?["WASM_ENABLED"] == "false")
    let both = ["PROXY_CONFIG": config, "WASM_ENABLED": "true"]
    #expect(try Self.metadata(both)?["WASM_ENABLED"] == "true")
    let all = both.merging(["ISTIO_META_WASM_ENABLED": "false"]) { $1 }
    #expect(try Self.metadata(all)?["WASM_ENABLED"] == "false")
    #expect(try Self.metadata([:])?["WASM_ENABLED"] == nil)
  }

  @Test func `a control plane over TCP is found by its name`() {
    let bootstrap = ProxyBootstrap(
      nodeID: "n", cluster: "c", metadata: .init(),
      controlPlane: .tcp(host: "skiffd.mesh", port: 15010))
    let cluster = bootstrap.message().staticResources.clusters[0]
    #expect(cluster.type == .strictDns)
    let address = cluster.loadAssignment.endpoints[0].lbEndpoints[0].endpoint.address
    #expect(address.socketAddress.address == "skiffd.mesh")
    #expect(address.socketAddress.portValue == 15010)
  }

  /// The Envoy that scripts/install.sh brings.
  private static var envoy: URL? {
    var root = URL(filePath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let libraries = root.appending(path: ".build/venv/lib")
    let versions = try? FileManager.default.contentsOfDirectory(atPath: libraries.path())
    return (versions ?? [])
      .map { libraries.appending(path: "\($0)/site-packages/envoy/_bin/envoy") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path()) }
  }

  @Test(.enabled(if: envoy != nil, "needs Envoy in .build/venv"))
  func `Envoy accepts the file`() async throws {
    let directory = FileManager.default.temporaryDirectory.appending(
      path: "skiff-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let file = directory.appending(path: "envoy.json")
    try Data(Self.settings(["ISTIO_META_A": "b"]).bootstrapText().utf8).write(to: file)
    let arguments = EnvoyProcess.commandLine(
      bootstrap: file.path(), operatorArguments: ["--mode", "validate", "-l", "off"])
    let envoy = try #require(Self.envoy)
    let process = try await ChildProcess.start(envoy.path(), arguments)
    #expect(await process.exit() == .code(0))
  }

  @Test func `Envoy's command line leaves what the operator says`() {
    #expect(
      EnvoyProcess.commandLine(bootstrap: "/b", operatorArguments: ["-l", "debug"]) == [
        "-c", "/b", "--drain-strategy", "immediate", "--drain-time-s", "45",
        "--disable-hot-restart", "-l", "debug",
      ])
    let own = ["--drain-time-s=1", "--drain-strategy", "gradual", "--base-id", "3"]
    #expect(
      EnvoyProcess.commandLine(bootstrap: "/b", operatorArguments: own) == ["-c", "/b"] + own)
  }
}
