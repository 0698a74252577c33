// SPDX-License-Identifier: Apache-2.0
// One entry of basic_auth_rules: which requests it covers, and whom it lets in.

struct Rule {
  private let path: PathPattern
  private let methods: [[UInt8]]
  private let hosts: [HostPattern]
  private let credentials: [Credentials]

  init(_ json: JSON) throws(PluginError) {
    path = try PathPattern(rule: json)
    methods = try Self.list(json["request_methods"]) { item throws(PluginError) in
      let method = try item.string().utf8.asciiLowercased
      guard !method.isEmpty else { throw item.expected("a method, such as GET") }
      return method
    }
    credentials = try Self.list(json["credentials"]) { item throws(PluginError) in
      try Credentials(item)
    }
    var hosts: [HostPattern] = []
    if let list = json["hosts"].ifPresent {
      for host in try list.array() { hosts.append(try HostPattern(host)) }
    }
    self.hosts = hosts
  }

  private static func list<Element>(
    _ json: JSON, _ read: (JSON) throws(PluginError) -> Element
  ) throws(PluginError) -> [Element] {
    var elements: [Element] = []
    for item in try json.array() { elements.append(try read(item)) }
    guard !elements.isEmpty else { throw json.expected("at least one entry") }
    return elements
  }

  /// Whether the request needs this rule's credentials.
  func covers(_ request: Request) -> Bool {
    methods.contains { $0.elementsEqual(request.method) }
      && (hosts.isEmpty || request.host.map { host in hosts.contains { $0.covers(host) } } ?? true)
      && path.covers(request.readings)
  }

  /// Looks at every entry, so that the time does not tell which one it was.
  func accepts(_ sent: Credentials) -> Bool {
    var accepted = false
    for entry in credentials where entry.match(sent) { accepted = true }
    return accepted
  }

  /// What rules look at.
  struct Request {
    let method: [UInt8]
    /// Nil if there is none, which every host pattern covers.
    let host: [UInt8]?
    let readings: PathReadings

    init(_ headers: HeaderMap) {
      method = headers.bytes(of: ":method")?.asciiLowercased ?? []
      host = headers.bytes(of: ":authority").map { HostPattern.hostname(authority: $0) }
      readings = PathReadings(target: headers.bytes(of: ":path"))
    }
  }
}
