// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import WasmModules

/// A library behaves as its model, whatever happens to it and in whatever order.
@Suite struct StoreModelTests {
  private static let urls = [
    "http://h/0", "http://h/1", "oci://r.io/a:v1", "oci://r.io/a:latest", "r.io/a",
    "oci://r.io/b:v1",
  ]
  private static let keys = ["http://h/0", "http://h/1", "oci://r.io/a", "oci://r.io/b"]
  private static let contents = (0..<5).map { wasm($0, size: 100 * ($0 + 1)) }

  private static func key(_ url: String) -> String {
    keys.first { url.hasPrefix($0) || "oci://\(url)".hasPrefix($0) } ?? url
  }

  private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var word = state
      word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
      word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
      return word ^ (word >> 31)
    }

    mutating func pick<Value>(_ values: [Value]) -> Value {
      values[Int.random(in: 0..<values.count, using: &self)]
    }

    mutating func one(in count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }
  }

  @Test(arguments: 0..<40)
  func `as the model says`(seed: Int) async throws {
    var dice = Dice(state: UInt64(seed))
    var current = Dictionary(uniqueKeysWithValues: Self.keys.map { ($0, Self.contents[0]) })
    let rig = StoreRig(current)
    var failing: Set<String> = []
    var model = StoreModel(
      limit: dice.pick([700, 1500, 1 << 30]),
      sizes: Dictionary(uniqueKeysWithValues: Self.contents.map { (.of($0), $0.count) }))
    for _ in 0..<6 {
      try await rig.opened({ $0.maximumBytes = model.limit }) { library in
        await rig.scrubbed(library)
        for step in 0..<40 {
          switch Int.random(in: 0..<100, using: &dice) {
          case 0..<60:
            let request = request(&dice)
            #expect(
              library.cached(request)?.digest == model.cached(request), "\(seed).\(step) \(request)"
            )
            if dice.one(in: 4) { break }
            let key = Self.key(request.url)
            let module = try? await library.module(for: request)
            let expected = model.module(
              request, current: failing.contains(key) ? nil : current[key])
            #expect(module?.digest == expected, "\(seed).\(step) \(request)")
          case 60..<68:
            let plugin = dice.pick(["p", "q", "r"])
            #expect(library.lastGood(of: plugin)?.digest == model.lastGood(of: plugin))
          case 68..<76:
            let (key, bytes) = (dice.pick(Self.keys), dice.pick(Self.contents))
            current[key] = bytes
            rig.source[key] = bytes
          case 76..<80:
            let key = dice.pick(Self.keys)
            if failing.remove(key) == nil { failing.insert(key) }
            rig.source.fail(
              key, failing.contains(key) ? ModuleError(.downloadFailure, "down") : nil)
          case 80..<84:
            guard let content = model.lastUse.keys.sorted(by: { $0.hex < $1.hex }).first,
              model.damaged[content] == nil
            else { break }
            let path = "\(rig.directory)/modules/\(content.hex).wasm"
            if dice.one(in: 2) {
              try FileManager.default.removeItem(atPath: path)
              model.damaged[content] = .deleted
            } else {
              // Longer than any, for the clock of a file system may not move in between.
              try rig.write([UInt8](repeating: 1, count: 5000), to: path)
              model.damaged[content] = .corrupt
            }
          case 84..<90:
            let held = Set(Self.contents.filter { _ in dice.one(in: 3) })
            let user = dice.pick(["u", "v"])
            library.setInUse(Set(held.map { rig.path($0) }), by: user)
            model.setInUse(Set(held.map { .of($0) }), by: user)
          case 90..<96:
            let seconds = Int64.random(in: 0..<40_000, using: &dice)
            rig.pass(seconds)
            model.time += seconds
          default:
            await library.purge()
            model.purge()
          }
          check(library, model, rig, "\(seed).\(step)")
        }
      }
      model.restart()
    }
    // What was damaged last is found at the next start at the latest.
    try await rig.opened { library in await rig.scrubbed(library) }
    try rig.expectWhole()
    #expect(rig.stored == model.files)
  }

  private func request(_ dice: inout Dice) -> ModuleRequest {
    let url = dice.pick(Self.urls)
    var sha256: String?
    if dice.one(in: 4) {
      let bytes = dice.pick(Self.contents)
      sha256 =
        (url.hasPrefix("http") ? ModuleDigest.of(bytes) : ScriptedSource.manifest(bytes)).hex
    }
    return ModuleRequest(
      plugin: dice.pick(["p", "q", "r"]), url: url, sha256: sha256,
      pullPolicy: dice.pick([.unspecified, .ifNotPresent, .always]),
      resourceVersion: dice.pick(["", "1", "2"]),
      pullSecret: dice.pick([nil, PullSecret("{}"), PullSecret(#"{"auths":{}}"#)]))
  }

  private func check(
    _ library: ModuleLibrary, _ model: StoreModel, _ rig: StoreRig, _ place: Comment
  ) {
    let held = library.holdings().map { holding in
      (ModuleDigest(hex: holding.path.dropLast(5).suffix(64)), holding.lastUse)
    }
    #expect(
      Dictionary(uniqueKeysWithValues: held)
        == Dictionary(
          uniqueKeysWithValues: model.lastUse.map { (Optional($0.key), $0.value) }), place)
    #expect(rig.stored == model.files, place)
    #expect(rig.source.downloads == model.downloads, place)
  }
}
