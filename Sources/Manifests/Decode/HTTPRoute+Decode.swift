// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

extension VirtualService.HTTPRoute {
  private static let schema = Schema(
    fields: [
      "name", "match", "route", "redirect", "directResponse", "delegate", "rewrite", "timeout",
      "retries", "fault", "mirror", "mirrors", "mirrorPercent", "mirrorPercentage", "corsPolicy",
      "headers",
      // No field of Istio's, but written in many places: a provider that the route runs.
      "wasm",
    ])

  /// Reads one entry of `http`.
  static func decode(_ node: Node, index: Int, _ problems: Problems) -> VirtualService.HTTPRoute? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let action = self.action(fields)
    let matches = fields.each("match") { VirtualService.HTTPMatch.decode($0, problems) }
    guard let action else { return nil }
    var route = VirtualService.HTTPRoute(index: index, action: action)
    route.name = fields.string("name")
    route.matches = matches
    route.rewrite = fields["rewrite"].flatMap { .decode($0, problems) }
    route.timeout = fields.timeout("timeout")
    route.retries = fields["retries"].flatMap { .decode($0, problems) }
    route.fault = fields["fault"].flatMap { .decode($0, problems) }
    route.mirrors = VirtualService.Mirror.decode(fields)
    route.corsPolicy = fields["corsPolicy"].flatMap { .decode($0, problems) }
    if let headers = fields["headers"] { route.headers = .decode(headers, problems) }
    route.plugins = PluginReference.list(fields)
    route.validate(fields)
    return route
  }

  private static func action(_ fields: Fields) -> VirtualService.Action? {
    let problems = fields.problems
    let known = ["route", "redirect", "directResponse", "delegate"]
    let actions = known.filter(fields.has)
    guard actions.count == 1, let name = actions.first, let node = fields[name] else {
      problems.error(
        actions.isEmpty ? .required : .conflict, at: fields.path,
        "expected exactly one of \(known.joined(separator: ", ")), found "
          + (actions.isEmpty ? "none" : actions.joined(separator: ", ")))
      return nil
    }
    switch name {
    case "redirect":
      return VirtualService.Redirect.decode(node, problems).map(VirtualService.Action.redirect)
    case "directResponse":
      return VirtualService.DirectResponse.decode(node, problems)
        .map(VirtualService.Action.directResponse)
    case "delegate":
      let delegate = fields.object(name, Schema(fields: ["name", "namespace"]))
      let target = delegate?.required("name") { (node) throws(ConfigError) in try node.text() }
      return target.map { .delegate(name: $0, namespace: delegate?.string("namespace") ?? "") }
    default:
      let destinations = fields.each("route") {
        VirtualService.WeightedDestination.decode($0, problems)
      }
      let count = fields.count(name)
      if fields.isMissingOrEmpty(name) {
        problems.error(.required, at: node.path, "expected at least one destination")
      } else if destinations.count > 1, destinations.count == count,
        destinations.allSatisfy({ $0.weight == 0 })
      {
        problems.error(at: node.path, "the weights add up to 0; give one a weight above 0")
      }
      return .route(destinations)
    }
  }
}

extension Fields {
  /// A timeout: at least a millisecond, or 0s.
  ///
  /// Istio refuses 0s, but an author who writes it can only mean "none".
  func timeout(_ name: String) -> Duration? {
    optional(name) { (node) throws(ConfigError) in
      let timeout = try node.duration()
      guard timeout == .zero || timeout >= .milliseconds(1) else {
        throw node.expected("0s or at least 1ms")
      }
      return timeout
    }
  }

  /// `{value: 12.5}`: a percentage.
  func fraction(_ name: String) -> VirtualService.Fraction? {
    guard has(name), let fields = object(name, Schema(fields: ["value"])) else { return nil }
    guard fields.has("value") else { return VirtualService.Fraction(millionths: 0) }
    let percent = fields.optional("value") { (node) throws(ConfigError) in try node.percent() }
    if let percent, percent > 0, percent < 0.0001 {
      problems.error(at: fields.path["value"], "expected 0 or at least 0.0001, found \(percent)")
    }
    return percent.map(VirtualService.Fraction.init(percent:))
  }

  /// A percentage as a whole number: the form that Istio has deprecated.
  func wholePercent(_ name: String) -> VirtualService.Fraction? {
    let percent = optional(name) { (node) throws(ConfigError) in
      try node.integer(UInt32.self, in: 0...100)
    }
    return percent.map { VirtualService.Fraction(millionths: $0 * 10_000) }
  }

  /// A text that goes into a header; empty where it is missing.
  func line(_ name: String) -> String {
    optional(name) { (node) throws(ConfigError) in try node.line() } ?? ""
  }
}

extension Node {
  /// A string without line breaks and NUL, which Envoy refuses in what goes into a header.
  func line() throws(ConfigError) -> String {
    let text = try string()
    if text.utf8.contains(where: { $0 == 0 || $0 == 0x0A || $0 == 0x0D }) {
      throw invalid("expected a string without line breaks and NUL")
    }
    return text
  }

  /// A number from 0 to 100.
  func percent() throws(ConfigError) -> Double {
    guard case .number(let number) = value.content, (0...100).contains(number.doubleValue) else {
      throw expected("a number from 0 to 100")
    }
    return number.doubleValue
  }
}
