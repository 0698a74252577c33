// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension VirtualService.HTTPMatch {
  private static let schema = Schema(
    fields: [
      "name", "uri", "ignoreUriCase", "method", "authority", "scheme", "headers", "withoutHeaders",
      "queryParams", "port", "sourceLabels", "sourceNamespace", "gateways", "statPrefix",
    ])

  /// Reads one entry of `match`.
  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.HTTPMatch? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    var match = VirtualService.HTTPMatch()
    match.name = fields.string("name")
    match.uri = fields["uri"].flatMap { .decode($0, problems) }
    match.ignoreURICase = fields.bool("ignoreUriCase")
    match.method = fields["method"].flatMap { .decode($0, problems) }
    match.authority = fields["authority"].flatMap { .decode($0, problems) }
    match.scheme = fields["scheme"].flatMap { .decode($0, problems) }
    match.headers = conditions(fields, "headers", checkHeader)
    match.withoutHeaders = conditions(fields, "withoutHeaders", checkHeader)
    match.queryParams = conditions(fields, "queryParams") { name, path, problems in
      if name.isEmpty { problems.error(at: path, "the name of a parameter may not be empty") }
    }
    match.port = fields.optional("port") { (node) throws(ConfigError) in UInt32(try node.port()) }
    match.sourceLabels =
      fields.optional("sourceLabels") { (node) throws(ConfigError) in try node.stringMap() } ?? [:]
    match.sourceNamespace = fields.string("sourceNamespace")
    match.gateways = fields.strings("gateways")
    match.statPrefix = fields.string("statPrefix")
    return match
  }

  /// Conditions by name; one without content asks for presence.
  private static func conditions(
    _ fields: Fields, _ name: String, _ check: (String, FieldPath, Problems) -> Void
  ) -> [String: VirtualService.StringMatch?] {
    guard let node = fields[name] else { return [:] }
    guard case .object(let members) = node.value.content else {
      fields.problems.add(node.expected("an object of conditions by name"))
      return [:]
    }
    var conditions: [String: VirtualService.StringMatch?] = [:]
    for member in members {
      let condition = Node(member.value, at: node.path[member.key])
      check(member.key, condition.path, fields.problems)
      let isPresence = [.null, .object([])].contains(member.value.content)
      conditions[member.key] = .some(
        isPresence
          ? nil : VirtualService.StringMatch.decode(condition, mayBeAny: true, fields.problems))
    }
    return conditions
  }

  private static func checkHeader(_ name: String, at path: FieldPath, _ problems: Problems) {
    if name.hasPrefix(JWTClaim.prefix) {
      if JWTClaim(header: name) == nil {
        problems.error(
          at: path, "expected a claim as \(JWTClaim.prefix).name or \(JWTClaim.prefix)[name]")
      }
    } else if let fault = HeaderName.fault(name) {
      problems.error(at: path, "the header name \(fault)")
    }
  }
}

extension VirtualService.StringMatch {
  /// Reads a condition on a text; where it `mayBeAny`, `regex: "*"` stands for any value, as in
  /// Istio, and elsewhere it is a mistake.
  static func decode(
    _ node: Node, mayBeAny: Bool = false, _ problems: Problems
  ) -> VirtualService.StringMatch? {
    let forms = ["exact", "prefix", "regex"]
    guard let fields = Fields(node, Schema(fields: forms), problems) else { return nil }
    let written = forms.filter(fields.has)
    guard written.count == 1, let form = written.first else {
      problems.error(
        written.isEmpty ? .required : .conflict, at: node.path,
        "expected exactly one of exact, prefix, regex, found "
          + (written.isEmpty ? "none" : written.joined(separator: ", ")))
      return nil
    }
    return fields.optional(form) { (node) throws(ConfigError) -> VirtualService.StringMatch in
      switch form {
      case "exact": return .exact(try node.string())
      case "prefix": return .prefix(try node.text())
      default:
        let pattern = try node.text()
        if mayBeAny, pattern == "*" { return .regex(pattern) }
        if let fault = RegularExpression.fault(in: pattern) {
          throw node.expected("a regular expression in RE2 syntax", remedy: ": \(fault)")
        }
        return .regex(pattern)
      }
    }
  }
}

/// The rules for names of HTTP headers (RFC 9110, section 5.1).
enum HeaderName {
  static func fault(_ name: String) -> String? {
    if name.isEmpty { return "is empty" }
    let isToken = name.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || "!#$%&'*+-.^_`|~:".utf8.contains(byte)
    }
    guard isToken, !name.dropFirst().contains(":"), name != ":" else {
      return "\"\(name)\" has a character that is not allowed"
    }
    return nil
  }
}
