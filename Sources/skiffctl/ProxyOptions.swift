// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Flags
import JSON
import Manifests
import MeshModel

/// The flags of commands that work offline for one proxy: who it would be.
struct ProxyOptions: ParsableArguments {
  @Option(help: "The proxy's node id: type~ip~name.namespace~dnsDomain.")
  var node: String

  @Option(help: "The proxy's labels: k=v,…")
  var labels = Labels()

  @Option(help: "A JSON file with the proxy's node metadata.")
  var metadata: String?

  func proxy() throws(ValidationError) -> Proxy {
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
