// SPDX-License-Identifier: Apache-2.0

import MeshModel
import Testing
import XDS

/// From Envoy's text back to the resource and to the object that caused it.
@Suite struct RejectionTests {
  private let now = ContinuousClock.now

  private func origin(_ name: String, _ generation: Int64) -> Origin {
    Origin(
      object: ObjectRef(kind: .envoyFilter, namespace: "default", name: name),
      generation: generation, path: FieldPath("spec"))
  }

  private func snapshot(
    _ typeURL: TypeURL, _ resources: [(name: String, bytes: String, origins: [Origin])]
  ) -> ResourceSnapshot {
    let set = ResourceSet(
      resources.map {
        EncodedResource(
          typeURL: typeURL, name: $0.name, bytes: Array($0.bytes.utf8), origins: $0.origins)
      })
    return ResourceSnapshot(
      revision: 1, proxyClass: ProxyClass(role: .router, namespace: "default"),
      sets: [typeURL: set], problems: [])
  }

  /// Accepts the first snapshot, refuses the second with a text.
  private func rejection(
    of typeURL: TypeURL = .listener, from first: ResourceSnapshot, to second: ResourceSnapshot,
    reason: String
  ) throws -> Rejection {
    var state = StreamState(streamID: "s")
    state.push(first, at: now)
    var request = DiscoveryRequest(
      typeURL: typeURL,
      resourceNames: typeURL.isWildcardType ? [] : second[typeURL].resources.map(\.name))
    _ = state.handle(request, at: now)
    request.responseNonce = state.next(at: now)?.nonce
    _ = state.handle(request, at: now)
    state.push(second, at: now)
    request.responseNonce = state.next(at: now)?.nonce
    request.errorDetail = reason
    #expect(request.responseNonce == Nonce(rawValue: "s-2"))
    guard case .rejected(let rejection) = state.handle(request, at: now) else {
      throw ConfigError(.invalid, reason: "expected a rejection")
    }
    #expect(state.rejections == [rejection])
    return rejection
  }

  @Test(arguments: [
    "Error adding/updating listener(s) 0.0.0.0_80: bad",
    "Error adding/updating listener(s) 0.0.0.0_80: bad, 0.0.0.0_800x: other",
    "listener '0.0.0.0_80' is bad", "bad: 0.0.0.0_80.", "listener:0.0.0.0_80 is bad",
  ])
  func `the text names the culprit`(_ reason: String) throws {
    let names = ["0.0.0.0_80", "0.0.0.0_8080", "0.0.0.0_800"]
    let rejection = try rejection(
      from: snapshot(.listener, []),
      to: snapshot(.listener, names.map { ($0, $0, [origin($0, 1)]) }), reason: reason)
    #expect(rejection.resources == ["0.0.0.0_80"])
    #expect(rejection.origins == [origin("0.0.0.0_80", 1)])
    #expect(rejection.reason == reason)
  }

  @Test func `a name with separators in it is found too`() throws {
    let rejection = try rejection(
      from: snapshot(.listener, []),
      to: snapshot(.listener, [("[::]_80", "1", []), ("[::]_8080", "1", [])]),
      reason: "Error adding/updating listener(s) [::]_80: bad")
    #expect(rejection.resources == ["[::]_80"])
  }

  @Test func `without a name, all that changed is to blame`() throws {
    let rejection = try rejection(
      from: snapshot(.listener, [("a", "1", []), ("b", "1", []), ("c", "1", [])]),
      to: snapshot(.listener, [("a", "2", []), ("b", "1", []), ("c", "2", [])]), reason: "bad")
    #expect(rejection.resources == ["a", "c"])
  }

  @Test func `what had been accepted is innocent even if it is named`() throws {
    let rejection = try rejection(
      from: snapshot(.listener, [("a", "1", []), ("b", "1", [])]),
      to: snapshot(.listener, [("a", "1", []), ("b", "2", [])]), reason: "a clashes with b")
    #expect(rejection.resources == ["b"])
  }

  @Test func `the object with a new generation is the cause`() throws {
    let rejection = try rejection(
      of: .extensionConfig,
      from: snapshot(.extensionConfig, [("e", "1", [origin("x", 1), origin("y", 1)])]),
      to: snapshot(.extensionConfig, [("e", "2", [origin("x", 2), origin("y", 1)])]),
      reason: "no")
    #expect(rejection.origins == [origin("x", 2)])
    #expect(
      rejection.problems == [
        ConfigError(
          .rejected, object: origin("x", 2).object, at: FieldPath("spec"),
          reason: "rejected by the proxy (ECDS e): no")
      ])
  }

  @Test func `where no generation is new, all origins are`() throws {
    let rejection = try rejection(
      of: .extensionConfig,
      from: snapshot(.extensionConfig, [("e", "1", [origin("x", 1), origin("gone", 1)])]),
      to: snapshot(.extensionConfig, [("e", "2", [origin("x", 1)])]), reason: "no")
    #expect(rejection.origins == [origin("x", 1)])
  }

  @Test func `a rejection without origins is a problem without an object`() throws {
    let rejection = try rejection(
      from: snapshot(.listener, []), to: snapshot(.listener, [("l", "1", [])]), reason: "no")
    #expect(
      rejection.problems == [
        ConfigError(.rejected, reason: "rejected by the proxy (LDS l): no")
      ])
  }

  @Test func `a long text is cut`() throws {
    let rejection = try rejection(
      from: snapshot(.listener, []), to: snapshot(.listener, [("l", "1", [])]),
      reason: String(repeating: "x", count: 1_000_000))
    #expect(rejection.reason.utf8.count == 16 * 1024)
  }
}
