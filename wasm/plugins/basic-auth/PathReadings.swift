// SPDX-License-Identifier: Apache-2.0
// What a path might mean to the server behind the proxy. A rule for /admin must hold for whatever
// reaches /admin there: `//admin`, `/x/../admin`, `/%61dmin`, `/x;y/..\admin`, `/ADMIN`. Which of
// them do is for the server to know, and the proxy may not have normalised anything, so a rule
// covers a request if it covers any reading of its path. Asking for a password once too often is
// the harm of being wrong.

struct PathReadings {
  /// Decoded so often, a path that still has escapes has them to get past somebody.
  private static let decodings = 3

  /// In lower case, without the query; nil if the target could mean any path.
  let paths: [[UInt8]]?

  init(target: [UInt8]?) {
    guard let target, target.first == UInt8(ascii: "/"), !target.contains(UInt8(ascii: "#")) else {
      paths = nil
      return
    }
    var path = target.prefix { $0 != UInt8(ascii: "?") }.asciiLowercased
    var readings = [path]
    for _ in 0...Self.decodings {
      let resolved = Self.resolved(path)
      if resolved != path { readings.append(resolved) }
      if resolved.count > 1 { readings.append(resolved + [UInt8(ascii: "/")]) }
      let decoded = Self.decoded(path)
      guard decoded != path else {
        paths = readings
        return
      }
      path = decoded
      readings.append(path)
      let query = path.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
      if query.count < path.count { readings.append([UInt8](query)) }
    }
    paths = nil
  }

  /// Percent-decoded once, in lower case; what is no escape stays as it is.
  static func decoded(_ path: [UInt8]) -> [UInt8] {
    guard path.contains(UInt8(ascii: "%")) else { return path }
    var result: [UInt8] = []
    result.reserveCapacity(path.count)
    var index = 0
    while index < path.count {
      if path[index] == UInt8(ascii: "%"), index + 2 < path.count,
        let high = path[index + 1].hexDigit, let low = path[index + 2].hexDigit
      {
        result.append((high << 4 | low).asciiLowercased)
        index += 3
      } else {
        result.append(path[index])
        index += 1
      }
    }
    return result
  }

  /// Without parameters (`;v=1`), empty segments, dot segments and a closing slash; backslashes
  /// count as slashes.
  private static func resolved(_ path: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for segment in path.split(whereSeparator: {
      $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\")
    }) {
      let name = segment.prefix { $0 != UInt8(ascii: ";") }
      if name.elementsEqual("..".utf8) {
        while let last = result.popLast(), last != UInt8(ascii: "/") {}
      } else if !name.isEmpty, !name.elementsEqual(".".utf8) {
        result.append(UInt8(ascii: "/"))
        result.append(contentsOf: name)
      }
    }
    return result.isEmpty ? [UInt8(ascii: "/")] : result
  }
}
