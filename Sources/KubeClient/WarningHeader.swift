// SPDX-License-Identifier: Apache-2.0

/// A `Warning` header as Kubernetes sends it: `299 - "text"`.
enum WarningHeader {
  /// The text; nil for what has another form.
  static func text(_ header: String) -> String? {
    guard let open = header.firstIndex(of: "\"") else { return nil }
    var text = ""
    var isEscaped = false
    for character in header[header.index(after: open)...] {
      if isEscaped {
        text.append(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        return text
      } else {
        text.append(character)
      }
    }
    return nil
  }
}
