// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension VirtualService {
  /// Warns of routes and matches that no request reaches, since earlier ones take them all.
  ///
  /// Linear in the number of matches: equal ones are found by their hash, and prefixes by looking up
  /// the beginnings of each path.
  func warnOfUnreachableRoutes(_ problems: Problems) {
    var first: [HTTPMatch: FieldPath] = [:]
    var prefixes: [String: FieldPath] = [:]
    var catchAll: FieldPath?
    for route in http {
      if let catchAll {
        problems.warning(
          .conflict, at: route.path, "is never reached: \(catchAll) matches every request")
        continue
      }
      // What of its requests a delegate takes is not written here.
      if case .delegate = route.action { continue }
      guard !route.matches.isEmpty else {
        catchAll = route.path
        continue
      }
      for (index, match) in route.matches.enumerated() {
        let path = route.path["match"][index]
        if let catchAll {
          problems.warning(
            .conflict, at: path, "is never reached: \(catchAll) matches every request")
          continue
        }
        // Names and statistics do not select.
        var condition = match
        (condition.name, condition.statPrefix) = ("", "")
        if let earlier = first[condition] ?? Self.covering(match, in: prefixes) {
          problems.warning(
            .conflict, at: path, "is never reached: \(earlier) matches the same requests")
          continue
        }
        first[condition] = path
        guard case .prefix(let prefix)? = match.uri, match.isOnlyPath else { continue }
        if prefix == "/" { catchAll = path } else { prefixes[prefix] = path }
      }
    }
  }

  /// An earlier prefix that begins a path; the length of paths is bounded, so this is, too.
  private static func covering(
    _ match: HTTPMatch, in prefixes: [String: FieldPath]
  ) -> FieldPath? {
    guard !prefixes.isEmpty, !match.ignoreURICase else { return nil }
    let text: String
    switch match.uri {
    case .exact(let path), .prefix(let path): text = path
    case .regex, nil: return nil
    }
    return text.indices.prefix(256).lazy.compactMap { prefixes[String(text[...$0])] }.first
  }
}

extension VirtualService.HTTPMatch {
  /// Whether it asks for nothing but a path, with regard to case.
  fileprivate var isOnlyPath: Bool {
    var path = VirtualService.HTTPMatch()
    (path.uri, path.name, path.statPrefix) = (uri, name, statPrefix)
    return self == path
  }
}
