// SPDX-License-Identifier: Apache-2.0

import MeshModel
import XDS

/// What an Envoy does with ADS, as far as it matters to a server, checking what it gets.
///
/// Resources are texts: `name@number`, then `!` if Envoy refuses them, then `:cluster` if they refer
/// to a cluster. Responses wait in `inbox` until they are processed, requests in `outbox` until they
/// are delivered, so messages cross.
struct EnvoyModel {
  private(set) var held: [TypeURL: [String: String]] = [:]
  private(set) var names: [TypeURL: Set<String>] = [:]
  private(set) var broken: [String] = []
  var inbox: [Message] = []
  var outbox: [DiscoveryRequest] = []
  private var nonces: [TypeURL: Nonce] = [:]
  private var versions: [TypeURL: String] = [:]

  struct Message {
    var typeURL: TypeURL
    var version: String
    var nonce: Nonce
    var resources: [String]
    /// Whether it answers a new subscription, so that it waited for no cluster.
    var isFirst: Bool
  }

  static func name(of text: String) -> String { String(text.prefix { $0 != "@" }) }
  static func isBad(_ text: String) -> Bool { text.contains("!") }

  static func cluster(of text: String) -> String? {
    text.firstIndex(of: ":").map { String(text[text.index(after: $0)...]) }
  }

  /// Opens a stream: every type that was ever wanted is asked for, with the versions that it has.
  mutating func connect() {
    inbox = []
    outbox = []
    nonces = [:]
    for typeURL in [TypeURL.cluster, .listener] { request(typeURL) }
    for typeURL in [TypeURL.endpoint, .route, .extensionConfig] where names[typeURL] != nil {
      request(typeURL)
    }
  }

  mutating func want(_ typeURL: TypeURL, _ wanted: Set<String>) {
    for name in held[typeURL, default: [:]].keys where !wanted.contains(name) {
      held[typeURL]?[name] = nil
      // In truth names follow the listeners, and versions are bound to those; here they just change.
      if typeURL != .endpoint { versions[typeURL] = nil }
    }
    names[typeURL] = wanted
    request(typeURL)
  }

  /// Processes the oldest response, answers it, and says how.
  mutating func process(_ message: Message) -> Bool {
    let typeURL = message.typeURL
    nonces[typeURL] = message.nonce
    let bad = message.resources.first(where: Self.isBad)
    if typeURL.isFullState {
      applyAll(message)
    } else {
      for text in message.resources {
        if Self.isBad(text) { break }
        guard names[typeURL]?.contains(Self.name(of: text)) ?? false else { continue }
        checkClusters(of: text, message)
        held[typeURL, default: [:]][Self.name(of: text)] = text
      }
    }
    if bad == nil { versions[typeURL] = message.version }
    // Envoy names the culprit, except for some types.
    let names = typeURL != .extensionConfig
    request(typeURL, error: bad.map { names ? "error in \(Self.name(of: $0)): bad" : "bad" })
    return bad == nil
  }

  private mutating func applyAll(_ message: Message) {
    let typeURL = message.typeURL
    let former = held[typeURL, default: [:]]
    var current: [String: String] = [:]
    for text in message.resources {
      let name = Self.name(of: text)
      current[name] = Self.isBad(text) ? former[name] : text
      if !Self.isBad(text) && former[name] != text { checkClusters(of: text, message) }
    }
    held[typeURL] = current
    guard typeURL == .cluster else { return }
    // What it holds from an earlier stream, no server can know.
    for (type, resources) in held where type != .cluster && !message.isFirst {
      for text in resources.values {
        guard let cluster = Self.cluster(of: text), former[cluster] != nil else { continue }
        if current[cluster] == nil { broken.append("\(text) lost its cluster") }
      }
    }
    // Changed clusters warm: they need their endpoints again.
    let warming = current.filter { former[$0.key] != $0.value }.keys
    for name in warming { held[.endpoint]?[name] = nil }
    if names[.endpoint] != Set(current.keys) || !warming.isEmpty {
      want(.endpoint, Set(current.keys))
    }
  }

  private mutating func checkClusters(of text: String, _ message: Message) {
    guard !message.isFirst, let cluster = Self.cluster(of: text) else { return }
    if held[.cluster]?[cluster] == nil { broken.append("\(text) came before its cluster") }
  }

  private mutating func request(_ typeURL: TypeURL, error: String? = nil) {
    outbox.append(
      DiscoveryRequest(
        typeURL: typeURL, versionInfo: versions[typeURL] ?? "",
        resourceNames: names[typeURL, default: []].sorted(), responseNonce: nonces[typeURL],
        errorDetail: error))
  }
}
