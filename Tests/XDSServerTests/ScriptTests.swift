// SPDX-License-Identifier: Apache-2.0

import Foundation
import MeshTesting
import Testing

/// The transcripts of XDSTests, unchanged, over gRPC on a socket.
@Suite struct ScriptTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "XDSTests/Fixtures")

  /// Before the first snapshot a server refuses streams; only the bare state can be asked then.
  private static func scripts() throws -> [ADSScript] {
    try ADSScript.all(in: fixtures).filter { $0.name != "before-the-first-snapshot" }
  }

  @Test(arguments: try scripts())
  func `happens as written`(_ script: ADSScript) async throws {
    try await RunningServer.with { server in
      var peer = try await LoopbackPeer(server: server)
      let transcript = try await script.transcript(with: &peer)
      #expect(transcript == script.text, "it happened:\n\(transcript)")
      try await peer.close()
    }
  }
}
