// SPDX-License-Identifier: Apache-2.0

import MeshModel
import Testing
import XDS

/// Thousands of random histories of a stream against a model of Envoy.
@Suite struct ModelTests {
  @Test(arguments: 0..<8, [false, true])
  func `an Envoy converges, and gets nothing without a reason`(
    _ block: UInt64, _ retriesAtOnce: Bool
  ) {
    for seed in block * 600..<(block + 1) * 600 {
      var history = History(seed: seed, retriesAtOnce: retriesAtOnce)
      for _ in 0..<60 { history.step() }
      let troubled = history.settle()
      let wrong = history.violations + troubled
      #expect(wrong == [], "seed \(seed):\n\(history.log.joined(separator: "\n"))")
      if !wrong.isEmpty { return }
    }
  }

  @Test func `with nothing bad, no cluster is missing for a moment`() {
    for seed in 100_000..<102_500 as Range<UInt64> {
      var history = History(seed: seed, retriesAtOnce: false)
      history.publishesBad = false
      for _ in 0..<60 { history.step() }
      let troubled = history.settle()
      let wrong = history.violations + troubled + history.envoy.broken
      #expect(wrong == [], "seed \(seed):\n\(history.log.joined(separator: "\n"))")
      if !wrong.isEmpty { return }
    }
  }
}

/// A linear congruential generator (Knuth's MMIX), so that a seed names a history.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let high = state >> 32
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return high << 32 | state >> 32
  }
}
