// SPDX-License-Identifier: Apache-2.0

import Serving
import Testing

/// Addresses as flags write them.
@Suite struct HostPortTests {
  @Test(arguments: [
    ("127.0.0.1:15010", "127.0.0.1:15010", true), ("localhost:0", "localhost:0", true),
    (":8080", "127.0.0.1:8080", true), ("[::1]:80", "[::1]:80", true),
    ("0.0.0.0:80", "0.0.0.0:80", false), ("10.0.0.1:80", "10.0.0.1:80", false),
  ])
  func `an address is read and prints as it was written`(
    _ text: String, _ printed: String, _ isLoopback: Bool
  ) {
    #expect(HostPort(text).map { "\($0)" } == printed)
    #expect(HostPort(text)?.isLoopback == isLoopback)
  }

  @Test(arguments: ["", "127.0.0.1", "host:", "host:65536", "host:-1", "host:http"])
  func `anything else is refused`(_ text: String) { #expect(HostPort(text) == nil) }
}
