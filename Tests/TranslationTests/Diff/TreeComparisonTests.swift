// SPDX-License-Identifier: Apache-2.0

import JSON
import Testing
import Translation

@Suite struct TreeComparisonTests {
  /// The differences between two JSON texts, a line each.
  private func changes(_ old: String, _ new: String) throws -> [String] {
    let (old, new) = (try JSONValue(parsing: old), try JSONValue(parsing: new))
    return TreeComparison.changes(from: old, to: new).map { $0.json.text() }
  }

  @Test func `equal trees do not differ, in whatever order their members are`() throws {
    #expect(try changes(#"{"a": [1, {"b": null}]}"#, #"{"a": [1, {"b": null}]}"#).isEmpty)
    #expect(try changes(#"{"a": 1, "b": 2}"#, #"{"b": 2, "a": 1.0}"#).isEmpty)
  }

  @Test func `fields are added, removed and changed`() throws {
    let old = #"{"gone": {"x": 1}, "same": true, "timeout": "5s", "kind": 1}"#
    let new = #"{"kind": "1", "same": true, "timeout": "10s", "new": []}"#
    #expect(
      try changes(old, new) == [
        #"{"path":"gone","change":"removed","old":{"x":1}}"#,
        #"{"path":"timeout","change":"changed","old":"5s","new":"10s"}"#,
        #"{"path":"kind","change":"changed","old":1,"new":"1"}"#,
        #"{"path":"new","change":"added","new":[]}"#,
      ])
  }

  @Test func `an inserted element with a name is one addition`() throws {
    let old = #"{"l": [{"name": "a", "v": 1}, {"name": "b", "v": 1}]}"#
    let new = #"{"l": [{"name": "x"}, {"name": "a", "v": 1}, {"name": "b", "v": 2}]}"#
    #expect(
      try changes(old, new) == [
        #"{"path":"l[0]","change":"added","new":{"name":"x"}}"#,
        #"{"path":"l[2].v","change":"changed","old":1,"new":2}"#,
      ])
  }

  @Test func `paths of what is gone are those of the old tree`() throws {
    let old = #"{"l": [{"name": "a"}, {"name": "b", "m": {"k": 1}}]}"#
    let new = #"{"l": [{"name": "b", "m": {}}]}"#
    #expect(
      try changes(old, new) == [
        #"{"path":"l[1].m.k","change":"removed","old":1}"#,
        #"{"path":"l[0]","change":"removed","old":{"name":"a"}}"#,
      ])
  }

  @Test func `what changes its place among its neighbours has moved, and only that`() throws {
    let old = #"[{"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"}]"#
    let new = #"[{"name":"d"},{"name":"a"},{"name":"b"},{"name":"c","v":1}]"#
    #expect(
      try changes(old, new) == [
        #"{"path":"[0]","change":"moved","from":"[3]"}"#,
        #"{"path":"[3].v","change":"added","new":1}"#,
      ])
  }

  @Test func `elements of one name are told apart by their order`() throws {
    let old = #"[{"name":"a","v":1},{"name":"a","v":2}]"#
    let new = #"[{"name":"a","v":1},{"name":"a","v":3},{"name":"a","v":4}]"#
    #expect(
      try changes(old, new) == [
        #"{"path":"[1].v","change":"changed","old":2,"new":3}"#,
        #"{"path":"[2]","change":"added","new":{"name":"a","v":4}}"#,
      ])
  }

  @Test func `an element without a name that was inserted is one addition`() throws {
    let old = #"[{"match":"a","route":{"timeout":"5s","cluster":"c"}},{"match":"b"}]"#
    let new = """
      [{"match":"x","redirect":1},{"match":"a","route":{"timeout":"9s","cluster":"c"}},{"match":"b"}]
      """
    #expect(
      try changes(old, new) == [
        #"{"path":"[0]","change":"added","new":{"match":"x","redirect":1}}"#,
        #"{"path":"[1].route.timeout","change":"changed","old":"5s","new":"9s"}"#,
      ])
  }

  @Test func `what has too little in common was replaced`() throws {
    #expect(
      try changes(#"[{"a":1,"b":2,"c":3}]"#, #"[{"a":1,"d":2}]"#) == [
        #"{"path":"[0]","change":"added","new":{"a":1,"d":2}}"#,
        #"{"path":"[0]","change":"removed","old":{"a":1,"b":2,"c":3}}"#,
      ])
  }

  @Test func `a list of texts gains and loses elements`() throws {
    #expect(
      try changes(#"{"domains":["a","b","c"]}"#, #"{"domains":["b","x","c"]}"#) == [
        #"{"path":"domains[1]","change":"added","new":"x"}"#,
        #"{"path":"domains[0]","change":"removed","old":"a"}"#,
      ])
  }

  @Test func `a long list that was replaced is not paired element by element`() throws {
    let old = JSONValue.array((0..<100).map { ["v": .integer($0), "same": 1] })
    let new = JSONValue.array((100..<200).map { ["v": .integer($0), "same": 1] })
    #expect(TreeComparison.changes(from: old, to: new).count == 200)
  }

  /// Applying what was found to the old list gives the new one, for every pair of short lists.
  @Test func `every list can be told from every other`() throws {
    let names = ["a", "b", "c"]
    var lists: [[String]] = [[]]
    for _ in 0..<3 { lists += lists.flatMap { list in names.map { list + [$0] } } }
    let distinct = Set(lists).map { $0.map { JSONValue.object(strings: ["name": $0]) } }
    for old in distinct {
      for new in distinct {
        let found = TreeComparison.changes(from: .array(old), to: .array(new))
        #expect(found.isEmpty == (old == new))
        var (added, removed) = (0, 0)
        for change in found {
          switch change.kind {
          case .added: added += 1
          case .removed: removed += 1
          case .moved, .changed: break
          }
        }
        #expect(old.count + added - removed == new.count)
      }
    }
  }
}
