// SPDX-License-Identifier: Apache-2.0

import MeshModel
import MeshTesting
import Testing
import XDS

/// What a client runs of an object's resources, from what it accepted and refused.
@Suite struct ProgressTests {
  /// Plays a script, and says how far the client has come with some resources of the last snapshot;
  /// `left` are those that still count where the client has them.
  private func progress(
    _ text: String, _ names: [(TypeURL, String)], left: Set<String> = []
  ) async throws -> String {
    var peer = StreamPeer()
    #expect(try await ADSScript(text).transcript(with: &peer) == text)
    let snapshot = try #require(peer.state.snapshot)
    let keys = names.map { ResourceKey(typeURL: $0, name: $1) }
    let leftovers = peer.state.leftovers(against: snapshot).map(\.key)
      .filter { left.contains($0.name) }
    return Self.text(
      peer.state.progress(of: origin("x", 1).object, on: keys, in: snapshot, leftovers: leftovers))
  }

  private static func text(_ progress: Progress?) -> String {
    switch progress {
    case nil: return "unconcerned"
    case .programmed: return "programmed"
    case .pending(let keys): return "pending \(keys.map(\.description).joined(separator: ", "))"
    case .rejected(let rejection): return "rejected: \(rejection.reason)"
    }
  }

  @Test func `what nobody asks for does not count`() async throws {
    let script = """
      = RDS r@1 s@1
      < nothing
      > RDS r
      < RDS n1 r@1
      > RDS n1 r
      < nothing
      """
    #expect(try await progress(script, [(.route, "s")]) == "unconcerned")
    #expect(try await progress(script, [(.route, "r"), (.route, "s")]) == "programmed")
  }

  @Test func `what a client may ask for once it has the listeners is pending`() async throws {
    let first = """
      = LDS l@1; RDS r@1
      < nothing
      > LDS
      < LDS n1 l@1
      """
    #expect(try await progress(first, [(.route, "r")]) == "pending RDS r")
    let unasked = first + "\n> LDS n1\n< nothing"
    #expect(try await progress(unasked, [(.route, "r")]) == "unconcerned")
    let edited = unasked + "\n= LDS l@2; RDS r@1\n< LDS n2 l@2"
    #expect(try await progress(edited, [(.route, "r")]) == "pending RDS r")
    // A refusal is an answer.
    let refused = edited + "\n> LDS n2 version=n1 error=\"l is bad\"\n< nothing"
    #expect(try await progress(refused, [(.route, "r")]) == "unconcerned")
    let asked = edited + "\n> RDS r\n< RDS n3 r@1"
    #expect(try await progress(asked, [(.route, "r")]) == "pending RDS r")
    #expect(try await progress(asked + "\n> RDS n3 r\n< nothing", [(.route, "r")]) == "programmed")
  }

  @Test func `only an acknowledgement of the newest bytes counts`() async throws {
    let sent = """
      = RDS r@1
      < nothing
      > RDS r
      < RDS n1 r@1
      """
    #expect(try await progress(sent, [(.route, "r")]) == "pending RDS r")
    let acknowledged = sent + "\n> RDS n1 r\n< nothing"
    #expect(try await progress(acknowledged, [(.route, "r")]) == "programmed")
    let edited = acknowledged + "\n= RDS r@2\n< RDS n2 r@2"
    #expect(try await progress(edited, [(.route, "r")]) == "pending RDS r")
  }

  @Test func `a refusal counts for what it blames, until other bytes are wanted`() async throws {
    let refused = """
      = ECDS a@1 b@1
      < nothing
      > ECDS a b
      < ECDS n1 a@1 b@1
      > ECDS n1 a b
      < nothing
      = ECDS a@2 b@2
      < ECDS n2 a@2 b@2
      > ECDS n2 a b error="a is bad"
      < ECDS n3 b@2
      > ECDS n3 a b
      < nothing
      """
    #expect(try await progress(refused, [(.extensionConfig, "a")]) == "rejected: a is bad")
    #expect(try await progress(refused, [(.extensionConfig, "b")]) == "programmed")
    let undone = refused + "\n= ECDS a@1 b@2\n< ECDS n4 a@1\n> ECDS n4 a b\n< nothing"
    #expect(try await progress(undone, [(.extensionConfig, "a")]) == "programmed")
    let mended = refused + "\n= ECDS a@3 b@2\n< ECDS n4 a@3"
    #expect(try await progress(mended, [(.extensionConfig, "a")]) == "pending ECDS a")
  }

  @Test func `of refused listeners those that are not to blame are applied`() async throws {
    let script = """
      = LDS a@1 b@1
      < nothing
      > LDS
      < LDS n1 a@1 b@1
      > LDS n1 error="b is bad"
      < nothing
      """
    #expect(try await progress(script, [(.listener, "a")]) == "programmed")
    #expect(try await progress(script, [(.listener, "b")]) == "rejected: b is bad")
  }

  @Test func `what an edit took away counts while the client has it`() async throws {
    let script = """
      = LDS a@1 b@1
      < nothing
      > LDS
      < LDS n1 a@1 b@1
      > LDS n1
      < nothing
      = LDS a@1
      < LDS n2 a@1
      """
    #expect(try await progress(script, [], left: ["b"]) == "pending LDS b")
    #expect(try await progress(script, [], left: ["a"]) == "unconcerned")
    #expect(try await progress(script + "\n> LDS n2\n< nothing", [], left: ["b"]) == "unconcerned")
  }

  private func origin(_ name: String, _ generation: Int64) -> Origin {
    Origin(
      object: ObjectRef(kind: .envoyFilter, namespace: "default", name: name),
      generation: generation, path: FieldPath("spec"))
  }

  private func snapshot(_ listeners: [(name: String, bytes: String, origins: [Origin])])
    -> ResourceSnapshot
  {
    let set = ResourceSet(
      listeners.map {
        EncodedResource(
          typeURL: .listener, name: $0.name, bytes: Array($0.bytes.utf8), origins: $0.origins)
      })
    return ResourceSnapshot(
      revision: 1, proxyClass: ProxyClass(role: .router, namespace: "default"),
      sets: [.listener: set], problems: [])
  }

  @Test func `what is refused for one object leaves the others where they are`() throws {
    let now = ContinuousClock.now
    let first = snapshot([("l", "one", [origin("good", 1), origin("edited", 1)])])
    let second = snapshot(
      [("l", "two", [origin("edited", 2), origin("good", 1), origin("new", 1)])])
    var state = StreamState(streamID: "s")
    var request = DiscoveryRequest(typeURL: .listener, resourceNames: [])
    state.push(first, at: now)
    _ = state.handle(request, at: now)
    request.responseNonce = state.next(at: now)?.nonce
    _ = state.handle(request, at: now)
    state.push(second, at: now)
    request.responseNonce = state.next(at: now)?.nonce
    func progress(of name: String) -> String {
      let leftovers = state.leftovers(against: second)
        .filter { $0.resource.origins.contains { $0.object.name == name } }.map(\.key)
      return Self.text(
        state.progress(
          of: origin(name, 1).object, on: [ResourceKey(typeURL: .listener, name: "l")],
          in: second, leftovers: leftovers))
    }
    for name in ["good", "edited", "new"] { #expect(progress(of: name) == "pending LDS l") }
    request.errorDetail = "l is bad"
    _ = state.handle(request, at: now)
    #expect(progress(of: "good") == "programmed")
    #expect(progress(of: "edited") == "rejected: l is bad")
    #expect(progress(of: "new") == "rejected: l is bad")
  }
}
