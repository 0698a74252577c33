// SPDX-License-Identifier: Apache-2.0

import Flags
import Testing

/// Values as flags write them.
@Suite struct FlagValueTests {
  @Test(arguments: [("100ms", "100ms"), ("1m30s", "1m30s"), ("0s", "0s")])
  func `a duration prints as Go writes it`(_ text: String, _ printed: String) {
    #expect(FlagDuration(argument: text).map { "\($0)" } == printed)
  }

  @Test(arguments: ["", "-1s", "5", "1 s", "one minute"])
  func `anything else is no duration`(_ text: String) {
    #expect(FlagDuration(argument: text) == nil)
  }

  @Test(
    arguments: [
      ("", [:]), ("app=gw", ["app": "gw"]),
      ("app=gw,url=a=b,empty=", ["app": "gw", "url": "a=b", "empty": ""]),
    ] as [(String, [String: String])])
  func `labels are pairs`(_ text: String, _ pairs: [String: String]) {
    #expect(Labels(argument: text)?.pairs == pairs)
  }

  @Test(arguments: ["app", "=gw", "app=gw,v"])
  func `a label without a name or an equals sign is refused`(_ text: String) {
    #expect(Labels(argument: text) == nil)
  }
}
