// SPDX-License-Identifier: Apache-2.0

/// Which requests a route of a VirtualService is for: an entry of `http[].match`.
extension VirtualService {
  package enum StringMatch: Hashable, Sendable {
    case exact(String)
    case prefix(String)
    /// RE2 syntax, matched against the whole value.
    case regex(String)
  }

  /// All conditions must hold.
  package struct HTTPMatch: Hashable, Sendable {
    package var name = ""
    package var uri: StringMatch?
    package var ignoreURICase = false
    package var method: StringMatch?
    package var authority: StringMatch?
    package var scheme: StringMatch?
    /// Nil asks only for the presence of the header.
    package var headers: [String: StringMatch?] = [:]
    /// Headers that must not match; nil asks for their absence.
    package var withoutHeaders: [String: StringMatch?] = [:]
    /// Nil asks only for the presence of the parameter.
    package var queryParams: [String: StringMatch?] = [:]
    /// The port that the request came in on.
    package var port: UInt32?
    /// Labels of the workload that the proxy belongs to.
    package var sourceLabels: [String: String] = [:]
    /// The namespace of that workload; empty for any.
    package var sourceNamespace = ""
    /// Empty stands for the gateways of the VirtualService.
    package var gateways: [String] = []
    package var statPrefix = ""
    package init() {}
  }
}

extension VirtualService.StringMatch {
  /// Whether every value that this matches is matched by another, as far as that can be told without
  /// comparing regular expressions: those only contain themselves.
  package func isRefinement(of other: Self) -> Bool {
    switch (self, other) {
    case (_, .regex("*")): true
    case (.exact(let text), .exact(let whole)): text == whole
    case (.exact(let text), .prefix(let prefix)), (.prefix(let text), .prefix(let prefix)):
      text.utf8.starts(with: prefix.utf8)
    case (.regex, .regex): self == other
    default: false
    }
  }
}

extension VirtualService.HTTPMatch {
  /// The conditions of this match and of another at once, or nil where that is not certain to be
  /// narrower than the other.
  ///
  /// The rule for delegates: each condition that both have must be a refinement, as in Istio. For
  /// `withoutHeaders` that is the other way round: it must exclude no less.
  package func refined(from root: Self) -> Self? {
    guard Self.refines(uri, root.uri), Self.refines(scheme, root.scheme),
      Self.refines(method, root.method), Self.refines(authority, root.authority),
      Self.refines(headers, root.headers), Self.refines(queryParams, root.queryParams),
      excludesWhatIsExcluded(by: root),
      uri == nil || root.uri == nil || ignoreURICase == root.ignoreURICase,
      port == nil || root.port == nil || port == root.port,
      sourceNamespace.isEmpty || root.sourceNamespace.isEmpty
        || sourceNamespace == root.sourceNamespace,
      sourceLabels.allSatisfy({ root.sourceLabels[$0] ?? $1 == $1 }),
      gateways.isEmpty || root.gateways.isEmpty || Set(gateways).isSubset(of: root.gateways)
    else { return nil }
    var match = self
    match.name = Self.joined(root.name, name)
    if uri == nil { (match.uri, match.ignoreURICase) = (root.uri, root.ignoreURICase) }
    match.scheme = scheme ?? root.scheme
    match.method = method ?? root.method
    match.authority = authority ?? root.authority
    // A delegate that only asks for presence gets the root's condition, which implies it.
    match.headers.merge(root.headers) { own, root in own ?? root }
    match.withoutHeaders.merge(root.withoutHeaders) { own, _ in own }
    match.queryParams.merge(root.queryParams) { own, root in own ?? root }
    match.port = port ?? root.port
    match.sourceLabels.merge(root.sourceLabels) { own, _ in own }
    if sourceNamespace.isEmpty { match.sourceNamespace = root.sourceNamespace }
    if gateways.isEmpty { match.gateways = root.gateways }
    if statPrefix.isEmpty { match.statPrefix = root.statPrefix }
    return match
  }

  /// The name of what a root and a delegate say together: `root-delegate`.
  package static func joined(_ root: String, _ delegate: String) -> String {
    root.isEmpty || delegate.isEmpty ? root + delegate : "\(root)-\(delegate)"
  }

  private static func refines(
    _ match: VirtualService.StringMatch?, _ root: VirtualService.StringMatch?
  ) -> Bool {
    guard let match, let root else { return true }
    return match.isRefinement(of: root)
  }

  private static func refines(
    _ matches: [String: VirtualService.StringMatch?], _ roots: [String: VirtualService.StringMatch?]
  ) -> Bool {
    matches.allSatisfy { name, match in refines(match, roots[name] ?? nil) }
  }

  private func excludesWhatIsExcluded(by root: Self) -> Bool {
    root.withoutHeaders.allSatisfy { name, excluded in
      // Nil excludes every value.
      guard let own = withoutHeaders[name], let own else { return true }
      return excluded?.isRefinement(of: own) ?? false
    }
  }
}
