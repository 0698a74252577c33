// SPDX-License-Identifier: Apache-2.0

import KubeClient
import Testing

/// Kinds and objects by the names that people give them.
@Suite struct KindIndexTests {
  private let index = Served.index

  @Test(arguments: [
    ("vs", "virtualservices.networking.istio.io v1"),
    ("VirtualService", "virtualservices.networking.istio.io v1"),
    ("virtualservices.networking.istio.io", "virtualservices.networking.istio.io v1"),
    ("virtualservices.v1beta1.networking.istio.io", "virtualservices.networking.istio.io v1beta1"),
    ("service", "services v1"),
  ])
  func `a kind has many names`(_ name: String, _ found: String) throws {
    let kind = try index.kind(named: name)
    #expect("\(kind.groupResource) \(kind.version)" == found)
  }

  @Test func `a name that is none gets the nearest one`() {
    let failure = #expect(throws: ClientFailure.self) { try index.kind(named: "virtualservcie") }
    #expect(
      failure?.description == "error: the server doesn't have a resource type "
        + "\"virtualservcie\"; did you mean \"virtualservice\"?")
    #expect(throws: ClientFailure.self) { try index.kind(named: "services.networking.istio.io") }
  }

  @Test func `a category is each of its kinds in the preferred version`() throws {
    #expect(
      try index.kinds(named: "istio-io,service").map(\.kind)
        == ["VirtualService", "WasmPlugin", "Service"])
  }

  @Test func `the kind of an object in a file is one of its version`() {
    #expect(
      index.kind(apiVersion: "networking.istio.io/v1beta1", kind: "VirtualService")?.version
        == "v1beta1")
    #expect(index.kind(apiVersion: "networking.istio.io/v2", kind: "VirtualService") == nil)
    #expect(
      index.kind(apiVersion: "v1", kind: "Service")?.path(in: "a b", "c/d")
        == "/api/v1/namespaces/a%20b/services/c%2Fd")
  }

  @Test func `objects are named in two forms`() throws {
    func read(_ arguments: String...) throws -> [String] {
      try Selection.all(arguments, in: index).map {
        "\($0.kind.plural) \($0.names.joined(separator: ","))"
      }
    }
    #expect(try read("vs") == ["virtualservices "])
    #expect(try read("vs,wasmplugin", "a") == ["virtualservices a", "wasmplugins a"])
    #expect(
      try read("vs/a", "vs/b", "wasmplugin/a") == ["virtualservices a,b", "wasmplugins a"])
    #expect(throws: ClientFailure.self) { try read("vs/a", "b") }
    #expect(throws: ClientFailure.self) { try read("vs/") }
    #expect(throws: ClientFailure.self) { try read() }
  }

  @Test(arguments: [
    ("condition=Programmed", WaitGoal.condition("Programmed", status: "True")),
    ("condition=Rejected=False", .condition("Rejected", status: "False")),
    ("Delete", .delete), ("create", .create),
  ])
  func `a goal is written as for kubectl`(_ text: String, _ goal: WaitGoal) {
    #expect(WaitGoal(text) == goal)
  }

  @Test(arguments: ["", "condition", "condition=", "condition=a=b=c", "delete=1", "ready"])
  func `what is no goal is refused`(_ text: String) {
    #expect(WaitGoal(text) == nil)
  }
}
