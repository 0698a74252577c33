// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ConfigStore
import EnvoyAPI
import Flags
import JSON
import Manifests
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

  @Option(help: "The proxy's node id: type~ip~name.namespace~dnsDomain.")
  var node: String

  @Option(help: "The proxy's labels: k=v,…")
  var labels = Labels()

  @Option(help: "A JSON file with the proxy's node metadata.")
  var metadata: String?

  @Option(name: [.short, .customLong("output")], help: "json or yaml.")
  var output = OutputFormat.json

  func run() throws {
    let proxy = try self.proxy()
    let reading = ManifestReader().read(paths: filenames)
    let mesh = SnapshotBuilder.build(reading.objects, revision: 1, problems: reading.problems)
    let snapshot = Translator(types: EnvoyTypes.pool)
      .translate(mesh, for: mesh.classifier.proxyClass(of: proxy))
    let problems = (mesh.problems + snapshot.problems).map(mesh.located)
    for problem in problems {
      printError(problem.severity == .warning ? "warning: \(problem)" : "\(problem)")
    }
    print(output.text(ResourceJSON.snapshot(snapshot)), terminator: "")
    if problems.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
  }

  private func proxy() throws(ValidationError) -> Proxy {
    let metadata = try nodeMetadata()
    do throws(ConfigError) { return try Proxy(nodeID: node, metadata: metadata) } catch {
      throw ValidationError("--node: \(error.reason)")
    }
  }

  private func nodeMetadata() throws(ValidationError) -> JSONValue {
    var members: [(String, JSONValue)] = []
    if let metadata {
      let value = try Self.json(in: metadata)
      guard let object = value.objectMembers else {
        throw ValidationError("\(metadata): expected an object, found \(value.kind)")
      }
      members = object.map { ($0.key, $0.value) }
    }
    if !labels.pairs.isEmpty {
      members.removeAll { $0.0 == "LABELS" }
      members.append(("LABELS", .object(strings: labels.pairs)))
    }
    return .object(pairs: members)
  }

  private static func json(in file: String) throws(ValidationError) -> JSONValue {
    let text: [UInt8]
    do throws(FileSystemError) {
      text = try POSIXFileSystem().contents(of: file, limit: ManifestLimits().fileSize)
    } catch {
      throw ValidationError("\(file): \(error.reason)")
    }
    do throws(JSONSyntaxError) { return try JSONValue(parsing: text) } catch {
      throw ValidationError("\(file): \(error)")
    }
  }
}
