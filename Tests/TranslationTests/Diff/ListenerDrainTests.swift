// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import Testing
import Translation

/// What a real Envoy does is in Tests/EndToEnd/test_skiffctl_diff.py; here are the corners.
@Suite struct ListenerDrainTests {
  private func drain(_ old: JSONValue, _ new: JSONValue) -> ListenerDrain {
    ListenerDrain(from: old, to: new)
  }

  private func listener(_ chains: [JSONValue], _ more: (String, JSONValue)...) -> JSONValue {
    .object(pairs: [("name", "l"), ("filter_chains", .array(chains))] + more)
  }

  private let one: JSONValue = ["name": "one", "filters": [["name": "x"]]]
  private let two: JSONValue = ["name": "two"]
  private let other: JSONValue = ["name": "one", "filters": [["name": "y"]]]

  @Test func `a chain that changed or is gone is drained, and no other`() {
    #expect(
      drain(listener([two, one]), listener([two, other]))
        == .filterChains([FieldPath("filter_chains")[1]]))
    #expect(
      drain(listener([one, two]), listener([two])) == .filterChains([FieldPath("filter_chains")[0]])
    )
    #expect(drain(listener([one]), listener([two, one])) == .nothing)
  }

  @Test func `the default chain is one of them`() {
    #expect(
      drain(
        listener([one], ("default_filter_chain", two)),
        listener([one], ("default_filter_chain", other)))
        == .filterChains([FieldPath("default_filter_chain")]))
    #expect(drain(listener([one]), listener([one], ("default_filter_chain", two))) == .nothing)
  }

  @Test func `a listener that has only a default chain is replaced`() {
    #expect(
      drain(
        listener([], ("default_filter_chain", two)), listener([], ("default_filter_chain", one)))
        == .listener(because: [FieldPath("default_filter_chain")]))
  }

  @Test func `any other field replaces the listener`() {
    #expect(
      drain(
        listener([one], ("traffic_direction", "INBOUND"), ("access_log", [["name": "a"]])),
        listener([other], ("per_connection_buffer_limit_bytes", 1024)))
        == .listener(because: [
          FieldPath("access_log"), FieldPath("traffic_direction"),
          FieldPath("per_connection_buffer_limit_bytes"),
        ]))
  }

  @Test func `what only picks the chain drains none`() {
    #expect(
      drain(listener([one]), listener([one], ("filter_chain_matcher", ["on_no_match": [:]])))
        == .nothing)
  }

  @Test func `Envoy takes lists as sets and defaults as unset`() {
    let filters: [JSONValue] = [["name": "a"], ["name": "b"]]
    #expect(
      drain(
        listener([one], ("listener_filters", .array(filters))),
        listener([one], ("listener_filters", .array(filters.reversed())))) == .nothing)
    #expect(drain(listener([one]), listener([one], ("transparent", false))) == .nothing)
  }

  @Test func `to say whether the port is reused is a change, whatever the default is`() {
    for value: JSONValue in [true, false] {
      #expect(
        drain(listener([one]), listener([one], ("enable_reuse_port", value)))
          == .listener(because: [FieldPath("enable_reuse_port")]))
    }
  }
}
