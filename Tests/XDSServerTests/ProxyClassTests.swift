// SPDX-License-Identifier: Apache-2.0

import MeshModel
import MeshTesting
import Testing
import XDS

/// How often translation is paid, and what a change of the classes themselves does.
@Suite struct ProxyClassTests {
  private let listeners = [
    TypeURL.listener: [
      EncodedResource(typeURL: .listener, name: "l", bytes: Array("l@1".utf8), origins: [])
    ]
  ]

  @Test func `proxies of one class share one translation`() async throws {
    try await RunningServer.with { server in
      await server.publish(listeners)
      for _ in 0..<3 {
        var peer = try await LoopbackPeer(server: server)
        try await peer.send(DiscoveryRequest(typeURL: .listener))
        #expect(try await peer.receive(expected: true)?.resources == ["l@1"])
      }
      #expect(server.translationCount == 1)
      await server.publish(listeners)
      #expect(server.translationCount == 2)
    }
  }

  @Test func `a mesh that sorts proxies anew reaches them with their new class`() async throws {
    try await RunningServer.with { server in
      await server.publish(listeners)
      var peer = try await LoopbackPeer(server: server)
      try await peer.send(DiscoveryRequest(typeURL: .listener))
      let first = try await peer.receive(expected: true)
      #expect(first?.resources == ["l@1"])
      try await peer.send(
        DiscoveryRequest(
          typeURL: .listener, versionInfo: first?.versionInfo ?? "", responseNonce: first?.nonce))

      let changed = EncodedResource(
        typeURL: .listener, name: "l", bytes: Array("l@2".utf8), origins: [])
      await server.publish([.listener: [changed]]) { revision in
        MeshSnapshot(
          revision: revision,
          gateways: [
            Gateway(
              meta: ObjectMeta(name: "g", namespace: "default"),
              selector: LabelSelector(matchLabels: ["app": "gw"]), servers: [])
          ])
      }
      #expect(try await peer.receive(expected: true)?.resources == ["l@2"])
      #expect(server.translationCount == 2)
      try await peer.close()
    }
  }
}
