// SPDX-License-Identifier: Apache-2.0
// The name of what is protected, which browsers show with the question for a password.
// https://www.rfc-editor.org/rfc/rfc7235#section-2.2

struct Realm {
  /// As a quoted string.
  let quoted: String

  init() {
    quoted = "\"istio\""
  }

  init(_ json: JSON) throws(PluginError) {
    var quoted: [UInt8] = [UInt8(ascii: "\"")]
    for byte in try json.string().utf8 {
      // A line break would begin a header of its own.
      guard (0x20..<0x7F).contains(byte) else { throw json.expected("printable ASCII text") }
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        quoted.append(UInt8(ascii: "\\"))
      }
      quoted.append(byte)
    }
    quoted.append(UInt8(ascii: "\""))
    self.quoted = String(bytes: quoted)
  }
}
