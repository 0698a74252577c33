// SPDX-License-Identifier: Apache-2.0

import ConfigStore
import EnvoyAPI
import JSON
import Manifests
import MeshModel
import MeshTesting
import Testing
import Translation

/// What each kind of object becomes: manifests and a proxy in, every resource, its origins and every
/// problem out.
@Suite struct TranslationGoldens {
  static let cases = GoldenCase.all(in: "Fixtures", inputs: ["in.yaml", "proxy.yaml"])

  @Test(arguments: cases)
  func `translates as recorded`(_ golden: GoldenCase) throws {
    let (mesh, proxyClass) = try golden.translationInput()
    let result = Translator(types: EnvoyTypes.pool).translate(mesh, for: proxyClass)
    try golden.check([
      "resources.yaml": YAMLPrinter.text(ResourceJSON.snapshot(result)),
      "origins.yaml": YAMLPrinter.text(Self.origins(result)),
      "problems.yaml": Self.problems(mesh.problems + result.problems),
    ])
  }

  /// The origins of each resource, by type and name.
  private static func origins(_ result: ResourceSnapshot) -> JSONValue {
    .object(
      pairs: result.typeURLs.map { typeURL in
        (
          typeURL.shortName ?? typeURL.rawValue,
          .object(
            pairs: result[typeURL].resources.map { resource in
              (resource.name, .array(resource.origins.map { .string("\($0)") }))
            })
        )
      })
  }

  /// One line each; nothing where there is none.
  private static func problems(_ problems: [ConfigError]) -> String {
    guard !problems.isEmpty else { return "" }
    return YAMLPrinter.text(
      .array(
        problems.map { problem in
          ["\(problem.severity.rawValue)": .string("\(problem.code.rawValue): \(problem)")]
        }))
  }
}

extension GoldenCase {
  /// The mesh of `in.yaml` and the class of the proxy of `proxy.yaml`.
  func translationInput() throws -> (MeshSnapshot, ProxyClass) {
    let reading = ManifestReader().read(text: try input("in.yaml"), file: "in.yaml")
    let mesh = SnapshotBuilder.build(
      reading.objects, revision: 1, problems: reading.problems)
    let stream = YAMLParser().parse(Array(try input("proxy.yaml").utf8), file: "proxy.yaml")
    let node = try #require(stream.documents.first).json
    let proxy = try Proxy(
      nodeID: try #require(node["id"]?.stringValue), metadata: node["metadata"] ?? [:],
      locality: node["locality"]?.stringValue ?? "")
    return (mesh, mesh.classifier.proxyClass(of: proxy))
  }

  private func input(_ file: String) throws -> String {
    try #require(text(of: file), "\(name) lacks \(file)")
  }
}
