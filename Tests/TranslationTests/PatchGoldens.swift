// SPDX-License-Identifier: Apache-2.0

import ConfigStore
import EnvoyAPI
import Foundation
import JSON
import Manifests
import MeshModel
import MeshTesting
import Testing
import Translation

/// What EnvoyFilters change: each case against one scene, for a gateway and for a sidecar.
///
/// Recorded is the difference to the scene without them, resource by resource, so that a case shows
/// all that its patches did and nothing else.
@Suite struct PatchGoldens {
  static let cases = GoldenCase.all(in: "Fixtures", inputs: ["patch.yaml"])

  /// A mesh and the proxies in it, which all cases share.
  struct Scene {
    static let proxies = [
      (
        "gateway", "router~10.0.0.1~gw.default~default.svc.cluster.local",
        ["istio": "ingressgateway"]
      ),
      ("sidecar", "sidecar~10.0.0.9~app.default~default.svc.cluster.local", ["app": "app"]),
    ]

    let manifests: String

    init() throws {
      let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures/EnvoyFilter/scene.yaml")
      manifests = try String(contentsOf: file, encoding: .utf8)
    }

    func mesh(with patches: String = "") -> MeshSnapshot {
      let reader = ManifestReader()
      let scene = reader.read(text: manifests, file: "scene.yaml")
      let patches = reader.read(text: patches, file: "patch.yaml")
      return SnapshotBuilder.build(
        scene.objects + patches.objects, revision: 1,
        problems: scene.problems + patches.problems)
    }

    static func proxyClass(
      _ nodeID: String, _ labels: [String: String], in mesh: MeshSnapshot
    ) throws -> ProxyClass {
      let metadata: JSONValue = [
        "NAMESPACE": "default", "ISTIO_VERSION": "1.22.3", "LABELS": .object(strings: labels),
      ]
      return mesh.classifier.proxyClass(of: try Proxy(nodeID: nodeID, metadata: metadata))
    }
  }

  static let translator = Translator(types: EnvoyTypes.pool)

  @Test(arguments: cases)
  func `changes what is recorded`(_ golden: GoldenCase) throws {
    let scene = try Scene()
    let (before, after) = (scene.mesh(), scene.mesh(with: golden.text(of: "patch.yaml") ?? ""))
    var changes = ""
    var problems = after.problems.map { "\($0.severity.rawValue) \($0.code.rawValue): \($0)\n" }
    for (name, nodeID, labels) in Scene.proxies {
      let former = Self.translator.translate(
        before, for: try Scene.proxyClass(nodeID, labels, in: before))
      let proxyClass = try Scene.proxyClass(nodeID, labels, in: after)
      let latter = Self.translator.translate(after, for: proxyClass)
      let known = Set(former.problems)
      problems += latter.problems.filter { !known.contains($0) }.map {
        "\(name): \($0.severity.rawValue) \($0.code.rawValue): \($0)\n"
      }
      let difference = Self.difference(former, latter)
      changes += difference.isEmpty ? "" : "==== \(name)\n\(difference)"
      Self.expectTraceAgrees(after, proxyClass, latter)
    }
    try golden.check(["changes.diff": changes, "problems.txt": problems.joined()])
  }

  /// Whoever asks why must get the answer of what is served, and a change for every origin.
  private static func expectTraceAgrees(
    _ mesh: MeshSnapshot, _ proxyClass: ProxyClass, _ served: ResourceSnapshot
  ) {
    var written: Set<String> = []
    for filter in mesh.envoyFilters.values.joined() {
      let (resources, trace) = translator.translate(
        mesh, for: proxyClass, tracing: .object(filter.ref))
      #expect(resources.typeURLs == served.typeURLs)
      for typeURL in served.typeURLs { #expect(resources[typeURL] == served[typeURL]) }
      #expect(resources.problems == served.problems)
      #expect(trace.patches.map(\.index) == filter.configPatches.map(\.index))
      for patch in trace.patches where patch.isApplied {
        written.insert("\(filter.origin(at: patch.path))")
      }
    }
    let origins = served.typeURLs.flatMap { served[$0].resources }.flatMap(\.origins)
    let patched = Set(
      origins.filter { $0.object.kind == EnvoyFilter.kind }.map(String.init(describing:)))
    #expect(patched.isSubset(of: written), "changed without a trace")
    let changes = translator.translate(mesh, for: proxyClass, tracing: .changes).trace
    #expect(changes.patches.count == written.count)
  }

  private static func difference(_ former: ResourceSnapshot, _ latter: ResourceSnapshot) -> String {
    let typeURLs = Set(former.typeURLs).union(latter.typeURLs)
    let types = typeURLs.sorted { ($0.pushRank, $0.rawValue) < ($1.pushRank, $1.rawValue) }
    return types.map { typeURL in
      let names = (former[typeURL].resources + latter[typeURL].resources).map(\.name)
      return Set(names).sorted().map { name in
        let (old, new) = (former[typeURL][name], latter[typeURL][name])
        guard old?.bytes != new?.bytes else { return "" }
        let origins = Set(new?.origins ?? []).subtracting(old?.origins ?? []).sorted()
        return "-- \(typeURL.shortName ?? "") \(name)\n"
          + origins.map { "by \($0)\n" }.joined()
          + lineDifference(lines(of: old), lines(of: new))
      }.joined()
    }.joined()
  }

  private static func lines(of resource: EncodedResource?) -> [Substring] {
    guard let resource else { return [] }
    return YAMLPrinter.text(ResourceJSON.any(resource)).split(separator: "\n")
  }

  /// Lines that go and lines that come, each with two of what is around them.
  private static func lineDifference(_ old: [Substring], _ new: [Substring]) -> String {
    let difference = new.difference(from: old)
    var removed: Set<Int> = []
    var inserted: Set<Int> = []
    for change in difference {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): inserted.insert(offset)
      }
    }
    var merged: [String] = []
    var (i, j) = (0, 0)
    while i < old.count || j < new.count {
      if removed.contains(i) {
        merged.append("-\(old[i])")
        i += 1
      } else if inserted.contains(j) {
        merged.append("+\(new[j])")
        j += 1
      } else {
        merged.append(" \(old[i])")
        i += 1
        j += 1
      }
    }
    var text = ""
    var isSkipping = false
    for (index, line) in merged.enumerated() {
      let around = merged[max(0, index - 2)...min(merged.count - 1, index + 2)]
      if around.contains(where: { $0.first != " " }) {
        if isSkipping { text += "…\n" }
        text += line + "\n"
        isSkipping = false
      } else {
        isSkipping = true
      }
    }
    return text
  }
}
