// SPDX-License-Identifier: Apache-2.0

import WasmModules

/// What a library should hold and answer, without disk, tasks or locks.
struct StoreModel {
  struct View: Hashable {
    var url: String
    var secret: String?
  }
  struct Version: Hashable {
    var name: String
    var checksum: ModuleDigest
  }
  struct Pull {
    var resourceVersion: String
    var version: Version
  }
  enum Damage { case deleted, corrupt }

  let limit: Int
  let sizes: [ModuleDigest: Int]
  var time: Int64 = 1_000_000
  var lastUse: [ModuleDigest: Int64] = [:]
  var damaged: [ModuleDigest: Damage] = [:]
  /// Corrupt files that stay because a user holds them.
  var stray: Set<ModuleDigest> = []
  var contents: [Version: ModuleDigest] = [:]
  var latest: [View: Version] = [:]
  var pulls: [View: [String: Pull]] = [:]
  var lastGood: [String: (content: ModuleDigest, checksum: ModuleDigest)] = [:]
  var users: [String: Set<ModuleDigest>] = [:]
  var downloads = 0

  init(limit: Int, sizes: [ModuleDigest: Int]) {
    self.limit = limit
    self.sizes = sizes
  }

  /// The files that should be there.
  var files: Set<ModuleDigest> {
    Set(lastUse.keys.filter { damaged[$0] != .deleted }).union(stray)
  }

  private func isImage(_ url: String) -> Bool { !url.hasPrefix("http") }

  private func name(_ url: String) -> String {
    guard isImage(url) else { return url }
    let path = url.hasPrefix("oci://") ? String(url.dropFirst(6)) : url
    return "oci://" + path.prefix { $0 != ":" }
  }

  private func mustPull(_ request: ModuleRequest) -> Bool {
    switch request.pullPolicy {
    case .always: true
    case .ifNotPresent: false
    case .unspecified: isImage(request.url) && !request.url.hasSuffix(":v1")
    }
  }

  private func view(_ request: ModuleRequest) -> View {
    View(url: request.url, secret: isImage(request.url) ? request.pullSecret?.revealed : nil)
  }

  private func answer(
    _ checksum: ModuleDigest, _ request: ModuleRequest
  ) -> (content: ModuleDigest, checksum: ModuleDigest)? {
    if let content = contents[Version(name: name(request.url), checksum: checksum)] {
      return (content, checksum)
    }
    return !isImage(request.url) && lastUse[checksum] != nil ? (checksum, checksum) : nil
  }

  private func answer(
    _ request: ModuleRequest
  ) -> (content: ModuleDigest, checksum: ModuleDigest)? {
    if let digest = request.sha256.flatMap({ ModuleDigest(hex: $0) }) {
      return answer(digest, request)
    }
    if mustPull(request) {
      guard let pull = pulls[view(request)]?[request.plugin],
        pull.resourceVersion == request.resourceVersion
      else { return nil }
      return answer(pull.version.checksum, request)
    }
    return latest[view(request)].flatMap { answer($0.checksum, request) }
  }

  mutating func cached(_ request: ModuleRequest) -> ModuleDigest? {
    guard let found = answer(request) else { return nil }
    lastUse[found.content] = time
    guard damaged[found.content] == nil else { return nil }
    lastGood[request.plugin] = found
    return found.content
  }

  mutating func lastGood(of plugin: String) -> ModuleDigest? {
    guard let found = lastGood[plugin] else { return nil }
    lastUse[found.content] = time
    return damaged[found.content] == nil ? found.content : nil
  }

  /// What a fetch should bring, if the URL names `current`; nil is a failure.
  mutating func module(_ request: ModuleRequest, current: [UInt8]?) -> ModuleDigest? {
    if let found = answer(request) { notice(found.content) }
    if let hit = cached(request) { return hit }
    if current == nil, !isImage(request.url) { downloads += 1 }
    guard let current, let found = fetch(request, current) else {
      if let last = lastGood[request.plugin] {
        lastUse[last.content] = time
        notice(last.content)
      }
      return nil
    }
    let version = Version(name: name(request.url), checksum: found.checksum)
    contents[version] = found.content
    latest[view(request)] = version
    if mustPull(request), request.sha256 == nil {
      pulls[view(request), default: [:]][request.plugin] = Pull(
        resourceVersion: request.resourceVersion, version: version)
    }
    lastUse[found.content] = time
    lastGood[request.plugin] = found
    return found.content
  }

  private mutating func fetch(
    _ request: ModuleRequest, _ current: [UInt8]
  ) -> (content: ModuleDigest, checksum: ModuleDigest)? {
    let content = ModuleDigest.of(current)
    let checksum = isImage(request.url) ? ScriptedSource.manifest(current) : content
    let isAsked = request.sha256 == nil || request.sha256 == checksum.hex
    if isImage(request.url) {
      guard isAsked else { return nil }
      if let found = answer(checksum, request) { notice(found.content) }
      if let found = answer(checksum, request) { return found }
    }
    downloads += 1
    guard isAsked else { return nil }
    damaged[content] = nil
    stray.remove(content)
    lastUse[content] = time
    purge(expired: .min)
    return (content, checksum)
  }

  /// A look at a file whose bytes are not what they were.
  private mutating func notice(_ content: ModuleDigest) {
    guard let damage = damaged[content] else { return }
    forget(content)
    if damage == .corrupt, isInUse(content) { stray.insert(content) }
  }

  private func isInUse(_ content: ModuleDigest) -> Bool {
    users.values.contains { $0.contains(content) }
  }

  private mutating func forget(_ content: ModuleDigest) {
    lastUse[content] = nil
    damaged[content] = nil
    contents = contents.filter { $0.value != content }
    latest = latest.filter { contents[$0.value] != nil }
    pulls = pulls.mapValues { $0.filter { contents[$0.value.version] != nil } }
    lastGood = lastGood.filter { $0.value.content != content }
  }

  mutating func setInUse(_ held: Set<ModuleDigest>, by user: String) {
    for content in held.union(users[user] ?? []) where lastUse[content] != nil {
      lastUse[content] = time
    }
    users[user] = held
  }

  mutating func purge() { purge(expired: time - 24 * 3600) }

  private mutating func purge(expired: Int64) {
    for content in lastUse.keys where isInUse(content) { lastUse[content] = time }
    for (content, last) in lastUse.sorted(by: { ($0.value, $0.key.hex) < ($1.value, $1.key.hex) }) {
      let total = lastUse.keys.reduce(0) { $0 + (sizes[$1] ?? 0) }
      if last < time - 300, last < expired || total > limit { forget(content) }
    }
  }

  mutating func restart() {
    users = [:]
    stray = []
    for content in damaged.keys { forget(content) }
    pulls = pulls.mapValues { $0.filter { !$0.value.resourceVersion.isEmpty } }
  }
}
