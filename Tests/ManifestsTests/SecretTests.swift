// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSON
import Manifests
import MeshModel
import Testing

@Suite struct SecretTests {
  private func reading(_ name: String) throws -> ManifestReading {
    let text = try String(
      contentsOf: GoldenCase.fixtures.appending(path: "\(name)/in.yaml"), encoding: .utf8)
    return ManifestReader().read(text: text, file: "in.yaml")
  }

  private func secret(_ name: String) throws -> Secret {
    let object = try #require(
      try reading("Secret/every-form").objects.first { $0.ref.name == name })
    guard case .secret(let secret) = object.value else {
      throw ConfigError(.invalid, reason: "\(object.ref) is no Secret")
    }
    return secret
  }

  private func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }

  @Test func `a TLS Secret has a key pair and roots`() throws {
    let secret = try secret("tls")
    let pair = try #require(secret.keyPair)
    #expect(text(pair.certificateChain).hasPrefix("-----BEGIN CERTIFICATE-----"))
    #expect(text(pair.privateKey.exposed).hasPrefix("-----BEGIN PRIVATE KEY-----"))
    #expect(text(secret.caCertificates).hasPrefix("-----BEGIN CERTIFICATE-----"))
    #expect(
      secret.validities.map(\.path) == [
        FieldPath("stringData", "tls.crt"), FieldPath("stringData", "ca.crt"),
      ])
    #expect(secret.validities.allSatisfy { $0.notBefore < $0.notAfter })
  }

  @Test func `generic names are read like those of the TLS type`() throws {
    let pair = try #require(try secret("generic").keyPair)
    #expect(text(pair.privateKey.exposed).hasPrefix("-----BEGIN PRIVATE KEY-----"))
    let roots = try secret("roots-cacert")
    #expect(roots.keyPair == nil && roots.caCertificates != nil)
  }

  @Test func `a Secret without certificates keeps nothing of its content`() throws {
    let secret = try secret("password")
    #expect(secret.keyPair == nil && secret.caCertificates == nil && secret.validities.isEmpty)
  }

  /// Every line of PEM and of base64 that the file has under a private name, and the password.
  private static let privateText = ["PRIVATE-CONTENT", "hunter2", "aHVudGVyMg=="]

  @Test(arguments: ["Secret/errors", "Secret/every-form"])
  func `nothing that is kept or said has private content`(_ name: String) throws {
    let reading = try reading(name)
    var keyLines = Self.privateText
    for object in reading.objects {
      guard case .secret(let secret) = object.value else { continue }
      let key = text(secret.keyPair?.privateKey.exposed)
      keyLines += key.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("-----") }
      keyLines.append(Data(key.utf8).base64EncodedString())
      // Bytes print as numbers.
      keyLines.append("\(Array(key.utf8).dropFirst(30).prefix(20))")
    }
    var shown = reading.problems.map { "\($0)" }
    for object in reading.objects {
      shown.append(object.json.description)
      shown.append(object.completeJSON.description)
      shown.append("\(object.value)")
      shown.append(String(reflecting: object.value))
      var dumped = ""
      dump(object, to: &dumped)
      shown.append(dumped)
    }
    #expect(keyLines.count >= Self.privateText.count)
    for line in keyLines where line.count > 3 {
      #expect(!shown.contains { $0.contains(line) }, "\(line.prefix(12))…")
    }
  }

  @Test func `an annotation that holds the whole object is not kept`() throws {
    let secret = try secret("applied")
    #expect(
      secret.meta.annotations == [
        "kubectl.kubernetes.io/last-applied-configuration": "[redacted]", "note": "kept",
      ])
    let object = try #require(
      try reading("Secret/every-form").objects.first { $0.ref.name == "applied" })
    #expect(object.json["data"]?["tls.key"] == "[redacted]")
    #expect(object.json["type"] == "kubernetes.io/tls")
  }
}
