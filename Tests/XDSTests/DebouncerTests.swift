// SPDX-License-Identifier: Apache-2.0

import Testing
import XDS

@Suite struct DebouncerTests {
  private let start = ContinuousClock.now

  @Test func `a change is published after a quiet time`() {
    var debouncer = Debouncer()
    #expect(debouncer.deadline == nil)
    let early = debouncer.publish(at: start)
    #expect(!early)
    let first = debouncer.noteChange(at: start)
    #expect(first == start + .milliseconds(100))
    let second = debouncer.noteChange(at: start + .milliseconds(50))
    #expect(second == start + .milliseconds(150))
    let published = [100, 149, 150, 1000].map {
      debouncer.publish(at: start + .milliseconds($0))
    }
    #expect(published == [false, false, true, false])
    #expect(debouncer.deadline == nil)
  }

  @Test func `changes without a pause are published at the limit`() {
    var debouncer = Debouncer(quiet: .milliseconds(100), limit: .seconds(10))
    var published: [Duration] = []
    for step in 0..<300 {
      let now = start + .milliseconds(50 * step)
      if debouncer.publish(at: now) { published.append(start.duration(to: now)) }
      _ = debouncer.noteChange(at: now)
    }
    #expect(published == [.seconds(10)])
  }
}

@Suite struct NamePoolTests {
  @Test func `what is not asked for is forgotten after two generations`() {
    var pool = NamePool(limit: 2)
    for round in 0..<100 {
      let (again, new) = (pool.shared(["a", "b"]), pool.shared(["\(round)"]))
      #expect(again == ["a", "b"])
      #expect(new == ["\(round)"])
      #expect(pool.count <= 4)
    }
  }
}
