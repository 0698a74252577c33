// SPDX-License-Identifier: Apache-2.0
// The plugin's configuration, read once for all streams.

struct Settings {
  /// Nil if responses are not to be touched.
  private(set) var replacements: Replacements?
  /// The beginnings of content types, in lower case.
  private var contentTypes = [[UInt8]("text/".utf8), [UInt8]("application/json".utf8)]
  private(set) var maxRequestBytes = Int.max

  init() {}

  init(_ json: JSON) throws(PluginError) {
    replacements = try json["replacements"].ifPresent.map { json throws(PluginError) in
      try Replacements(json)
    }
    if let list = json["content_types"].ifPresent {
      contentTypes = []
      for item in try list.array() { contentTypes.append(try item.string().utf8.asciiLowercased) }
    }
    let limit = json["max_request_bytes"]
    if limit.ifPresent != nil {
      guard let bytes = Int(exactly: try limit.integer()), bytes >= 0 else {
        throw limit.expected("a number of bytes from 0 to \(Int.max)")
      }
      maxRequestBytes = bytes
    }
    guard replacements != nil || limit.ifPresent != nil else {
      throw json.expected("replacements, max_request_bytes or both")
    }
  }

  func covers(contentType: [UInt8]?) -> Bool {
    let type = contentType?.asciiLowercased ?? []
    return contentTypes.contains { type.starts(with: $0) }
  }
}
