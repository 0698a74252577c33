// SPDX-License-Identifier: Apache-2.0

import MeshModel
import WasmModules

/// One resource that may need Wasm modules: what the server sent last, and what Envoy can have of it.
///
/// Versions follow the order in which they came, never the time at which a download ends: a newer
/// version takes the place of the search for an older one, whose results count no more.
struct ResourceSupply: Sendable {
  /// What Envoy is given.
  struct Placement: Sendable {
    var resource: EncodedResource
    /// The files that it names.
    var paths: [String] = []
    /// How something stands in for the modules that it should have; nil if nothing does.
    var standsIn: WasmFailureMode?
  }

  private enum Stage {
    /// The newest version is placed, as it should be. Next: anything, with a newer version.
    case placed
    /// The newest version can never be placed. Next: anything, with a newer version.
    case refused(String)
    /// Modules are missing. Next: `placed`, or a newer version.
    case seeking(Search)
  }

  private struct Search {
    var resource: WasmResource
    var since: ContinuousClock.Instant
    /// One for each use; nil for what is missing.
    var modules: [Module?]
    /// Why the latest attempt failed, for each use.
    var errors: [ModuleError?]
    var outstanding: Set<Int> = []
    var failedRounds = 0
    var nextAttempt: ContinuousClock.Instant?
    /// Whether something stands in.
    var isSubstituted = false

    /// Whether a use is still to be fetched; what does not say from where never can be.
    func lacks(_ index: Int) -> Bool {
      modules[index] == nil && resource.modules[index].request != nil
    }

    var isComplete: Bool { !modules.indices.contains(where: lacks) }
  }

  let typeURL: TypeURL
  let name: String
  /// The hash of the newest bytes of the server.
  private(set) var version: ContentHash?
  /// Nil before any version could be placed.
  private(set) var placement: Placement?
  /// Of the newest version, one for each module that it needs.
  private(set) var statuses: [ModuleStatus] = []
  private var sequence: UInt64 = 0
  private var stage = Stage.placed

  init(typeURL: TypeURL, name: String) {
    self.typeURL = typeURL
    self.name = name
  }

  /// Whether the first round for the newest version is still going on.
  var isUndecided: Bool {
    guard case .seeking(let search) = stage else { return false }
    return search.failedRounds == 0
  }

  /// Why the newest version counts as refused by the agent; nil if it does not.
  var refusal: String? {
    switch stage {
    case .placed: nil
    case .refused(let reason): reason
    case .seeking(let search):
      search.failedRounds > 0 && !search.isSubstituted ? Self.text(search, of: subject) : nil
    }
  }

  /// When the next round begins.
  var nextAttempt: ContinuousClock.Instant? {
    guard case .seeking(let search) = stage else { return nil }
    return search.nextAttempt
  }

  /// Files of modules that wait for others of the same resource.
  var heldPaths: [String] {
    guard case .seeking(let search) = stage else { return [] }
    return search.modules.compactMap { $0?.path }
  }

  /// Takes what the server sent; the same bytes again change nothing.
  mutating func take(
    _ encoded: EncodedResource, sequence: UInt64, rules: SupplyRules,
    at now: ContinuousClock.Instant, actions: inout [RelayAction]
  ) {
    guard encoded.version != version else { return }
    let overtaken = outstandingWork
    version = encoded.version
    self.sequence = sequence
    do throws(WasmResourceError) {
      let resource = try WasmResource(typeURL: encoded.typeURL, bytes: encoded.bytes)
      let uses = resource.modules
      if uses.isEmpty {
        if typeURL == .extensionConfig {
          actions.append(.note(.converted(.noRemoteLoad, after: .zero)))
        }
        stage = .placed
        placement = Placement(resource: encoded)
        statuses = []
      } else if rules.mode != .fallback, let use = uses.first(where: { $0.request == nil }) {
        let reason = "\(use.plugin) has remote code without an http_uri"
        refuse(.missRemoteFetchHint, reason, actions: &actions)
      } else {
        let search = Search(
          resource: resource, since: now, modules: uses.map { _ in nil },
          errors: uses.map { _ in nil })
        proceed(with: search, rules: rules, at: now, actions: &actions)
      }
    } catch {
      refuse(.unmarshalFailure, error.reason, actions: &actions)
    }
    // After the new work has begun, so that a download that both need goes on.
    if !overtaken.isEmpty { actions.append(.cancel(overtaken)) }
  }

  /// Takes the result of a fetch.
  mutating func complete(
    _ work: ModuleWork.ID, with result: Result<Module, ModuleError>, rules: SupplyRules,
    at now: ContinuousClock.Instant, actions: inout [RelayAction]
  ) {
    guard case .seeking(var search) = stage, work.sequence == sequence,
      search.outstanding.remove(work.index) != nil
    else { return }
    switch result {
    case .success(let module):
      search.modules[work.index] = module
      search.errors[work.index] = nil
      actions.append(.note(.fetched(plugin: search.resource.modules[work.index].plugin)))
    case .failure(let error): search.errors[work.index] = error
    }
    if search.outstanding.isEmpty && !search.isComplete {
      endRound(of: &search, rules: rules, at: now, actions: &actions)
    }
    settle(search, at: now, actions: &actions)
  }

  /// Begins the next round if it is time.
  mutating func tick(
    rules: SupplyRules, at now: ContinuousClock.Instant, actions: inout [RelayAction]
  ) {
    guard case .seeking(var search) = stage, let next = search.nextAttempt, next <= now else {
      return
    }
    search.nextAttempt = nil
    proceed(with: search, rules: rules, at: now, actions: &actions)
  }

  /// The resource is gone; what is under way for it is of no use any more.
  func abandon(actions: inout [RelayAction]) {
    if !outstandingWork.isEmpty { actions.append(.cancel(outstandingWork)) }
  }

  /// What a rejection calls the resource: Envoy's words, so that the server finds the name.
  var subject: String {
    typeURL == .listener ? "listener \(name)" : "extension config \(name)"
  }

  private mutating func refuse(
    _ result: WasmConversionResult, _ reason: String, actions: inout [RelayAction]
  ) {
    let text = "\(subject): \(result.rawValue): \(reason)"
    stage = .refused(text)
    statuses = []
    actions.append(.note(.converted(result, after: .zero)))
    actions.append(.note(.refused(resource: name, reason: text)))
  }

  private var outstandingWork: [ModuleWork.ID] {
    guard case .seeking(let search) = stage else { return [] }
    return search.outstanding.sorted().map(work)
  }

  private func work(_ index: Int) -> ModuleWork.ID {
    ModuleWork.ID(typeURL: typeURL, resource: name, sequence: sequence, index: index)
  }

  /// Takes what is on disk and begins to fetch the rest.
  private mutating func proceed(
    with former: Search, rules: SupplyRules, at now: ContinuousClock.Instant,
    actions: inout [RelayAction]
  ) {
    var search = former
    for index in search.modules.indices where search.lacks(index) {
      guard let request = search.resource.modules[index].request else { continue }
      search.modules[index] = rules.modules.cached(request)
      guard search.modules[index] == nil else { continue }
      search.outstanding.insert(index)
      actions.append(.start(ModuleWork(id: work(index), request: request)))
    }
    settle(search, at: now, actions: &actions)
  }

  private mutating func endRound(
    of search: inout Search, rules: SupplyRules, at now: ContinuousClock.Instant,
    actions: inout [RelayAction]
  ) {
    search.failedRounds += 1
    let delay = rules.retry.delay(afterFailures: search.failedRounds, chance: rules.random())
    search.nextAttempt = now + delay
    for (use, error) in zip(search.resource.modules, search.errors) {
      guard let error, let request = use.request else { continue }
      actions.append(
        .note(
          .fetchFailed(
            RelayNote.Failure(
              plugin: use.plugin, url: request.url.withoutUserInfo, resource: name,
              attempt: search.failedRounds, error: error, retryAfter: delay))))
    }
    if search.failedRounds == 1 {
      actions.append(.note(.converted(.fetchFailure, after: search.since.duration(to: now))))
    }
    if !search.isSubstituted { search.isSubstituted = substitute(search, rules: rules) }
  }

  /// Places what stands in for the missing modules; false if there is nothing.
  private mutating func substitute(_ search: Search, rules: SupplyRules) -> Bool {
    var modules = search.modules
    if rules.mode == .keepLast {
      for index in modules.indices where search.lacks(index) {
        modules[index] = search.resource.modules[index].request.flatMap {
          rules.modules.lastGood($0.plugin)
        }
      }
    }
    guard rules.mode == .fallback || !modules.contains(nil) else { return false }
    place(search.resource, with: modules, standingIn: rules.mode)
    return true
  }

  private mutating func settle(
    _ search: Search, at now: ContinuousClock.Instant, actions: inout [RelayAction]
  ) {
    if search.isComplete {
      place(search.resource, with: search.modules, standingIn: nil)
      stage = .placed
      let result =
        search.modules.contains(nil) ? .missRemoteFetchHint : WasmConversionResult.success
      actions.append(.note(.converted(result, after: search.since.duration(to: now))))
    } else {
      stage = .seeking(search)
    }
    statuses = search.resource.modules.indices.map { status(of: $0, in: search) }
  }

  /// Places the newest version; what has no module gets its fallback.
  private mutating func place(
    _ resource: WasmResource, with modules: [Module?], standingIn mode: WasmFailureMode?
  ) {
    let bytes = resource.rewritten(
      with: modules.map { $0.map { .file($0.path) } ?? WasmResource.Substitute.fallback })
    placement = Placement(
      resource: EncodedResource(typeURL: typeURL, name: name, bytes: bytes, origins: []),
      paths: modules.compactMap { $0?.path }, standsIn: mode)
  }

  private func status(of index: Int, in search: Search) -> ModuleStatus {
    let use = search.resource.modules[index]
    let strategy = use.failStrategy == .open ? "allow" : "deny"
    var status = ModuleStatus(
      key: .init(
        typeURL: typeURL, resource: name, plugin: use.plugin,
        url: use.request?.url.withoutUserInfo ?? ""),
      resourceVersion: version ?? ContentHash(of: []), phase: .fetching)
    status.sha256 = search.modules[index]?.digest.hex
    status.attempts = search.failedRounds
    if use.request == nil {
      status.phase = .fallback
      status.substitute = strategy
    } else if case .placed = stage {
      status.phase = .ready
    } else if search.isSubstituted, search.modules[index] != nil {
      status.phase = .ready
    } else if search.failedRounds > 0, search.modules[index] == nil {
      // A module that is there is no cause: it waits for the others of the resource.
      status.phase = search.isSubstituted ? .fallback : .failed
      status.isRefused = !search.isSubstituted
      if search.isSubstituted {
        status.substitute = placement?.standsIn == .keepLast ? "keep-last" : strategy
      }
      status.nextAttempt = search.nextAttempt
      status.error = search.errors[index].map { "\($0)" }
    }
    return status
  }

  private static func text(_ search: Search, of subject: String) -> String {
    let causes = zip(search.resource.modules, search.errors).compactMap { use, error in
      error.map { "Wasm module \(use.request?.url.withoutUserInfo ?? use.plugin): \($0)" }
    }
    return "\(subject): \(causes.joined(separator: ", "))"
  }
}

extension String {
  /// A URL without the user and password that it may have; these are for nobody's eyes.
  var withoutUserInfo: String {
    guard let scheme = ranges(of: "://").first else { return self }
    let authority = self[scheme.upperBound...].prefix { !"/?#".contains($0) }
    guard let at = authority.lastIndex(of: "@") else { return self }
    return String(self[..<scheme.upperBound] + self[index(after: at)...])
  }
}
