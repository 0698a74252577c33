// SPDX-License-Identifier: Apache-2.0

import MeshModel
import XDS

/// One random history of a stream and its Envoy, with the invariants of the server's side.
struct History {
  private(set) var envoy = EnvoyModel()
  private(set) var violations: [String] = []
  /// What happened, in the form of an ADS script, to read when something is wrong.
  private(set) var log: [String] = []
  var publishesBad = true
  private var random: SeededGenerator
  private var state: StreamState
  private let retriesAtOnce: Bool
  private var streamCount = 0
  private var revision: UInt64 = 0
  private var snapshot: ResourceSnapshot?
  private var texts: [TypeURL: [String: String]] = [:]
  private let now = ContinuousClock.now

  /// By type: the nonce of the unanswered response.
  private var unanswered: [TypeURL: Nonce] = [:]
  /// By type and name: bytes that the server knows to be there, or refused; gone where it may resend.
  private var accepted: [TypeURL: [String: String]] = [:]
  private var refused: [TypeURL: [String: String]] = [:]
  /// Clusters that were sent anew, until their endpoints are.
  private var warming: Set<String> = []
  /// Names that the client dropped, as an overtaken request showed.
  private var forgotten: [TypeURL: Set<String>] = [:]
  /// The types that something was sent of, since they were subscribed to.
  private var started: Set<TypeURL> = []
  private var lastFull: [TypeURL: [String]] = [:]
  /// Filter configurations that were in a refused response, until they are accepted.
  private var doubted: Set<String> = []
  /// Whether refused listeners may come once more, since what they need was mended.
  private var mayRepeatListeners = false
  private var areListenersRefused = false
  private var sent: [Nonce: [String]] = [:]

  private static let types: [TypeURL] = [.cluster, .endpoint, .extensionConfig, .listener, .route]

  init(seed: UInt64, retriesAtOnce: Bool) {
    random = SeededGenerator(seed: seed)
    self.retriesAtOnce = retriesAtOnce
    state = StreamState(streamID: "0", retriesSuspectsAtOnce: retriesAtOnce)
    envoy.connect()
  }

  mutating func step() {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<4: publish()
    case 4..<9: pull()
    case 9..<13: if !envoy.inbox.isEmpty { process() }
    case 13..<17: if !envoy.outbox.isEmpty { deliver() }
    case 17, 18: changeNames()
    default: if Int.random(in: 0..<4, using: &random) == 0 { reconnect() }
    }
  }

  /// Lets everything come to rest, and answers what is not as it should be then.
  mutating func settle() -> [String] {
    var rounds = 0
    repeat {
      rounds += 1
      while !envoy.outbox.isEmpty { deliver() }
      pull()
      while !envoy.inbox.isEmpty { process() }
    } while !envoy.outbox.isEmpty && rounds < 200
    guard rounds < 200 else { return ["it never comes to rest"] }
    guard snapshot != nil else { return [] }
    return Self.types.flatMap(differences)
  }

  private func differences(_ typeURL: TypeURL) -> [String] {
    let wanted = texts[typeURL, default: [:]].filter {
      typeURL.isFullState || envoy.names[typeURL, default: []].contains($0.key)
    }
    let held = envoy.held[typeURL, default: [:]]
    let bad = wanted.values.contains(where: EnvoyModel.isBad)
    var differences: [String] = []
    // Refused in company, the good ones wait for the next change unless they are retried at once.
    if typeURL.isFullState || retriesAtOnce || !bad {
      for (name, text) in wanted where !EnvoyModel.isBad(text) && held[name] != text {
        differences.append("\(typeURL.shortName ?? ""): \(text) is not there")
      }
    }
    let report = state.report(on: typeURL)
    if bad != (report?.status == .error) {
      differences.append("\(typeURL.shortName ?? "") is \(report?.status.rawValue ?? "-")")
    }
    // A refused listener or route keeps the clusters that are gone.
    let users = [TypeURL.listener, .route, .extensionConfig]
    let isHeld = users.contains { state.report(on: $0)?.status == .error }
    if typeURL.isFullState && !isHeld {
      for name in held.keys where wanted[name] == nil {
        differences.append("\(typeURL.shortName ?? ""): \(name) is still there")
      }
    }
    return differences
  }

  private mutating func publish() {
    revision += 1
    var counter = 0
    let clusters = ["a", "b", "c", "d"].filter { _ in Bool.random(using: &random) }
    for typeURL in Self.types {
      let names = typeURL == .cluster || typeURL == .endpoint ? clusters : ["x", "y", "z"]
      var next: [String: String] = [:]
      for name in names {
        counter += 1
        let former = texts[typeURL]?[name]
        let refersTo = former.flatMap(EnvoyModel.cluster)
        let isStill = refersTo.map(clusters.contains) ?? true
        if let former, isStill, Int.random(in: 0..<3, using: &random) > 0 {
          next[name] = former
          continue
        }
        // A route that is deleted stays with Envoy until it unsubscribes, and may then dangle.
        let mayGo = typeURL == .listener || publishesBad
        if mayGo, typeURL != .cluster, typeURL != .endpoint,
          Int.random(in: 0..<4, using: &random) == 0
        {
          continue
        }
        // Few numbers, so that contents come back.
        var text = "\(name)@\(Int.random(in: 1...3, using: &random))"
        if publishesBad && Int.random(in: 0..<8, using: &random) == 0 { text += "!" }
        let isUser = typeURL == .listener || typeURL == .route
        if isUser, let cluster = clusters.randomElement(using: &random) { text += ":\(cluster)" }
        next[name] = text
      }
      // What went away or changed may come again.
      refused[typeURL] = refused[typeURL]?.filter { next[$0.key] == $0.value }
      accepted[typeURL] = accepted[typeURL]?.filter { next[$0.key] == $0.value }
      texts[typeURL] = next
    }
    let sets = texts.map { typeURL, texts in
      (
        typeURL,
        ResourceSet(
          texts.map {
            EncodedResource(typeURL: typeURL, name: $0, bytes: Array($1.utf8), origins: [])
          })
      )
    }
    let snapshot = ResourceSnapshot(
      revision: revision, proxyClass: ProxyClass(role: .sidecar, namespace: "default"),
      sets: Dictionary(uniqueKeysWithValues: sets), problems: [])
    self.snapshot = snapshot
    log.append(
      "= "
        + Self.types.map { "\($0.shortName ?? "") \(texts[$0, default: [:]].values.sorted())" }
        .joined(separator: "; "))
    state.push(snapshot, at: now)
  }

  private mutating func pull() {
    while let response = state.next(at: now) {
      let texts = response.resources.map { String(decoding: $0.bytes, as: UTF8.self) }
      log.append("< \(response.typeURL.shortName ?? "") \(response.nonce) \(texts)")
      check(response.typeURL, texts)
      unanswered[response.typeURL] = response.nonce
      sent[response.nonce] = texts
      envoy.inbox.append(
        EnvoyModel.Message(
          typeURL: response.typeURL, version: "\(response.version)", nonce: response.nonce,
          resources: texts, isFirst: started.insert(response.typeURL).inserted))
    }
  }

  private mutating func check(_ typeURL: TypeURL, _ texts: [String]) {
    if unanswered[typeURL] != nil {
      violations.append("a second \(typeURL.shortName ?? "") is unanswered")
    }
    if typeURL.isFullState {
      let mayRepeat = typeURL == .listener && mayRepeatListeners && areListenersRefused
      if lastFull[typeURL] == texts && !mayRepeat { violations.append("\(texts) again") }
      if typeURL == .listener { mayRepeatListeners = false }
      if typeURL == .cluster {
        warming.formUnion(
          texts.filter { !(lastFull[.cluster]?.contains($0) ?? false) }.map(EnvoyModel.name))
      }
      lastFull[typeURL] = texts
      return
    }
    for text in texts {
      let name = EnvoyModel.name(of: text)
      let isWarming = typeURL == .endpoint && warming.remove(name) != nil
      let wasForgotten = forgotten[typeURL]?.remove(name) != nil
      if accepted[typeURL]?[name] == text && !isWarming && !wasForgotten {
        violations.append("\(text) again")
      }
      if refused[typeURL]?[name] == text { violations.append("\(text) again, refused") }
    }
  }

  private mutating func process() { _ = envoy.process(envoy.inbox.removeFirst()) }

  private mutating func deliver() {
    let request = envoy.outbox.removeFirst()
    let typeURL = request.typeURL
    let outcome = state.handle(request, at: now)
    log.append(
      "> \(typeURL.shortName ?? "") \(request.responseNonce?.rawValue ?? "-") \(request.resourceNames)"
        + " v=\(request.versionInfo.prefix(4)) \(request.errorDetail ?? "") \(outcome)".prefix(60))
    switch outcome {
    case .acked(let nonce, _):
      unanswered[typeURL] = nil
      noteMending(typeURL, by: nonce)
      for text in sent[nonce] ?? [] {
        let name = EnvoyModel.name(of: text)
        accepted[typeURL, default: [:]][name] = texts[typeURL]?[name] == text ? text : nil
      }
    case .rejected(let rejection):
      unanswered[typeURL] = nil
      let texts = sent[rejection.nonce] ?? []
      if typeURL == .listener { areListenersRefused = true }
      if typeURL == .extensionConfig { doubted.formUnion(texts.map(EnvoyModel.name)) }
      // In part or in full it may have been applied.
      for text in texts { accepted[typeURL]?[EnvoyModel.name(of: text)] = nil }
      if texts.count == 1, let text = texts.first {
        refused[typeURL, default: [:]][EnvoyModel.name(of: text)] = text
      }
    case .subscribed:
      // Before anything was sent of a type, a request without a nonce starts over.
      unanswered[typeURL] = nil
      lastFull[typeURL] = nil
      started.remove(typeURL)
      accepted[typeURL] = nil
    default: break
    }
    guard !typeURL.isFullState else { return }
    let wanted = Set(request.resourceNames)
    if case .stale = outcome {
      forgotten[typeURL, default: []].formUnion(Set(["w", "x", "y", "z"]).subtracting(wanted))
      return
    }
    accepted[typeURL] = accepted[typeURL]?.filter { wanted.contains($0.key) }
    refused[typeURL] = refused[typeURL]?.filter { wanted.contains($0.key) }
  }

  private mutating func noteMending(_ typeURL: TypeURL, by nonce: Nonce) {
    if typeURL == .listener { areListenersRefused = false }
    guard typeURL == .extensionConfig else { return }
    let names = (sent[nonce] ?? []).map(EnvoyModel.name)
    if !doubted.isDisjoint(with: names) { mayRepeatListeners = true }
    doubted.subtract(names)
  }

  private mutating func changeNames() {
    let typeURL: TypeURL = Bool.random(using: &random) ? .route : .extensionConfig
    envoy.want(typeURL, Set(["x", "y", "z", "w"].filter { _ in Bool.random(using: &random) }))
  }

  private mutating func reconnect() {
    streamCount += 1
    log.append("! reconnect")
    state = StreamState(streamID: "\(streamCount)", retriesSuspectsAtOnce: retriesAtOnce)
    if let snapshot { state.push(snapshot, at: now) }
    unanswered = [:]
    accepted = [:]
    refused = [:]
    lastFull = [:]
    doubted = []
    mayRepeatListeners = false
    areListenersRefused = false
    warming = []
    forgotten = [:]
    started = []
    envoy.connect()
  }
}
