// SPDX-License-Identifier: Apache-2.0
// A user name and a password, joined by a colon: as a rule lists them, and as a client sends them.
// https://www.rfc-editor.org/rfc/rfc7617#section-2

struct Credentials {
  private let bytes: [UInt8]

  /// Reads `user:password`, or the Base64 of it, which has no colon.
  ///
  /// The error does not repeat what stood there.
  init(_ json: JSON) throws(PluginError) {
    let text = [UInt8](try json.string().utf8)
    guard let bytes = text.contains(UInt8(ascii: ":")) ? text : [UInt8](base64: text),
      bytes.contains(UInt8(ascii: ":"))
    else { throw json.expected("user:password or its Base64") }
    self.bytes = bytes
  }

  private init(decoded bytes: [UInt8]) {
    self.bytes = bytes
  }

  enum Sent {
    case nothing
    case otherScheme
    case malformed
    case basic(Credentials)

    /// Reads an Authorization field.
    ///
    /// Several of them come joined by commas, which Base64 does not have.
    init(authorization: [UInt8]?) {
      guard let field = authorization?.trimmingBlanks, !field.isEmpty else {
        self = .nothing
        return
      }
      let scheme = field.prefix { !$0.isBlank }
      guard scheme.asciiLowercased.elementsEqual("basic".utf8) else {
        self = .otherScheme
        return
      }
      let token = field.dropFirst(scheme.count).trimmingBlanks
      guard let bytes = [UInt8](base64: token), bytes.contains(UInt8(ascii: ":")) else {
        self = .malformed
        return
      }
      self = .basic(Credentials(decoded: bytes))
    }
  }

  /// Compares with what a client sent in a time that depends on nothing but the sent size, so that
  /// answers do not tell how much of a guess was right.
  func match(_ sent: Credentials) -> Bool {
    var difference = bytes.count ^ sent.bytes.count
    for index in sent.bytes.indices {
      difference |= Int(sent.bytes[index] ^ bytes[index % bytes.count])
    }
    return difference == 0
  }
}
