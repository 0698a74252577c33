// SPDX-License-Identifier: Apache-2.0

import APIServer
import Foundation
import Testing

@Suite struct BearerTokensTests {
  private func tokens(_ text: String) throws -> BearerTokens {
    let file = NSTemporaryDirectory() + "skiff-tokens-\(UUID().uuidString)"
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }
    return try BearerTokens(file: file)
  }

  @Test func `each line is a token`() throws {
    let tokens = try tokens("# for deploys\n0123456789abcdef\n\n fedcba9876543210 \n")
    #expect(tokens.allow(authorization: "Bearer 0123456789abcdef"))
    #expect(tokens.allow(authorization: "bearer fedcba9876543210"))
    #expect(!tokens.allow(authorization: "Bearer 0123456789abcdeg"))
    #expect(!tokens.allow(authorization: "Basic 0123456789abcdef"))
    #expect(!tokens.allow(authorization: "Bearer # for deploys"))
    #expect(!tokens.allow(authorization: nil))
  }

  @Test func `a file without a token, or with a short one, is refused`() {
    #expect(throws: TokenFileFault.self) { try tokens("# none\n") }
    #expect(throws: TokenFileFault.self) { try tokens("secret\n") }
  }
}
