// SPDX-License-Identifier: Apache-2.0

import MeshModel
import Testing

/// Durations as Go writes them.
@Suite struct DurationTests {
  @Test(arguments: [
    ("0", Duration.zero), ("0s", .zero), ("100ms", .milliseconds(100)),
    ("1h2m3.5s", .milliseconds(3_723_500)), ("-1s", .seconds(-1)), (".5s", .milliseconds(500)),
    ("1.000000001s", .nanoseconds(1_000_000_001)), ("5us", .microseconds(5)),
    ("5\u{B5}s", .microseconds(5)), ("5\u{3BC}s", .microseconds(5)), ("-10ms", .milliseconds(-10)),
  ])
  func `a duration is read exactly`(_ text: String, _ expected: Duration) {
    #expect(Duration(goString: text) == expected)
  }

  @Test(arguments: [
    "", "1", "s", "1x", "1.2.3s", ".s", "1 s", "9999999999999h", "--1s",
    "2000000h2000000h",
  ])
  func `anything else is refused`(_ text: String) { #expect(Duration(goString: text) == nil) }

  @Test(arguments: ["0s", "100ms", "1h2m3s500ms", "-1s", "1m30s"])
  func `what is printed reads back`(_ text: String) {
    #expect(Duration(goString: text)?.goString == text)
  }
}
