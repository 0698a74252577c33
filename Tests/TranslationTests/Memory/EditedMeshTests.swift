// SPDX-License-Identifier: Apache-2.0

import ConfigStore
import EnvoyAPI
import JSON
import Manifests
import MeshModel
import MeshTesting
import Testing
import Translation

/// What a snapshot builder and a translator remember never shows: after every edit of a mesh they
/// return what those return that have seen nothing before.
///
/// The objects are those of all goldens, so that every kind and field is among them, also what is
/// wrong with them. Many share a name, so that one replaces another.
@Suite struct EditedMeshTests {
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `an edited mesh is translated as if it were new`(_ seed: UInt64) throws {
    var mesh = EditedMesh(seed: seed)
    let proxies = try [
      EditedMesh.proxy("router~10.0.0.1~gw.default~default.svc.cluster.local", "ingressgateway"),
      EditedMesh.proxy("sidecar~10.0.0.9~app.default~default.svc.cluster.local", "none"),
    ]
    let translator = Translator(types: EnvoyTypes.pool)
    var formers: [ResourceSnapshot] = []
    var changes = 0
    for step in 1...60 {
      mesh.edit()
      let place = "seed \(seed), step \(step): \(mesh.lastEdit)"
      let edited = mesh.snapshot(revision: UInt64(step))
      let whole = mesh.wholeSnapshot(revision: UInt64(step))
      #expect(edited.problems == whole.problems, "\(place)")
      #expect(edited.classifier == whole.classifier, "\(place)")
      let results = proxies.map { proxy in
        let proxyClass = whole.classifier.proxyClass(of: proxy)
        let remembering = translator.translate(edited, for: proxyClass)
        let fresh = Translator(types: EnvoyTypes.pool).translate(whole, for: proxyClass)
        #expect(remembering.typeURLs == fresh.typeURLs, "\(place)")
        for typeURL in fresh.typeURLs {
          #expect(remembering[typeURL].resources == fresh[typeURL].resources, "\(place)")
          #expect(remembering[typeURL].version == fresh[typeURL].version, "\(place)")
          for resource in fresh[typeURL].resources {
            #expect(remembering[typeURL][resource.name] == resource, "\(place)")
          }
        }
        #expect(remembering.problems == fresh.problems, "\(place)")
        return fresh
      }
      for (former, result) in zip(formers, results)
      where result.typeURLs.contains(where: { former[$0] != result[$0] }) {
        changes += 1
      }
      formers = results
    }
    // Else the edits would show nothing.
    #expect(changes > 40)
  }
}

/// A mesh of some objects of the goldens, which change at random.
private struct EditedMesh {
  private static let corpus: [DecodedObject] = {
    let reader = ManifestReader()
    let texts =
      TranslationGoldens.cases.compactMap { $0.text(of: "in.yaml") }
      + PatchGoldens.cases.compactMap { $0.text(of: "patch.yaml") }
      + [(try? PatchGoldens.Scene().manifests) ?? ""]
    return texts.flatMap { reader.read(text: $0, file: "f").objects }
  }()

  private var random: SeededGenerator
  private var objects: [ObjectRef: DecodedObject] = [:]
  private var changed: Set<ObjectRef> = []
  private var builder = SnapshotBuilder()
  private var generation: Int64 = 0
  private(set) var lastEdit = ""

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    for _ in 0..<60 { apply() }
  }

  static func proxy(_ nodeID: String, _ gateway: String) throws -> Proxy {
    try Proxy(
      nodeID: nodeID,
      metadata: [
        "NAMESPACE": "default", "ISTIO_VERSION": "1.22.3",
        "LABELS": ["istio": .string(gateway), "app": "app", "version": "v1"],
      ], locality: "eu/a/1")
  }

  /// As the store makes it, from what has changed.
  mutating func snapshot(revision: UInt64) -> MeshSnapshot {
    var changes: [ObjectRef: DecodedObject?] = [:]
    for ref in changed { changes.updateValue(objects[ref], forKey: ref) }
    changed = []
    builder.update(changes)
    return builder.snapshot(revision: revision)
  }

  /// From everything.
  func wholeSnapshot(revision: UInt64) -> MeshSnapshot {
    SnapshotBuilder.build(objects.values, revision: revision)
  }

  /// Adds, replaces or removes one object, or a few.
  mutating func edit() {
    lastEdit = ""
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let known = objects.keys.sorted()
      if Int.random(in: 0..<known.count + 60, using: &random) > 120,
        let ref = known.randomElement(using: &random)
      {
        objects[ref] = nil
        changed.insert(ref)
        lastEdit += "removed \(ref); "
      } else {
        apply()
      }
    }
  }

  private mutating func apply() {
    guard var object = Self.corpus.randomElement(using: &random) else { return }
    generation += 1
    object.meta.generation = generation
    objects[object.ref] = object
    changed.insert(object.ref)
    lastEdit += "applied \(object.ref); "
  }
}
