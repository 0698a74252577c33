// SPDX-License-Identifier: Apache-2.0

import ConfigStore
import Manifests
import MeshModel
import Testing

@Suite struct DirectoryIndexTests {
  private let files = InMemoryFileSystem()
  private var index = DirectoryIndex(roots: ["/c"], reader: ManifestReader())

  private func plugin(_ name: String, url: String = "oci://x", extra: String = "") -> String {
    """
    apiVersion: extensions.istio.io/v1alpha1
    kind: WasmPlugin
    metadata: {name: \(name)\(extra)}
    spec: {url: "\(url)"}

    """
  }

  /// The events of a scan in short.
  private mutating func scan(_ trigger: DirectoryIndex.Trigger = .changed) -> [String] {
    index.scan(files, trigger: trigger).events.map { event in
      switch event {
      case .listBegan: "began"
      case .listEnded: "ended"
      case .apply(let object): "apply \(object.ref.name)@\(object.meta.generation)"
      case .delete(let ref): "delete \(ref.name)"
      case .problems(let problems, let place):
        "problems \(place): " + problems.map(\.description).joined(separator: "; ")
      }
    }
  }

  @Test mutating func `the first scan lists, later ones tell changes and read only changed files`()
  {
    files.write("/c/a.yaml", plugin("a"))
    files.write("/c/sub/b.yaml", plugin("b"))
    #expect(scan() == ["began", "apply a@1", "apply b@1", "ended"])
    #expect(files.takeReads() == ["/c/a.yaml", "/c/sub/b.yaml"])
    #expect(scan() == [])
    files.write("/c/a.yaml", plugin("a", url: "oci://y"))
    #expect(scan() == ["apply a@2"])
    #expect(files.takeReads() == ["/c/a.yaml"])
    files.write("/c/a.yaml", plugin("a", url: "oci://y"))
    #expect(scan() == [])
    #expect(files.takeReads() == ["/c/a.yaml"])
  }

  @Test mutating func `a Secret changes with its content, of which its version tells nothing`() {
    func meta(_ outcome: DirectoryIndex.Outcome) -> ObjectMeta? {
      for case .apply(let object) in outcome.events { return object.meta }
      return nil
    }
    func secret(_ staple: String) -> String {
      """
      apiVersion: v1
      kind: Secret
      metadata: {name: a}
      stringData: {key: "\(TestKeyPair.key)", cert: "\(TestKeyPair.certificate)", tls.ocsp-staple: \(staple)}

      """
    }
    files.write("/c/a.yaml", secret("one"))
    let first = meta(index.scan(files))
    files.write("/c/a.yaml", secret("two"))
    let second = meta(index.scan(files))
    files.write("/c/a.yaml", secret("two") + "# same\n")
    #expect(meta(index.scan(files)) == nil)
    #expect(first?.generation == 1 && second?.generation == 2)
    #expect(first?.resourceVersion != second?.resourceVersion)
    // What differs is the count of changes alone.
    #expect(first?.resourceVersion.dropLast() == second?.resourceVersion.dropLast())
  }

  @Test mutating func `uid and resource version are made, and generation counts the spec alone`() {
    func meta(_ outcome: DirectoryIndex.Outcome) -> ObjectMeta? {
      for case .apply(let object) in outcome.events { return object.meta }
      return nil
    }
    files.write("/c/a.yaml", plugin("a"))
    let first = meta(index.scan(files))
    files.write("/c/a.yaml", plugin("a", extra: ", labels: {x: y}"))
    let labelled = meta(index.scan(files))
    files.write("/c/a.yaml", plugin("a", url: "oci://y", extra: ", labels: {x: y}"))
    let edited = meta(index.scan(files))
    #expect([first, labelled, edited].map { $0?.generation } == [1, 1, 2])
    #expect(Set([first, labelled, edited].map { $0?.uid }).count == 1)
    #expect(Set([first, labelled, edited].map { $0?.resourceVersion }).count == 3)
    #expect(first?.uid.count == 36)
    #expect([labelled, edited].map { $0?.firstSeen } == [first?.firstSeen, first?.firstSeen])
    // Another process makes the same.
    var restarted = DirectoryIndex(roots: ["/c"], reader: ManifestReader())
    let again = meta(restarted.scan(files))
    #expect(again?.uid == first?.uid)
    #expect(again?.resourceVersion == edited?.resourceVersion)
    #expect(again?.creationTimestamp == 0)
  }

  @Test mutating func `a half-written file keeps its last good objects`() {
    files.write("/c/a.yaml", plugin("a") + "---\n" + plugin("b"))
    _ = scan()
    files.write("/c/a.yaml", plugin("a", url: "oci://y") + "---\napiVersion: [")
    #expect(
      scan() == [
        "apply a@2",
        "problems /c/a.yaml: expected a value; add it, or close the list or object before it "
          + "(/c/a.yaml:7)",
      ])
    files.write("/c/a.yaml", plugin("a", url: "oci://y") + "---\n" + plugin("b"))
    #expect(scan() == ["problems /c/a.yaml: "])
  }

  @Test mutating func `a refused object keeps its last good version, its neighbours move on`() {
    files.write("/c/a.yaml", plugin("a") + "---\n" + plugin("b"))
    _ = scan()
    files.write("/c/a.yaml", plugin("a", url: "ftp://x") + "---\n" + plugin("b", url: "oci://y"))
    #expect(
      scan() == [
        "apply b@2",
        "problems /c/a.yaml: WasmPlugin default/a: spec.url: expected a scheme of file, http, "
          + "https, oci, found \"ftp\" (/c/a.yaml:4)",
      ])
    #expect(scan(.settled(scan: 2)) == [])
  }

  @Test mutating func `a file that is gone is believed once it has settled`() {
    files.write("/c/a.yaml", plugin("a"))
    files.write("/c/b.yaml", plugin("b"))
    files.write("/c/README", "keeps the directory")
    _ = scan()
    files.remove("/c/a.yaml")
    let outcome = index.scan(files)
    #expect(outcome.events == [])
    #expect(outcome.needsSettling)
    #expect(scan(.settled(scan: outcome.scan - 1)) == [])
    #expect(scan(.settled(scan: outcome.scan)) == ["delete a"])
    // An editor that moves the old file away and writes a new one.
    files.remove("/c/b.yaml")
    let away = index.scan(files)
    files.write("/c/b.yaml", plugin("b", url: "oci://y"))
    #expect(scan(.settled(scan: away.scan)) == ["apply b@2"])
  }

  @Test mutating func `a file that was cut short is believed once it has settled`() {
    files.write("/c/a.yaml", plugin("a") + "---\n" + plugin("b"))
    _ = scan()
    files.write("/c/a.yaml", "")
    let outcome = index.scan(files)
    #expect(outcome.events == [] && outcome.needsSettling)
    files.write("/c/a.yaml", plugin("a"))
    #expect(scan() == [])
    #expect(scan(.settled(scan: outcome.scan)) == ["delete b"])
  }

  @Test mutating func `a renamed file keeps its objects and their generation`() {
    files.write("/c/a.yaml", plugin("a"))
    files.write("/c/b.yaml", plugin("b"))
    _ = scan()
    files.write("/c/a.yaml", plugin("a", url: "oci://y"))
    _ = scan()
    files.move("/c/a.yaml", to: "/c/z.yaml")
    #expect(scan() == ["apply a@2"])
    #expect(scan(.settled(scan: 9)) == [])
  }

  @Test mutating func `of an object in two files the first stays, in path order at the start`() {
    files.write("/c/b.yaml", plugin("x", url: "oci://b"))
    files.write("/c/a.yaml", plugin("x", url: "oci://a"))
    let conflict = "WasmPlugin default/x: is already written at "
    #expect(
      scan() == [
        "began", "apply x@1",
        "problems /c/b.yaml: \(conflict)/c/a.yaml:1, which stays in force; remove one of them "
          + "(/c/b.yaml:1)",
        "ended",
      ])
    // A newcomer that sorts before does not take over.
    files.write("/c/0.yaml", plugin("x", url: "oci://0"))
    #expect(
      scan() == [
        "problems /c/0.yaml: \(conflict)/c/a.yaml:1, which stays in force; remove one of them "
          + "(/c/0.yaml:1)"
      ])
    files.remove("/c/a.yaml")
    #expect(
      scan() == [
        "apply x@2", "problems /c/0.yaml: ",
        "problems /c/b.yaml: \(conflict)/c/0.yaml:1, which stays in force; remove one of them "
          + "(/c/b.yaml:1)",
      ])
  }

  @Test mutating func `a vanished root keeps everything, and a missing one delays the listing`() {
    #expect(scan() == ["began", "problems /c: /c: no such file or directory"])
    files.write("/c/a.yaml", plugin("a"))
    #expect(scan() == ["apply a@1", "problems /c: ", "ended"])
    files.move("/c/a.yaml", to: "/elsewhere/a.yaml")
    #expect(scan() == ["problems /c: /c: no such file or directory"])
    #expect(scan(.settled(scan: 9)) == [])
    files.move("/elsewhere/a.yaml", to: "/c/a.yaml")
    #expect(scan() == ["problems /c: "])
  }

  @Test mutating func `what cannot be read keeps its objects`() {
    files.write("/c/sub/a.yaml", plugin("a"))
    files.write("/c/b.yaml", plugin("b"))
    _ = scan()
    files.fail("/c/sub", .failed("permission denied"))
    files.write("/c/b.yaml", plugin("b", url: "oci://y"))
    files.fail("/c/b.yaml", nil)
    #expect(scan() == ["apply b@2", "problems /c/sub: /c/sub: permission denied"])
    files.fail("/c/sub", nil)
    #expect(scan() == ["problems /c/sub: "])
    #expect(scan(.settled(scan: 9)) == [])
  }

  @Test mutating func `the swap of a ConfigMap mount is one change`() {
    files.write("/c/..2026_1/a.yaml", plugin("a"))
    files.write("/c/..2026_2/a.yaml", plugin("a", url: "oci://y"))
    files.link("/c/..data", to: "/c/..2026_1")
    files.link("/c/a.yaml", to: "/c/..data/a.yaml")
    #expect(scan() == ["began", "apply a@1", "ended"])
    files.link("/c/..data", to: "/c/..2026_2")
    #expect(scan() == ["apply a@2"])
  }

  @Test mutating func `a file above the limit is not read`() {
    var limits = ManifestLimits()
    limits.fileSize = 200
    index = DirectoryIndex(roots: ["/c"], reader: ManifestReader(limits: limits))
    files.write("/c/a.yaml", plugin("a"))
    _ = scan()
    _ = files.takeReads()
    files.write("/c/a.yaml", plugin("a") + String(repeating: "#", count: 200))
    #expect(
      scan() == [
        "problems /c/a.yaml: /c/a.yaml: the file has 301 bytes, more than the limit of 200; split it"
      ])
    #expect(files.takeReads() == [])
  }
}
