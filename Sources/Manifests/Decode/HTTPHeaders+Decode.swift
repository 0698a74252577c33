// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension VirtualService.Headers {
  /// Reads `headers` of a route or of one of its destinations.
  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.Headers {
    var headers = VirtualService.Headers()
    guard let fields = Fields(node, Schema(fields: ["request", "response"]), problems) else {
      return headers
    }
    headers.request = operations(fields, "request")
    headers.response = operations(fields, "response")
    return headers
  }

  private static func operations(
    _ fields: Fields, _ name: String
  ) -> VirtualService.HeaderOperations {
    var operations = VirtualService.HeaderOperations()
    guard let fields = fields.object(name, Schema(fields: ["set", "add", "remove"])) else {
      return operations
    }
    let problems = fields.problems
    // The authority of a request is rewritten, which is no change of a header.
    let mayRewriteAuthority = name == "request"
    func map(_ name: String) -> [String: String] {
      let map =
        fields.optional(name) { (node) throws(ConfigError) in try node.stringMap() } ?? [:]
      for (header, value) in map.sorted(by: { $0.key < $1.key }) {
        let path = fields.path[name][header]
        if let fault = fault(ofName: header, mayRewriteAuthority) {
          problems.error(at: path, fault)
        } else if let fault = HeaderFormat.fault(in: value) {
          problems.error(at: path, fault)
        }
      }
      return map
    }
    operations.set = map("set")
    operations.add = map("add")
    operations.remove = fields.strings("remove")
    for (index, header) in operations.remove.enumerated() {
      if let fault = fault(ofName: header, false) {
        problems.error(at: fields.path["remove"][index], fault)
      }
    }
    return operations
  }

  private static func fault(ofName name: String, _ mayRewriteAuthority: Bool) -> String? {
    if let fault = HeaderName.fault(name) { return "the header name \(fault)" }
    if VirtualService.Headers.isAuthority(name) {
      return mayRewriteAuthority ? nil : "\(name) cannot be changed here"
    }
    return name.hasPrefix(":") ? "the pseudo-header \(name) cannot be changed" : nil
  }
}

/// The values that Envoy gives to headers: text, with `%COMMAND(parameters):length%` in it.
///
/// One bad value would make Envoy refuse all routes of a listener.
/// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators
enum HeaderFormat {
  static func fault(in value: String) -> String? {
    if value.utf8.contains(where: { $0 == 0 || $0 == 0x0A || $0 == 0x0D }) {
      return "a header value may not have line breaks or NUL"
    }
    var rest = Substring(value)
    while let percent = rest.firstIndex(of: "%") {
      rest = rest[percent...].dropFirst()
      if rest.hasPrefix("%") {
        rest = rest.dropFirst()
        continue
      }
      guard let end = endOfCommand(rest) else {
        return "\"\(value)\" has a % that begins no command such as %START_TIME%; write %% for a "
          + "percent sign"
      }
      rest = rest[end...]
    }
    return nil
  }

  /// The place behind the closing `%` of a command that begins the text.
  private static func endOfCommand(_ text: Substring) -> Substring.Index? {
    let name = text.prefix { $0.isASCII && ($0.isUppercase || $0.isNumber || $0 == "_") }
    guard !name.isEmpty else { return nil }
    var rest = text[name.endIndex...]
    if rest.hasPrefix("(") {
      guard let close = rest.firstIndex(of: ")") else { return nil }
      rest = rest[close...].dropFirst()
    }
    if rest.hasPrefix(":") {
      let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
      guard !digits.isEmpty else { return nil }
      rest = rest[digits.endIndex...]
    }
    return rest.hasPrefix("%") ? rest.index(after: rest.startIndex) : nil
  }
}
