// SPDX-License-Identifier: Apache-2.0

import MeshModel
import Testing

/// Short names and wildcards.
@Suite struct HostnameTests {
  @Test(arguments: [
    ("reviews", "reviews.ns.svc.cluster.local"), ("a.example.com", "a.example.com"), ("*", "*"),
  ])
  func `a name without a dot is a service of the namespace`(_ host: String, _ full: String) {
    #expect(Hostname.resolve(host, in: "ns") == full)
  }

  @Test(arguments: [
    ("a.example.com", "*", "a.example.com"), ("*", "a.example.com", "a.example.com"),
    ("*.example.com", "a.example.com", "a.example.com"),
    ("*.b.example.com", "*.example.com", "*.b.example.com"),
    ("a.example.com", "b.example.com", nil), ("*.a.com", "*.b.com", nil),
    ("example.com", "*.example.com", nil),
  ])
  func `the more specific name of two is their intersection`(
    _ left: String, _ right: String, _ expected: String?
  ) {
    #expect(Hostname.intersection(left, right) == expected)
  }
}
