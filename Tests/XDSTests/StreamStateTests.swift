// SPDX-License-Identifier: Apache-2.0

import MeshModel
import MeshTesting
import Testing
import XDS

/// What scripts cannot show: outcomes, reports, times, shared keys and bounds.
@Suite struct StreamStateTests {
  private func play(_ text: String) async throws -> StreamPeer {
    var peer = StreamPeer()
    #expect(try await ADSScript(text).transcript(with: &peer) == text)
    return peer
  }

  @Test func `each request has an outcome`() async throws {
    let peer = try await play(
      """
      = RDS r@1 s@1
      < nothing
      > RDS r
      < RDS n1 r@1
      > RDS n1 r
      < nothing
      > RDS n1 r s
      < RDS n2 s@1
      > RDS n1 r
      < nothing
      > RDS n2 r s error="no"
      < nothing
      > RDS n2
      < nothing
      > LDS nonce=x error="no"
      < nothing
      """)
    let rejection = try #require(
      peer.outcomes.lazy.compactMap { outcome in
        if case .rejected(let rejection) = outcome { rejection } else { nil }
      }.first)
    #expect(
      peer.outcomes == [
        .subscribed, .acked(Nonce(rawValue: "s1-1"), after: .seconds(1)), .repeated,
        .stale(Nonce(rawValue: "s1-1")), .rejected(rejection), .unsubscribed, .ignored,
      ])
    #expect(rejection.resources == ["s"])
    #expect(peer.state.rejections == [])
    #expect(peer.state.subscriptions == [])
  }

  @Test func `the oldest unanswered response is known with its time`() async throws {
    let peer = try await play(
      """
      = CDS a@1; RDS r@1
      < nothing
      > RDS r
      < RDS n1 r@1
      > CDS
      < CDS n2 a@1
      """)
    let oldest = try #require(peer.state.oldestUnanswered)
    #expect(oldest.typeURL == .route)
    #expect(oldest.since == peer.now - .seconds(1))
  }

  @Test func `a report tells sent, accepted and refused of each resource`() async throws {
    let peer = try await play(
      """
      = ECDS a@1 b@1 c@1
      < nothing
      > ECDS a b
      < ECDS n1 a@1 b@1
      > ECDS n1 a b
      < nothing
      = ECDS a@1 b@2 c@1
      < ECDS n2 b@2
      > ECDS n2 version=n1 a b c error="no"
      < ECDS n3 c@1
      """)
    let report = try #require(peer.state.report(on: .extensionConfig))
    #expect(report.status == .error)
    #expect(report.sentNonce == Nonce(rawValue: "s1-3"))
    #expect(report.ackedNonce == Nonce(rawValue: "s1-1"))
    #expect(report.names == ["a", "b", "c"])
    #expect(report.rejections.map(\.reason) == ["no"])
    let (one, two) = (ContentHash(of: Array("b@1".utf8)), ContentHash(of: Array("b@2".utf8)))
    let (a, c) = (ContentHash(of: Array("a@1".utf8)), ContentHash(of: Array("c@1".utf8)))
    let rows = report.resources.map { row in
      "\(row.name) \(row.status.rawValue) \(row.sent == a || row.sent == two || row.sent == c)"
        + " \(row.acked == a || row.acked == one) \(row.rejected == two)"
    }
    #expect(
      rows == ["a SYNCED true true false", "b ERROR true true true", "c STALE true false false"])
  }

  @Test func `equal content has equal keys on all streams, and only that`() throws {
    let now = ContinuousClock.now
    func response(_ texts: [String], names: [String]) throws -> Response {
      let set = ResourceSet(
        texts.map {
          EncodedResource(
            typeURL: .endpoint, name: String($0.prefix(1)), bytes: Array($0.utf8), origins: [])
        })
      var state = StreamState(streamID: "\(UInt16.random(in: 0...9))")
      state.push(
        ResourceSnapshot(
          revision: 1, proxyClass: ProxyClass(role: .router, namespace: "n"),
          sets: [.endpoint: set], problems: []), at: now)
      _ = state.handle(DiscoveryRequest(typeURL: .endpoint, resourceNames: names), at: now)
      let response = state.next(at: now)
      return try #require(response)
    }
    let all = try response(["a1", "b1"], names: ["a", "b"])
    #expect(try response(["a1", "b1", "c1"], names: ["b", "a", "x"]).key == all.key)
    #expect(try response(["a1", "b2"], names: ["a", "b"]).key != all.key)
    #expect(try response(["a1", "b1"], names: ["a"]).key != all.key)
    #expect(
      ResponseEncoding.body(of: all)
        == ResponseEncoding.body(
          versionInfo: "\(all.version)", resources: all.resources, typeURL: .endpoint))
  }

  @Test func `a client that invents types gets no memory for them`() {
    var state = StreamState(streamID: "s")
    let outcomes = (0..<100).map {
      state.handle(
        DiscoveryRequest(typeURL: TypeURL(rawValue: "t/\($0)"), resourceNames: ["x"]), at: .now)
    }
    #expect(outcomes.count { $0 == .ignored } == 68)
    #expect(state.handle(DiscoveryRequest(typeURL: .cluster), at: .now) == .subscribed)
  }

  @Test func `the state of a stream is small`() {
    // Five subscriptions of a usual Envoy must stay far below the budget of 22 KiB per proxy.
    #expect(MemoryLayout<StreamState>.size <= 128)
    #expect(StreamState.bytesPerSubscription * 5 <= 4096)
  }
}
