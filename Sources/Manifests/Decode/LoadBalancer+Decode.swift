// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

extension LoadBalancer {
  private static let schema = Schema(fields: [
    "simple", "consistentHash", "localityLbSetting", "warmupDurationSecs", "warmup",
  ])

  static func decode(_ node: Node, _ problems: Problems) -> LoadBalancer? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    fields.exclusive("simple", "consistentHash")
    var balancer = LoadBalancer()
    let simple = fields.optional("simple") { (node) throws(ConfigError) in
      try node.enumeration(Simple.self)
    }
    if let simple { balancer.algorithm = .simple(simple) }
    if let hash = fields["consistentHash"].flatMap({ ConsistentHash.decode($0, problems) }) {
      balancer.algorithm = .consistentHash(hash)
    }
    balancer.locality = fields["localityLbSetting"].flatMap {
      LocalityLoadBalancing.decode($0, problems)
    }
    fields.exclusive("warmup", "warmupDurationSecs")
    if let duration = fields.duration("warmupDurationSecs", atLeast: .milliseconds(1)) {
      balancer.warmUp = WarmUp(duration: duration)
    } else if let warmUp = fields["warmup"] {
      balancer.warmUp = WarmUp.decode(warmUp, problems)
    }
    if balancer.warmUp != nil {
      switch balancer.algorithm {
      case .consistentHash, .simple(.random), .simple(.passthrough):
        problems.warning(
          .invalid, at: fields.path[fields.has("warmup") ? "warmup" : "warmupDurationSecs"],
          "has effect only with ROUND_ROBIN and LEAST_REQUEST")
      case .simple: break
      }
    }
    return balancer
  }
}

extension LoadBalancer.WarmUp {
  private static let schema = Schema(fields: ["duration", "minimumPercent", "aggression"])

  fileprivate static func decode(_ node: Node, _ problems: Problems) -> LoadBalancer.WarmUp? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    if !fields.has("duration") {
      problems.error(.required, at: fields.path["duration"], "is required")
    }
    guard let duration = fields.duration("duration", atLeast: .milliseconds(1)) else { return nil }
    var warmUp = LoadBalancer.WarmUp(duration: duration)
    warmUp.minimumPercent = fields.percent("minimumPercent")
    warmUp.aggression = fields.optional("aggression") { (node) throws(ConfigError) in
      let number = node["value"] ?? node
      guard case .number(let value) = number.value.content, let factor = Double(value.text),
        factor >= 1
      else { throw number.expected("a number from 1") }
      return factor
    }
    return warmUp
  }
}

extension ConsistentHash {
  private static let keys = [
    "httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName",
  ]
  private static let schema = Schema(fields: keys + ["ringHash", "maglev", "minimumRingSize"])
  private static let cookieSchema = Schema(fields: ["name", "path", "ttl", "attributes"])
  /// What Envoy takes.
  private static let largestRing: UInt64 = 8_388_608
  private static let largestTable: UInt64 = 5_000_011

  fileprivate static func decode(_ node: Node, _ problems: Problems) -> ConsistentHash? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    guard let key = key(fields) else { return nil }
    fields.exclusive("ringHash", "maglev", "minimumRingSize")
    var hash = ConsistentHash(key)
    let ringSize = { (node: Node) throws(ConfigError) in
      try node.integer(UInt64.self, in: 0...largestRing)
    }
    if let maglev = fields.object("maglev", Schema(fields: ["tableSize"])) {
      let size = maglev.optional("tableSize") { (node) throws(ConfigError) in
        let size = try node.integer(UInt64.self, in: 0...largestTable)
        guard size == 0 || isPrime(size) else { throw node.expected("a prime number") }
        return size
      }
      hash.table = .maglev(size: size ?? 0)
    } else {
      let size =
        fields.object("ringHash", Schema(fields: ["minimumRingSize"]))?
        .optional("minimumRingSize", ringSize) ?? fields.optional("minimumRingSize", ringSize) ?? 0
      hash.table = .ring(minimumSize: size == 0 ? defaultRing : size)
    }
    return hash
  }

  private static func key(_ fields: Fields) -> Key? {
    let problems = fields.problems
    let written = keys.filter(fields.has)
    guard written.count == 1, let name = written.first else {
      problems.error(
        written.isEmpty ? .required : .conflict, at: fields.path,
        "expected exactly one of \(keys.joined(separator: ", ")), found "
          + (written.isEmpty ? "none" : written.joined(separator: ", ")))
      return nil
    }
    let text = { (node: Node) throws(ConfigError) in try node.text() }
    switch name {
    case "httpHeaderName": return fields.optional(name, text).map(Key.header)
    case "httpQueryParameterName": return fields.optional(name, text).map(Key.queryParameter)
    case "useSourceIp":
      if fields.bool(name) { return .sourceIP }
      problems.error(at: fields.path[name], "expected true, or another key")
      return nil
    default: return fields.object(name, cookieSchema).flatMap(cookie).map(Key.cookie)
    }
  }

  private static func cookie(_ fields: Fields) -> Cookie? {
    let name = fields.required("name") { (node) throws(ConfigError) in try node.text() }
    guard let name else { return nil }
    var cookie = Cookie(name: name)
    cookie.path = fields.string("path")
    cookie.ttl = fields.duration("ttl", atLeast: .zero)
    cookie.attributes = fields.each("attributes") { node in
      guard let attribute = Fields(node, Schema(fields: ["name", "value"]), fields.problems),
        let name = attribute.required("name", { (node) throws(ConfigError) in try node.text() })
      else { return nil }
      return Cookie.Attribute(name: name, value: attribute.string("value"))
    }
    return cookie
  }

  private static func isPrime(_ number: UInt64) -> Bool {
    guard number > 1 else { return false }
    var divisor: UInt64 = 2
    while divisor * divisor <= number {
      if number % divisor == 0 { return false }
      divisor += 1
    }
    return true
  }
}
