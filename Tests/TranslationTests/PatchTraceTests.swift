// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import JSON
import MeshModel
import Testing
import Translation

/// What a trace tells somebody whose patch does nothing, and somebody who looks for an author.
@Suite struct PatchTraceTests {
  private static let manager = "envoy.filters.network.http_connection_manager"

  private static func filter(
    _ name: String, subFilter: String, _ operation: EnvoyFilter.Operation = .insertBefore,
    port: UInt32 = 0, selector: [String: String] = [:]
  ) -> EnvoyFilter {
    var chain = EnvoyFilter.ListenerMatch.FilterChainMatch()
    chain.filter = EnvoyFilter.ListenerMatch.FilterMatch(name: manager, subFilter: subFilter)
    var listener = EnvoyFilter.ListenerMatch()
    listener.portNumber = port
    listener.filterChain = chain
    let lua = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
    let value: JSONValue = ["name": .string(name), "typed_config": ["@type": .string(lua)]]
    return EnvoyFilter(
      meta: ObjectMeta(name: name, namespace: "default"),
      workloadSelector: selector.isEmpty ? nil : LabelSelector(matchLabels: selector),
      configPatches: [
        EnvoyFilter.ConfigPatch(
          index: 0, applyTo: .httpFilter, context: .gateway, match: .listener(listener),
          operation: operation, value: operation == .remove ? nil : value)
      ])
  }

  private static func trace(
    _ filters: [EnvoyFilter], of name: String? = nil, labels: [String: String] = [:]
  ) -> PatchTrace {
    let mesh = MeshSnapshot(
      revision: 1, envoyFilters: filters, gateways: [TranslatorTests.gateway(ports: [80, 81])])
    var proxyClass = TranslatorTests.gatewayClass
    proxyClass.labels = labels
    let subject = name.map { name in
      PatchTrace.Subject.object(
        ObjectRef(kind: .envoyFilter, namespace: "default", name: name))
    }
    return TranslatorTests.translator
      .translate(mesh, for: proxyClass, tracing: subject ?? .changes).trace
  }

  @Test func `every clause is told, and the first that fails with the nearest name`() throws {
    let trace = Self.trace([Self.filter("mine", subFilter: "envoy.rooter", port: 80)], of: "mine")
    let patch = try #require(trace.patches.first)
    #expect(!patch.isApplied)
    let lines = patch.candidates.map { candidate in
      let clauses = candidate.clauses.map { clause in
        "\(clause.path.components.last.map { FieldPath([$0]).description } ?? ""): "
          + "\(clause.wanted) / \(clause.actual.split(separator: ", ").last ?? "") "
          + "\(clause.isMatched)"
          + (clause.hint.map { ", \($0)" } ?? "")
      }
      return "\(candidate.place) | " + clauses.joined(separator: " | ")
    }
    #expect(
      lines == [
        "listener 0.0.0.0_81 | context: GATEWAY / GATEWAY true | portNumber: 80 / 81 false",
        "listener 0.0.0.0_80, filter chain #0, network filter \(Self.manager) | "
          + "context: GATEWAY / GATEWAY true | portNumber: 80 / 80 true | "
          + "name: \(Self.manager) / \(Self.manager) true | "
          + "name: envoy.rooter / envoy.filters.http.router false, "
          + "did you mean envoy.filters.http.router?",
      ])
    let near = Self.trace(
      [Self.filter("mine", subFilter: "envoy.filters.http.ruoter")], of: "mine")
    let mismatch = try #require(near.patches.first?.candidates.first?.mismatch)
    #expect(
      mismatch.path.description
        == "spec.configPatches[0].match.listener.filterChain.filter.subFilter.name")
    #expect(mismatch.hint == "did you mean envoy.filters.http.router?")
    let moved = Self.trace([Self.filter("mine", subFilter: "envoy.http.router")], of: "mine")
    #expect(
      moved.patches.first?.candidates.first?.mismatch?.hint
        == "did you mean envoy.filters.http.router?")
  }

  @Test func `a change tells where it was put, and where it is when all is done`() throws {
    let filters = [
      Self.filter("a", subFilter: "envoy.filters.http.router", port: 80),
      Self.filter("b", subFilter: "a"), Self.filter("c", subFilter: "b", .insertAfter),
    ]
    let change = try #require(Self.trace(filters, of: "a").patches.first?.changes.first)
    #expect(change.verb == .inserted)
    #expect(change.reason == "before envoy.filters.http.router")
    // Before the last; two more then come before it.
    let position = try #require(change.position)
    #expect(position.index == position.count - 2)
    #expect(
      change.finalPosition
        == PatchTrace.Position(index: position.index + 2, count: position.count + 2))

    let gone = filters + [Self.filter("d", subFilter: "a", .remove)]
    #expect(Self.trace(gone, of: "a").patches.first?.changes.first?.finalPosition == nil)
    let changes = Self.trace(gone).patches
    #expect(changes.map(\.object.name) == ["a", "b", "c", "d"])
    #expect(
      changes.flatMap(\.changes).filter { $0.element == "a" }.map(\.verb) == [
        .inserted, .removed,
      ])
  }

  @Test func `an object for other workloads is told by the label that differs`() {
    let filters = [
      Self.filter("mine", subFilter: "envoy.filters.http.router", selector: ["app": "web"])
    ]
    let trace = Self.trace(filters, of: "mine", labels: ["app": "shop"])
    #expect(trace.attachment.map(\.isMatched) == [true, false])
    #expect(trace.attachment.last?.path.description == "spec.workloadSelector.labels.app")
    #expect(trace.attachment.last?.actual == "shop")
    #expect(trace.patches.map(\.candidates.count) == [0])
    #expect(Self.trace(filters, of: "nobody").patches.isEmpty)
  }
}
