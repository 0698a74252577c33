// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension VirtualService.HTTPMatch {
  private static let schema = Schema(
    fields: [
      "name", "uri", "ignoreUriCase", "method", "authority", "scheme", "headers", "port",
      "gateways",
    ] + conditions, unsupported: ["statPrefix"])
  /// Conditions that this version cannot evaluate.
  private static let conditions = [
    "queryParams", "withoutHeaders", "sourceLabels", "sourceNamespace",
  ]

  /// Reads one entry of `match`; nil also where it has a condition that cannot be evaluated, since
  /// without that condition it would catch requests that it was not written for.
  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.HTTPMatch? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    var match = VirtualService.HTTPMatch()
    match.name = fields.string("name")
    match.uri = fields["uri"].flatMap { .decode($0, problems) }
    match.ignoreURICase = fields.bool("ignoreUriCase")
    match.method = fields["method"].flatMap { .decode($0, problems) }
    match.authority = fields["authority"].flatMap { .decode($0, problems) }
    match.scheme = fields["scheme"].flatMap { .decode($0, problems) }
    if let headers = fields["headers"] {
      if case .object(let members) = headers.value.content {
        for member in members {
          let header = Node(member.value, at: headers.path[member.key])
          if let fault = HeaderName.fault(member.key) {
            problems.error(at: header.path, "the header name \(fault)")
          }
          let isPresence = [.null, .object([])].contains(member.value.content)
          match.headers[member.key] = .some(
            isPresence ? nil : VirtualService.StringMatch.decode(header, problems))
        }
      } else {
        problems.add(headers.expected("an object of conditions by header"))
      }
    }
    match.port = fields.optional("port") { (node) throws(ConfigError) in UInt32(try node.port()) }
    match.gateways = fields.strings("gateways")
    guard let condition = conditions.first(where: fields.has) else { return match }
    problems.warning(
      .unsupported, at: fields.path[condition],
      "is not acted on by this version; the match is left out")
    return nil
  }
}

extension VirtualService.StringMatch {
  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.StringMatch? {
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
        // `*` alone stands for any value of a header, as in Istio.
        if pattern != "*", let fault = RegularExpression.fault(in: pattern) {
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
        || "!#$%&'*+-.^_`|~:@".utf8.contains(byte)
    }
    return isToken ? nil : "\"\(name)\" has a character that is not allowed"
  }
}
