// SPDX-License-Identifier: Apache-2.0

import Foundation
import MeshTesting
import Testing

/// The transcripts in Fixtures, one rule each, against the bare state of a stream.
@Suite struct ScriptTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Fixtures")

  @Test(arguments: try ADSScript.all(in: fixtures))
  func `happens as written`(_ script: ADSScript) async throws {
    var peer = StreamPeer()
    let transcript = try await script.transcript(with: &peer)
    #expect(transcript == script.text, "it happened:\n\(transcript)")
  }

  @Test(arguments: try ADSScript.all(in: fixtures.appending(path: "RetryingAtOnce")))
  func `with suspects retried at once, happens as written`(_ script: ADSScript) async throws {
    var peer = StreamPeer(retriesSuspectsAtOnce: true)
    let transcript = try await script.transcript(with: &peer)
    #expect(transcript == script.text, "it happened:\n\(transcript)")
  }
}
